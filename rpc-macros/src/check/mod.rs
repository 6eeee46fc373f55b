//! Every mistake that a service trait can hold, each told once, at the user's token, with what to write instead.
//!
//! What rustc tells by itself is left to it: the trait is written back as it is.

mod client_trait;
mod supers;
mod types;
mod views;
mod whole_trait;

use std::collections::{HashMap, HashSet};

use proc_macro2::Span;
use quote::ToTokens;
use syn::{
    FnArg, GenericParam, Ident, Lifetime, Receiver, ReceiverKind, ReturnType, Safety, Signature, Type, WherePredicate,
};

use self::types::TypeCheck;
use crate::{
    args::Args,
    ast::{Method, Output, Service, Yields, is_context, mentions, peel, surplus_bound},
    errors::Errors,
};

/// Finds the mistakes in a service trait.
pub(crate) fn check(service: &Service, args: &Args, errors: &mut Errors) {
    whole_trait::check(service, errors);
    supers::check(service, args, errors);
    views::check(service, errors);
    service.methods.iter().for_each(|method| check_method(service, method, errors));
    check_names(&service.methods, errors);
    check_ids(&service.methods, errors);
    if service.client_trait.is_some() {
        client_trait::check(service, errors);
    }
}

fn check_method(service: &Service, method: &Method, errors: &mut Errors) {
    check_qualifiers(method, errors);
    check_generics(service, method, errors);
    check_receiver(method, errors);
    check_arguments(method, errors);
    check_output(method, errors);
    check_options(method, errors);
}

/// Options that say nothing together, or of this method.
fn check_options(method: &Method, errors: &mut Errors) {
    if let (Some(place), true) = (method.options.ordered, method.is_once()) {
        errors.here(place, "a method that takes `self` runs when all others have ended: leave out `ordered`");
    }
    if let (Some(place), true) = (method.options.no_cancel, method.is_oneway()) {
        errors.here(place, "a one-way call is never cancelled: leave out `no_cancel`");
    }
    if let Some(overflow) = &method.options.overflow
        && method.yields.is_none()
        && !says_stream(&method.signature.output)
    {
        errors.here(overflow.place, "the method returns no stream that could be read too slowly: leave out `overflow`");
    }
}

/// Whether there is a stream in what a method returns, be it one that is not understood.
fn says_stream(output: &ReturnType) -> bool {
    mentions(output.to_token_stream(), &Ident::new("Stream", Span::call_site()))
}

fn check_qualifiers(method: &Method, errors: &mut Errors) {
    let signature = &method.signature;
    if signature.constness.is_some() || signature.variadic.is_some() {
        errors.leave_to_rustc();
    } else if let Some(future) = returned_future(signature) {
        errors.at(future, "a service method is an `async fn`: write that, and here what the future resolves to");
    }
    if let Safety::Unsafe(token) = &signature.safety {
        errors.at(token, "a service method is called by others, who can promise nothing: leave out `unsafe`");
    }
    if let Some(abi) = &signature.abi {
        errors.at(abi, "a service method has no ABI of its own: leave out `extern`");
    }
}

/// The future that a method returns which is not `async`.
fn returned_future(signature: &Signature) -> Option<&Type> {
    match &signature.output {
        ReturnType::Type(_, ty) if signature.asyncness.is_none() && is_future(peel(ty)) => Some(ty),
        _ => None,
    }
}

/// `impl Future`, or a box of a `dyn Future`.
fn is_future(ty: &Type) -> bool {
    let says = |name| mentions(ty.to_token_stream(), &Ident::new(name, Span::call_site()));
    let is_opaque = matches!(ty, Type::ImplTrait(_)) || says("dyn");
    (is_opaque && says("Future")) || says("BoxFuture") || says("LocalBoxFuture")
}

fn check_generics(service: &Service, method: &Method, errors: &mut Errors) {
    let generics = &method.signature.generics;
    if generics.params.iter().any(|param| !matches!(param, GenericParam::Lifetime(_))) {
        // What follows from them, such as a `where` clause, is not told as well.
        let message = "a service method takes no generic parameters, for both ends have to know the types: write them \
                       out, or make them the trait's";
        return errors.at(generics, message);
    }
    for predicate in &method.predicates {
        check_predicate(service, predicate, errors);
    }
}

/// A `where` clause of a method may speak of the trait's parameters, and of nothing else.
fn check_predicate(service: &Service, predicate: &WherePredicate, errors: &mut Errors) {
    let tokens = || predicate.to_token_stream();
    let self_type = Ident::new("Self", Span::call_site());
    if mentions(tokens(), &self_type) || !service.params.names().any(|name| mentions(tokens(), name)) {
        let message = "a `where` clause of a service method is about the trait's parameters: write `trait Name: Bound`, \
                       or leave it out";
        errors.at(predicate, message);
    }
}

