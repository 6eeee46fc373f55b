//! Starting a service somewhere, all with one signature.

use handover::{
    MessagePort,
    shared_worker::{SharedWorker, SharedWorkerGroup},
    testing::{self, LinkOptions},
    worker_thread,
};

pub(crate) fn over_a_link<C, F, Fut>(main: F) -> C
where
    C: From<MessagePort>,
    F: FnOnce(MessagePort) -> Fut,
    Fut: Future<Output = ()> + 'static,
{
    testing::connect_over(LinkOptions::default(), main).0
}

pub(crate) fn on_a_thread<C, F, Fut>(main: F) -> C
where
    C: From<MessagePort>,
    F: FnOnce(MessagePort) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + 'static,
{
    worker_thread::spawn("service", main).unwrap()
}

#[cfg(feature = "tokio")]
pub(crate) fn on_tokio<C, F, Fut>(main: F) -> C
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
pub(crate) use on_a_thread as on_tokio;

pub(crate) fn on_a_shared_worker<C, F, Fut>(main: F) -> C
where
    C: From<MessagePort>,
    F: FnOnce(MessagePort) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + 'static,
{
    let group = SharedWorkerGroup::new();
    let worker = SharedWorker::<C>::connect(&group, "service", async |_, connections| {
        let port = connections.next().await.expect("somebody connects").ports.remove(0);
        main(port).await;
    });
    worker.unwrap().into_client()
}
