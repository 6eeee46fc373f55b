//! What a call costs over a socket, and what batches are worth there: `cargo bench -p handover-bench-peers --bench sockets`.
//!
//! A pair of Unix sockets is what two processes of one machine have between them; here both ends are in one process, on one thread or
//! on two. All take turns, round after round; the times of two runs cannot be compared.
#![cfg(unix)]

use std::{
    io,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll},
    thread,
    time::Instant,
};

use futures::{
    StreamExt,
    future::{join, join_all},
    io::AsyncWrite,
};
use handover::{
    byte_stream::{self, ConnectionOptions},
    prelude::*,
};
use handover_bench_peers::Core;
use tarpc::server::Channel;
use tokio::{
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    runtime::{Builder, Runtime},
};
use tokio_util::{
    codec::{Framed, LengthDelimitedCodec},
    compat::{Compat, TokioAsyncReadCompatExt, TokioAsyncWriteCompatExt},
};

const ROUNDS: usize = 30;

/// How many calls each of those outstanding makes in a round.
const CALLS_EACH: u32 = 200;

fn main() {
    println!("Medians of {ROUNDS} rounds of calls `add(u32, u32) -> u32` over a pair of Unix sockets.");
    for (threads, outstanding) in [(1, 1), (1, 64), (2, 1), (2, 64)] {
        println!(
            "\n{:34}{:>12}{:>12}{:>16}",
            format!("{threads} threads, {outstanding} outstanding"),
            "ns a call",
            "ratio",
            "writes a call"
        );
        let systems = [Peer::Batches, Peer::OneByOne, Peer::Tarpc];
        let mut times = systems.map(|_| Vec::new());
        let mut writes = systems.map(|_| 0);
        for _ in 0..ROUNDS {
            for (index, system) in systems.into_iter().enumerate() {
                let before = WRITES.load(Ordering::Relaxed);
                times[index].push(system.time_a_call(threads, outstanding));
                writes[index] += WRITES.load(Ordering::Relaxed) - before;
            }
        }
        let medians = times.map(median);
        for ((system, median), writes) in systems.into_iter().zip(medians).zip(writes) {
            let ratio = median / medians[0];
            let writes = writes as f64 / (ROUNDS as f64 * f64::from(CALLS_EACH * outstanding));
            let writes = if system == Peer::Tarpc { "-".to_owned() } else { format!("{writes:.3}") };
            println!("{:34}{median:>12.0}{ratio:>12.2}{writes:>16}", system.name());
        }
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Peer {
    Batches,
    OneByOne,
    Tarpc,
}

impl Peer {
    fn name(self) -> &'static str {
        match self {
            Self::Batches => "handover",
            Self::OneByOne => "handover, each frame by itself",
            Self::Tarpc => "tarpc, in bincode",
        }
    }

    /// Connects, makes all calls so many at a time, and tells the nanoseconds that one took.
    fn time_a_call(self, threads: u32, outstanding: u32) -> f64 {
        Core::Caller.pin();
        let here = runtime();
        let (near, far) = here.block_on(async { UnixStream::pair().expect("a pair of sockets") });
        let far = far.into_std().expect("it was registered");
        let serve = async move {
            let far = UnixStream::from_std(far).expect("it can be registered again");
            self.serve(far).await;
        };
        let other = if threads == 1 {
            here.spawn(serve);
            None
        } else {
            Some(thread::spawn(|| {
                Core::Service.pin();
                runtime().block_on(serve);
            }))
        };
        let took = here.block_on(self.call(near, outstanding));
        drop(here);
        if let Some(other) = other {
            other.join().expect("the service ends");
        }
        took
    }

    async fn call(self, socket: UnixStream, outstanding: u32) -> f64 {
        match self {
            Self::Batches | Self::OneByOne => {
                let (port, connection) = self.connect(socket);
                tokio::spawn(connection);
                let client = AdderClient::from(port);
                time(outstanding, async |a, b| client.add(a, b).await.expect("the service lives")).await
            }
            Self::Tarpc => {
                let transport = tarpc_transport(socket);
                let client = SumsClient::new(tarpc::client::Config::default(), transport).spawn();
                time(outstanding, async |a, b| {
                    client.sum(tarpc::context::current(), a, b).await.expect("the service lives")
                })
                .await
            }
        }
    }

    /// Serves until the caller goes.
    async fn serve(self, socket: UnixStream) {
        match self {
            Self::Batches | Self::OneByOne => {
                let (port, connection) = self.connect(socket);
                let (_served, _ended) = join(AdderServer::new(Sum).serve(port), connection).await;
            }
            Self::Tarpc => {
                let calls = tarpc::server::BaseChannel::with_defaults(tarpc_transport(socket)).execute(Sum.serve());
                calls.for_each_concurrent(None, |call| call).await;
            }
        }
    }

    fn connect(self, socket: UnixStream) -> (MessagePort, byte_stream::Connection<Compat<OwnedReadHalf>, Counted>) {
        let (reader, writer) = socket.into_split();
        let options = ConnectionOptions::default().batches(self == Self::Batches);
        byte_stream::connect(reader.compat(), Counted(writer.compat_write()), options)
    }
}

/// Makes the calls: so many lanes, and in each one call after the other.
async fn time(outstanding: u32, call: impl AsyncFn(u32, u32) -> u32) -> f64 {
    let call = &call;
    let make = async |each: u32| {
        let lanes = (0..outstanding).map(async |lane| {
            for number in 0..each {
                assert_eq!(call(lane, number).await, lane + number);
            }
        });
        join_all(lanes).await;
    };
    make(4).await;
    let start = Instant::now();
    make(CALLS_EACH).await;
    start.elapsed().as_nanos() as f64 / f64::from(CALLS_EACH * outstanding)
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

static WRITES: AtomicU64 = AtomicU64::new(0);

/// Counts how often it is written to.
struct Counted(Compat<OwnedWriteHalf>);

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        WRITES.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_close(cx)
    }
}

#[service]
trait Adder {
    async fn add(&self, a: u32, b: u32) -> u32;
}

#[tarpc::service]
trait Sums {
    async fn sum(a: u32, b: u32) -> u32;
}

#[derive(Clone)]
struct Sum;

impl Adder for Sum {
    async fn add(&self, a: u32, b: u32) -> u32 {
        a + b
    }
}

impl Sums for Sum {
    async fn sum(self, _: tarpc::context::Context, a: u32, b: u32) -> u32 {
        a + b
    }
}

fn tarpc_transport<Item, SinkItem>(
    socket: UnixStream,
) -> tarpc::serde_transport::Transport<UnixStream, Item, SinkItem, tarpc::tokio_serde::formats::Bincode<Item, SinkItem>>
where
    Item: for<'de> serde::Deserialize<'de>,
    SinkItem: serde::Serialize,
{
    let framed = Framed::new(socket, LengthDelimitedCodec::new());
    tarpc::serde_transport::new(framed, tarpc::tokio_serde::formats::Bincode::default())
}
