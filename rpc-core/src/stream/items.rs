//! The items of a stream by themselves, for those who take any stream.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use futures::Stream;

use super::receiver::Receiver;
use crate::{
    CallError,
    rpc::{Never, Wire},
    sync::{Arc, Mutex},
};

/// The items of a stream: what a method gets that takes an `impl Stream<Item = T>`.
///
/// `None` means that the producer has finished. If the stream is cut it yields nothing any more, not even its end: whoever runs
/// the method learns of it by [`cut_signal`](Self::cut_signal), and ends it.
///
/// # Cancel safety
/// Dropping the future of `next()` loses nothing.
#[must_use = "streams do nothing unless polled, and dropping one aborts it"]
pub struct Items<T>(Uncut<T, Never>);

/// The items of a stream that are results: what a method gets that takes an `impl Stream<Item = Result<T, X>>`.
///
/// As [`Items`] in everything else.
#[must_use = "streams do nothing unless polled, and dropping one aborts it"]
pub struct Results<T, X>(Uncut<T, X>);

/// A stream that never tells of a cut.
#[doc(hidden)]
#[derive(Debug)]
pub struct Uncut<T, X> {
    receiver: Box<Receiver<T, X>>,
    is_cut: bool,
    cut: Arc<Mutex<CutState>>,
}

impl<T> Items<T> {
    pub(super) fn new(receiver: Box<Receiver<T, Never>>) -> Self {
        Self(Uncut::new(receiver))
    }

    /// Tells when the stream is cut.
    pub fn cut_signal(&self) -> Cut {
        self.0.cut_signal()
    }

    pub(crate) fn uncut(&mut self) -> &mut Uncut<T, Never> {
        &mut self.0
    }
}

impl<T, X> Results<T, X> {
    pub(super) fn new(receiver: Box<Receiver<T, X>>) -> Self {
        Self(Uncut::new(receiver))
    }

    /// Tells when the stream is cut.
    pub fn cut_signal(&self) -> Cut {
        self.0.cut_signal()
    }

    pub(crate) fn uncut(&mut self) -> &mut Uncut<T, X> {
        &mut self.0
    }
}

impl<T: Wire + Send + 'static> Stream for Items<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.0.poll_next(cx).map(|item| item.map(|Ok(item)| item))
    }
}

impl<T: Wire + Send + 'static, X: Wire + Send + 'static> Stream for Results<T, X> {
    type Item = Result<T, X>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<T, X>>> {
        self.0.poll_next(cx)
    }
}

// No item is pinned: they are moved out.
impl<T> Unpin for Items<T> {}
impl<T, X> Unpin for Results<T, X> {}

impl<T, X> Uncut<T, X> {
    fn new(receiver: Box<Receiver<T, X>>) -> Self {
        Self { receiver, is_cut: false, cut: Arc::default() }
    }

    fn cut_signal(&self) -> Cut {
        Cut(self.cut.clone())
    }
}

impl<T: Wire + Send + 'static, X: Wire + Send + 'static> Uncut<T, X> {
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, X>>> {
        if self.is_cut {
            return Poll::Pending;
        }
        match self.receiver.poll_next(cx) {
            Poll::Ready(Some(Ok(item))) => Poll::Ready(Some(item)),
            Poll::Ready(Some(Err(why))) => {
                self.is_cut = true;
                tell(&self.cut, why);
                Poll::Pending
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// Why a stream was cut, for whoever waits to know.
#[derive(Debug, Default)]
struct CutState {
    why: Option<CallError>,
    waiter: Option<Waker>,
}

fn tell(state: &Mutex<CutState>, why: CallError) {
    let mut state = state.lock();
    state.why = Some(why);
    let waiter = state.waiter.take();
    drop(state);
    if let Some(waiter) = waiter {
        waiter.wake();
    }
}

/// Resolves when a stream was cut, to the reason; never, if it ends in order or is dropped. It is the reader of the items that
/// notices, so it is noticed where the stream is polled.
///
/// One waits for it: of several, the last to be polled is woken, and the reason is told once.
#[must_use = "futures do nothing unless polled"]
pub struct Cut(Arc<Mutex<CutState>>);

impl Future for Cut {
    type Output = CallError;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<CallError> {
        let mut state = self.0.lock();
        if let Some(why) = state.why.take() {
            return Poll::Ready(why);
        }
        let replaced = match &state.waiter {
            Some(waker) if waker.will_wake(cx.waker()) => None,
            Some(_) | None => state.waiter.replace(cx.waker().clone()),
        };
        drop(state);
        drop(replaced);
        Poll::Pending
    }
}

impl<T> fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("port", &self.0.receiver.port).finish_non_exhaustive()
    }
}

impl<T, X> fmt::Debug for Results<T, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Results").field("port", &self.0.receiver.port).finish_non_exhaustive()
    }
}

impl fmt::Debug for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cut").finish_non_exhaustive()
    }
}
