//! A bare channel of requests, each with a place for its reply. It has no methods to choose from, and no errors to tell.

use ::async_channel::{Receiver, Sender};
use futures::channel::oneshot;

use crate::{Caller, Executor, System};

/// An unbounded channel, and a new oneshot for each reply.
#[derive(Debug)]
pub struct AsyncChannel;

/// The numbers to add, and where their sum goes.
type Request = (u32, u32, oneshot::Sender<u32>);

impl System for AsyncChannel {
    const NAME: &'static str = "async-channel";

    fn open<E: Executor>() -> (impl Caller, impl Future<Output = ()> + Send + 'static) {
        let (requests, inbox) = ::async_channel::unbounded();
        (Requests(requests), serve(inbox))
    }
}

struct Requests(Sender<Request>);

impl Caller for Requests {
    async fn add(&self, a: u32, b: u32) -> u32 {
        let (reply, sum) = oneshot::channel();
        self.0.send((a, b, reply)).await.expect("the service lives");
        sum.await.expect("the service replies")
    }
}

async fn serve(inbox: Receiver<Request>) {
    while let Ok((a, b, reply)) = inbox.recv().await {
        // A caller that waits no longer needs no sum.
        let _waited = reply.send(a + b);
    }
}
