//! Channels, ports, and how a port travels inside a message.
//!
//! A [`MessageChannel`] is one shared object with two sides; each side holds the queue of what was posted to it. A
//! [`MessagePort`] is the one owning handle on a side. So the queue travels with the port, the peer is never told of a
//! transfer, and two ends that travel at the same time still find each other (DEC-02).
//!
//! Ports know nothing of calls: that is [`rpc`](crate::rpc).

mod bound;
mod channel;
mod control;
mod discard;
mod error;
mod id;
mod join;
mod mark;
mod message_port;
mod parcel;
mod queue;
mod reader;
mod recv;
mod ring;
mod side;
mod side_cell;
mod state;
mod target;
mod transfer;
mod unreceived;
mod waiters;
mod watch;

pub use bound::{Bound, Queued, Ready, TryPostError};
pub use channel::MessageChannel;
pub use control::{Ended, PortControl};
pub use error::{Closed, ClosedBy, DataCloneError, DataCloneReason};
pub use id::{ChannelId, PortId};
pub use message_port::MessagePort;
pub use recv::{ClosedFuture, Recv};
pub use unreceived::Unreceived;

pub(crate) use error::Gone;
pub(crate) use join::end_of_joints;
pub(crate) use mark::{Destination, PortMark};
pub(crate) use parcel::{Carried, Parcel, Value};
pub(crate) use reader::{Reader, Received};
pub(crate) use side_cell::FIRST_OF_PIPELINES;
pub(crate) use target::{Announce, MessageTarget};
pub(crate) use transfer::Shipment;
pub(crate) use waiters::{WaiterKey, Waiters};
pub(crate) use watch::Watched;
