//! `impl Stream<Item = T>` in a signature: an argument, or what a method returns.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::{AssocType, GenericArgument, PathArguments, TraitBound, Type, TypeParamBound, parse_quote};

use super::method::peel;

/// A stream in a signature, whose items are known.
#[derive(Clone)]
pub(crate) struct Stream {
    /// An item as the signature has it.
    pub(crate) item: Type,
    /// What an item holds when all is well: the item itself, if it has no error.
    pub(crate) ok: Type,
    /// The error of an item that is a `Result` and spelled out.
    pub(crate) err: Option<Type>,
}

impl Stream {
    pub(crate) fn read(ty: &Type) -> Option<Self> {
        let Type::ImplTrait(_) = peel(ty) else { return None };
        let item = item_of(stream_bound(ty)?)?.clone();
        let (ok, err) = match result_parts(&item) {
            Some((ok, err)) => (ok.clone(), Some(err.clone())),
            None => (item.clone(), None),
        };
        Some(Self { item, ok, err })
    }

    /// An item's own error.
    pub(crate) fn service_error(&self, rpc: &TokenStream) -> TokenStream {
        self.err.as_ref().map_or_else(|| quote!(#rpc::Never), ToTokens::to_token_stream)
    }

    /// What the consumer gets in place of an item.
    pub(crate) fn error(&self, rpc: &TokenStream) -> TokenStream {
        self.err.as_ref().map_or_else(|| quote!(#rpc::CallError), |err| quote!(#rpc::RpcError<#err>))
    }

    /// What travels: the consumer's end.
    pub(crate) fn streaming(&self, rpc: &TokenStream) -> TokenStream {
        let (ok, error) = (&self.ok, self.error(rpc));
        match self.err {
            None => quote!(#rpc::Streaming<#ok>),
            Some(_) => quote!(#rpc::Streaming<#ok, #error>),
        }
    }

    /// What feeds it, from a source of that type.
    pub(crate) fn feed(&self, source: &Ident, rpc: &TokenStream) -> TokenStream {
        let (ok, err) = (&self.ok, self.err.iter());
        quote!(#rpc::Feed<#source, #ok #(, #err)*>)
    }
}

/// The stream that a method returns, by itself or in a `Result`.
pub(crate) struct Yields {
    pub(crate) stream: Stream,
    /// What the method returns, as the trait has it.
    pub(crate) whole: Type,
}

impl Yields {
    /// Finds the stream in what a method returns, and puts what travels in its place.
    pub(super) fn take(whole: &mut Type, rpc: &TokenStream) -> Option<Self> {
        let as_written = whole.clone();
        let place = result_value(whole);
        let stream = Stream::read(place)?;
        let streaming = stream.streaming(rpc);
        *place = parse_quote!(#streaming);
        Some(Self { stream, whole: as_written })
    }
}

/// What is in a `Result` when all is well, or the type itself.
fn result_value(ty: &mut Type) -> &mut Type {
    let is_result = matches!(&*ty, Type::Path(path) if is_result_with_types(path));
    if !is_result {
        return ty;
    }
    let Type::Path(path) = ty else { unreachable!("looked at above") };
    let last = path.path.segments.last_mut().expect("looked at above");
    let PathArguments::AngleBracketed(arguments) = &mut last.arguments else { unreachable!("looked at above") };
    let Some(GenericArgument::Type(value)) = arguments.args.first_mut() else { unreachable!("looked at above") };
    value
}

fn is_result_with_types(path: &syn::TypePath) -> bool {
    let Some(last) = path.path.segments.last().filter(|last| last.ident == "Result") else { return false };
    match &last.arguments {
        PathArguments::AngleBracketed(arguments) => matches!(arguments.args.first(), Some(GenericArgument::Type(_))),
        PathArguments::None | PathArguments::Parenthesized(_) => false,
    }
}

/// The two types of a `Result` that is spelled out.
fn result_parts(ty: &Type) -> Option<(&Type, &Type)> {
    let Type::Path(path) = peel(ty) else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Result")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    let mut types = arguments.args.iter();
    match (types.next(), types.next(), types.next()) {
        (Some(GenericArgument::Type(ok)), Some(GenericArgument::Type(err)), None) => Some((ok, err)),
        _ => None,
    }
}

/// The bound `Stream` of an `impl Stream…` or a `dyn Stream…`, by its last name.
pub(crate) fn stream_bound(ty: &Type) -> Option<&TraitBound> {
    bounds(ty).find(|bound| is_named(bound, "Stream"))
}

/// Whether a type is an `impl Iterator…` or a `dyn Iterator…`.
pub(crate) fn is_iterator(ty: &Type) -> bool {
    bounds(ty).any(|bound| is_named(bound, "Iterator") || is_named(bound, "IntoIterator"))
}

/// What an `impl Stream…` asks for beside that, which the stream that a service gets need not be.
pub(crate) fn surplus_bound(ty: &Type) -> Option<&TraitBound> {
    bounds(ty).find(|bound| !["Stream", "Send", "Sync", "Unpin"].iter().any(|known| is_named(bound, known)))
}

fn bounds(ty: &Type) -> impl Iterator<Item = &TraitBound> {
    let bounds = match peel(ty) {
        Type::ImplTrait(ty) => Some(&ty.bounds),
        Type::TraitObject(ty) => Some(&ty.bounds),
        _ => None,
    };
    bounds.into_iter().flatten().filter_map(|bound| match bound {
        TypeParamBound::Trait(bound) => Some(bound),
        _ => None,
    })
}

fn is_named(bound: &TraitBound, name: &str) -> bool {
    bound.path.segments.last().is_some_and(|last| last.ident == name)
}

/// The type of the items, if the bound says it.
fn item_of(bound: &TraitBound) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &bound.path.segments.last()?.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(AssocType { ident, ty, .. }) if ident == "Item" => Some(ty),
        _ => None,
    })
}
