//! The supertraits.

use quote::ToTokens;
use syn::{GenericArgument, PathArguments, TypeParamBound};

use crate::{
    args::Args,
    ast::{Service, SuperService, is_plain},
    errors::Errors,
};

pub(super) fn check(service: &Service, args: &Args, errors: &mut Errors) {
    for (position, it) in service.supers.iter().enumerate() {
        if service.supers[..position].iter().any(|earlier| is_same_trait(earlier, it)) {
            errors.at(&it.path, "this super-service is named already, and its methods have one id each: leave one out");
        }
        check_arguments(it, errors);
    }
    for plain in &args.plain {
        if !supertraits(service).any(|path| is_plain(plain, path)) {
            errors.at(plain, "this is no supertrait of the service: leave it out of `plain(…)`");
        }
    }
}

fn supertraits(service: &Service) -> impl Iterator<Item = &syn::Path> {
    service.item.supertraits.iter().filter_map(|bound| match bound {
        TypeParamBound::Trait(bound) => Some(&bound.path),
        _ => None,
    })
}

fn is_same_trait(one: &SuperService, other: &SuperService) -> bool {
    let names = |it: &SuperService| it.path.segments.iter().map(|segment| segment.ident.clone()).collect::<Vec<_>>();
    names(one) == names(other)
}

/// Of a super-service's associated types, the client has to know which they are.
fn check_arguments(it: &SuperService, errors: &mut Errors) {
    let Some(PathArguments::AngleBracketed(arguments)) = it.path.segments.last().map(|last| &last.arguments) else {
        return;
    };
    for argument in &arguments.args {
        match argument {
            GenericArgument::Constraint(constraint) => {
                let name = &constraint.ident;
                errors.at(
                    constraint,
                    &format!(
                        "a client has to know the type: write `{name} = Type`, where `Type` may be one of this trait's"
                    ),
                );
            }
            GenericArgument::Type(_)
            | GenericArgument::Const(_)
            | GenericArgument::AssocType(_)
            | GenericArgument::AssocConst(_)
            | GenericArgument::Lifetime(_) => {}
            other => errors.at(other.to_token_stream(), "a super-service takes types and constants here"),
        }
    }
}
