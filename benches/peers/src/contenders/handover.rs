//! Handover: calls as values, as bytes in one process, and over a byte stream in memory.

use std::time::Duration;

use ::handover::{
    Buffer, MessageChannel, MessagePort,
    byte_stream::{self, Connection, ConnectionOptions},
    service,
};
use futures::{
    AsyncReadExt, FutureExt, Stream, StreamExt,
    future::join,
    io::{ReadHalf, WriteHalf},
    stream,
};
use serde::{Deserialize, Serialize};
use tokio::io::{DuplexStream, duplex};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

use super::DUPLEX;
use crate::{
    Executor, Place, System,
    rows::{Adds, Echoes, EchoesMoved, EchoesPeople, Lends, Person, Streams},
};

/// Calls go as values, as between any two contexts of a process.
#[derive(Debug)]
pub struct Typed;

/// Calls go as values, by a right to so many calls at such a rate.
#[derive(Debug)]
pub struct ByRight;

/// Calls go as bytes: the service is of another type than its client takes it for, as if it were of another version.
///
/// So everything is encoded once and decoded once each way, as for a reader in another process, with nothing in between.
#[derive(Debug)]
pub struct Encoded;

/// Calls go over a byte stream in memory, as to another process.
#[derive(Debug)]
pub struct Duplex;

/// The same service, as one of the two ends knows it.
macro_rules! work {
    ($end:ident, $item:ty) => {
        mod $end {
            use super::*;

            #[service]
            pub(super) trait Work {
                async fn add(&self, a: u32, b: u32) -> u32;
                async fn echo(&self, bytes: Vec<u8>) -> Vec<u8>;
                async fn echo_moved(&self, buffer: Buffer) -> Buffer;
                async fn echo_people(&self, people: Vec<Person>) -> Vec<Person>;
                fn numbers(&self, count: u32) -> impl Stream<Item = $item>;
                async fn sum(&self, numbers: impl Stream<Item = $item>) -> u64;
                async fn lend(&self, adder: AdderClient) -> u32;
            }

            #[service]
            pub(super) trait Adder {
                async fn add(&self, a: u32, b: u32) -> u32;
            }

            pub(super) struct Worker;

            impl Work for Worker {
                async fn add(&self, a: u32, b: u32) -> u32 {
                    a + b
                }

                async fn echo(&self, bytes: Vec<u8>) -> Vec<u8> {
                    bytes
                }

                async fn echo_moved(&self, buffer: Buffer) -> Buffer {
                    buffer
                }

                async fn echo_people(&self, people: Vec<Person>) -> Vec<Person> {
                    people
                }

                fn numbers(&self, count: u32) -> impl Stream<Item = $item> {
                    stream::iter((0..count).map(<$item>::from))
                }

                async fn sum(&self, numbers: impl Stream<Item = $item>) -> u64 {
                    numbers.fold(0, async |sum, number| sum + u64::from(u32::from(number))).await
                }

                async fn lend(&self, adder: AdderClient) -> u32 {
                    adder.add(1, 2).await.expect("it is served")
                }
            }

            impl Adder for Worker {
                async fn add(&self, a: u32, b: u32) -> u32 {
                    a + b
                }
            }
        }
    };
}

work!(near, u32);
work!(far, Number);

/// A number that is of another type than the numbers at the other end.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Number(u32);

impl From<u32> for Number {
    fn from(number: u32) -> Self {
        Self(number)
    }
}

impl From<Number> for u32 {
    fn from(number: Number) -> Self {
        number.0
    }
}

/// The caller's side.
#[derive(Debug)]
pub struct Caller(near::WorkClient);

impl System for Typed {
    type Client = Caller;

    async fn connect<E: Executor>(place: &Place<E>) -> Caller {
        let (ours, theirs) = MessageChannel::new().into_ports();
        place.serve(|| near::WorkServer::new(near::Worker).serve(theirs));
        Caller(ours.into())
    }
}

impl System for ByRight {
    type Client = Caller;

    async fn connect<E: Executor>(place: &Place<E>) -> Caller {
        let (host, hosting) = near::WorkServer::new(near::Worker).host();
        place.run_here(async { drop(hosting.serve().await) });
        // Neither runs out in a run.
        Caller(host.grant().calls(u64::MAX).rate(u32::MAX, Duration::from_secs(1)).client())
    }
}

impl System for Encoded {
    type Client = Caller;

    async fn connect<E: Executor>(place: &Place<E>) -> Caller {
        let (ours, theirs) = MessageChannel::new().into_ports();
        place.serve(|| far::WorkServer::new(far::Worker).serve(theirs));
        Caller(ours.into())
    }
}

impl System for Duplex {
    type Client = Caller;

    async fn connect<E: Executor>(place: &Place<E>) -> Caller {
        let (near_end, far_end) = duplex(DUPLEX);
        place.serve(|| async {
            let (port, connection) = side(far_end);
            let (_ended, ()) = join(connection, near::WorkServer::new(near::Worker).serve(port)).await;
        });
        let (port, connection) = side(near_end);
        place.run_here(connection.map(drop));
        Caller(port.into())
    }
}

fn side(stream: DuplexStream) -> (MessagePort, Connection<Reader, Writer>) {
    let (reader, writer) = stream.compat().split();
    byte_stream::connect(reader, writer, ConnectionOptions::default())
}

type Reader = ReadHalf<Compat<DuplexStream>>;
type Writer = WriteHalf<Compat<DuplexStream>>;

impl Adds for Caller {
    async fn add(&self, a: u32, b: u32) -> u32 {
        self.0.add(a, b).await.expect("it is served")
    }
}

impl Echoes for Caller {
    async fn echo(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.0.echo(bytes).await.expect("it is served")
    }
}

impl EchoesMoved for Caller {
    type Buffer = Buffer;

    async fn echo_moved(&self, buffer: Buffer) -> Buffer {
        self.0.echo_moved(buffer).await.expect("it is served")
    }

    fn length(buffer: &Buffer) -> usize {
        buffer.len()
    }
}

impl EchoesPeople for Caller {
    async fn echo_people(&self, people: Vec<Person>) -> Vec<Person> {
        self.0.echo_people(people).await.expect("it is served")
    }
}

impl Streams for Caller {
    async fn numbers(&self, count: u32) -> impl Stream<Item = u32> {
        self.0.numbers(count).await.expect("it is served").map(|number| number.expect("it is not cut"))
    }

    async fn sum(&self, count: u32) -> u64 {
        self.0.sum(stream::iter(0..count)).await.expect("it is served")
    }
}

impl Lends for Caller {
    async fn lend<E: Executor>(&self, place: &Place<E>) -> u32 {
        let (ours, theirs) = MessageChannel::new().into_ports();
        place.run_here(near::AdderServer::new(near::Worker).serve(theirs));
        self.0.lend(ours.into()).await.expect("it is served")
    }
}
