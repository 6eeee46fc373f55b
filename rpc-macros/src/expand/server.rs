//! The callee's side.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Index;

use super::Expanded;
use crate::ast::{Method, Service};

pub(super) fn server(service: &Service, rpc: &TokenStream) -> Expanded {
    let (vis, server, name) = (service.visibility(), service.server(), &service.item.ident);
    let doc = format!("Serves a [`{name}`] over a port.");
    let text = server.to_string();
    let (shared, once): (Vec<_>, Vec<_>) = service.methods.iter().partition(|method| !method.is_once());
    let shared_variants = shared.iter().map(|method| variant(method, rpc));
    let once_variants = once.iter().map(|method| variant(method, rpc));
    let openings = service.methods.iter().map(|method| opening(method, rpc));
    let shared_arms = shared.iter().map(|method| arm(service, method, quote!(&self.0)));
    let once_arms = once.iter().map(|method| arm(service, method, quote!(self.0)));
    let item = quote! {
        #[doc = #doc]
        #vis struct #server<S>(S, #rpc::ServeOptions);
    };
    let impls = quote! {
        #vis enum __SharedCall {
            #(#shared_variants,)*
        }

        #vis enum __OnceCall {
            #(#once_variants,)*
        }

        // Whatever it is: that it is no service is told once, where it is to be served.
        impl<__Service> #server<__Service> {
            /// Makes a server of a service.
            #vis fn new(service: __Service) -> Self {
                Self(service, ::core::default::Default::default())
            }

            /// Says how it is to be served, in place of what was said before.
            #[must_use]
            #vis fn with(self, options: #rpc::ServeOptions) -> Self {
                Self(self.0, options)
            }
        }

        impl<__Service: #name> #server<__Service> {
            /// Serves a port until the other end has closed it and every call has ended. Dropping the future ends all calls.
            #vis fn serve(self, port: #rpc::MessagePort) -> impl ::core::future::Future<Output = ()> {
                #rpc::serve(Self::new(self.0), port, self.1)
            }
        }

        impl<__Service> ::core::fmt::Debug for #server<__Service> {
            fn fmt(&self, to: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                to.write_str(#text)
            }
        }

        impl<__Service: #name> #rpc::Service for #server<__Service> {
            type SharedCall = __SharedCall;
            type OnceCall = __OnceCall;

            fn open(incoming: #rpc::Incoming<'_>) -> ::core::result::Result<#rpc::Opened<Self>, #rpc::Answer> {
                match incoming.method() {
                    #(#openings)*
                    _ => ::core::result::Result::Err(incoming.unknown_method()),
                }
            }

            async fn run(&self, call: __SharedCall) -> #rpc::Answer {
                match call {
                    #(#shared_arms)*
                }
            }

            async fn run_once(self, call: __OnceCall) -> #rpc::Answer {
                match call {
                    #(#once_arms)*
                }
            }
        }
    };
    Expanded { item, impls }
}

/// A call of the method, opened.
fn variant(method: &Method, rpc: &TokenStream) -> TokenStream {
    let (cfgs, ident, marker) = (&method.cfgs, method.ident(), method.marker());
    quote!(#(#cfgs)* #ident(<#marker as #rpc::Method>::Args, #rpc::Responder<#marker>))
}

/// How a call of the method is opened.
fn opening(method: &Method, rpc: &TokenStream) -> TokenStream {
    let (cfgs, ident, marker) = (&method.cfgs, method.ident(), method.marker());
    let open = if method.is_oneway() { quote!(open_oneway) } else { quote!(open) };
    let (kind, call) = match method.is_once() {
        true => (quote!(Once), quote!(__OnceCall)),
        false => (quote!(shared::<#marker>), quote!(__SharedCall)),
    };
    quote! {
        #(#cfgs)*
        <#marker as #rpc::Method>::ID => {
            let (args, responder) = incoming.#open::<#marker>()?;
            ::core::result::Result::Ok(#rpc::Opened::#kind(#call::#ident(args, responder)))
        }
    }
}

/// How a call of the method is run. No name of the user's is bound here, so none can clash with ours.
fn arm(service: &Service, method: &Method, receiver: TokenStream) -> TokenStream {
    let (cfgs, ident) = (&method.cfgs, method.ident());
    let name = &service.item.ident;
    let call = if method.is_once() { quote!(__OnceCall) } else { quote!(__SharedCall) };
    let args = (0..method.args.len()).map(Index::from);
    quote! {
        #(#cfgs)*
        #call::#ident(args, responder) => {
            responder.run(async move { <__Service as #name>::#ident(#receiver #(, args.#args)*).await }).await
        }
    }
}
