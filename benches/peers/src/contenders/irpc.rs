//! irpc in one process: a client of an actor's channel. Values are not encoded; the actor answers in its loop, as irpc's examples do.

use ::irpc::{
    Client, WithChannels,
    channel::{mpsc, oneshot},
    rpc_requests,
};
use futures::{Stream, stream};
use serde::{Deserialize, Serialize};

use crate::{
    Executor, Place, System,
    rows::{Adds, Echoes, EchoesMoved, EchoesPeople, Person, Streams, streams::WINDOW},
};

/// Its local client.
#[derive(Debug)]
pub(crate) struct Irpc;

#[rpc_requests(message = WorkMessage, no_rpc, no_spans)]
#[derive(Debug, Serialize, Deserialize)]
enum WorkProtocol {
    #[rpc(tx = oneshot::Sender<u32>)]
    #[wrap(Add)]
    Add(u32, u32),
    #[rpc(tx = oneshot::Sender<Vec<u8>>)]
    #[wrap(Echo)]
    Echo(Vec<u8>),
    #[rpc(tx = oneshot::Sender<Vec<Person>>)]
    #[wrap(EchoPeople)]
    EchoPeople(Vec<Person>),
    #[rpc(tx = mpsc::Sender<u32>)]
    #[wrap(Numbers)]
    Numbers(u32),
    #[rpc(tx = oneshot::Sender<u64>, rx = mpsc::Receiver<u32>)]
    #[wrap(Sum)]
    Sum,
}

/// The caller's side.
#[derive(Debug)]
pub(crate) struct Caller(Client<WorkProtocol>);

impl System for Irpc {
    type Client = Caller;

    async fn connect<E: Executor>(place: &Place<E>) -> Caller {
        // As long as in irpc's examples.
        let (requests, inbox) = tokio::sync::mpsc::channel(128);
        place.serve(|| serve::<E>(inbox));
        Caller(Client::local(requests))
    }
}

async fn serve<E: Executor>(mut inbox: tokio::sync::mpsc::Receiver<WorkMessage>) {
    while let Some(message) = inbox.recv().await {
        // A caller that waits no longer needs no reply.
        match message {
            WorkMessage::Add(WithChannels { inner: Add(a, b), tx, .. }) => drop(tx.send(a + b).await),
            WorkMessage::Echo(WithChannels { inner: Echo(bytes), tx, .. }) => drop(tx.send(bytes).await),
            WorkMessage::EchoPeople(WithChannels { inner: EchoPeople(people), tx, .. }) => drop(tx.send(people).await),
            WorkMessage::Numbers(WithChannels { inner: Numbers(count), tx, .. }) => E::spawn(produce(count, tx)),
            WorkMessage::Sum(WithChannels { tx, mut rx, .. }) => E::spawn(async move {
                let mut sum = 0;
                while let Ok(Some(number)) = rx.recv().await {
                    sum += u64::from(number);
                }
                drop(tx.send(sum).await);
            }),
        }
    }
}

async fn produce(count: u32, to: mpsc::Sender<u32>) {
    for number in 0..count {
        if to.send(number).await.is_err() {
            return;
        }
    }
}

impl Adds for Caller {
    async fn add(&self, a: u32, b: u32) -> u32 {
        self.0.rpc(Add(a, b)).await.expect("the service lives")
    }
}

impl Echoes for Caller {
    async fn echo(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.0.rpc(Echo(bytes)).await.expect("the service lives")
    }
}

impl EchoesMoved for Caller {
    type Buffer = Vec<u8>;

    async fn echo_moved(&self, buffer: Vec<u8>) -> Vec<u8> {
        self.echo(buffer).await
    }

    fn length(buffer: &Vec<u8>) -> usize {
        buffer.len()
    }
}

impl EchoesPeople for Caller {
    async fn echo_people(&self, people: Vec<Person>) -> Vec<Person> {
        self.0.rpc(EchoPeople(people)).await.expect("the service lives")
    }
}

impl Streams for Caller {
    async fn numbers(&self, count: u32) -> impl Stream<Item = u32> {
        let numbers = self.0.server_streaming(Numbers(count), WINDOW).await.expect("the service lives");
        stream::unfold(numbers, async |mut numbers| Some((numbers.recv().await.expect("it is not cut")?, numbers)))
    }

    async fn sum(&self, count: u32) -> u64 {
        let (to, sum) = self.0.client_streaming(Sum, WINDOW).await.expect("the service lives");
        produce(count, to).await;
        sum.await.expect("the service replies")
    }
}
