//! What stands in for the client and the server after a mistake: enough that code that names them has no second error.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse_quote;

use crate::{
    args::Args,
    ast::Service,
    expand::{Expanded, assemble, client, methods_after_a_mistake, object, server_type},
};

/// The trait nearly as it is, a client without methods, and a server of whatever it is given, which serves nothing.
pub(crate) fn fallback(mut service: Service, args: &Args) -> TokenStream {
    let rpc = args.private();
    let methods = methods_after_a_mistake(&service, &rpc);
    service.methods.clear();
    service.supers.clear();
    let viewed = service.viewed.take();
    // For `Option<Self>`, of which rustc would say that it is unsized beside what was said already.
    service.item.colon_token.get_or_insert_default();
    service.item.supertraits.push(parse_quote!(::core::marker::Sized));
    let mut client = client(&service, &rpc);
    client.impls.extend(quote! {
        const __SERVICE: &::core::primitive::str = "";
        const __METHODS: &[(#rpc::MethodId, &::core::primitive::str)] = &[];
    });
    if let Some(viewed) = viewed.filter(|_| service.params.is_empty()) {
        let (name, of) = (service.client(), viewed.client);
        client.impls.extend(quote!(impl #rpc::View<#of> for #name {}));
    }
    let server = server(&service, &rpc);
    assemble(&service, [client, server, methods], TokenStream::new())
}

fn server(service: &Service, rpc: &TokenStream) -> Expanded {
    let (vis, server, object) = (service.visibility(), service.server(), object());
    let (declared, args) = (service.params.declared(Some(&object)), service.params.args(Some(&object)));
    let impls = quote! {
        impl #declared #server #args {
            #vis fn new(service: #object) -> Self {
                Self {
                    service,
                    options: ::core::default::Default::default(),
                    types: ::core::marker::PhantomData,
                }
            }

            #[must_use]
            #vis fn with(self, options: #rpc::ServeOptions) -> Self {
                Self { options, ..self }
            }

            #vis async fn serve(self, port: #rpc::MessagePort) {
                ::core::mem::drop((self.service, self.options, port));
            }
        }

        impl #declared ::core::fmt::Debug for #server #args {
            fn fmt(&self, _: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::result::Result::Ok(())
            }
        }
    };
    Expanded { item: server_type(service, rpc), impls }
}
