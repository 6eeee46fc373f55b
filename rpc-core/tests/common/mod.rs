//! Small things that the tests of ports need: looking at a port without waiting, moving one, and counting wake-ups.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::{
    cell::RefCell,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use futures::FutureExt;
use handover_core::{Closed, ClosedBy, Message, MessageChannel, MessagePort, message::MessageEvent};

/// The two ends of a new channel, not started.
pub(crate) fn channel() -> (MessagePort, MessagePort) {
    MessageChannel::new().into_ports()
}

/// The two ends of a new channel, both started.
pub(crate) fn started_channel() -> (MessagePort, MessagePort) {
    let (ours, theirs) = channel();
    ours.start();
    theirs.start();
    (ours, theirs)
}

/// A port that was closed, with nothing in it.
pub(crate) fn closed_port() -> MessagePort {
    let (port, _dropped) = channel();
    port.close();
    port
}

/// Posts these texts, one message each.
pub(crate) fn post<'t>(port: &MessagePort, texts: impl IntoIterator<Item = &'t str>) {
    for text in texts {
        port.post_message(text).unwrap();
    }
}

/// What `recv` has now, without waiting.
pub(crate) fn recv_now(port: &MessagePort) -> Option<Result<Message, Closed>> {
    port.recv().now_or_never()
}

/// The message that is there.
pub(crate) fn take(port: &MessagePort) -> Message {
    recv_now(port).expect("no message is there").expect("the port is closed")
}

/// The first port of the message that is there.
pub(crate) fn take_port(port: &MessagePort) -> MessagePort {
    let ports = take(port).into_parts().ports;
    ports.into_iter().next().expect("a port came in the message")
}

/// The texts of all messages that are there.
pub(crate) fn take_texts(port: &MessagePort) -> Vec<String> {
    std::iter::from_fn(|| recv_now(port)?.ok()).map(|message| text(&message)).collect()
}

/// A message's bytes, as text.
pub(crate) fn text(message: &Message) -> String {
    String::from_utf8(message.data().to_vec()).unwrap()
}

/// What `closed` has now, without waiting.
pub(crate) fn closed_by(port: &MessagePort) -> Option<ClosedBy> {
    port.closed().now_or_never()
}

/// A message that holds a port.
pub(crate) fn holding(port: MessagePort) -> Message {
    Message::default().with_port(port)
}

/// Moves a port through another channel, as to another context.
pub(crate) fn transferred(port: MessagePort) -> MessagePort {
    let (near, far) = started_channel();
    near.post_message(holding(port)).unwrap();
    take_port(&far)
}

/// Counts how often it was woken.
#[derive(Default)]
pub(crate) struct Wakes(AtomicUsize);

impl Wakes {
    /// A counter, and a waker that counts there.
    pub(crate) fn new() -> (Arc<Self>, Waker) {
        let wakes = Arc::new(Self::default());
        (wakes.clone(), wakes.into())
    }

    /// How often it was woken.
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Polls a future once for a task.
pub(crate) fn poll<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// Gives every other task that is ready one turn.
pub(crate) async fn turn() {
    let mut is_over = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut is_over, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// What handlers have said, in order.
#[derive(Clone, Default)]
pub(crate) struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    pub(crate) fn push(&self, entry: impl ToString) {
        self.0.borrow_mut().push(entry.to_string());
    }

    pub(crate) fn taken(&self) -> Vec<String> {
        self.0.take()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// A handler that writes down the data, with a name before it.
    pub(crate) fn handler<T: ToString>(&self, name: &str) -> impl FnMut(&mut MessageEvent<T>) + use<T> {
        let (log, name) = (self.clone(), name.to_owned());
        move |event| log.push(format!("{name}{}", event.data.to_string()))
    }
}
