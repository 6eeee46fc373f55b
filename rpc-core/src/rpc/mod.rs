//! Calls over a port: a typed client at one end, a service at the other.
//!
//! A client spawns nothing. A call and the place where its reply goes are one allocation, the *call cell*, which is posted
//! as it is: the service takes the arguments out of it and puts the reply in, and wakes the caller. Only when a cell reaches
//! a reader that does not know its type is it turned into [frames](crate::wire) of bytes; the reply then finds the cell by
//! its [`CallId`](crate::wire::CallId).
//!
//! What `#[service]` generates stands on [`Method`] and [`Service`]; `handover` re-exports those to generated code only.

mod answer;
mod around;
mod attached;
mod call;
mod call_info;
mod cell;
mod context;
mod error;
pub mod frame;
mod handlers;
mod incoming;
pub mod inspector;
pub mod interceptor;
mod metadata;
mod method;
mod oneway;
mod options;
mod outgoing;
mod replies;
mod report;
mod serve;
mod serving;
mod stub;
#[cfg(feature = "tower")]
pub mod tower;
pub mod trace;
mod window;

pub use answer::{Answer, Responder};
pub use call::Call;
pub use call_info::{Ahead, CallInfo, CallSide};
pub use context::CallContext;
pub use error::{CallError, Failure, Interruption, NotSent, Refusal, RpcError};
pub use incoming::Incoming;
pub use inspector::{Inspector, Snapshot};
pub use interceptor::{Interceptor, Outcome};
pub use metadata::{Metadata, MetadataError, Metadatum};
pub use method::{
    Argument, IsResult, Method, MethodId, Never, ResultCodec, Wire, assert_distinct, put_argument, result_codec,
    take_argument,
};
pub use oneway::Tell;
pub use options::{ClientOptions, ServeOptions};
pub use report::{OrReport, Report};
pub use serve::{How, Opened, Service, serve};
pub use stub::{Client, ClientStub};
