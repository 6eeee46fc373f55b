//! Every mistake that a service trait can hold, each told once, at the user's token, with what to write instead.
//!
//! What rustc tells by itself is left to it: the trait is written back as it is.

use std::collections::HashMap;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{ReceiverKind, ReturnType, Safety, TraitItem, Type};

use crate::{
    ast::{Method, Service},
    errors::Errors,
};

/// Finds the mistakes in a service trait.
pub(crate) fn check(service: &Service, errors: &mut Errors) {
    check_trait(service, errors);
    service.item.items.iter().for_each(|item| check_item(item, errors));
    service.methods.iter().for_each(|method| check_method(method, errors));
    check_ids(&service.methods, errors);
}

fn check_trait(service: &Service, errors: &mut Errors) {
    let item = &service.item;
    if let Some(unsafety) = &item.unsafety {
        errors.at(unsafety, "a service is called by others, who can promise nothing: leave out `unsafe`");
    }
    if !item.generics.params.is_empty() {
        errors.at(&item.generics, "a service trait takes no generic parameters: write the types out");
    }
    if let Some(clause) = &item.generics.where_clause {
        errors.at(clause, "a service trait takes no `where` clause: bound the type that implements it instead");
    }
}

fn check_item(item: &TraitItem, errors: &mut Errors) {
    match item {
        TraitItem::Fn(_) => {}
        TraitItem::Type(item) => {
            errors.at(&item.ident, "a service trait has methods only: write the type out where it is used");
        }
        TraitItem::Const(item) => {
            errors.at(
                &item.ident,
                "a service trait has methods only: a client could not know this value; make it a method",
            );
        }
        other => errors.at(other, "a service trait has methods only, written out"),
    }
}

fn check_method(method: &Method, errors: &mut Errors) {
    check_qualifiers(method, errors);
    check_generics(method, errors);
    check_receiver(method, errors);
    method.args.iter().for_each(|arg| check_type(&arg.ty, "an argument", errors));
    check_output(method, errors);
}

fn check_qualifiers(method: &Method, errors: &mut Errors) {
    let signature = &method.signature;
    if signature.asyncness.is_none() && !returns_future(&signature.output) {
        errors.at(signature.fn_token, "a service method is an `async fn`: its caller may be in another context");
    }
    if let Safety::Unsafe(token) = &signature.safety {
        errors.at(token, "a service method is called by others, who can promise nothing: leave out `unsafe`");
    }
    if let Some(abi) = &signature.abi {
        errors.at(abi, "a service method has no ABI of its own: leave out `extern`");
    }
    if let Some(variadic) = &signature.variadic {
        errors.at(variadic, "a service method takes a fixed number of arguments: pass a `Vec`");
    }
}

/// `-> impl …` is refused as such, once.
fn returns_future(output: &ReturnType) -> bool {
    matches!(output, ReturnType::Type(_, ty) if matches!(**ty, Type::ImplTrait(_)))
}

fn check_generics(method: &Method, errors: &mut Errors) {
    let generics = &method.signature.generics;
    if !generics.params.is_empty() {
        errors.at(generics, "a service method takes no generic parameters: a peer has to know the types it sends");
    }
    if let Some(clause) = &generics.where_clause {
        errors.at(clause, "a service method takes no `where` clause");
    }
}

fn check_receiver(method: &Method, errors: &mut Errors) {
    let Some(receiver) = method.signature.receiver() else {
        return errors.at(method.ident(), "a service method needs `&self`, or `self` for a single use");
    };
    match &receiver.kind {
        ReceiverKind::Value | ReceiverKind::Reference(_, None, None) => {}
        ReceiverKind::Reference(_, _, Some(_)) => errors.at(
            receiver,
            "calls run concurrently, so a service method takes `&self`: keep what changes in a `RefCell` or a `Mutex`",
        ),
        ReceiverKind::Reference(_, Some(lifetime), None) => {
            errors.at(lifetime, "a service method takes plain `&self`: leave out the lifetime");
        }
        _ => errors.at(receiver, "a service method takes `&self`, or `self` for a single use"),
    }
}

fn check_output(method: &Method, errors: &mut Errors) {
    let ReturnType::Type(_, ty) = &method.signature.output else { return };
    if method.is_oneway() {
        return errors.at(ty, "a one-way method has no reply: leave out the result, or `#[rpc(oneway)]`");
    }
    check_type(ty, "a result", errors);
}

/// A type in a signature; `what` says which one.
fn check_type(ty: &Type, what: &str, errors: &mut Errors) {
    match ty {
        Type::Reference(reference) => {
            let owned = owned_form(&reference.elem);
            errors.at(ty, &format!("{what} travels to another context, so it owns its data: write {owned}"));
        }
        Type::ImplTrait(_) => errors.at(ty, &format!("{what} has one type that both ends know: write it out")),
        Type::TraitObject(_) => {
            errors.at(ty, &format!("{what} has one type that both ends know: use an enum, or a client"))
        }
        _ => check_names(ty, what, errors),
    }
}

fn owned_form(borrowed: &Type) -> String {
    match borrowed.to_token_stream().to_string().as_str() {
        "str" => "`String`".to_owned(),
        "[u8]" | "[u8 ]" | "[ u8 ]" => "`Vec<u8>`".to_owned(),
        other if matches!(borrowed, Type::Path(_)) => format!("`{}`", other.replace(' ', "")),
        _ => "an owned type".to_owned(),
    }
}

/// Inside a type: nothing borrowed, and no `Self`.
fn check_names(ty: &Type, what: &str, errors: &mut Errors) {
    if let Some(mark) = find(ty.to_token_stream(), &is_reference) {
        return errors.at(
            mark,
            &format!(
                "{what} travels to another context, so it owns its data: use an owned type in place of the reference"
            ),
        );
    }
    if let Some(token) = find(ty.to_token_stream(), &is_self) {
        errors.at(token, &format!("`Self` is the service, which stays where it is: {what} is a value or a client"));
    }
}

fn is_reference(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == '&')
}

fn is_self(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == "Self")
}

/// The first token that is asked for, at any depth.
fn find(tokens: TokenStream, wanted: &dyn Fn(&TokenTree) -> bool) -> Option<TokenTree> {
    tokens.into_iter().find_map(|token| match &token {
        TokenTree::Group(group) => find(group.stream(), wanted),
        _ => wanted(&token).then_some(token),
    })
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
