//! What a client needs to be a service itself: the service's error has to be able to hold a call's.

use futures::{Stream, TryFutureExt, TryStreamExt};

use super::{CallError, RpcError};

/// An error of a service that can say too that a call failed: then the client can implement the service's trait.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold a `CallError`",
    label = "what a client that implements the trait returns when a call fails",
    note = "implement `From<handover::CallError>` for it, or leave out `client_trait`"
)]
pub trait HoldsCallError: From<CallError> {}

#[diagnostic::do_not_recommend]
impl<E: From<CallError>> HoldsCallError for E {}

/// What a method returns to those who call it by its trait.
///
/// # Errors
/// The service's own, which a failed call becomes too.
pub fn into_service_result<T, E: HoldsCallError>(outcome: Result<T, RpcError<E>>) -> Result<T, E> {
    outcome.map_err(service_error)
}

/// The stream that a method returns to those who call it by its trait: that a call failed is its only item, and that a stream
/// was cut its last. Both are made errors of the service by [`service_error`], which is passed so that it is asked for once what
/// the error can hold.
pub fn into_service_stream<S, T, E>(
    call: impl Future<Output = Result<S, CallError>>,
    error: fn(RpcError<E>) -> E,
) -> impl Stream<Item = Result<T, E>>
where
    S: Stream<Item = Result<T, RpcError<E>>>,
{
    call.map_err(RpcError::Call).try_flatten_stream().map_err(error)
}

/// An error as those get it who call a method by its trait.
pub fn service_error<E: HoldsCallError>(error: RpcError<E>) -> E {
    match error {
        RpcError::Service(error) => error,
        RpcError::Call(error) => error.into(),
    }
}
