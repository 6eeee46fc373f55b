//! Streams of items over a port: a producer at one end, a consumer at the other.
//!
//! A stream is a port, as a client is. So it is a value: it may be an argument or a result, at any depth, and both of its ends
//! can be handed on, without a middleman. Between contexts of one process its items stay what they are, and travel in batches:
//! the producer adds to a batch that lies in the consumer's queue, until the consumer takes it. Only a reader that does not know
//! the type gets [frames](frame) of bytes.
//!
//! The consumer grants credit, by items and by bytes, and the producer waits when it has none, or does what its [`Overflow`] says.
//! A stream that was cut never looks as if it had ended: the consumer gets `None` only after [`StreamSender::finish`].
//!
//! # Non-goals
//! Nothing here spawns: a [`Feed`] is polled by whoever owns it.

mod batch;
mod credit;
mod error;
mod feed;
mod feeds;
pub mod frame;
mod gauge;
mod item;
mod items;
mod overflow;
mod receiver;
mod send;
mod sender;
mod streaming;
mod travel;

pub use credit::Window;
pub use error::{ConsumerEnd, SendError, TrySendError};
pub use feed::Feed;
pub use feeds::{Both, Feeds, NoFeed};
pub(crate) use gauge::{Gauge, Reading};
pub use item::IntoItem;
#[doc(hidden)]
pub use items::Uncut;
pub use items::{Cut, Items, Results};
pub use overflow::Overflow;
pub use send::{ClosedByConsumer, Flush, Ready, SendItem};
pub use sender::StreamSender;
pub use streaming::Streaming;

/// What a method takes or returns: `impl Stream<Item = T>`. It is that of `futures`.
pub use futures::Stream;

use crate::{
    MessageChannel,
    rpc::{Failure, Wire},
};

/// Makes a stream: the producer's end, and the consumer's.
///
/// `E` is [`CallError`](crate::CallError) for a stream of plain items, [`RpcError<X>`](crate::RpcError) for one of items that are
/// `Result<T, X>`. Nothing is produced before the consumer is first polled: it grants its [`Window`] then.
///
/// # Examples
/// ```
/// use futures::StreamExt;
/// use handover_core::{CallError, stream};
///
/// # futures::executor::block_on(async {
/// let (mut sender, mut numbers) = stream::channel::<u32, CallError>();
/// let produce = async move {
///     sender.send(1).await?;
///     sender.send(2).await?;
///     sender.finish().await
/// };
/// let consume = async {
///     assert_eq!(numbers.next().await, Some(Ok(1)));
///     assert_eq!(numbers.next().await, Some(Ok(2)));
///     assert_eq!(numbers.next().await, None);
/// };
/// let (produced, ()) = futures::join!(produce, consume);
/// assert_eq!(produced, Ok(()));
/// # });
/// ```
pub fn channel<T, E>() -> (StreamSender<T, E::Service>, Streaming<T, E>)
where
    T: Wire + Send + 'static,
    E: Failure<Service: Wire + Send + 'static>,
{
    let (ours, theirs) = MessageChannel::new().into_ports();
    (StreamSender::from(ours), Streaming::from(theirs))
}
