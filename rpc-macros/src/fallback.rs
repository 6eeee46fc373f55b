//! What stands in for the client and the server after a mistake: enough that code that names them has no second error.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse_quote;

use crate::{
    args::Args,
    ast::Service,
    expand::{Expanded, assemble, client},
};

/// The trait nearly as it is, a client without methods, and a server of whatever it is given, which serves nothing.
pub(crate) fn fallback(mut service: Service, args: &Args) -> TokenStream {
    service.methods.clear();
    // For `Option<Self>`, of which rustc would say that it is unsized beside what was said already.
    service.item.colon_token.get_or_insert_default();
    service.item.supertraits.push(parse_quote!(::core::marker::Sized));
    let rpc = args.private();
    let client = client(&service, &rpc);
    let server = server(&service, &rpc);
    assemble(&service, client, server, TokenStream::new())
}

fn server(service: &Service, rpc: &TokenStream) -> Expanded {
    let (vis, server) = (service.visibility(), service.server());
    let item = quote! {
        #[doc(hidden)]
        #vis struct #server<S>(S);
    };
    let impls = quote! {
        impl<S> #server<S> {
            #vis fn new(service: S) -> Self {
                Self(service)
            }

            #[must_use]
            #vis fn with(self, options: #rpc::ServeOptions) -> Self {
                ::core::mem::drop(options);
                self
            }

            #vis async fn serve(self, port: #rpc::MessagePort) {
                ::core::mem::drop((self.0, port));
            }
        }

        impl<S> ::core::fmt::Debug for #server<S> {
            fn fmt(&self, _: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::result::Result::Ok(())
            }
        }
    };
    Expanded { item, impls }
}
