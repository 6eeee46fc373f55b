//! Writing the code: what travels, the client, the server.

mod client;
mod server;
mod wire;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Item, ItemTrait};

use crate::{args::Args, ast::Service, check::check, errors::Errors, fallback::fallback};

/// The whole expansion of `#[service(args)] item`.
pub(crate) fn service(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let args = Args::parse(args, &mut errors);
    let item = match parse_trait(item.clone()) {
        Ok(parsed) => parsed,
        Err(error) => {
            errors.push(error);
            let errors = errors.into_compile_errors();
            return quote! { #errors #item };
        }
    };
    let service = Service::read(item, &mut errors);
    check(&service, &mut errors);
    if errors.is_empty() {
        return expand(&service, &args);
    }
    let fallback = fallback(&service, &args);
    let errors = errors.into_compile_errors();
    quote! { #errors #fallback }
}

fn parse_trait(item: TokenStream) -> syn::Result<ItemTrait> {
    match syn::parse2(item)? {
        Item::Trait(item) => Ok(item),
        other => Err(syn::Error::new_spanned(other, "`#[service]` goes on a trait")),
    }
}

fn expand(service: &Service, args: &Args) -> TokenStream {
    let handover = &args.handover;
    let rpc = quote!(#handover::__private);
    let item = &service.item;
    let client = client::client(service, &rpc);
    let server = server::server(service, &rpc);
    let wire = wire::wire(service, &rpc);
    let quiet = generated_attributes();
    let (client_type, client_impls) = (client.item, client.impls);
    let (server_type, server_impls) = (server.item, server.impls);
    quote! {
        #[allow(async_fn_in_trait)]
        #item

        #client_type
        #server_type

        #quiet
        const _: () = {
            #wire
            #client_impls
            #server_impls
        };
    }
}

/// A type that users name, and what is implemented for it.
struct Expanded {
    item: TokenStream,
    impls: TokenStream,
}

/// Generated code is not for lints to judge.
pub(crate) fn generated_attributes() -> impl ToTokens {
    quote! {
        #[allow(
            clippy::all,
            clippy::pedantic,
            clippy::nursery,
            missing_docs,
            non_camel_case_types,
            unreachable_pub,
            unused
        )]
    }
}
