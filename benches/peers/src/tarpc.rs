//! tarpc, over its own channel within the process. Values are not encoded; every call has a deadline.

use ::tarpc::{
    client, context,
    server::{BaseChannel, Channel},
    transport,
};
use futures::{Stream, StreamExt};

use crate::{Caller, Executor, System};

/// As tarpc's documentation shows it: each call is a task of its own.
#[derive(Debug)]
pub struct Tarpc;

/// All calls run in the service's task, beside each other, as handover's do.
#[derive(Debug)]
pub struct TarpcInOneTask;

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
        let (client, calls) = connect::<E>();
        (client, calls.for_each(async |call| E::spawn(call)))
    }
}

impl System for TarpcInOneTask {
    const NAME: &'static str = "tarpc in one task";

    fn open<E: Executor>() -> (impl Caller, impl Future<Output = ()> + Send + 'static) {
        let (client, calls) = connect::<E>();
        (client, calls.for_each_concurrent(None, |call| call))
    }
}

/// Makes a client, and the calls that come from it, to be run.
fn connect<E: Executor>() -> (AdderClient, impl Stream<Item = impl Future<Output = ()> + Send + 'static> + Send) {
    let (near, far) = transport::channel::unbounded();
    let client::NewClient { client, dispatch } = AdderClient::new(client::Config::default(), near);
    E::spawn(async { dispatch.await.expect("the channel does not fail") });
    (client, BaseChannel::with_defaults(far).execute(Sum.serve()))
}

impl Caller for AdderClient {
    async fn add(&self, a: u32, b: u32) -> u32 {
        Self::add(self, context::current(), a, b).await.expect("the service lives")
    }
}
