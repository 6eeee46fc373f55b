//! Calls over a port: a typed client at one end, a service at the other.
//!
//! A client spawns nothing. A call and the place where its reply goes are one allocation, the *call cell*, which is posted
//! as it is: the service takes the arguments out of it and puts the reply in, and wakes the caller. Only when a cell reaches
//! a reader that does not know its type is it turned into [frames](crate::wire) of bytes; the reply then finds the cell by
//! its [`CallId`](crate::wire::CallId).
//!
//! What `#[service]` generates stands on [`Method`] and [`Service`]; `handover` re-exports those to generated code only.

mod answer;
mod args;
mod around;
mod arrived;
mod attached;
mod audit;
mod beside;
mod call;
mod call_info;
mod callback;
mod cell;
mod client_trait;
mod codec;
mod context;
mod current;
mod describe;
mod desk;
mod directory;
mod duty;
mod error;
mod failed;
mod farewell;
mod feeding;
pub mod frame;
mod from_bytes;
mod grant;
mod handlers;
mod held;
mod host;
mod incoming;
pub mod inspector;
pub mod interceptor;
mod known;
mod lend;
mod membrane;
mod metadata;
mod method;
mod once;
mod oneway;
mod options;
mod outbox;
mod outgoing;
mod outstanding;
mod pipe;
mod replies;
mod report;
mod router;
mod run_stream;
mod running;
mod same;
mod seal;
mod serve;
mod serving;
mod sorted;
mod spare;
mod spent;
mod split;
mod streamed;
mod stub;
mod table;
#[cfg(feature = "tower")]
pub mod tower;
pub mod trace;
mod versions;
mod view;
mod waits;
mod window;

pub use answer::{Answer, Responder};
pub use audit::{Audit, AuditCost, AuditEntry, RightId};
pub use call::Call;
pub use call_info::{Ahead, CallInfo, CallSide};
pub use callback::{Callback, CallbackCall, CallbackServer, OnceCallback, OnceCallbackServer};
pub use client_trait::{HoldsCallError, into_service_result, into_service_stream, service_error};
pub use context::CallContext;
pub use directory::{Directory, DirectoryClient, NoSuchService};
pub use error::{CallError, Failure, Interruption, NotSent, Refusal, RpcError, StreamFault};
pub use farewell::farewell;
pub use feeding::{DuplexCall, FeedingCall};
pub use grant::{Granting, Limits, Narrowing, Rate, Revoker, RevokerGroup};
pub use host::{Export, Host, Hosting, Idle, host};
pub use incoming::Incoming;
pub use inspector::{Inspector, Snapshot};
pub use interceptor::{Interceptor, Outcome};
pub use lend::{Lend, own, own_all};
pub use metadata::{Metadata, MetadataError, Metadatum};
pub use method::{
    Argument, IsResult, Method, MethodId, Never, ResultCodec, Wire, put_argument, result_codec, take_argument, travels,
};
pub use once::{FailedUse, OnceCall, OrClient};
pub use oneway::Tell;
pub use options::{ClientOptions, ServeOptions};
pub use report::{OrReport, Report};
pub use router::{CallRouter, RouteId};
pub use same::same_service;
pub use seal::{Sealed, Sealer};
use serve::ServiceFacts;
pub use serve::{How, Opened, Service, serve};
pub use split::split;
pub use streamed::{InStream, Streamed, StreamedItems, StreamedResults, Travels, feed, stream_argument, stream_codec};
pub use stub::{Client, ClientStub, ServedBy, ServiceClient, SharedStub};
pub use table::{MethodTable, assert_distinct, assert_distinct_super, assert_viewed};
pub use view::View;
pub use waits::{Noting, Progress, Unanswered, Waits};
