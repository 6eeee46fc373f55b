//! A bare channel of requests, each with a place for its reply, as one writes it by hand.

use ::async_channel::{Receiver, Sender, bounded, unbounded};
use futures::{Stream, channel::oneshot};

use crate::{
    Executor, Place, System,
    rows::{Adds, Echoes, EchoesMoved, EchoesPeople, Lends, Person, Streams, streams::WINDOW},
};

/// An unbounded channel, a new oneshot for each reply, and for each stream a channel that is bounded.
#[derive(Debug)]
pub struct AsyncChannel;

/// The caller's side.
#[derive(Debug)]
pub struct Requests(Sender<Request>);

enum Request {
    Add(u32, u32, oneshot::Sender<u32>),
    Echo(Vec<u8>, oneshot::Sender<Vec<u8>>),
    EchoPeople(Vec<Person>, oneshot::Sender<Vec<Person>>),
    Numbers(u32, Sender<u32>),
    Sum(Receiver<u32>, oneshot::Sender<u64>),
    Lend(Requests, oneshot::Sender<u32>),
}

impl System for AsyncChannel {
    type Client = Requests;

    async fn connect<E: Executor>(place: &Place<E>) -> Requests {
        let (requests, inbox) = unbounded();
        place.serve(|| serve::<E>(inbox));
        Requests(requests)
    }
}

async fn serve<E: Executor>(inbox: Receiver<Request>) {
    while let Ok(request) = inbox.recv().await {
        match request {
            Request::Add(a, b, to) => reply(to, a + b),
            Request::Echo(bytes, to) => reply(to, bytes),
            Request::EchoPeople(people, to) => reply(to, people),
            Request::Numbers(count, to) => E::spawn(produce(count, to)),
            Request::Sum(numbers, to) => E::spawn(async move {
                let mut sum = 0;
                while let Ok(number) = numbers.recv().await {
                    sum += u64::from(number);
                }
                reply(to, sum);
            }),
            Request::Lend(adder, to) => E::spawn(async move { reply(to, adder.add(1, 2).await) }),
        }
    }
}

fn reply<T>(to: oneshot::Sender<T>, value: T) {
    // A caller that waits no longer needs no reply.
    let _waited = to.send(value);
}

async fn produce(count: u32, to: Sender<u32>) {
    for number in 0..count {
        if to.send(number).await.is_err() {
            return;
        }
    }
}

impl Requests {
    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> T {
        let (reply, answer) = oneshot::channel();
        self.send(request(reply)).await;
        answer.await.expect("the service replies")
    }

    async fn send(&self, request: Request) {
        self.0.send(request).await.expect("the service lives");
    }
}

impl Adds for Requests {
    async fn add(&self, a: u32, b: u32) -> u32 {
        self.ask(|reply| Request::Add(a, b, reply)).await
    }
}

impl Echoes for Requests {
    async fn echo(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.ask(|reply| Request::Echo(bytes, reply)).await
    }
}

impl EchoesMoved for Requests {
    type Buffer = Vec<u8>;

    async fn echo_moved(&self, buffer: Vec<u8>) -> Vec<u8> {
        self.echo(buffer).await
    }

    fn length(buffer: &Vec<u8>) -> usize {
        buffer.len()
    }
}

impl EchoesPeople for Requests {
    async fn echo_people(&self, people: Vec<Person>) -> Vec<Person> {
        self.ask(|reply| Request::EchoPeople(people, reply)).await
    }
}

impl Streams for Requests {
    async fn numbers(&self, count: u32) -> impl Stream<Item = u32> {
        let (to, numbers) = bounded(WINDOW);
        self.send(Request::Numbers(count, to)).await;
        numbers
    }

    async fn sum(&self, count: u32) -> u64 {
        let (to, numbers) = bounded(WINDOW);
        let (reply, answer) = oneshot::channel();
        self.send(Request::Sum(numbers, reply)).await;
        produce(count, to).await;
        answer.await.expect("the service replies")
    }
}

impl Lends for Requests {
    async fn lend<E: Executor>(&self, place: &Place<E>) -> u32 {
        let (requests, inbox) = unbounded();
        place.run_here(serve::<E>(inbox));
        self.ask(|reply| Request::Lend(Self(requests), reply)).await
    }
}
