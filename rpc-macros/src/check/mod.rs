//! Every mistake that a service trait can hold, each told once, at the user's token, with what to write instead.
//!
//! What rustc tells by itself is left to it: the trait is written back as it is.

mod types;

use std::collections::{HashMap, HashSet};

use syn::{FnArg, GenericParam, Generics, Receiver, ReceiverKind, ReturnType, Safety, Signature, TraitItem, Type};

use self::types::check_type;
use crate::{
    ast::{Method, Service},
    errors::Errors,
};

/// Finds the mistakes in a service trait.
pub(crate) fn check(service: &Service, errors: &mut Errors) {
    check_trait(service, errors);
    service.item.items.iter().for_each(|item| check_item(item, errors));
    service.methods.iter().for_each(|method| check_method(method, errors));
    check_names(&service.methods, errors);
    check_ids(&service.methods, errors);
}

fn check_trait(service: &Service, errors: &mut Errors) {
    let item = &service.item;
    if let Some(unsafety) = &item.unsafety {
        errors.at(unsafety, "a service is called by others, who can promise nothing: leave out `unsafe`");
    }
    if !item.generics.params.is_empty() {
        errors.at(&item.generics, &format!("a service trait takes {}", no_parameters(&item.generics)));
    } else if let Some(clause) = &item.generics.where_clause {
        errors.at(clause, "a service trait takes no `where` clause: write `trait Name: Bound` instead");
    }
}

/// What is wrong with generic parameters. What follows from them, such as a `where` clause, is not told as well.
fn no_parameters(generics: &Generics) -> &'static str {
    let all_lifetimes = generics.params.iter().all(|param| matches!(param, GenericParam::Lifetime(_)));
    if all_lifetimes {
        "no lifetimes, for what travels owns its data: leave them out"
    } else {
        "no generic parameters, for both ends have to know the types: write them out"
    }
}

fn check_item(item: &TraitItem, errors: &mut Errors) {
    match item {
        TraitItem::Fn(_) => {}
        TraitItem::Type(item) => {
            errors.at(&item.ident, "a service trait has methods only: write the type out where it is used");
        }
        TraitItem::Const(item) => {
            errors.at(&item.ident, "a service trait has methods only: write a method that returns the value");
        }
        TraitItem::Macro(item) => {
            errors.at(item, "a service trait has methods only, and a macro's are not seen here: write them out");
        }
        // Such as `pub fn`.
        _ => errors.leave_to_rustc(),
    }
}

fn check_method(method: &Method, errors: &mut Errors) {
    check_qualifiers(method, errors);
    check_generics(method, errors);
    check_receiver(method, errors);
    check_arguments(method, errors);
    check_output(method, errors);
}

fn check_qualifiers(method: &Method, errors: &mut Errors) {
    let signature = &method.signature;
    if signature.constness.is_some() || signature.variadic.is_some() {
        errors.leave_to_rustc();
    } else if let Some(future) = returned_future(signature) {
        errors.at(future, "a service method is an `async fn`: write that, and here what the future resolves to");
    } else if signature.asyncness.is_none() {
        errors.at(signature.fn_token, "a service method may have to be waited for: write `async fn`");
    }
    if let Safety::Unsafe(token) = &signature.safety {
        errors.at(token, "a service method is called by others, who can promise nothing: leave out `unsafe`");
    }
    if let Some(abi) = &signature.abi {
        errors.at(abi, "a service method has no ABI of its own: leave out `extern`");
    }
}

/// `-> impl …` of a method that is not `async`.
fn returned_future(signature: &Signature) -> Option<&Type> {
    match &signature.output {
        ReturnType::Type(_, ty) if signature.asyncness.is_none() && matches!(**ty, Type::ImplTrait(_)) => Some(ty),
        _ => None,
    }
}

fn check_generics(method: &Method, errors: &mut Errors) {
    let generics = &method.signature.generics;
    if !generics.params.is_empty() {
        errors.at(generics, &format!("a service method takes {}", no_parameters(generics)));
    } else if let Some(clause) = &generics.where_clause {
        errors.at(clause, "a service method takes no `where` clause: write `trait Name: Bound`, or leave it out");
    }
}

fn check_receiver(method: &Method, errors: &mut Errors) {
    match method.signature.receiver() {
        None => errors.at(method.ident(), "a service method needs `&self`, or `self` for a single use"),
        Some(receiver) => check_self(receiver, errors),
    }
}

fn check_self(receiver: &Receiver, errors: &mut Errors) {
    match &receiver.kind {
        ReceiverKind::Value | ReceiverKind::Reference(_, None, None) => {}
        ReceiverKind::Reference(_, _, Some(_)) => errors.at(
            receiver,
            "calls run concurrently, so a service method takes `&self`: keep what changes in a `RefCell` or a `Mutex`",
        ),
        ReceiverKind::Reference(_, Some(lifetime), None) if lifetime.ident == "static" => {
            errors.at(lifetime, "a service method takes plain `&self`: leave out the lifetime");
        }
        // Told already where the lifetime is declared; and if it is not, rustc tells.
        ReceiverKind::Reference(_, Some(_), None) => {}
        _ => errors.at(receiver, "a service method takes `&self`, or `self` for a single use"),
    }
}

fn check_arguments(method: &Method, errors: &mut Errors) {
    for input in &method.signature.inputs {
        let FnArg::Typed(input) = input else { continue };
        if let Some(cfg) = input.attrs.iter().find(|attr| attr.path().is_ident("cfg")) {
            errors.at(cfg, "both ends have to know of an argument: put the `#[cfg]` on the method");
        }
        check_type(&input.ty, "an argument", errors);
    }
}

fn check_output(method: &Method, errors: &mut Errors) {
    let ReturnType::Type(_, ty) = &method.signature.output else { return };
    if method.is_oneway() {
        return errors.at(ty, "a one-way method has no reply: leave out the result, or `#[rpc(oneway)]`");
    }
    if returned_future(&method.signature).is_none() {
        check_type(ty, "a result", errors);
    }
}

/// Two methods of one name, where no `#[cfg]` chooses between them.
fn check_names(methods: &[Method], errors: &mut Errors) {
    let mut names = HashSet::new();
    if methods.iter().any(|method| method.cfgs.is_empty() && !names.insert(method.ident())) {
        errors.leave_to_rustc();
    }
}

/// Two numbers that are the same. Two hashes that are the same are found when the crate is compiled.
fn check_ids(methods: &[Method], errors: &mut Errors) {
    let mut seen = HashMap::new();
    for method in methods.iter().filter(|method| method.cfgs.is_empty()) {
        let Some(id) = &method.options.id else { continue };
        let Ok(number) = id.base10_parse::<u32>() else { continue };
        if let Some(first) = seen.insert(number, method.wire_name()) {
            errors.at(id, &format!("`{first}` has this id already: give each method its own"));
        }
    }
}
