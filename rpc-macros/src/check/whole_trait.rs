//! The trait itself: its head, its parameters, and what is in it beside methods.

use proc_macro2::Span;
use quote::ToTokens;
use syn::{Attribute, GenericParam, Ident, TraitItem, TraitItemType};

use crate::{
    ast::{Service, hidden_in_cfg_attr, mentions},
    errors::Errors,
};

pub(super) fn check(service: &Service, errors: &mut Errors) {
    check_head(service, errors);
    service.item.items.iter().for_each(|item| check_item(item, errors));
}

fn check_head(service: &Service, errors: &mut Errors) {
    let item = &service.item;
    if let Some(unsafety) = &item.unsafety {
        errors.at(unsafety, "a service is called by others, who can promise nothing: leave out `unsafe`");
    }
    for param in &item.generics.params {
        check_parameter(param, errors);
    }
    for predicate in service.params.clause() {
        if mentions(predicate.to_token_stream(), &Ident::new("Self", Span::call_site())) {
            errors.at(predicate, "what every service has to be goes behind the name: write `trait Name: Bound`");
        }
    }
}

fn check_parameter(param: &GenericParam, errors: &mut Errors) {
    let attrs = match param {
        GenericParam::Lifetime(lifetime) => {
            errors.at(lifetime, "a service trait takes no lifetimes, for what travels owns its data: leave them out");
            return;
        }
        GenericParam::Type(param) => &param.attrs,
        GenericParam::Const(param) => &param.attrs,
    };
    check_cfg(attrs, "both ends have to know of a parameter: put the `#[cfg]` on the trait", errors);
}

fn check_cfg(attrs: &[Attribute], message: &str, errors: &mut Errors) {
    if let Some(cfg) = attrs.iter().find(|attr| attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr")) {
        errors.at(cfg, message);
    }
}

fn check_item(item: &TraitItem, errors: &mut Errors) {
    match item {
        TraitItem::Fn(function) => {
            if let Some(ours) = hidden_in_cfg_attr(&function.attrs, "rpc") {
                errors.at(ours, "`#[rpc]` is read before `cfg_attr` is: write the method twice, each with a `#[cfg]`");
            }
        }
        TraitItem::Type(item) => check_associated_type(item, errors),
        TraitItem::Const(item) => {
            errors.at(&item.ident, "a service trait has no constants: write a method that returns the value");
        }
        TraitItem::Macro(item) => {
            errors.at(item, "a service trait has methods only, and a macro's are not seen here: write them out");
        }
        // Such as `pub fn`.
        _ => errors.leave_to_rustc(),
    }
}

fn check_associated_type(item: &TraitItemType, errors: &mut Errors) {
    check_cfg(&item.attrs, "both ends have to know of a type: put the `#[cfg]` on the trait", errors);
    if !item.generics.params.is_empty() {
        errors.at(&item.generics, "an associated type of a service is one type: leave out its parameters");
    } else if let Some(clause) = &item.generics.where_clause {
        errors.at(clause, "an associated type of a service has its bounds behind its name: write `type Name: Bound`");
    }
    if item.default.is_some() {
        errors.leave_to_rustc();
    }
}
