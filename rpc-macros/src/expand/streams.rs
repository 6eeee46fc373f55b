//! The streams in signatures: a type that stands for each, and what feeds those that a client brings.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;

use super::wire::ends;
use crate::ast::{Arg, Method, Service, Stream, mentions};

/// The type that stands for a stream of the method: an argument, or what it returns.
pub(super) fn stream_type(method: &Method, position: Option<usize>) -> Ident {
    let method = method.ident().unraw();
    match position {
        Some(position) => format_ident!("__stream_{position}_of_{method}", span = Span::mixed_site()),
        None => format_ident!("__stream_from_{method}", span = Span::mixed_site()),
    }
}

/// Declares the types that stand for the streams of the method. That their items can travel is said here and nowhere else.
pub(super) fn stream_types(service: &Service, method: &Method, rpc: &TokenStream) -> TokenStream {
    let params = &service.params;
    let (declared, args, cfgs) = (params.declared(None), params.args(None), method.cfgs());
    let clause = params.where_clause(rpc, method.predicates.iter().map(ToTokens::to_token_stream));
    let body = (!params.is_empty()).then(|| {
        let types = params.tuple();
        quote!((::core::marker::PhantomData<fn() -> #types>))
    });
    let brought = method.args.iter().enumerate().filter_map(|(at, arg)| Some((arg.stream.as_ref()?, Some(at))));
    let returned = method.yields.iter().map(|yields| (&yields.stream, None));
    let types = brought.chain(returned).map(|(stream, position)| {
        let (name, ok) = (stream_type(method, position), &stream.ok);
        let (service_error, error) = (stream.service_error(rpc), stream.error(rpc));
        let (first, last) = ends(&stream.item);
        let (open, close) = (quote_spanned!(first=> __InStream<()), quote_spanned!(last=> >));
        quote! {
            #(#cfgs)*
            struct #name #declared #body;

            #(#cfgs)*
            impl #declared #rpc::Streamed for #name #args #clause {
                type Item = #ok;
                type Service = #service_error;
                type Error = #error;
                type Travels = #open #close;
            }
        }
    });
    quote!(#(#types)*)
}

/// The streams that the client brings to a call of a method.
pub(super) struct Brought<'m> {
    method: &'m Method,
    list: Vec<Source<'m>>,
}

/// One of them.
struct Source<'m> {
    arg: &'m Arg,
    stream: &'m Stream,
    /// The type that stands for it.
    marker: TokenStream,
    /// The type of what the caller gives.
    ty: Ident,
    /// What feeds it.
    feed: Ident,
}

impl<'m> Brought<'m> {
    pub(super) fn of(service: &Service, method: &'m Method) -> Self {
        let params = service.params.args(None);
        let mut list = Vec::new();
        for (at, arg) in method.args.iter().enumerate() {
            let Some(stream) = &arg.stream else { continue };
            let (marker, number) = (stream_type(method, Some(at)), list.len());
            let ty = unused_name(service, method, &format!("S{number}"));
            let feed = format_ident!("feed_{number}", span = Span::mixed_site());
            list.push(Source { arg, stream, marker: quote!(#marker #params), ty, feed });
        }
        Self { method, list }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// `S0: Stream<Item = u32>`, for each.
    pub(super) fn generics(&self, rpc: &TokenStream) -> impl Iterator<Item = TokenStream> {
        self.list.iter().map(move |Source { ty, stream, .. }| {
            let item = &stream.item;
            quote!(#ty: #rpc::Stream<Item = #item>)
        })
    }

    /// The types of the client's arguments.
    pub(super) fn types(&self) -> impl Iterator<Item = TokenStream> {
        self.method.args.iter().map(|arg| {
            let source = self.list.iter().find(|source| source.arg.name == arg.name);
            source.map_or_else(|| arg.ty.to_token_stream(), |source| source.ty.to_token_stream())
        })
    }

    /// Puts in place of each stream what travels, and keeps what feeds it.
    pub(super) fn split(&self, rpc: &TokenStream) -> TokenStream {
        let parts = self.list.iter().map(|Source { arg, marker, feed, .. }| {
            let name = &arg.name;
            quote!(let (#feed, #name) = #rpc::feed::<#marker, _>(#name);)
        });
        quote!(#(#parts)*)
    }

    /// What feeds all of them.
    pub(super) fn feeds(&self, rpc: &TokenStream) -> TokenStream {
        let feeds = self.list.iter().rev().map(|source| source.feed.to_token_stream());
        feeds.reduce(|rest, feed| quote!(#rpc::Both::new(#feed, #rest))).unwrap_or_default()
    }

    /// The type of that.
    pub(super) fn feeds_type(&self, rpc: &TokenStream) -> TokenStream {
        let types = self.list.iter().rev().map(|source| source.stream.feed(&source.ty, rpc));
        types.reduce(|rest, feed| quote!(#rpc::Both<#feed, #rest>)).unwrap_or_default()
    }

    /// The call's method that takes what feeds them along.
    pub(super) fn feeding(&self, rpc: &TokenStream) -> TokenStream {
        if self.is_empty() {
            return TokenStream::new();
        }
        let feeds = self.feeds(rpc);
        if self.method.yields.is_some() { quote!(.feeding_both(#feeds)) } else { quote!(.feeding(#feeds)) }
    }
}

/// A name that the signature does not have.
fn unused_name(service: &Service, method: &Method, name: &str) -> Ident {
    let ident = Ident::new(name, Span::call_site());
    if service.params.has(&ident) || mentions(method.signature.to_token_stream(), &ident) {
        return unused_name(service, method, &format!("__{name}"));
    }
    ident
}
