//! What grows between threads: contexts that call one service, and contexts that call each other.

use std::{
    sync::{Arc, Barrier},
    thread,
};

use futures::{
    channel::oneshot,
    future::{join, join_all},
};
use handover::{MessageChannel, MessagePort, context, service};
use handover_bench_peers::{nanoseconds, rows::Adds};

use crate::turns::Turn;

/// How many calls a turn has: threads sleep between them.
const CALLS: u32 = 8_000;

/// A way to call another context.
pub(crate) trait Link: 'static {
    /// The client's end.
    type Client: Adds + Send + 'static;
    /// The service's end.
    type Service: Send + 'static;

    fn new() -> (Self::Client, Self::Service);

    /// Serves until the client is dropped.
    fn serve(service: Self::Service) -> impl Future<Output = ()> + 'static;
}

#[service]
pub(crate) trait Adder {
    async fn add(&self, a: u32, b: u32) -> u32;
}

struct Sum;

impl Adder for Sum {
    async fn add(&self, a: u32, b: u32) -> u32 {
        a + b
    }
}

impl Adds for AdderClient {
    async fn add(&self, a: u32, b: u32) -> u32 {
        Self::add(self, a, b).await.expect("the service lives")
    }
}

/// Handover.
pub(crate) struct Ports;

impl Link for Ports {
    type Client = AdderClient;
    type Service = MessagePort;

    fn new() -> (AdderClient, MessagePort) {
        let (ours, theirs) = MessageChannel::new().into_ports();
        (ours.into(), theirs)
    }

    fn serve(service: MessagePort) -> impl Future<Output = ()> + 'static {
        AdderServer::new(Sum).serve(service)
    }
}

/// A bare channel.
pub(crate) struct Channels;

/// The numbers to add, and where their sum goes.
type Request = (u32, u32, oneshot::Sender<u32>);

pub(crate) struct Requests(async_channel::Sender<Request>);

impl Adds for Requests {
    async fn add(&self, a: u32, b: u32) -> u32 {
        let (reply, sum) = oneshot::channel();
        self.0.send((a, b, reply)).await.expect("the service lives");
        sum.await.expect("the service replies")
    }
}

impl Link for Channels {
    type Client = Requests;
    type Service = async_channel::Receiver<Request>;

    fn new() -> (Requests, async_channel::Receiver<Request>) {
        let (requests, inbox) = async_channel::unbounded();
        (Requests(requests), inbox)
    }

    async fn serve(inbox: async_channel::Receiver<Request>) {
        while let Ok((a, b, reply)) = inbox.recv().await {
            let _waited = reply.send(a + b);
        }
    }
}

/// So many contexts call one that serves them all; the nanoseconds of a call, all calls taken together.
pub(crate) fn star<L: Link, const N: usize>(contexts: [u32; N], outstanding: u32) -> [Turn; N] {
    contexts.map(|contexts| -> Turn { Box::new(move || time_of_star::<L>(contexts, outstanding)) })
}

/// So many contexts, each of which calls the next one and serves the one before it; the nanoseconds of a call.
pub(crate) fn ring<L: Link, const N: usize>(contexts: [u32; N], outstanding: u32) -> [Turn; N] {
    contexts.map(|contexts| -> Turn { Box::new(move || time_of_ring::<L>(contexts, outstanding)) })
}

fn time_of_star<L: Link>(contexts: u32, outstanding: u32) -> f64 {
    let (clients, services): (Vec<_>, Vec<_>) = (0..contexts).map(|_| L::new()).unzip();
    let service = thread::spawn(|| {
        context::block_on(async {
            join_all(services.into_iter().map(|service| spawned(L::serve(service)))).await;
        });
    });
    let time = together(clients, move |client| async move { make_calls(&client, CALLS / contexts, outstanding).await });
    service.join().expect("the service has not panicked");
    time
}

fn time_of_ring<L: Link>(contexts: u32, outstanding: u32) -> f64 {
    let (clients, mut services): (Vec<_>, Vec<_>) = (0..contexts).map(|_| L::new()).unzip();
    services.rotate_right(1);
    together(clients.into_iter().zip(services), move |(client, service)| async move {
        let calls = async move {
            make_calls(&client, CALLS / contexts, outstanding).await;
            // The next context has nobody left to serve.
            drop(client);
        };
        join(calls, spawned(L::serve(service))).await;
    })
}

/// Runs each of these in a context of its own, and tells the nanoseconds of a call.
fn together<T: Send + 'static, F: Future<Output = ()>>(
    parts: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>,
    run: impl Fn(T) -> F + Copy + Send + 'static,
) -> f64 {
    let parts = parts.into_iter();
    let start = Arc::new(Barrier::new(parts.len() + 1));
    let threads: Vec<_> = parts
        .map(|part| {
            let start = start.clone();
            thread::spawn(move || {
                start.wait();
                context::block_on(run(part));
            })
        })
        .collect();
    start.wait();
    let begun = nanoseconds();
    threads.into_iter().for_each(|thread| thread.join().expect("no context has panicked"));
    (nanoseconds() - begun) as f64 / f64::from(CALLS)
}

/// In a task of its own, which is what services usually have.
async fn spawned(task: impl Future<Output = ()> + 'static) {
    let (done, end) = oneshot::channel();
    context::spawn_local(async {
        task.await;
        let _waited: Result<(), ()> = done.send(());
    });
    end.await.expect("the task has not panicked");
}

async fn make_calls(client: &impl Adds, calls: u32, outstanding: u32) {
    join_all((0..outstanding).map(async |lane| {
        for time in 0..calls / outstanding {
            assert_eq!(client.add(lane, time).await, lane + time);
        }
    }))
    .await;
}
