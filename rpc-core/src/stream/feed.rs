//! Pumping a stream into a sender.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::Stream;
use pin_project::pin_project;

use super::{IntoItem, SendError, StreamSender, frame::Fault};
use crate::{
    Interruption,
    panicking::words_of,
    rpc::{Never, Wire},
};

/// How many items are sent before the executor gets a turn.
const TURN: u32 = 256;

/// A future that sends all that a stream yields, and finishes the stream.
///
/// It takes from the source as the consumer grants it, and drops the source at once when the consumer has gone or wants no
/// more. If the source panics, the consumer is told with what message, and the panic goes on.
///
/// # Cancel safety
/// Dropped before it is ready, it cuts the stream.
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct Feed<S, T, X = Never> {
    #[pin]
    source: Option<S>,
    /// Until the stream has ended.
    sender: Option<StreamSender<T, X>>,
}

impl<S, T, X> Feed<S, T, X>
where
    S: Stream<Item: IntoItem<T, X>>,
{
    /// Sends what this stream yields by that sender.
    pub fn new(source: S, sender: StreamSender<T, X>) -> Self {
        Self { source: Some(source), sender: Some(sender) }
    }
}

impl<S, T, X> Feed<S, T, X> {
    /// Ends the stream with a reason, and drops the source.
    pub(crate) fn fail(self: Pin<&mut Self>, why: Fault) {
        let mut this = self.project();
        this.source.set(None);
        if let Some(sender) = this.sender.take() {
            sender.fail(why);
        }
    }
}

impl<S, T, X> Future for Feed<S, T, X>
where
    S: Stream<Item: IntoItem<T, X>>,
    T: Wire + Send + 'static,
    X: Wire + Send + 'static,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let Some(sender) = this.sender else { return Poll::Ready(()) };
        // After a panic neither is used again, but to tell of it.
        let pumped = catch_unwind(AssertUnwindSafe(|| pump(this.source.as_mut(), sender, cx)));
        let ended = match pumped {
            Ok(pumped) => Ok(ready!(pumped)),
            Err(panic) => Err(panic),
        };
        let sender = this.sender.take();
        match ended {
            // Dropped, it says whatever there is to say.
            Ok(_told) => drop(sender),
            Err(panic) => {
                if let Some(mut sender) = sender {
                    // If that fails, nobody is there to be told.
                    let _gone = sender.rest();
                    sender.fail(Fault::Interrupted(Interruption::Panicked(words_of(&*panic))));
                }
                resume_unwind(panic);
            }
        }
        Poll::Ready(())
    }
}

/// Sends until there is nothing left to send, and finishes the stream.
fn pump<S, T, X>(
    mut source: Pin<&mut Option<S>>,
    sender: &mut StreamSender<T, X>,
    cx: &mut Context<'_>,
) -> Poll<Result<(), SendError>>
where
    S: Stream<Item: IntoItem<T, X>>,
    T: Wire + Send + 'static,
    X: Wire + Send + 'static,
{
    let ended = ready!(send_some(source.as_mut(), sender, cx));
    // The source goes first: who is told of the end may rely on that.
    source.set(None);
    let flushed = match ended {
        Ok(()) => ready!(sender.poll_flush(cx)),
        Err(why) => Err(why),
    };
    Poll::Ready(sender.finish_now(flushed))
}

/// Sends what the source has. Ready when it has ended, or when nothing may be sent any more.
fn send_some<S, T, X>(
    mut source: Pin<&mut Option<S>>,
    sender: &mut StreamSender<T, X>,
    cx: &mut Context<'_>,
) -> Poll<Result<(), SendError>>
where
    S: Stream<Item: IntoItem<T, X>>,
    T: Wire + Send + 'static,
    X: Wire + Send + 'static,
{
    for _ in 0..TURN {
        ready!(sender.poll_ready(cx))?;
        let Some(running) = source.as_mut().as_pin_mut() else { return Poll::Ready(Ok(())) };
        match running.poll_next(cx) {
            Poll::Ready(Some(item)) => sender.gather(item)?,
            Poll::Ready(None) => return Poll::Ready(sender.rest()),
            Poll::Pending => {
                sender.rest()?;
                return sender.poll_idle(cx).map(Err);
            }
        }
    }
    sender.rest()?;
    cx.waker().wake_by_ref();
    Poll::Pending
}

impl<S, T, X> fmt::Debug for Feed<S, T, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("sender", &self.sender).finish_non_exhaustive()
    }
}
