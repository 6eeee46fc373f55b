//! What travels: a type for each method, which says how its arguments and results are written and read.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Index, Type, ext::IdentExt};

use super::{
    description,
    streams::{stream_type, stream_types},
};
use crate::ast::{Arg, Lent, Method, Output, Params, Service, Stream};

pub(super) fn wire(service: &Service, rpc: &TokenStream) -> TokenStream {
    let methods = service.methods.iter().map(|method| method_type(service, method, rpc));
    let travelling = travelling(&service.params, rpc);
    quote! {
        // Names for what is spelled at the user's types. A path to a `handover` that is not there is told once this way.
        type __Argument<T> = #rpc::Argument<T>;
        type __InStream<T> = #rpc::InStream<T>;
        type __Ok<T> = <T as #rpc::IsResult>::Ok;
        type __Err<T> = <T as #rpc::IsResult>::Err;

        #(#methods)*
        #travelling
    }
}

/// Asks of each parameter that travels whether it can, in one place, so that it is told once.
fn travelling(params: &Params, rpc: &TokenStream) -> TokenStream {
    if params.is_empty() {
        return TokenStream::new();
    }
    let (declared, predicates) = (params.declared(None), params.predicates());
    let asked = params.travelling().map(|it| {
        let ty = respanned(it.ty.to_token_stream(), it.declared);
        quote_spanned!(it.declared=> #rpc::travels::<#ty>();)
    });
    quote! {
        fn __all_travel #declared() where #(#predicates),* {
            #(#asked)*
        }
    }
}

/// The same tokens, shown elsewhere.
fn respanned(tokens: TokenStream, place: Span) -> TokenStream {
    let respan = |mut token: TokenTree| {
        token.set_span(place);
        token
    };
    tokens.into_iter().map(respan).collect()
}

