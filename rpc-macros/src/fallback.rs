//! What stands in for the client and the server after a mistake: enough that code that names them has no second error.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{args::Args, ast::Service, expand::generated_attributes};

/// The trait as it is, a client without methods, and a server that serves nothing.
pub(crate) fn fallback(service: &Service, args: &Args) -> TokenStream {
    let rpc = &args.handover;
    let Service { item, .. } = service;
    let (vis, client, server) = (service.visibility(), service.client(), service.server());
    let quiet = generated_attributes();
    quote! {
        #quiet
        #[allow(async_fn_in_trait)]
        #item

        #quiet
        #[doc(hidden)]
        #[derive(Debug)]
        #vis struct #client(#rpc::__private::ClientStub);

        #quiet
        impl ::core::convert::From<#rpc::MessagePort> for #client {
            fn from(port: #rpc::MessagePort) -> Self {
                Self(#rpc::__private::ClientStub::new(port))
            }
        }

        #quiet
        #[doc(hidden)]
        #[derive(Debug)]
        #vis struct #server<S>(S);

        #quiet
        impl<S> #server<S> {
            #vis fn new(service: S) -> Self {
                Self(service)
            }

            #vis async fn serve(self, port: #rpc::MessagePort) {
                ::core::mem::drop((self.0, port));
            }
        }
    }
}
