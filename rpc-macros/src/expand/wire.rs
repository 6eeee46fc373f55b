//! What travels: a type for each method, which says how its arguments and results are written and read.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Index, spanned::Spanned};

use crate::ast::{Method, Output, Service};

pub(super) fn wire(service: &Service, rpc: &TokenStream) -> TokenStream {
    let methods = service.methods.iter().map(|method| method_type(service, method, rpc));
    let distinct = distinct_ids(service, rpc);
    quote! {
        #(#methods)*
        #distinct
    }
}

fn method_type(service: &Service, method: &Method, rpc: &TokenStream) -> TokenStream {
    let (vis, marker, cfgs) = (service.visibility(), method.marker(), &method.cfgs);
    let (name, id) = (method.wire_name(), id(method, rpc));
    let types: Vec<_> = method.args.iter().map(|arg| &arg.ty).collect();
    let numbers: Vec<_> = (0..types.len()).collect();
    let fields: Vec<_> = numbers.iter().copied().map(Index::from).collect();
    let arguments = types.iter().zip(&numbers).map(|(ty, number)| {
        quote! {
            #(#cfgs)*
            impl #rpc::Argument<#number> for #marker {
                type Type = #ty;
            }
        }
    });
    let results = Results::of(&method.output, rpc);
    let (whole, ok, err, into_result) = (results.whole, results.ok, results.err, results.into_result);
    quote! {
        #(#cfgs)*
        #vis struct #marker;

        #(#arguments)*

        #(#cfgs)*
        impl #rpc::Method for #marker {
            const ID: #rpc::MethodId = #id;
            const NAME: &'static ::core::primitive::str = #name;
            type Args = (#(#types,)*);
            type Ok = #ok;
            type Err = #err;
            type Return = #whole;

            fn encode_args(
                args: &Self::Args,
                to: &mut #rpc::Encoder,
            ) -> ::core::result::Result<(), #rpc::EncodeError> {
                #(#rpc::put_argument::<Self, #numbers>(to, &args.#fields)?;)*
                ::core::result::Result::Ok(())
            }

            fn decode_args(from: &mut #rpc::Decoder<'_>) -> ::core::result::Result<Self::Args, #rpc::DecodeError> {
                ::core::result::Result::Ok((#(#rpc::take_argument::<Self, #numbers>(from)?,)*))
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
                Self { whole: quote!(#whole), ok: quote!(#ok), err: quote!(#err), into_result: quote!(returned) }
            }
            Output::Alias(whole) => Self {
                whole: quote!(#whole),
                ok: quote_spanned!(whole.span()=> <#whole as #rpc::IsResult>::Ok),
                err: quote_spanned!(whole.span()=> <#whole as #rpc::IsResult>::Err),
                into_result: quote!(returned),
            },
        }
    }
}

/// Two names with the same hash do not compile.
fn distinct_ids(service: &Service, rpc: &TokenStream) -> TokenStream {
    let ids = service.methods.iter().map(|method| {
        let (marker, cfgs) = (method.marker(), &method.cfgs);
        quote!(#(#cfgs)* <#marker as #rpc::Method>::ID)
    });
    quote_spanned! {service.item.ident.span()=>
        const _: () = #rpc::assert_distinct(&[#(#ids),*]);
    }
}