fn check_receiver(method: &Method, errors: &mut Errors) {
    match method.signature.receiver() {
        None => errors.at(method.ident(), "a service method needs `&self`, or `self` for a single use"),
        Some(receiver) => check_self(method, receiver, errors),
    }
}

fn check_self(method: &Method, receiver: &Receiver, errors: &mut Errors) {
    match &receiver.kind {
        ReceiverKind::Value | ReceiverKind::Reference(_, None, None) => {}
        ReceiverKind::Reference(_, _, Some(_)) => errors.at(
            receiver,
            "calls run concurrently, so a service method takes `&self`: keep what changes in a `RefCell` or a `Mutex`",
        ),
        ReceiverKind::Reference(_, Some(lifetime), None) if lifetime.ident == "static" => {
            errors.at(lifetime, "a service method takes plain `&self`: leave out the lifetime");
        }
        ReceiverKind::Reference(_, Some(lifetime), None) => {
            if !is_declared(method, lifetime) {
                errors.leave_to_rustc();
            }
        }
        _ => errors.at(receiver, "a service method takes `&self`, or `self` for a single use"),
    }
}

/// Whether the method declares a lifetime, or it needs no declaration.
fn is_declared(method: &Method, lifetime: &Lifetime) -> bool {
    let declared = method.signature.generics.lifetimes();
    lifetime.ident == "_" || declared.into_iter().any(|param| param.lifetime.ident == lifetime.ident)
}

fn check_arguments(method: &Method, errors: &mut Errors) {
    for input in &method.signature.inputs {
        let FnArg::Typed(input) = input else { continue };
        if let Some(cfg) = input.attrs.iter().find(|attr| attr.path().is_ident("cfg")) {
            errors.at(cfg, "both ends have to know of an argument: put the `#[cfg]` on the method");
        }
    }
    if let Some(misplaced) = method.args.iter().find(|arg| is_context(&arg.ty)) {
        errors.at(
            &misplaced.ty,
            "the `CallContext` is the service's, not the caller's: write it once, as the first argument",
        );
    }
    for arg in method.args.iter().filter(|arg| !is_context(&arg.ty)) {
        match &arg.stream {
            None => TypeCheck { what: "an argument", method, errors }.argument(&arg.ty),
            Some(stream) => {
                check_stream_argument(method, &arg.ty, errors);
                TypeCheck { what: "an item", method, errors }.value(&stream.item);
            }
        }
    }
}

fn check_stream_argument(method: &Method, ty: &Type, errors: &mut Errors) {
    if method.is_oneway() {
        let message =
            "a one-way call ends when it was posted, and nobody would feed its stream: leave out `#[rpc(oneway)]`";
        errors.at(ty, message);
    } else if let Some(bound) = surplus_bound(ty) {
        errors.at(bound, "the stream that the service gets is `Send` and `Unpin`, and no more: leave this out");
    }
}

fn check_output(method: &Method, errors: &mut Errors) {
    let ReturnType::Type(_, ty) = &method.signature.output else { return };
    if method.is_oneway() {
        return errors.at(ty, "a one-way method has no reply: leave out the result, or `#[rpc(oneway)]`");
    }
    if returned_future(&method.signature).is_some() {
        return;
    }
    match &method.yields {
        None => TypeCheck { what: "a result", method, errors }.value(method.output.whole()),
        Some(Yields { stream, .. }) => {
            TypeCheck { what: "an item", method, errors }.value(&stream.item);
            if let Output::Fallible { err, .. } = &method.output {
                TypeCheck { what: "a result", method, errors }.value(err);
            }
        }
    }
}

/// Two methods of one name, where no `#[cfg]` chooses between them.
fn check_names(methods: &[Method], errors: &mut Errors) {
    let mut names = HashSet::new();
    if methods.iter().any(|method| method.cfgs().is_empty() && !names.insert(method.ident())) {
        errors.leave_to_rustc();
    }
}

/// Two numbers that are the same. Two hashes that are the same are found when the crate is compiled.
fn check_ids(methods: &[Method], errors: &mut Errors) {
    let mut seen = HashMap::new();
    for method in methods.iter().filter(|method| method.cfgs().is_empty()) {
        let Some(id) = &method.options.id else { continue };
        let Ok(number) = id.base10_parse::<u32>() else { continue };
        if let Some(first) = seen.insert(number, method.wire_name()) {
            errors.at(id, &format!("`{first}` has this id already: give each method its own"));
        }
    }
}
