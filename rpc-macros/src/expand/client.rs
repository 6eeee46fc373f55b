//! The caller's side.

use proc_macro2::TokenStream;
use quote::quote;

use super::{Expanded, wire::Results};
use crate::ast::{Method, Output, Service};

pub(crate) fn client(service: &Service, rpc: &TokenStream) -> Expanded {
    let (vis, client, name) = (service.visibility(), service.client(), service.item.ident.to_string());
    let docs = [
        format!("A client of [`{name}`]: a port that leads to a service, and a method for each of the trait's."),
        String::new(),
        "It is made from a port; it may be an argument or a result, anywhere inside one. Dropping it closes the port."
            .into(),
    ];
    let methods = service.methods.iter().map(|method| client_method(service, method, rpc));
    let item = quote! {
        #(#[doc = #docs])*
        #vis struct #client(#rpc::ClientStub);
    };
    let text = client.to_string();
    let impls = quote! {
        impl #client {
            #(#methods)*
        }

        impl ::core::convert::From<#rpc::MessagePort> for #client {
            fn from(port: #rpc::MessagePort) -> Self {
                Self(#rpc::ClientStub::new(port))
            }
        }

        impl #rpc::Client for #client {
            fn port(&self) -> &#rpc::MessagePort {
                self.0.port()
            }

            fn into_port(self) -> #rpc::MessagePort {
                self.0.into_port()
            }

            fn with_options(self, options: #rpc::ClientOptions) -> Self {
                Self(self.0.with(options))
            }
        }

        impl #rpc::serde::Serialize for #client {
            fn serialize<S: #rpc::serde::Serializer>(
                &self,
                to: S,
            ) -> ::core::result::Result<<S as #rpc::serde::Serializer>::Ok, <S as #rpc::serde::Serializer>::Error> {
                #rpc::serde::Serialize::serialize(&self.0, to)
            }
        }

        impl<'de> #rpc::serde::Deserialize<'de> for #client {
            fn deserialize<D: #rpc::serde::Deserializer<'de>>(
                from: D,
            ) -> ::core::result::Result<Self, <D as #rpc::serde::Deserializer<'de>>::Error> {
                #rpc::serde::Deserialize::deserialize(from).map(Self)
            }
        }

        impl ::core::fmt::Debug for #client {
            fn fmt(&self, to: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                to.debug_tuple(#text).field(&self.0).finish()
            }
        }
    };
    Expanded { item, impls }
}

fn client_method(service: &Service, method: &Method, rpc: &TokenStream) -> TokenStream {
    let (vis, ident, marker) = (service.visibility(), method.ident(), method.marker());
    let (cfgs, docs, deprecated) = (&method.cfgs, &method.docs, &method.deprecated);
    // Else a crate that denies what is undocumented would hear of each method twice.
    let undocumented = docs.is_empty().then(|| format!("Calls `{}`.", method.wire_name())).into_iter();
    let (names, types): (Vec<_>, Vec<_>) = method.args.iter().map(|arg| (&arg.name, &arg.ty)).unzip();
    let (receiver, lifetime) =
        if method.is_once() { (quote!(self), quote!('static)) } else { (quote!(&self), quote!('_)) };
    let (future, call) = match (method.is_oneway(), method.is_once()) {
        (true, false) => (quote!(#rpc::Tell<#lifetime>), quote!(tell::<#marker>)),
        (true, true) => (quote!(#rpc::Tell<#lifetime>), quote!(tell_once::<#marker>)),
        (false, once) => {
            let call = if once { quote!(call_once) } else { quote!(call) };
            let (ok, error) = call_types(&method.output, rpc);
            (quote!(#rpc::Call<#lifetime, #ok, #error>), quote!(#call::<#marker, _>))
        }
    };
    quote! {
        #(#cfgs)*
        #(#docs)*
        #(#[doc = #undocumented])*
        #(#deprecated)*
        #vis fn #ident(#receiver #(, #names: #types)*) -> #future {
            self.0.#call((#(#names,)*))
        }
    }
}

/// What the call's future resolves to.
fn call_types(output: &Output, rpc: &TokenStream) -> (TokenStream, TokenStream) {
    let Results { ok, err, .. } = Results::of(output, rpc);
    match output {
        Output::Plain(_) => (ok, quote!(#rpc::CallError)),
        Output::Fallible { .. } | Output::Alias(_) => (ok, quote!(#rpc::RpcError<#err>)),
    }
}
