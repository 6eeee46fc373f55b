//! How a call ends when it has no value.

use std::{error::Error, fmt};

use serde::{Deserialize, Serialize};

use super::{MethodId, Never};
use crate::{panicking, port::Gone};

/// Why a call has no return value, sorted by what the caller may conclude.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallError {
    /// The call never reached anyone: the method did not run.
    NotSent(NotSent),
    /// The other end answered that it did not run the method.
    Refused(Refusal),
    /// The call left and has no answer: the method may or may not have run, or have run in part.
    Unknown(Interruption),
}

/// Why a call never reached anyone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotSent {
    /// The port was closed, at either end, before anyone took the call out of it.
    Closed,
    /// The arguments could not be turned into bytes.
    Unencodable(String),
}

/// Why the other end did not run a method. Variants are added at the end: their place is their number on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Refusal {
    /// It serves no such method.
    UnknownMethod(MethodId),
    /// It could not read the arguments.
    Malformed(String),
    /// The single use that this port was good for has been made.
    Spent,
    /// A call with the same id is still running.
    RepeatedCallId,
}

/// What came between a call and its answer. Variants are added at the end: their place is their number on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Interruption {
    /// The port was closed, or the service ended.
    Closed,
    /// The method panicked, with this message; or the context that served it did.
    Panicked(String),
    /// The answer could not be turned into bytes, or could not be read.
    UnreadableReply(String),
}

impl From<Gone> for Interruption {
    fn from(gone: Gone) -> Self {
        match gone {
            Gone::Closed => Self::Closed,
            Gone::Panicked => Self::Panicked(panicking::description()),
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent(why) => write!(f, "the call was not sent: {why}"),
            Self::Refused(why) => write!(f, "the call was refused: {why}"),
            Self::Unknown(why) => write!(f, "the call has no answer, and may have run: {why}"),
        }
    }
}

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the port is closed"),
            Self::Unencodable(why) => write!(f, "the arguments could not be encoded: {why}"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownMethod(method) => write!(f, "no method {method} is served here"),
            Self::Malformed(why) => write!(f, "the arguments could not be read: {why}"),
            Self::Spent => f.write_str("the right to a single use was used before"),
            Self::RepeatedCallId => f.write_str("a call with the same id is still running"),
        }
    }
}

impl fmt::Display for Interruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the port was closed"),
            Self::Panicked(message) => write!(f, "panicked: {message}"),
            Self::UnreadableReply(why) => write!(f, "the reply could not be read: {why}"),
        }
    }
}

impl Error for CallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NotSent(why) => Some(why),
            Self::Refused(why) => Some(why),
            Self::Unknown(why) => Some(why),
        }
    }
}

impl Error for NotSent {}
impl Error for Refusal {}
impl Error for Interruption {}

/// Why a call of a method that returns a `Result` has no value: the service said so, or the call did not get through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RpcError<E> {
    /// The service's own error: the method ran.
    Service(E),
    /// The call's error.
    Call(CallError),
}

impl<E: fmt::Display> fmt::Display for RpcError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(error) => error.fmt(f),
            Self::Call(error) => error.fmt(f),
        }
    }
}

impl<E: Error + 'static> Error for RpcError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Service(error) => error.source(),
            Self::Call(error) => error.source(),
        }
    }
}

impl<E> From<CallError> for RpcError<E> {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

/// The error of a call: [`RpcError`] where the method has an error of its own, [`CallError`] where it has none.
pub trait Failure: From<CallError> {
    /// The method's own error.
    type Service;

    /// The service's error as the call's.
    fn of_service(error: Self::Service) -> Self;
}

impl Failure for CallError {
    type Service = Never;

    fn of_service(error: Never) -> Self {
        match error {}
    }
}

impl<E> Failure for RpcError<E> {
    type Service = E;

    fn of_service(error: E) -> Self {
        Self::Service(error)
    }
}
