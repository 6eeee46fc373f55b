//! Calls over a port: a typed client at one end, a service at the other.
//!
//! A client spawns nothing. A call and the place where its reply goes are one allocation, the *call cell*, which is posted
//! as it is: the service takes the arguments out of it and puts the reply in, and wakes the caller. Only when a cell reaches
//! a reader that does not know its type is it turned into [frames](crate::wire) of bytes; the reply then finds the cell by
//! its [`CallId`](crate::wire::CallId).
//!
//! What `#[service]` generates stands on [`Method`] and [`Service`]; `handover` re-exports those to generated code only.

mod answer;
mod call;
mod cell;
mod error;
pub mod frame;
mod handlers;
mod incoming;
mod method;
mod oneway;
mod replies;
mod router;
mod serve;
mod stub;

pub use answer::{Answer, Responder};
pub use call::Call;
pub use error::{CallError, Failure, Interruption, NotSent, Refusal, RpcError};
pub use incoming::Incoming;
pub use method::{
    Argument, IsResult, Method, MethodId, Never, ResultCodec, Wire, assert_distinct, put_argument, result_codec,
    take_argument,
};
pub use oneway::Tell;
pub use router::{CallRouter, RouteId};
pub use serve::{Opened, Service, serve};
pub use stub::{Client, ClientStub};
