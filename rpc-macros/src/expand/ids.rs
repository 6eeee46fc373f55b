//! The methods' numbers: constants, a list of them, and that no two are the same.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::wire::id_const;
use crate::ast::{Method, Service, Viewed};

pub(super) fn ids(service: &Service, rpc: &TokenStream) -> TokenStream {
    let name = service.item.ident.to_string();
    let consts = service.methods.iter().map(|method| {
        let (cfgs, name, id) = (method.cfgs(), id_const(method), id(method, rpc));
        quote!(#(#cfgs)* const #name: #rpc::MethodId = #id;)
    });
    let listed = service.methods.iter().map(|method| {
        let (cfgs, id, name) = (method.cfgs(), id_const(method), method.wire_name());
        quote!(#(#cfgs)* (#id, #name))
    });
    let checks = checks(service, rpc);
    quote! {
        #(#consts)*

        const __SERVICE: &::core::primitive::str = ::core::concat!(::core::module_path!(), "::", #name);
        const __METHODS: &[(#rpc::MethodId, &::core::primitive::str)] = &[#(#listed),*];

        #checks
    }
}

fn id(method: &Method, rpc: &TokenStream) -> TokenStream {
    let name = method.wire_name();
    match &method.options.id {
        Some(id) => quote!(#rpc::MethodId(#id)),
        None => quote!(#rpc::MethodId::of_name(#name)),
    }
}

/// Two methods with the same id do not compile; the later one is shown.
fn checks(service: &Service, rpc: &TokenStream) -> TokenStream {
    let own = service.methods.iter().map(|method| {
        let (cfgs, place, id, name) = (method.cfgs(), method.ident().span(), id_const(method), method.wire_name());
        quote_spanned!(place=> #(#cfgs)* const _: () = __assert_distinct(#id, #name);)
    });
    let table = if is_closed(service) { table(service, rpc) } else { own_table(rpc) };
    let (supers, viewed) = (supers(service, rpc), viewed(service, rpc));
    quote! {
        #[track_caller]
        const fn __assert_distinct(id: #rpc::MethodId, name: &::core::primitive::str) {
            #rpc::assert_distinct(&#table, id, name);
        }

        #(#own)*
        #supers
        #viewed
    }
}

/// That the methods of a view have the ids that the service has them by. One that the service lacks is told elsewhere.
fn viewed(service: &Service, rpc: &TokenStream) -> TokenStream {
    let Some(Viewed { client, .. }) = &service.viewed else { return TokenStream::new() };
    let own = service.methods.iter().map(|method| {
        let (cfgs, place, id, name) = (method.cfgs(), method.ident().span(), id_const(method), method.wire_name());
        quote_spanned!(place=> #(#cfgs)* const _: () = __assert_viewed(#id, #name);)
    });
    quote! {
        #[track_caller]
        const fn __assert_viewed(id: #rpc::MethodId, name: &::core::primitive::str) {
            #rpc::assert_viewed(&<#client as #rpc::ServiceClient>::METHODS, id, name);
        }

        #(#own)*
    }
}

/// Whether the tables of the super-services can be named in a constant: they have no parameters of this service's.
fn is_closed(service: &Service) -> bool {
    service.params.is_empty()
}

fn table(service: &Service, rpc: &TokenStream) -> TokenStream {
    let (client, args) = (service.client(), service.params.args(None));
    quote!(<#client #args as #rpc::ServiceClient>::METHODS)
}

fn own_table(rpc: &TokenStream) -> TokenStream {
    quote!(#rpc::MethodTable { service: __SERVICE, own: __METHODS, supers: &[] })
}

/// Whether the methods of a super-service have the ids of others.
fn supers(service: &Service, rpc: &TokenStream) -> TokenStream {
    if service.supers.is_empty() {
        return TokenStream::new();
    }
    let table = table(service, rpc);
    let later = service.supers.iter().enumerate().skip(1);
    if is_closed(service) {
        let later = later
            .map(|(position, it)| quote_spanned!(it.path.span()=> const _: () = __assert_distinct_super(#position);));
        return quote! {
            #[track_caller]
            const fn __assert_distinct_super(position: ::core::primitive::usize) {
                #rpc::assert_distinct_super(&#table, position);
            }

            #(#later)*
        };
    }
    let later =
        later.map(|(position, it)| quote_spanned!(it.path.span()=> #rpc::assert_distinct_super(&#table, #position);));
    let own = service.methods.iter().map(|method| {
        let (cfgs, place, id, name) = (method.cfgs(), method.ident().span(), id_const(method), method.wire_name());
        quote_spanned!(place=> #(#cfgs)* #rpc::assert_distinct(&#table, #id, #name);)
    });
    let (client, declared, args) = (service.client(), service.params.declared(None), service.params.args(None));
    quote! {
        // Looked at when a client of known parameters is made.
        impl #declared #client #args {
            const __DISTINCT: () = {
                #(#own)*
                #(#later)*
            };
        }
    }
}

/// Looks at the ids that could not be looked at before the parameters are known: where a client of known ones is made.
///
/// ```compile_fail
/// use handover::{prelude::*, rpc::Wire};
///
/// #[service]
/// trait Store<K: Wire> {
///     async fn count(&self) -> K;
/// }
///
/// #[service]
/// trait Admin<K: Wire>: Store<K> {
///     async fn count(&self) -> K;
/// }
///
/// # fn main() {
/// let (ours, _theirs) = MessageChannel::new().into_ports();
/// let _client = AdminClient::<u8>::from(ours);
/// # }
/// ```
pub(super) fn look(service: &Service) -> TokenStream {
    if service.supers.is_empty() || is_closed(service) {
        TokenStream::new()
    } else {
        quote!(let () = Self::__DISTINCT;)
    }
}
