//! The types in a signature: what can be seen to be unfit to travel, whatever the types are.
//!
//! The rest is a matter of what they implement, which the compiler checks in the expanded code.

use quote::ToTokens;
use syn::{GenericArgument, PathArguments, Type, TypePath, TypeReference};

use crate::{ast::peel, errors::Errors};

/// Checks the type of an argument or of a result; `what` says of which.
pub(super) fn check_type(ty: &Type, what: &str, errors: &mut Errors) {
    match peel(ty) {
        Type::TraitObject(_) => {
            errors.at(ty, &format!("{what} has one type that both ends know: use an enum, or a client"));
        }
        Type::Never(_) => errors.at(ty, &format!("{what} is a value: leave `!` out")),
        unsized_type if owned_form(unsized_type).is_some() => tell_to_own(ty, unsized_type, what, errors),
        _ => check_part(ty, what, errors),
    }
}

/// Checks a type, or a part of one.
fn check_part(ty: &Type, what: &str, errors: &mut Errors) {
    match peel(ty) {
        Type::Reference(reference) => check_reference(ty, reference, what, errors),
        Type::ImplTrait(_) => errors.at(ty, &format!("{what} has one type that both ends know: write it out")),
        Type::Infer(_) => errors.leave_to_rustc(),
        Type::Path(path) => check_path(path, what, errors),
        Type::Tuple(tuple) => tuple.elems.iter().for_each(|part| check_part(part, what, errors)),
        Type::Array(array) => check_part(&array.elem, what, errors),
        Type::Slice(slice) => check_part(&slice.elem, what, errors),
        _ => {}
    }
}

fn check_reference(whole: &Type, reference: &TypeReference, what: &str, errors: &mut Errors) {
    match peel(&reference.elem) {
        Type::ImplTrait(_) | Type::TraitObject(_) => check_type(&reference.elem, what, errors),
        Type::Path(path) if is_self(path) => check_path(path, what, errors),
        referent => tell_to_own(whole, referent, what, errors),
    }
}

fn check_path(path: &TypePath, what: &str, errors: &mut Errors) {
    if is_self(path) {
        return errors
            .at(path, "`Self` is the service, which stays where it is: write a type that travels, such as a client");
    }
    if let Some(qself) = &path.qself {
        check_part(&qself.ty, what, errors);
    }
    for segment in &path.path.segments {
        let PathArguments::AngleBracketed(arguments) = &segment.arguments else { continue };
        for argument in &arguments.args {
            match argument {
                GenericArgument::Type(part) => check_part(part, what, errors),
                GenericArgument::Lifetime(lifetime) if lifetime.ident == "_" => errors.at(
                    lifetime,
                    &format!(
                        "{what} travels to another context, so it owns its data: write `'static`, or an owned type"
                    ),
                ),
                _ => {}
            }
        }
    }
}

fn is_self(path: &TypePath) -> bool {
    path.path.segments.first().is_some_and(|first| first.ident == "Self")
}

fn tell_to_own(at: &Type, borrowed: &Type, what: &str, errors: &mut Errors) {
    let owned = owned_form(borrowed).or_else(|| text(borrowed));
    let advice = owned.map_or_else(|| "use an owned type".to_owned(), |owned| format!("write `{owned}`"));
    errors.at(at, &format!("{what} travels to another context, so it owns its data: {advice}"));
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
