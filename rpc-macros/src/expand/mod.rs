//! Writing the code: what travels, the client, the server, the methods' names.

mod client;
mod client_trait;
mod description;
mod ids;
mod methods;
mod server;
mod streams;
mod wire;

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Item, ItemTrait};

pub(crate) use self::{
    client::client,
    methods::methods_after_a_mistake,
    server::{object, server_type},
};
use crate::{args::Args, ast::Service, check::check, errors::Errors, fallback::fallback};

/// The whole expansion of `#[service(args)] item`.
pub(crate) fn service(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut misplaced = Errors::default();
    let args = Args::parse(args, &mut misplaced);
    let code = match parse_trait(item.clone(), &mut misplaced) {
        Some(item) => checked(item, &args),
        None => item,
    };
    let errors = misplaced.into_compile_errors();
    quote! { #errors #code }
}

fn parse_trait(item: TokenStream, errors: &mut Errors) -> Option<ItemTrait> {
    match syn::parse2(item) {
        Ok(Item::Trait(item)) => return Some(item),
        Ok(_) => errors.push(syn::Error::new(Span::call_site(), "`#[service]` goes on a trait")),
        Err(error) => errors.push(error),
    }
    None
}

/// The expansion of a trait, or its mistakes and what stands in for it.
fn checked(item: ItemTrait, args: &Args) -> TokenStream {
    let mut errors = Errors::default();
    let service = Service::read(item, args, &mut errors);
    check(&service, args, &mut errors);
    if errors.is_empty() {
        return expand(&service, args);
    }
    let code = fallback(service, args);
    let errors = errors.into_compile_errors();
    quote! { #errors #code }
}

fn expand(service: &Service, args: &Args) -> TokenStream {
    let rpc = args.private();
    let client = client::client(service, &rpc);
    let server = server::server(service, &rpc);
    let methods = methods::methods(service, &rpc);
    let (wire, ids) = (wire::wire(service, &rpc), ids::ids(service, &rpc));
    let client_trait = client_trait::client_trait(service, &rpc);
    assemble(service, [client, server, methods], quote!(#wire #ids #client_trait))
}

/// The trait as it is, and beside it what is made from it.
pub(crate) fn assemble(service: &Service, expanded: [Expanded; 3], wire: TokenStream) -> TokenStream {
    let (trait_item, cfgs) = (&service.item, service.cfgs());
    let quiet = generated_attributes();
    let (types, impls): (Vec<_>, Vec<_>) = expanded.into_iter().map(|it| (it.item, it.impls)).unzip();
    let types: TokenStream = types.iter().map(|item| quote!(#(#cfgs)* #quiet #item)).collect();
    quote! {
        #[allow(async_fn_in_trait)]
        #trait_item

        #types

        #(#cfgs)*
        #quiet
        const _: () = {
            #wire
            #(#impls)*
        };
    }
}

/// A type that users name, and what is implemented for it.
pub(crate) struct Expanded {
    pub(crate) item: TokenStream,
    pub(crate) impls: TokenStream,
}

/// Generated code is not for lints to judge.
fn generated_attributes() -> TokenStream {
    quote! {
        #[allow(
            clippy::all,
            clippy::pedantic,
            clippy::nursery,
            deprecated,
            non_camel_case_types,
            non_upper_case_globals,
            private_bounds,
            private_interfaces,
            single_use_lifetimes,
            type_alias_bounds,
            unreachable_pub,
            unused
        )]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expansion of a trait, with one space between any two tokens.
    fn expanded(item: TokenStream) -> String {
        service(TokenStream::new(), item).to_string().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_method_is_concurrent_and_can_be_cancelled_unless_it_says_otherwise() {
        let plain = expanded(quote!(
            trait Contacts {
                async fn add(&self);
            }
        ));
        let ordered = expanded(quote!(
            trait Contacts {
                #[rpc(ordered)]
                async fn add(&self);
            }
        ));
        let kept = expanded(quote!(
            trait Contacts {
                #[rpc(no_cancel)]
                async fn add(&self);
            }
        ));

        assert!(!plain.contains("ORDERED") && !plain.contains("CANCELS"), "left to the trait's own constants");
        assert!(ordered.contains("const ORDERED : :: core :: primitive :: bool = true ;"), "{ordered}");
        assert!(kept.contains("const CANCELS : :: core :: primitive :: bool = false ;"), "{kept}");
    }

    #[test]
    fn the_context_of_a_call_is_the_services_and_does_not_travel() {
        let owned = expanded(quote!(
            trait Contacts {
                async fn add(&self, context: handover::CallContext, name: String);
            }
        ));
        let lent = expanded(quote!(
            trait Contacts {
                async fn add(&self, context: &CallContext, name: String);
            }
        ));

        for code in [&owned, &lent] {
            assert!(code.contains("fn add (& self , name : String) -> "), "the client's method has no context: {code}");
            assert!(code.contains("let context = responder . context () ;"), "{code}");
            assert!(!code.contains("__argument_1_of_add"), "one argument travels: {code}");
        }
        assert!(owned.contains(":: add (object , context , args . 0)"), "{owned}");
        assert!(lent.contains(":: add (object , & context , args . 0)"), "{lent}");
    }

    #[test]
    fn a_method_that_asks_for_no_context_is_given_none() {
        let code = expanded(quote!(
            trait Contacts {
                async fn add(&self, name: String);
            }
        ));

        assert!(!code.contains("context"), "{code}");
    }
}
