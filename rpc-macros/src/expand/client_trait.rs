//! The service's trait, implemented for its client.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::{
    client::{call, sent_values},
    wire::Results,
};
use crate::ast::{Method, Output, Service};

pub(super) fn client_trait(service: &Service, rpc: &TokenStream) -> TokenStream {
    let Some(place) = service.client_trait else { return TokenStream::new() };
    let params = &service.params;
    let (declared, args, the_trait) = (params.declared(None), params.args(None), params.the_trait());
    let of_methods = service.methods.iter().flat_map(|method| &method.predicates).map(|it| quote!(#it));
    let (client, clause) = (service.client(), params.where_clause(rpc, of_methods));
    let types = params.bindings().map(|(associated, ident)| quote!(type #associated = #ident;));
    let methods = service.methods.iter().map(|method| trait_method(service, method, rpc));
    // A supertrait that the client lacks is shown where the trait was asked for.
    let the_client = quote_spanned!(place=> #client #args);
    quote! {
        impl #declared #the_trait for #the_client #clause {
            #(#types)*
            #(#methods)*
        }
    }
}

fn trait_method(service: &Service, method: &Method, rpc: &TokenStream) -> TokenStream {
    let (cfgs, ident, marker, call) = (method.cfgs(), method.ident(), service.marker(method), call(method));
    let lifetimes = &method.signature.generics.params;
    let lifetimes = if lifetimes.is_empty() { TokenStream::new() } else { quote!(<#lifetimes>) };
    let receiver = match method.signature.receiver() {
        Some(receiver) if !method.is_once() => quote!(#receiver),
        _ => quote!(self),
    };
    let (names, types): (Vec<_>, Vec<_>) = method.args.iter().map(|arg| (&arg.name, &arg.ty)).unzip();
    let context = method.context.iter().map(|it| &it.ty);
    let values = sent_values(&method.args, rpc);
    let predicates = &method.predicates;
    let clause = if predicates.is_empty() { TokenStream::new() } else { quote!(where #(#predicates),*) };
    let whole = method.output.whole();
    let outcome = match &method.output {
        // One-way: that it could not be sent is not told, as nothing is.
        Output::Plain(_) => quote! {
            let _ = self.stub.#call::<#marker>((#(#values,)*)).await;
        },
        Output::Fallible { .. } | Output::Alias(_) => {
            let error = Results::of(&method.output, rpc).err;
            quote! {
                let outcome = self.stub.#call::<#marker, _>((#(#values,)*)).await;
                #rpc::IsResult::from_result(#rpc::into_service_result::<_, #error>(outcome))
            }
        }
    };
    quote! {
        #(#cfgs)*
        async fn #ident #lifetimes (#receiver #(, _: #context)* #(, #names: #types)*) -> #whole #clause {
            #outcome
        }
    }
}
