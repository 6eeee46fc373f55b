//! What travels: a type for each method, which says how its arguments and results are written and read.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Index, Type, ext::IdentExt};

use crate::ast::{Method, Output, Service};

pub(super) fn wire(service: &Service, rpc: &TokenStream) -> TokenStream {
    let methods = service.methods.iter().map(|method| method_type(service, method, rpc));
    let distinct = distinct_ids(service, rpc);
    quote! {
        // Names for what is spelled at the user's types. A path to a `handover` that is not there is told once this way.
        type __Argument<T> = #rpc::Argument<T>;
        type __Ok<T> = <T as #rpc::IsResult>::Ok;
        type __Err<T> = <T as #rpc::IsResult>::Err;

        #(#methods)*
        #distinct
    }
}

fn method_type(service: &Service, method: &Method, rpc: &TokenStream) -> TokenStream {
    let service = service.item.ident.unraw().to_string();
    let (marker, cfgs) = (method.marker(), &method.cfgs);
    let (name, id) = (method.wire_name(), id(method, rpc));
    let arguments: Vec<_> = (0..method.args.len()).map(|position| Argument::of(method, position)).collect();
    let (aliases, codecs) = (arguments.iter().map(|it| &it.alias), arguments.iter().map(|it| &it.codec));
    let names: Vec<_> = arguments.iter().map(|it| &it.name).collect();
    let args = args_tuple(method, &names);
    let fields = (0..names.len()).map(Index::from);
    let results = Results::of(&method.output, rpc);
    let (whole, ok, err, into_result) = (results.whole, results.ok, results.err, results.into_result);
    quote! {
        #(#cfgs)*
        struct #marker;

        #(#aliases)*

        #(#cfgs)*
        impl #marker {
            #(#codecs)*
        }

        #(#cfgs)*
        impl #rpc::Method for #marker {
            const ID: #rpc::MethodId = #id;
            const NAME: &'static ::core::primitive::str = #name;
            const SERVICE: &'static ::core::primitive::str = #service;
            type Args = #args;
            type Ok = #ok;
            type Err = #err;
            type Return = #whole;
            const RESULT: #rpc::ResultCodec<Self::Ok, Self::Err> = #rpc::result_codec::<#ok, #err>();

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

fn id(method: &Method, rpc: &TokenStream) -> TokenStream {
    let name = method.wire_name();
    match &method.options.id {
        Some(id) => quote!(#rpc::MethodId(#id)),
        None => quote!(#rpc::MethodId::of_name(#name)),
    }
}

/// What is made of one argument.
struct Argument {
    /// Names its type, and how it is written and read.
    name: Ident,
    /// Its type, spelled once here, so that what rustc has to say about it is said once.
    alias: TokenStream,
    /// How it is written and read: the one place that asks whether its type can travel.
    codec: TokenStream,
}

impl Argument {
    fn of(method: &Method, position: usize) -> Self {
        let (ty, cfgs) = (&method.args[position].ty, &method.cfgs);
        let name = format_ident!("__argument_{position}_of_{}", method.ident().unraw(), span = Span::mixed_site());
        let (first, last) = ends(ty);
        let (type_open, type_close) = (quote_spanned!(first=> __Argument<#name), quote_spanned!(last=> >));
        let (call_open, call_close) = (quote_spanned!(first=> __Argument::<#name>::), quote_spanned!(last=> of()));
        Self {
            alias: quote!(#(#cfgs)* type #name = #ty;),
            codec: quote!(const #name: #type_open #type_close = #call_open #call_close;),
            name,
        }
    }
}

/// The arguments as a tuple. What keeps one of them from being sent is shown at the only one, or at all of them.
fn args_tuple(method: &Method, types: &[&Ident]) -> TokenStream {
    let place = match &method.args[..] {
        [only] => ends(&only.ty).0,
        _ => method.signature.paren_token.span.join(),
    };
    quote_spanned!(place=> (#(#types,)*))
}

/// Where a type begins and where it ends. What is generated between the two is shown as the type.
fn ends(ty: &Type) -> (Span, Span) {
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

/// Two names with the same hash do not compile; the later method is shown.
fn distinct_ids(service: &Service, rpc: &TokenStream) -> TokenStream {
    let ids = service.methods.iter().map(|method| {
        let (marker, cfgs) = (method.marker(), &method.cfgs);
        quote!(#(#cfgs)* (<#marker as #rpc::Method>::ID, <#marker as #rpc::Method>::NAME))
    });
    let checks = service.methods.iter().map(|method| {
        let (marker, cfgs, place) = (method.marker(), &method.cfgs, method.ident().span());
        quote_spanned!(place=> #(#cfgs)* const _: () = __assert_distinct::<#marker>();)
    });
    quote! {
        #[track_caller]
        const fn __assert_distinct<M: #rpc::Method>() {
            #rpc::assert_distinct::<M>(&[#(#ids),*]);
        }

        #(#checks)*
    }
}
