//! The service's trait, implemented for its client.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::{
    client::{call, sent_values},
    streams::Brought,
    wire::{Results, ends},
};
use crate::ast::{Method, Output, Service, Yields};

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
    let values: Vec<_> = sent_values(&method.args, rpc).collect();
    let told = quote!(self.stub.#call::<#marker>((#(#values,)*)));
    let predicates = &method.predicates;
    let clause = if predicates.is_empty() { TokenStream::new() } else { quote!(where #(#predicates),*) };
    let brought = Brought::of(service, method);
    let (split, feeding) = (brought.split(rpc), brought.feeding(rpc));
    let made = quote!(self.stub.#call::<#marker, _>((#(#values,)*))#feeding);
    if let Some(yields) = &method.yields {
        let (asyncness, whole) = (method.signature.asyncness, &yields.whole);
        let stream = stream_outcome(method, yields, &made, rpc);
        return quote! {
            #(#cfgs)*
            #asyncness fn #ident #lifetimes (#receiver #(, _: #context)* #(, #names: #types)*) -> #whole #clause {
                #split
                #stream
            }
        };
    }
    let whole = method.output.whole();
    let outcome = match &method.output {
        // One-way: that it could not be sent is not told, as nothing is.
        Output::Plain(_) => quote! {
            let _ = #told.await;
        },
        Output::Fallible { .. } | Output::Alias(_) => {
            let error = Results::of(&method.output, rpc).err;
            quote! {
                let outcome = #made.await;
                #rpc::IsResult::from_result(#rpc::into_service_result::<_, #error>(outcome))
            }
        }
    };
    quote! {
        #(#cfgs)*
        async fn #ident #lifetimes (#receiver #(, _: #context)* #(, #names: #types)*) -> #whole #clause {
            #split
            #outcome
        }
    }
}

/// The stream that a method returns: what keeps it from coming is its only item, or the method's error.
fn stream_outcome(method: &Method, yields: &Yields, made: &TokenStream, rpc: &TokenStream) -> TokenStream {
    // Without an error of its own, it was not let through.
    let place = yields.stream.err.as_ref().map_or_else(Span::call_site, |err| ends(err).0);
    let error = yields.stream.service_error(rpc);
    let error = quote_spanned!(place=> #rpc::service_error::<#error>);
    match &method.output {
        Output::Plain(_) if !method.is_async() => quote!(#rpc::into_service_stream(#made, #error)),
        Output::Plain(_) => quote!(#rpc::into_service_stream(::core::future::ready(#made.await), #error)),
        Output::Fallible { .. } | Output::Alias(_) => {
            let method_error = Results::of(&method.output, rpc).err;
            quote! {
                let streaming = #rpc::into_service_result::<_, #method_error>(#made.await)?;
                let streaming = ::core::future::ready(::core::result::Result::Ok(streaming));
                ::core::result::Result::Ok(#rpc::into_service_stream(streaming, #error))
            }
        }
    }
}
