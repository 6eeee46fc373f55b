//! tarpc over a stream of bytes in memory, in bincode, the fastest encoding that it has.

use ::tarpc::{
    client, context, serde_transport,
    server::{BaseChannel, Channel},
    tokio_serde::formats::Bincode,
};
use futures::StreamExt;
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use crate::{Caller, Executor, System, handover_duplex::ROOM};

/// All calls run in the service's task, beside each other, as handover's do: what is faster.
#[derive(Debug)]
pub struct TarpcDuplex;

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

impl System for TarpcDuplex {
    const NAME: &'static str = "tarpc encoded over a duplex";

    fn open<E: Executor>() -> (impl Caller, impl Future<Output = ()> + Send + 'static) {
        let (near, far) = tokio::io::duplex(ROOM);
        let framed = |stream| Framed::new(stream, LengthDelimitedCodec::new());
        let near = serde_transport::new(framed(near), Bincode::default());
        let far = serde_transport::new(framed(far), Bincode::default());
        let client::NewClient { client, dispatch } = AdderClient::new(client::Config::default(), near);
        E::spawn(async {
            // The bench ends by dropping one of the two.
            let _ended = dispatch.await;
        });
        (client, BaseChannel::with_defaults(far).execute(Sum.serve()).for_each_concurrent(None, |call| call))
    }
}

impl Caller for AdderClient {
    async fn add(&self, a: u32, b: u32) -> u32 {
        Self::add(self, context::current(), a, b).await.expect("the service lives")
    }
}
