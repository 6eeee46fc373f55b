//! tarpc, over its own channel within the process, as its documentation shows it. Values are not encoded; every call has a
//! deadline.

use ::tarpc::{
    client, context,
    server::{BaseChannel, Channel},
    transport,
};
use futures::StreamExt;

use crate::{Caller, Executor, System};

/// tarpc without a network.
#[derive(Debug)]
pub struct Tarpc;

#[::tarpc::service]
trait Adder {
    async fn add(a: u32, b: u32) -> u32;
}

#[derive(Clone)]
struct Sum;

impl Adder for Sum {
    async fn add(self, _: context::Context, a: u32, b: u32) -> u32 {
        a + b
    }
}

impl System for Tarpc {
    const NAME: &'static str = "tarpc";

    fn open<E: Executor>() -> (impl Caller, impl Future<Output = ()> + Send + 'static) {
        let (near, far) = transport::channel::unbounded();
        let client::NewClient { client, dispatch } = AdderClient::new(client::Config::default(), near);
        E::spawn(async { dispatch.await.expect("the channel does not fail") });
        let calls = BaseChannel::with_defaults(far).execute(Sum.serve());
        (client, calls.for_each(async |call| E::spawn(call)))
    }
}

impl Caller for AdderClient {
    async fn add(&self, a: u32, b: u32) -> u32 {
        Self::add(self, context::current(), a, b).await.expect("the service lives")
    }
}
