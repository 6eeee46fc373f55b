//! The ways from a client to its service that whole-call tests run over, and small futures that tests need.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures::{FutureExt, pin_mut, select};
use handover::{
    MessageChannel, MessagePort, context, in_process,
    shared_worker::{SharedWorker, SharedWorkerGroup},
    worker_thread,
};

/// A way from a client to its service.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// One context: calls travel as values.
    Direct,
    /// One context, with a reader of bytes in the middle: calls travel as frames, as over any link out of the process.
    Bytes,
    /// Two threads: calls travel as values.
    Thread,
    /// A thread with another executor.
    Tokio,
    /// A connection to a shared worker.
    Shared,
}

/// Every way there is. A new transport joins here.
pub(crate) const WAYS: [Way; 5] = [Way::Direct, Way::Bytes, Way::Thread, Way::Tokio, Way::Shared];

impl Way {
    /// Serves at the far end of the way.
    pub(crate) fn spawn<C, F, Fut>(self, main: F) -> C
    where
        C: From<MessagePort>,
        F: FnOnce(MessagePort) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + 'static,
    {
        match self {
            Self::Thread => worker_thread::spawn("service", main).unwrap(),
            Self::Tokio => spawn_on_tokio(main),
            Self::Shared => {
                let group = SharedWorkerGroup::new();
                let worker = SharedWorker::<C>::connect(&group, "service", async |_, connections| {
                    let port = connections.next().await.expect("somebody connects").ports.remove(0);
                    main(port).await;
                });
                worker.unwrap().into_client()
            }
            Self::Direct | Self::Bytes => self.spawn_here(main),
        }
    }

    /// Serves in the context of the test, what need not be `Send`.
    pub(crate) fn spawn_here<C, F, Fut>(self, main: F) -> C
    where
        C: From<MessagePort>,
        F: FnOnce(MessagePort) -> Fut,
        Fut: Future<Output = ()> + 'static,
    {
        match self {
            Self::Direct => in_process::spawn(main),
            Self::Bytes => {
                let far: MessagePort = in_process::spawn(main);
                let (ours, near) = MessageChannel::new().into_ports();
                context::spawn_local(relay(near, far));
                ours.into()
            }
            Self::Thread | Self::Tokio | Self::Shared => panic!("this service stays where it is"),
        }
    }
}

#[cfg(feature = "tokio")]
fn spawn_on_tokio<C, F, Fut>(main: F) -> C
where
    C: From<MessagePort>,
    F: FnOnce(MessagePort) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + 'static,
{
    let builder = worker_thread::WorkerBuilder::new("service").executor(worker_thread::executor::tokio);
    builder.spawn::<C, (), _, _>(|_, port| main(port)).unwrap().into_client()
}

/// Without the feature, one thread is as good as the other.
#[cfg(not(feature = "tokio"))]
fn spawn_on_tokio<C, F, Fut>(main: F) -> C
where
    C: From<MessagePort>,
    F: FnOnce(MessagePort) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + 'static,
{
    worker_thread::spawn("service", main).unwrap()
}

/// Runs a test over every way.
pub(crate) fn over_every_way<Fut: Future<Output = ()>>(test: impl Fn(Way) -> Fut) {
    for way in WAYS {
        println!("way: {way:?}");
        context::block_on(test(way));
    }
}

/// Passes on messages both ways, as bytes with their ports, until either port is closed.
pub(crate) async fn relay(left: MessagePort, right: MessagePort) {
    left.start();
    right.start();
    let there = pass_on(&left, &right).fuse();
    let back = pass_on(&right, &left).fuse();
    pin_mut!(there, back);
    select! { () = there => {}, () = back => {} }
}

async fn pass_on(from: &MessagePort, to: &MessagePort) {
    while let Ok(message) = from.recv().await {
        to.post_message(message).unwrap();
    }
}

/// Gives every other task of the context a turn, often enough that whatever was under way has settled.
pub(crate) async fn settle() {
    for _ in 0..100 {
        turn().await;
    }
}

/// Gives every other task of the context that is ready one turn.
pub(crate) async fn turn() {
    YieldOnce(false).await;
}

struct YieldOnce(bool);

impl Future for YieldOnce {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 {
            return Poll::Ready(());
        }
        self.0 = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
