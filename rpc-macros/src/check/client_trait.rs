//! What `client_trait` asks of a service: that its client can be one.

use syn::ReturnType;

use crate::{
    ast::{Method, Output, Service, Yields},
    errors::Errors,
};

pub(super) fn check(service: &Service, errors: &mut Errors) {
    service.methods.iter().for_each(|method| check_method(method, errors));
}

fn check_method(method: &Method, errors: &mut Errors) {
    if let Some(yields) = &method.yields {
        return check_stream(method, yields, errors);
    }
    if !method.is_async() {
        let message =
            "with `client_trait` a method is an `async fn`, for a client waits for its answer: write `async fn`";
        errors.at(method.signature.fn_token, message);
    }
    if method.is_oneway() || !matches!(method.output, Output::Plain(_)) {
        return;
    }
    let message = "with `client_trait` a method returns a `Result`, for a call can fail: write `Result<_, E>`, with an `E` \
                   that is `From<CallError>`";
    match &method.signature.output {
        ReturnType::Type(_, ty) => errors.at(ty, message),
        ReturnType::Default => errors.at(method.ident(), message),
    }
}

fn check_stream(method: &Method, yields: &Yields, errors: &mut Errors) {
    if yields.stream.err.is_none() {
        let message = "with `client_trait` the items of a stream are `Result`s, for a stream can be cut: write `Result<_, E>`, \
                       with an `E` that is `From<CallError>`";
        errors.at(&yields.stream.item, message);
    }
    if !method.is_async() && !matches!(method.output, Output::Plain(_)) {
        let message =
            "with `client_trait` a method is an `async fn`, for a client waits for its answer: write `async fn`";
        errors.at(method.signature.fn_token, message);
    }
}
