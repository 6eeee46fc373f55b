//! The types in a signature: what can be seen to be unfit to travel, whatever the types are.
//!
//! The rest is a matter of what they implement, which the compiler checks in the expanded code.

use quote::ToTokens;
use syn::{GenericArgument, Lifetime, PathArguments, Type, TypePath, TypeReference};

use super::is_declared;
use crate::{
    ast::{Method, Stream, is_iterator, peel, stream_bound},
    errors::Errors,
};

/// Looks at the type of an argument or of a result.
pub(super) struct TypeCheck<'m> {
    /// Which of the two it is.
    pub(super) what: &'static str,
    pub(super) method: &'m Method,
    pub(super) errors: &'m mut Errors,
}

impl TypeCheck<'_> {
    /// An argument may be lent: what is behind the reference travels.
    pub(super) fn argument(&mut self, ty: &Type) {
        match peel(ty) {
            Type::Reference(reference) => self.lent(ty, reference),
            _ => self.value(ty),
        }
    }

    /// A type that travels as it is.
    pub(super) fn value(&mut self, ty: &Type) {
        let what = self.what;
        match peel(ty) {
            Type::TraitObject(_) if stream_bound(ty).is_none() => {
                self.errors.at(ty, &format!("{what} has one type that both ends know: use an enum, or a client"));
            }
            Type::Never(_) => self.errors.at(ty, &format!("{what} is a value: leave `!` out")),
            unsized_type if owned_form(unsized_type).is_some() => self.tell_to_own(ty, unsized_type),
            _ => self.part(ty),
        }
    }

    fn lent(&mut self, whole: &Type, reference: &TypeReference) {
        if stream_bound(&reference.elem).is_some() {
            return self.errors.at(whole, "a stream is handed over, not lent: write `impl Stream<Item = T>`");
        }
        if reference.mutability.is_some() {
            return self.tell_to_return(whole, &reference.elem);
        }
        match &reference.lifetime {
            Some(lifetime) if lifetime.ident == "static" => {
                return self.errors.at(lifetime, "an argument is lent for one call: leave out `'static`");
            }
            Some(lifetime) if !is_declared(self.method, lifetime) => self.errors.leave_to_rustc(),
            _ => {}
        }
        match peel(&reference.elem) {
            Type::ImplTrait(_) | Type::TraitObject(_) => self.value(&reference.elem),
            Type::Slice(slice) => self.part(&slice.elem),
            lent => self.part(lent),
        }
    }

    /// A type, or a part of one.
    fn part(&mut self, ty: &Type) {
        match peel(ty) {
            Type::Reference(reference) => self.reference(ty, reference),
            Type::ImplTrait(_) => self.opaque(ty),
            Type::TraitObject(_) if stream_bound(ty).is_some() => {
                self.errors.at(ty, "a stream is written without a box: `impl Stream<Item = T>`");
            }
            Type::Infer(_) => self.errors.leave_to_rustc(),
            Type::Path(path) => self.path(path),
            Type::Tuple(tuple) => tuple.elems.iter().for_each(|part| self.part(part)),
            Type::Array(array) => self.part(&array.elem),
            Type::Slice(slice) => self.part(&slice.elem),
            _ => {}
        }
    }

    fn opaque(&mut self, ty: &Type) {
        let what = self.what;
        let Some(_) = stream_bound(ty) else {
            let advice = if is_iterator(ty) { ", or a stream: `impl Stream<Item = T>`" } else { "" };
            return self.errors.at(ty, &format!("{what} has one type that both ends know: write it out{advice}"));
        };
        match Stream::read(ty) {
            None => self.errors.at(ty, "both ends have to know the items of a stream: write `impl Stream<Item = T>`"),
            Some(_) => self.errors.at(
                ty,
                "`impl Stream` is an argument, or what a method returns, or that in a `Result<impl Stream, E>`: elsewhere \
                 write `handover::Streaming<T>`",
            ),
        }
    }

    fn reference(&mut self, whole: &Type, reference: &TypeReference) {
        match peel(&reference.elem) {
            Type::ImplTrait(_) | Type::TraitObject(_) => self.value(&reference.elem),
            Type::Path(path) if is_self(path) => self.path(path),
            referent => self.tell_to_own(whole, referent),
        }
    }

    fn path(&mut self, path: &TypePath) {
        if is_self(path) {
            return self.errors.at(
                path,
                "`Self` is the service, which stays where it is: write a type that travels, such as a client",
            );
        }
        if let Some(qself) = &path.qself {
            self.part(&qself.ty);
        }
        for segment in &path.path.segments {
            let PathArguments::AngleBracketed(arguments) = &segment.arguments else { continue };
            for argument in &arguments.args {
                match argument {
                    GenericArgument::Type(part) => self.part(part),
                    GenericArgument::Lifetime(lifetime) => self.lifetime(lifetime),
                    _ => {}
                }
            }
        }
    }

    fn lifetime(&mut self, lifetime: &Lifetime) {
        if lifetime.ident == "static" {
            return;
        }
        if !is_declared(self.method, lifetime) {
            return self.errors.leave_to_rustc();
        }
        let what = self.what;
        self.errors.at(
            lifetime,
            &format!("{what} travels to another context, so it owns its data: write `'static`, or an owned type"),
        );
    }

    fn tell_to_own(&mut self, at: &Type, borrowed: &Type) {
        let owned = owned_form(borrowed).or_else(|| text(borrowed));
        let advice = owned.map_or_else(|| "use an owned type".to_owned(), |owned| format!("write `{owned}`"));
        let what = self.what;
        self.errors.at(at, &format!("{what} travels to another context, so it owns its data: {advice}"));
    }

    fn tell_to_return(&mut self, at: &Type, borrowed: &Type) {
        let owned = owned_form(peel(borrowed)).or_else(|| text(borrowed)).map(|owned| format!("`{owned}`"));
        let advice = owned.unwrap_or_else(|| "the value".to_owned());
        let what = self.what;
        self.errors.at(
            at,
            &format!("{what} travels to another context, and comes back as a result: take {advice}, and return it"),
        );
    }
}

fn is_self(path: &TypePath) -> bool {
    path.path.segments.first().is_some_and(|first| first.ident == "Self")
}

/// What owns the data that is borrowed as this type, which has no size of its own.
fn owned_form(borrowed: &Type) -> Option<String> {
    match borrowed {
        Type::Slice(slice) => Some(format!("Vec<{}>", text(&slice.elem)?)),
        Type::Path(path) if path.path.is_ident("str") => Some("String".to_owned()),
        _ => None,
    }
}

/// A type that has a name and borrows nothing, as one writes it.
fn text(ty: &Type) -> Option<String> {
    let Type::Path(path) = peel(ty) else { return None };
    let text = path.to_token_stream().to_string();
    let is_owned = !text.contains(['&', '\'']) && !text.contains("dyn");
    let glued = [(" <", "<"), ("< ", "<"), (" >", ">"), (" ,", ","), (" ::", "::"), (":: ", "::")];
    is_owned.then(|| glued.iter().fold(text, |text, (spaced, tight)| text.replace(spaced, tight)))
}
