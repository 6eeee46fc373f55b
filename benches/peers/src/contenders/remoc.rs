//! remoc: a client beside its service, without a connection, and one over a byte stream in memory.

use std::sync::Arc;

use ::remoc::{
    Cfg, Connect, ConnectExt,
    codec::Default as Codec,
    rch::mpsc,
    rtc::{CallError, ServerShared, remote},
};
use futures::{Stream, stream};
use tokio::io::{duplex, split};

use super::DUPLEX;
use crate::{
    Executor, Place, System,
    rows::{Adds, Echoes, EchoesMoved, EchoesPeople, Lends, Person, Streams, streams::WINDOW},
};

/// Without a connection.
#[derive(Debug)]
pub(crate) struct Remoc;

/// Over a byte stream.
#[derive(Debug)]
pub(crate) struct RemocEncoded;

/// The work.
#[remote]
pub(crate) trait Work {
    /// Adds.
    async fn add(&self, a: u32, b: u32) -> Result<u32, CallError>;
    /// Gives back bytes.
    async fn echo(&self, bytes: Vec<u8>) -> Result<Vec<u8>, CallError>;
    /// Gives back people.
    async fn echo_people(&self, people: Vec<Person>) -> Result<Vec<Person>, CallError>;
    /// Counts.
    async fn numbers(&self, count: u32) -> Result<mpsc::Receiver<u32>, CallError>;
    /// Sums up.
    async fn sum(&self, numbers: mpsc::Receiver<u32>) -> Result<u64, CallError>;
    /// Calls.
    async fn lend(&self, adder: WorkClient) -> Result<u32, CallError>;
}

struct Worker;

impl Work for Worker {
    async fn add(&self, a: u32, b: u32) -> Result<u32, CallError> {
        Ok(a + b)
    }

    async fn echo(&self, bytes: Vec<u8>) -> Result<Vec<u8>, CallError> {
        Ok(bytes)
    }

    async fn echo_people(&self, people: Vec<Person>) -> Result<Vec<Person>, CallError> {
        Ok(people)
    }

    async fn numbers(&self, count: u32) -> Result<mpsc::Receiver<u32>, CallError> {
        let (to, numbers) = mpsc::with_local_buffer(WINDOW);
        tokio::spawn(produce(count, to));
        Ok(numbers)
    }

    async fn sum(&self, mut numbers: mpsc::Receiver<u32>) -> Result<u64, CallError> {
        let mut sum = 0;
        while let Ok(Some(number)) = numbers.recv().await {
            sum += u64::from(number);
        }
        Ok(sum)
    }

    async fn lend(&self, adder: WorkClient) -> Result<u32, CallError> {
        Work::add(&adder, 1, 2).await
    }
}

async fn produce(count: u32, to: mpsc::Sender<u32>) {
    for number in 0..count {
        if to.send(number).await.is_err() {
            return;
        }
    }
}

impl System for Remoc {
    type Client = WorkClient;

    async fn connect<E: Executor>(place: &Place<E>) -> WorkClient {
        let (server, client) = WorkServerShared::<_, Codec>::new(Arc::new(Worker));
        place.serve(|| async { server.serve().await.expect("the service is not cut") });
        client
    }
}

impl System for RemocEncoded {
    type Client = WorkClient;

    async fn connect<E: Executor>(place: &Place<E>) -> WorkClient {
        let (near, far) = duplex(DUPLEX);
        place.serve(|| async {
            let (server, client) = WorkServerShared::<_, Codec>::new(Arc::new(Worker));
            let (input, output) = split(far);
            Connect::io(Cfg::default(), input, output).provide(client).await.expect("the stream does not fail");
            // However it ends, its client is gone.
            let _end = server.serve().await;
        });
        let (input, output) = split(near);
        Connect::io(Cfg::default(), input, output).consume().await.expect("the stream does not fail")
    }
}

impl Adds for WorkClient {
    async fn add(&self, a: u32, b: u32) -> u32 {
        Work::add(self, a, b).await.expect("the service lives")
    }
}

impl Echoes for WorkClient {
    async fn echo(&self, bytes: Vec<u8>) -> Vec<u8> {
        Work::echo(self, bytes).await.expect("the service lives")
    }
}

impl EchoesMoved for WorkClient {
    type Buffer = Vec<u8>;

    async fn echo_moved(&self, buffer: Vec<u8>) -> Vec<u8> {
        Echoes::echo(self, buffer).await
    }

    fn length(buffer: &Vec<u8>) -> usize {
        buffer.len()
    }
}

impl EchoesPeople for WorkClient {
    async fn echo_people(&self, people: Vec<Person>) -> Vec<Person> {
        Work::echo_people(self, people).await.expect("the service lives")
    }
}

impl Streams for WorkClient {
    async fn numbers(&self, count: u32) -> impl Stream<Item = u32> {
        let numbers = Work::numbers(self, count).await.expect("the service lives");
        stream::unfold(numbers, async |mut numbers| Some((numbers.recv().await.expect("it is not cut")?, numbers)))
    }

    async fn sum(&self, count: u32) -> u64 {
        let (to, numbers) = mpsc::with_local_buffer(WINDOW);
        tokio::spawn(produce(count, to));
        Work::sum(self, numbers).await.expect("the service lives")
    }
}

impl Lends for WorkClient {
    async fn lend<E: Executor>(&self, place: &Place<E>) -> u32 {
        let (server, client) = WorkServerShared::<_, Codec>::new(Arc::new(Worker));
        place.run_here(async {
            // However it ends, its client is gone.
            let _end = server.serve().await;
        });
        Work::lend(self, client).await.expect("the service lives")
    }
}
