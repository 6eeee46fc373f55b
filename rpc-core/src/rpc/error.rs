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
    /// The call's deadline passed before anyone took the call out of the port.
    DeadlineExceeded,
    /// The call has a deadline, and this context has no [clock](crate::clock).
    NoClock,
    /// An interceptor of the caller's own did not let it go.
    Denied(String),
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
    /// Too many calls wait already.
    Overloaded,
    /// This caller may not make this call, and why.
    Denied(String),
    /// The call's deadline passed before the method began.
    DeadlineExceeded,
    /// The two ends know the method in different shapes; where they differ first.
    Mismatch(String),
    /// It was made on what another call was to return, and that one failed; how.
    NotReturned(String),
    /// The right to call was taken back.
    Revoked,
    /// The time of the right to call is up, or it was left unused for too long.
    Expired,
    /// As many calls were made as the right to call allows.
    NoCallsLeft,
    /// Calls come faster than the right to call allows.
    TooFast,
    /// More bytes would be under way than the right to call allows.
    TooManyBytes,
    /// The client that called was made when there were as many as are allowed.
    TooManyClients,
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
    /// The call's deadline passed.
    DeadlineExceeded,
    /// The method was ended before its time, and why: what it depended on had gone.
    Cancelled(String),
    /// A stream was cut, by one of its ends.
    Stream(StreamFault),
    /// The connection that the port leads over has ended, and why.
    Disconnected(String),
    /// The right to call was taken back.
    Revoked,
    /// The time of the right to call is up.
    Expired,
}

/// Why an end of a stream has cut it. Variants are added at the end: their place is their number on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum StreamFault {
    /// The consumer was too slow, and the producer does not wait.
    TooSlow,
    /// The producer has sent more than the consumer had granted.
    Overrun,
    /// The producer says why.
    Failed(String),
}

impl From<Gone> for Interruption {
    fn from(gone: Gone) -> Self {
        match gone {
            Gone::Closed => Self::Closed,
            Gone::Panicked => Self::Panicked(panicking::description()),
            Gone::Disconnected => Self::Disconnected(panicking::description_of_disconnection()),
        }
    }
}

impl Refusal {
    /// A word for it, one of a few: for a log, or a label of a metric.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::UnknownMethod(_) => "unknown_method",
            Self::Malformed(_) => "malformed",
            Self::Spent => "spent",
            Self::RepeatedCallId => "repeated_call_id",
            Self::Overloaded => "overloaded",
            Self::Denied(_) => "denied",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::Mismatch(_) => "mismatch",
            Self::NotReturned(_) => "not_returned",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::NoCallsLeft => "no_calls_left",
            Self::TooFast => "too_fast",
            Self::TooManyBytes => "too_many_bytes",
            Self::TooManyClients => "too_many_clients",
        }
    }
}

impl CallError {
    /// Whether the method may have run, in whole or in part. If not, the call can be made again without harm.
    pub fn may_have_run(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    /// Whether the call ended because the caller has no right to it, or no longer: the service has denied it, one of the limits of the
    /// right was reached, or the right has ended. What is not there for the caller is [`Refusal::UnknownMethod`], and not denied.
    pub fn is_denied(&self) -> bool {
        match self {
            Self::NotSent(_) => false,
            Self::Refused(refusal) => matches!(
                refusal,
                Refusal::Denied(_)
                    | Refusal::Revoked
                    | Refusal::Expired
                    | Refusal::NoCallsLeft
                    | Refusal::TooFast
                    | Refusal::TooManyBytes
                    | Refusal::TooManyClients
            ),
            Self::Unknown(why) => matches!(why, Interruption::Revoked | Interruption::Expired),
        }
    }

    /// Whether the call ended because its time was up, wherever that was noticed.
    pub fn is_deadline(&self) -> bool {
        matches!(
            self,
            Self::NotSent(NotSent::DeadlineExceeded)
                | Self::Refused(Refusal::DeadlineExceeded)
                | Self::Unknown(Interruption::DeadlineExceeded)
        )
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
            Self::DeadlineExceeded => f.write_str("its deadline passed while it waited to be taken"),
            Self::NoClock => {
                f.write_str("it has a deadline, and this context has no clock: enter one, or use `system-clock`")
            }
            Self::Denied(why) => write!(f, "it was denied by the caller's own interceptor: {why}"),
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
            Self::Overloaded => f.write_str("too many calls wait already"),
            Self::Denied(why) => write!(f, "denied: {why}"),
            Self::DeadlineExceeded => f.write_str("its deadline passed before the method began"),
            Self::Mismatch(what) => write!(f, "the two ends know the method in different shapes: {what}"),
            Self::Revoked => f.write_str("the right to call was taken back"),
            Self::Expired => f.write_str("the time of the right to call is up"),
            Self::NoCallsLeft => f.write_str("as many calls were made as the right to call allows"),
            Self::TooFast => f.write_str("calls come faster than the right to call allows"),
            Self::TooManyBytes => f.write_str("more bytes would be under way than the right to call allows"),
            Self::TooManyClients => f.write_str("the client was made when there were as many as are allowed"),
            Self::NotReturned(why) => write!(f, "what it was made on was to be returned by a call that failed: {why}"),
        }
    }
}

impl fmt::Display for Interruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the port was closed"),
            Self::Panicked(message) => write!(f, "panicked: {message}"),
            Self::UnreadableReply(why) => write!(f, "the reply could not be read: {why}"),
            Self::DeadlineExceeded => f.write_str("its deadline passed"),
            Self::Cancelled(why) => write!(f, "it was cancelled: {why}"),
            Self::Stream(fault) => fault.fmt(f),
            Self::Disconnected(why) => write!(f, "the connection ended: {why}"),
            Self::Revoked => f.write_str("the right to call was taken back"),
            Self::Expired => f.write_str("the time of the right to call is up"),
        }
    }
}

impl fmt::Display for StreamFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooSlow => f.write_str("the stream was not read fast enough"),
            Self::Overrun => f.write_str("the stream brought more than was granted"),
            Self::Failed(why) => write!(f, "the stream failed: {why}"),
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

    /// What kept the call from having an answer of the service's, if something did.
    fn as_call_error(&self) -> Option<&CallError>;
}

impl Failure for CallError {
    type Service = Never;

    fn of_service(error: Never) -> Self {
        match error {}
    }

    fn as_call_error(&self) -> Option<&CallError> {
        Some(self)
    }
}

impl<E> Failure for RpcError<E> {
    type Service = E;

    fn of_service(error: E) -> Self {
        Self::Service(error)
    }

    fn as_call_error(&self) -> Option<&CallError> {
        match self {
            Self::Service(_) => None,
            Self::Call(error) => Some(error),
        }
    }
}
