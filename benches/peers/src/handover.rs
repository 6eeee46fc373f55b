//! Handover: calls as values, and as bytes.

use ::handover::{MessageChannel, MessagePort, service};
use futures::future::select;

use crate::{Caller, Executor, System};

/// Calls go as values, as between any two contexts of a process.
#[derive(Debug)]
pub struct Handover;

/// Calls go as bytes, by a task of the caller's context that passes on messages, as over any link out of the process.
///
/// So a call is encoded and decoded, and so is its reply, and each of them is queued twice.
#[derive(Debug)]
pub struct HandoverAsBytes;

#[service]
trait Adder {
    async fn add(&self, a: u32, b: u32) -> u32;
}

struct Sum;

impl Adder for Sum {
    async fn add(&self, a: u32, b: u32) -> u32 {
        a + b
    }
}

impl System for Handover {
    const NAME: &'static str = "handover";

    fn open<E: Executor>() -> (impl Caller, impl Future<Output = ()> + Send + 'static) {
        let (ours, theirs) = MessageChannel::new().into_ports();
        (AdderClient::from(ours), AdderServer::new(Sum).serve(theirs))
    }
}

impl System for HandoverAsBytes {
    const NAME: &'static str = "handover as bytes";

    fn open<E: Executor>() -> (impl Caller, impl Future<Output = ()> + Send + 'static) {
        let (ours, near) = MessageChannel::new().into_ports();
        let (far, theirs) = MessageChannel::new().into_ports();
        E::spawn(relay(near, far));
        (AdderClient::from(ours), AdderServer::new(Sum).serve(theirs))
    }
}

impl Caller for AdderClient {
    async fn add(&self, a: u32, b: u32) -> u32 {
        Self::add(self, a, b).await.expect("the service lives")
    }
}

/// Passes on messages both ways, until either port is closed.
pub async fn relay(left: MessagePort, right: MessagePort) {
    left.start();
    right.start();
    let there = Box::pin(pass_on(&left, &right));
    let back = Box::pin(pass_on(&right, &left));
    select(there, back).await;
}

async fn pass_on(from: &MessagePort, to: &MessagePort) {
    while let Ok(message) = from.recv().await {
        to.post_message(message).expect("no message holds a port");
    }
}