fn method_type(service: &Service, method: &Method, rpc: &TokenStream) -> TokenStream {
    let service_name = service.item.ident.unraw().to_string();
    let (marker, cfgs, params) = (method.marker(), method.cfgs(), &service.params);
    let (declared, params_args) = (params.declared(None), params.args(None));
    let clause = params.where_clause(rpc, method.predicates.iter().map(ToTokens::to_token_stream));
    let body = (!params.is_empty()).then(|| {
        let types = params.tuple();
        quote!((::core::marker::PhantomData<fn() -> #types>))
    });
    let (name, id) = (method.wire_name(), id_const(method));
    let arguments: Vec<_> = (0..method.args.len()).map(|at| Argument::of(method, at, params, rpc)).collect();
    let (aliases, codecs) = (arguments.iter().map(|it| &it.alias), arguments.iter().map(|it| &it.codec));
    let names: Vec<_> = arguments.iter().map(|it| &it.name).collect();
    let args = args_tuple(method, arguments.iter().map(|it| &it.spelled));
    let fields = (0..names.len()).map(Index::from);
    let (results, streams) = (Results::of(&method.output, rpc), stream_types(service, method, rpc));
    let (whole, ok, err, into_result) = (results.whole, results.ok, results.err, results.into_result);
    let description = description::of_method(method, &names, rpc);
    let ordered = method.options.ordered.map(|_| {
        quote!(
            const ORDERED: ::core::primitive::bool = true;
        )
    });
    let no_cancel = method.options.no_cancel.map(|_| {
        quote!(
            const CANCELS: ::core::primitive::bool = false;
        )
    });
    let takes_context = method.context.as_ref().map(|_| {
        quote!(
            const TAKES_CONTEXT: ::core::primitive::bool = true;
        )
    });
    let overflow = method.options.overflow.as_ref().map(|overflow| {
        let variant = &overflow.variant;
        quote!(
            const OVERFLOW: #rpc::Overflow = #rpc::Overflow::#variant;
        )
    });
    let codec = match &method.yields {
        None => quote!(#rpc::result_codec::<#ok, #err>()),
        Some(_) => {
            let stream = stream_type(method, None);
            quote!(#rpc::stream_codec::<#stream #params_args, #err>())
        }
    };
    quote! {
        #streams

        #(#cfgs)*
        struct #marker #declared #body;

        #(#aliases)*

        #(#cfgs)*
        impl #declared #marker #params_args #clause {
            #(#codecs)*
        }

        #(#cfgs)*
        impl #declared #rpc::Method for #marker #params_args #clause {
            const ID: #rpc::MethodId = #id;
            const NAME: &'static ::core::primitive::str = #name;
            #ordered
            #no_cancel
            #takes_context
            const SERVICE: &'static ::core::primitive::str = #service_name;
            #overflow
            type Args = #args;
            type Ok = #ok;
            type Err = #err;
            type Return = #whole;
            #description
            const RESULT: #rpc::ResultCodec<Self::Ok, Self::Err> = #codec;

            fn encode_args(
                args: &Self::Args,
                to: &mut #rpc::Encoder,
            ) -> ::core::result::Result<(), #rpc::EncodeError> {
                #(#rpc::put_argument(&Self::#names, &args.#fields, to)?;)*
                ::core::result::Result::Ok(())
            }

            fn decode_args(from: &mut #rpc::Decoder<'_>) -> ::core::result::Result<Self::Args, #rpc::DecodeError> {
                ::core::result::Result::Ok((#(#rpc::take_argument(&Self::#names, from)?,)*))
            }

            fn into_result(returned: Self::Return) -> ::core::result::Result<Self::Ok, Self::Err> {
                #into_result
            }
        }
    }
}

/// The constant that is a method's id: it can be matched against, and depends on no parameter.
pub(super) fn id_const(method: &Method) -> Ident {
    format_ident!("__ID_OF_{}", method.ident().unraw(), span = Span::mixed_site())
}

/// What is made of one argument.
struct Argument {
    /// How it is written and read.
    name: Ident,
    /// Its type, in short.
    spelled: TokenStream,
    /// Its type, spelled once here, so that what rustc has to say about it is said once.
    alias: TokenStream,
    /// How it is written and read: the one place that asks whether its type can travel.
    codec: TokenStream,
}

impl Argument {
    fn of(method: &Method, position: usize, params: &Params, rpc: &TokenStream) -> Self {
        let (arg, cfgs) = (&method.args[position], method.cfgs());
        if let Some(stream) = &arg.stream {
            return Self::of_stream(method, position, stream, params, rpc);
        }
        let name = format_ident!("__argument_{position}_of_{}", method.ident().unraw(), span = Span::mixed_site());
        let (shown, ty) = travelling_type(arg, rpc);
        let (first, last) = ends(shown);
        let (alias, spelled) = match params.for_alias(&ty) {
            Some(used) => {
                let declared = params.declare(&used);
                let used = if used.is_empty() { TokenStream::new() } else { quote!(<#(#used),*>) };
                (quote!(#(#cfgs)* type #name #declared = #ty;), quote!(#name #used))
            }
            None => (TokenStream::new(), ty),
        };
        let (type_open, type_close) = (quote_spanned!(first=> __Argument<#spelled), quote_spanned!(last=> >));
        let (call_open, call_close) = (quote_spanned!(first=> __Argument::<#spelled>::), quote_spanned!(last=> of()));
        Self { codec: quote!(const #name: #type_open #type_close = #call_open #call_close;), alias, spelled, name }
    }

    /// Its type is spelled where the type is declared that stands for the stream.
    fn of_stream(method: &Method, position: usize, stream: &Stream, params: &Params, rpc: &TokenStream) -> Self {
        let name = format_ident!("__argument_{position}_of_{}", method.ident().unraw(), span = Span::mixed_site());
        let (spelled, marker, args) = (stream.streaming(rpc), stream_type(method, Some(position)), params.args(None));
        let codec = quote!(const #name: __Argument<#spelled> = #rpc::stream_argument::<#marker #args>(););
        Self { codec, alias: TokenStream::new(), spelled, name }
    }
}

/// The type that travels for an argument, and where to say so if it cannot.
fn travelling_type<'m>(arg: &'m Arg, rpc: &TokenStream) -> (&'m Type, TokenStream) {
    match &arg.lent {
        None => (&arg.ty, arg.ty.to_token_stream()),
        Some(Lent::Slice(ty)) => (ty, quote!(#rpc::Vec<#ty>)),
        Some(Lent::Sized(ty)) => (ty, ty.to_token_stream()),
        Some(Lent::Unsized(ty)) => (ty, quote!(<#ty as #rpc::ToOwned>::Owned)),
    }
}

/// The arguments as a tuple. What keeps one of them from being sent is shown at the only one, or at all of them.
fn args_tuple<'a>(method: &Method, types: impl Iterator<Item = &'a TokenStream>) -> TokenStream {
    let place = match &method.args[..] {
        [only] => ends(&only.ty).0,
        _ => method.signature.paren_token.span.join(),
    };
    quote_spanned!(place=> (#(#types,)*))
}

/// Where a type begins and where it ends. What is generated between the two is shown as the type.
pub(super) fn ends(ty: &Type) -> (Span, Span) {
    let spans: Vec<_> = ty.to_token_stream().into_iter().map(|token| token.span()).collect();
    let at = |span: Option<&Span>| span.copied().unwrap_or_else(Span::call_site);
    (at(spans.first()), at(spans.last()))
}

/// The types that a method's result is made of.
pub(super) struct Results {
    pub(super) whole: TokenStream,
    pub(super) ok: TokenStream,
    pub(super) err: TokenStream,
    into_result: TokenStream,
}

impl Results {
    pub(super) fn of(output: &Output, rpc: &TokenStream) -> Self {
        match output {
            Output::Plain(ty) => Self {
                whole: quote!(#ty),
                ok: quote!(#ty),
                err: quote!(#rpc::Never),
                into_result: quote!(::core::result::Result::Ok(returned)),
            },
            Output::Fallible { whole, ok, err } => {
                Self { whole: quote!(#whole), ok: quote!(#ok), err: quote!(#err), into_result: into_result(whole, rpc) }
            }
            Output::Alias(whole) => Self {
                whole: quote!(#whole),
                ok: part_of(whole, "__Ok"),
                err: part_of(whole, "__Err"),
                into_result: into_result(whole, rpc),
            },
        }
    }
}

fn into_result(whole: &Type, rpc: &TokenStream) -> TokenStream {
    let (first, last) = ends(whole);
    let returned = Ident::new("returned", Span::call_site().located_at(last));
    let (open, close) = (quote_spanned!(first=> <), quote_spanned!(last=> >::into_result(#returned)));
    quote!(#open #whole as #rpc::IsResult #close)
}

/// One of the two types in an alias of a `Result`.
fn part_of(whole: &Type, part: &str) -> TokenStream {
    let (first, last) = ends(whole);
    let part = Ident::new(part, first);
    let (open, close) = (quote_spanned!(first=> #part<), quote_spanned!(last=> >));
    quote!(#open #whole #close)
}
