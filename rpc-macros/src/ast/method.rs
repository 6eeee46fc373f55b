//! One method of a service.

use proc_macro2::{Span, TokenStream};
use quote::format_ident;
use syn::{
    Attribute, FnArg, GenericArgument, Ident, Pat, PathArguments, ReceiverKind, ReturnType, Signature, Type,
    TypeReference, WherePredicate, ext::IdentExt, parse_quote,
};

use super::{
    attributes::Carried,
    options::Options,
    projections::Projections,
    stream::{Stream, Yields},
};

/// One method of a service.
pub(crate) struct Method {
    pub(crate) carried: Carried,
    /// As it is written in the trait.
    pub(crate) signature: Signature,
    pub(crate) options: Options,
    /// The argument that is the service's alone, if it asks for one.
    pub(crate) context: Option<ContextArg>,
    pub(crate) args: Vec<Arg>,
    /// With what travels in place of a stream.
    pub(crate) output: Output,
    /// The stream that it returns, if it does.
    pub(crate) yields: Option<Yields>,
    /// What its `where` clause asks of the trait's parameters.
    pub(crate) predicates: Vec<WherePredicate>,
}

/// One argument.
pub(crate) struct Arg {
    pub(crate) name: Ident,
    /// What the caller gives, and the service gets.
    pub(crate) ty: Type,
    /// What is behind the reference, if the argument is one.
    pub(crate) lent: Option<Lent>,
    /// The stream, if the argument is one.
    pub(crate) stream: Option<Stream>,
}

/// The `CallContext` that the service sees and the client does not.
pub(crate) struct ContextArg {
    pub(crate) ty: Type,
    pub(crate) is_lent: bool,
}

/// What is behind a reference, and how it becomes a value of its own.
pub(crate) enum Lent {
    /// `[T]`, a vector of these.
    Slice(Type),
    /// One of std's types without a size of their own.
    Unsized(Type),
    /// Anything else, which can be cloned.
    Sized(Type),
}

/// What a method returns.
pub(crate) enum Output {
    /// Anything but a `Result`.
    Plain(Type),
    /// A `Result` that is spelled out.
    Fallible { whole: Type, ok: Box<Type>, err: Box<Type> },
    /// An alias of a `Result`, which only the compiler can look into.
    Alias(Type),
}

impl Method {
    pub(super) fn read(
        attrs: &[Attribute],
        signature: &Signature,
        options: Options,
        projections: &Projections,
        rpc: &TokenStream,
    ) -> Self {
        let mut returned = match &signature.output {
            ReturnType::Type(_, whole) => projections.resolve(peel(whole)),
            ReturnType::Default => parse_quote!(()),
        };
        let yields = Yields::take(&mut returned, rpc);
        let clause = signature.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        Self {
            carried: Carried::of_method(attrs),
            options,
            context: ContextArg::read(signature),
            args: Arg::read_all(signature, projections),
            output: Output::read(returned),
            yields,
            predicates: clause.map(|predicate| projections.resolve(predicate)).collect(),
            signature: signature.clone(),
        }
    }

    pub(crate) fn ident(&self) -> &Ident {
        &self.signature.ident
    }

    /// Goes on every item that is made from the method.
    pub(crate) fn cfgs(&self) -> &[Attribute] {
        &self.carried.cfgs
    }

    /// The name on the wire: `type` for `r#type`.
    pub(crate) fn wire_name(&self) -> String {
        self.ident().unraw().to_string()
    }

    /// The type that stands for the method.
    pub(crate) fn marker(&self) -> Ident {
        format_ident!("__handover_{}", self.ident().unraw(), span = Span::mixed_site())
    }

    /// Whether the method takes `self`.
    pub(crate) fn is_once(&self) -> bool {
        self.signature.receiver().is_some_and(|receiver| matches!(receiver.kind, ReceiverKind::Value))
    }

    pub(crate) fn is_oneway(&self) -> bool {
        self.options.oneway.is_some()
    }

    pub(crate) fn is_async(&self) -> bool {
        self.signature.asyncness.is_some()
    }
}

impl ContextArg {
    /// The first argument, if it is the context of the call.
    fn read(signature: &Signature) -> Option<Self> {
        let first = signature.inputs.iter().find_map(|input| match input {
            FnArg::Typed(input) => Some(&*input.ty),
            FnArg::Receiver(_) => None,
        })?;
        is_context(first).then(|| Self { ty: first.clone(), is_lent: matches!(peel(first), Type::Reference(_)) })
    }
}

/// Whether a type is `CallContext`, by its last name, or a reference to it.
pub(crate) fn is_context(ty: &Type) -> bool {
    match peel(ty) {
        Type::Reference(TypeReference { mutability: None, elem, .. }) => {
            matches!(peel(elem), Type::Path(_)) && is_context(elem)
        }
        Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "CallContext"),
        _ => false,
    }
}

impl Arg {
    fn read_all(signature: &Signature, projections: &Projections) -> Vec<Self> {
        let mut args: Vec<Self> = Vec::new();
        for (position, input) in signature.inputs.iter().enumerate() {
            let FnArg::Typed(input) = input else { continue };
            let is_first = !signature.inputs.iter().take(position).any(|input| matches!(input, FnArg::Typed(_)));
            if is_first && is_context(&input.ty) {
                continue;
            }
            let name = match &*input.pat {
                Pat::Ident(pat) if args.iter().all(|arg| arg.name != pat.ident) => pat.ident.clone(),
                // `_`, a pattern, or the same name again: where rustc allows them, the client needs another name.
                _ => format_ident!("arg{position}", span = Span::mixed_site()),
            };
            let ty: Type = projections.resolve(&*input.ty);
            args.push(Self { name, lent: behind_reference(&ty), stream: Stream::read(&ty), ty });
        }
        args
    }
}

/// What a reference is to that can be lent.
fn behind_reference(ty: &Type) -> Option<Lent> {
    let Type::Reference(TypeReference { mutability: None, elem, .. }) = peel(ty) else { return None };
    Some(match peel(elem) {
        Type::Slice(slice) => Lent::Slice((*slice.elem).clone()),
        Type::Path(path) if path.path.segments.last().is_some_and(|last| is_unsized(&last.ident)) => {
            Lent::Unsized((**elem).clone())
        }
        _ => Lent::Sized((**elem).clone()),
    })
}

fn is_unsized(name: &Ident) -> bool {
    ["str", "Path", "OsStr", "CStr"].iter().any(|known| name == known)
}

impl Output {
    fn read(whole: Type) -> Self {
        let Type::Path(path) = &whole else { return Self::Plain(whole) };
        let Some(last) = path.path.segments.last().filter(|last| last.ident == "Result") else {
            return Self::Plain(whole);
        };
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return Self::Alias(whole) };
        let types: Vec<_> = arguments.args.iter().collect();
        if let [GenericArgument::Type(ok), GenericArgument::Type(err)] = types[..] {
            let (ok, err) = (Box::new(ok.clone()), Box::new(err.clone()));
            return Self::Fallible { whole, ok, err };
        }
        Self::Alias(whole)
    }

    /// The whole type.
    pub(crate) fn whole(&self) -> &Type {
        match self {
            Self::Plain(whole) | Self::Fallible { whole, .. } | Self::Alias(whole) => whole,
        }
    }
}

/// The type inside parentheses, or inside the invisible ones of a `$ty` that a macro passed on.
pub(crate) fn peel(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => peel(&group.elem),
        Type::Paren(paren) => peel(&paren.elem),
        _ => ty,
    }
}
