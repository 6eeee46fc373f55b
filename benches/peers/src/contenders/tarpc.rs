//! tarpc: over its own channel within the process, where values are not encoded, and over a byte stream in memory, as bincode.
//! Every call has a deadline.

use ::tarpc::{
    ClientMessage, Response, client, context, serde_transport,
    server::{BaseChannel, Channel},
    tokio_serde::formats::Bincode,
    transport,
};
use futures::{Sink, Stream, StreamExt};
use tokio::io::{DuplexStream, duplex};
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use super::DUPLEX;
use crate::{
    Executor, Place, System,
    rows::{Adds, Echoes, EchoesMoved, EchoesPeople, Person},
};

/// In the process, as tarpc's documentation shows it: each call is a task of its own.
#[derive(Debug)]
pub(crate) struct Tarpc;

/// In the process; all calls run in the service's task, beside each other, as handover's do.
#[derive(Debug)]
pub(crate) struct TarpcInOneTask;

/// Over a byte stream, each call in a task of its own.
#[derive(Debug)]
pub(crate) struct TarpcEncoded;

#[::tarpc::service]
trait Work {
    async fn add(a: u32, b: u32) -> u32;
    async fn echo(bytes: Vec<u8>) -> Vec<u8>;
    async fn echo_people(people: Vec<Person>) -> Vec<Person>;
}

#[derive(Clone)]
struct Worker;

impl Work for Worker {
    async fn add(self, _: context::Context, a: u32, b: u32) -> u32 {
        a + b
    }

    async fn echo(self, _: context::Context, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }

    async fn echo_people(self, _: context::Context, people: Vec<Person>) -> Vec<Person> {
        people
    }
}

/// The caller's side.
#[derive(Debug)]
pub(crate) struct Caller(WorkClient);

impl System for Tarpc {
    type Client = Caller;

    async fn connect<E: Executor>(place: &Place<E>) -> Caller {
        let (near, far) = transport::channel::unbounded();
        place.serve(|| serve(far).for_each(async |call| E::spawn(call)));
        call_by(near, place)
    }
}

impl System for TarpcInOneTask {
    type Client = Caller;

    async fn connect<E: Executor>(place: &Place<E>) -> Caller {
        let (near, far) = transport::channel::unbounded();
        place.serve(|| serve(far).for_each_concurrent(None, |call| call));
        call_by(near, place)
    }
}

impl System for TarpcEncoded {
    type Client = Caller;

    async fn connect<E: Executor>(place: &Place<E>) -> Caller {
        let (near, far) = duplex(DUPLEX);
        place.serve(|| {
            serve(serde_transport::new(framed(far), Bincode::default())).for_each(async |call| E::spawn(call))
        });
        call_by(serde_transport::new(framed(near), Bincode::default()), place)
    }
}

fn framed(stream: DuplexStream) -> Framed<DuplexStream, LengthDelimitedCodec> {
    Framed::new(stream, LengthDelimitedCodec::new())
}

fn serve<T, F>(transport: T) -> impl Stream<Item = impl Future<Output = ()> + 'static>
where
    T: Stream<Item = Result<ClientMessage<WorkRequest>, F>> + Sink<Response<WorkResponse>, Error = F> + 'static,
    F: std::error::Error + Send + Sync + 'static,
{
    BaseChannel::with_defaults(transport).execute(Worker.serve())
}

fn call_by<T, F, E: Executor>(transport: T, place: &Place<E>) -> Caller
where
    T: Stream<Item = Result<Response<WorkResponse>, F>> + Sink<ClientMessage<WorkRequest>, Error = F> + 'static,
    F: std::error::Error + Send + Sync + 'static,
{
    let client::NewClient { client, dispatch } = WorkClient::new(client::Config::default(), transport);
    place.run_here(async {
        // However it ends, nobody calls any more.
        let _end = dispatch.await;
    });
    Caller(client)
}

impl Adds for Caller {
    async fn add(&self, a: u32, b: u32) -> u32 {
        self.0.add(context::current(), a, b).await.expect("the service lives")
    }
}

impl Echoes for Caller {
    async fn echo(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.0.echo(context::current(), bytes).await.expect("the service lives")
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
        self.0.echo_people(context::current(), people).await.expect("the service lives")
    }
}
