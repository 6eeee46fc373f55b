//! Ports that lead out of the process, over a stream of bytes: a socket, a pipe, the standard streams of a child.
//!
//! [`connect`] makes a port of the two directions of a stream. The port at the other side is entangled with it, as if the two had been made
//! together; every port that travels between them, at any depth, is joined over the same stream, and what was queued for it follows in order.
//! `WIRE.md` has the frames. Nothing here opens a stream, spawns, or reads a clock, so it runs wherever a future does, and knows no executor.
//!
//! - Calls that are made in one turn go out in one write, and come in with one read. A lone call waits for no other.
//! - While the stream takes nothing more, nothing is taken from the ports: queues, the windows of calls and the credit of streams hold.
//!   What came and was not received is limited at each port ([`ConnectionOptions::window`]); the others go on.
//! - What is beyond a limit of the other side is refused here: a call ends as refused, any other message ends its port.
//! - A port that travels there and back is joined twice: what goes through it takes both ways. It is not shortened.
//! - A stream that is silent is not noticed by itself: a call has a deadline, a socket has options for it.
//!
//! # With tokio
//! The traits for streams are those of `futures`, [`AsyncRead`](futures::io::AsyncRead) and [`AsyncWrite`](futures::io::AsyncWrite). For
//! tokio's, there is `tokio_util::compat`:
//! ```
//! use handover_transports::byte_stream::{self, ConnectionOptions};
//! use tokio_util::compat::{TokioAsyncReadCompatExt, TokioAsyncWriteCompatExt};
//!
//! # fn connect(socket: tokio::net::TcpStream) {
//! let (reader, writer) = socket.into_split();
//! let (port, connection) = byte_stream::connect(reader.compat(), writer.compat_write(), ConnectionOptions::default());
//! tokio::spawn(connection);
//! # drop(port);
//! # }
//! ```

mod account;
mod channel;
mod channel_id;
mod channels;
mod connection;
mod error;
pub mod frame;
mod inbox;
mod notices;
mod options;
mod outbox;
mod preamble;
mod varint;

pub use channel_id::ChannelId;
pub use connection::{Connection, connect};
pub use error::{ConnectionError, Limit};
pub use options::ConnectionOptions;
pub use preamble::{Limits, VERSION};
