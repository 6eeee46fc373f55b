//! Handover over a stream of bytes in memory, as to another process.

use ::handover::{
    byte_stream::{self, Connection, ConnectionOptions},
    prelude::*,
};
use futures::io::{AsyncReadExt, ReadHalf, WriteHalf};
use tokio::io::DuplexStream;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

use crate::{Caller, Executor, System};

/// How many bytes the stream holds each way.
pub(crate) const ROOM: usize = 64 << 10;

/// Calls that are made in one turn go in one write.
#[derive(Debug)]
pub struct HandoverDuplex;

/// Each call goes in a write of its own.
#[derive(Debug)]
pub struct HandoverDuplexOneByOne;

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

impl System for HandoverDuplex {
    const NAME: &'static str = "handover over a duplex";

    fn open<E: Executor>() -> (impl Caller, impl Future<Output = ()> + Send + 'static) {
        open::<E>(ConnectionOptions::default())
    }
}

impl System for HandoverDuplexOneByOne {
    const NAME: &'static str = "handover, duplex, unbatched";

    fn open<E: Executor>() -> (impl Caller, impl Future<Output = ()> + Send + 'static) {
        open::<E>(ConnectionOptions::default().batches(false))
    }
}

fn open<E: Executor>(options: ConnectionOptions) -> (impl Caller, impl Future<Output = ()> + Send + 'static) {
    let (here, there) = tokio::io::duplex(ROOM);
    let (ours, near) = connect(here, options.clone());
    let (theirs, far) = connect(there, options);
    E::spawn(run(near));
    let service = async {
        E::spawn(run(far));
        AdderServer::new(Sum).serve(theirs).await;
    };
    (Over(AdderClient::from(ours)), service)
}

type Side = Connection<ReadHalf<Compat<DuplexStream>>, WriteHalf<Compat<DuplexStream>>>;

fn connect(stream: DuplexStream, options: ConnectionOptions) -> (MessagePort, Side) {
    let (reader, writer) = stream.compat().split();
    byte_stream::connect(reader, writer, options)
}

async fn run(side: Side) {
    // The bench ends by dropping one of the two.
    let _ended = side.await;
}

struct Over(AdderClient);

impl Caller for Over {
    async fn add(&self, a: u32, b: u32) -> u32 {
        self.0.add(a, b).await.expect("the service lives")
    }
}
