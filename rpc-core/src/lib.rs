//! Message ports after the HTML standard's channel messaging, and typed RPC over them.
//!
//! - [`port`]: channels, ports, and how a port travels inside a message;
//! - [`message`]: what a port carries;
//! - [`rpc`]: calls over a port: a typed client at one end, a service at the other;
//! - [`wire`]: the frames of a call, for tools, tests, and peers that do not use this crate.
//!
//! # Goals
//! Ports that behave as the standard says, so that what is known of a browser's ports holds here; calls that always end and
//! say why; rights that are handed on by handing on a port.
//!
//! # Non-goals
//! No threads, timers, sockets or executor: nothing here spawns or sleeps, and any executor will do. Contexts and their
//! transports are in `handover-transports`; what users write against is `handover`.

pub mod message;
pub mod port;
pub mod rpc;
mod sync;

pub use message::Message;
pub use port::{Closed, ClosedBy, DataCloneError, MessageChannel, MessagePort};
pub use rpc::frame as wire;
pub use rpc::{Call, CallError, Client, Interruption, NotSent, Refusal, RpcError};
#[doc(hidden)]
pub use serde;
