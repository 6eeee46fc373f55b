//! The ways from a client to its service that whole-call tests run over.
#![allow(dead_code, unused_imports, reason = "each test binary uses its part")]

pub(crate) mod streams;

use handover::{
    MessagePort, context,
    shared_worker::{SharedWorker, SharedWorkerGroup},
    testing::{self, LinkOptions},
    worker_thread,
};

pub(crate) use handover::testing::{settle, turn};

/// A way from a client to its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// One context: calls travel as values.
    Direct,
    /// One context, with a link of bytes in the middle: calls travel as frames, as over any link out of the process, and so do
    /// those of every client that travels over it.
    Bytes,
    /// Two threads: calls travel as values.
    Thread,
    /// A thread with another executor.
    Tokio,
    /// A connection to a shared worker.
    Shared,
    /// One context, with a stream of bytes in the middle, as to another process.
    Stream,
}

/// Every way there is. A new transport joins here.
pub(crate) const WAYS: [Way; 6] = [Way::Direct, Way::Bytes, Way::Thread, Way::Tokio, Way::Shared, Way::Stream];

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
            Self::Direct | Self::Bytes | Self::Stream => self.spawn_here(main),
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
            Self::Direct => testing::connect(main),
            Self::Bytes => testing::connect_over(LinkOptions::default(), main).0,
            Self::Stream => streams::connect(main),
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
