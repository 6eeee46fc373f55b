//! Message ports after the HTML standard's channel messaging, and typed RPC over them.
//!
//! - [`port`]: channels, ports, and how a port travels inside a message;
//! - [`message`]: what a port carries;
//! - [`event_loop`]: contexts with handlers, as an alternative to waiting for messages;
//! - [`clock`]: the time, for deadlines;
//! - `window`, `broadcast`, `origin`, with the feature `windows`: contexts that know whom they talk to;
//! - [`panicking`]: what those lose who talk to a context that panics;
//! - [`rpc`]: calls over a port: a typed client at one end, a service at the other;
//! - [`shape`]: what types are on the wire, and reading what another version of one has written;
//! - [`stream`]: streams of items over a port, with credit;
//! - [`wire`]: the frames of a call, for tools, tests, and peers that do not use this crate.
//!
//! # Goals
//! Ports that behave as the standard says, so that what is known of a browser's ports holds here; calls that always end and
//! say why; rights that are handed on by handing on a port.
//!
//! # Non-goals
//! No threads, timers, sockets or executor: nothing here spawns or sleeps, and any executor will do. Contexts and their
//! transports are in `handover-transports`; what users write against is `handover`.

#[cfg(feature = "windows")]
pub mod broadcast;
pub mod clock;
pub mod event_loop;
#[cfg(feature = "testing")]
pub mod live;
#[cfg(not(feature = "testing"))]
mod live;
pub mod message;
#[cfg(feature = "windows")]
pub mod origin;
pub mod panicking;
pub mod port;
pub mod rpc;
pub mod shape;
pub mod stream;
mod sync;
mod waking;
#[cfg(feature = "windows")]
pub mod window;

#[cfg(feature = "windows")]
pub use broadcast::{BroadcastChannel, BroadcastError, BroadcastGroup};
pub use message::{Buffer, Message};
#[cfg(feature = "windows")]
pub use origin::{Origin, SyntaxError, TargetOrigin};
pub use port::{Bound, Closed, ClosedBy, DataCloneError, MessageChannel, MessagePort};
pub use rpc::frame as wire;
pub use rpc::{Call, CallError, Client, Interruption, NotSent, Refusal, RpcError};
#[doc(hidden)]
pub use serde;
pub use stream::{StreamSender, Streaming};
#[cfg(feature = "windows")]
pub use window::{Window, WindowProxy};
