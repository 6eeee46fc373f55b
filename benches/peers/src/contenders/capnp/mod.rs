//! Cap'n Proto: a client beside its service, and one over a byte stream in memory. `work.capnp` is the schema.
//!
//! Structs are built from Rust's and read back into them at the caller's end; the service passes on what it has got, as it is.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use ::capnp::{Error, message::ReaderOptions, struct_list};
use capnp_rpc::{RpcSystem, new_client, rpc_twoparty_capnp::Side, twoparty::VatNetwork};
use futures::{
    Stream,
    channel::mpsc,
    io::{BufReader, BufWriter},
};
use tokio::io::{DuplexStream, duplex, split};
use tokio_util::compat::{TokioAsyncReadCompatExt, TokioAsyncWriteCompatExt};

use super::DUPLEX;
use crate::{
    Executor, Place, System,
    rows::{Adds, Echoes, EchoesPeople, Lends, Person, Streams},
    work_capnp::{person, sink, work},
};

/// Without a connection.
#[derive(Debug)]
pub(crate) struct Capnp;

/// Over a byte stream.
#[derive(Debug)]
pub(crate) struct CapnpEncoded;

/// The caller's side.
pub(crate) struct Caller(work::Client);

struct Worker;

impl System for Capnp {
    type Client = Caller;

    async fn connect<E: Executor>(_: &Place<E>) -> Caller {
        Caller(new_client(Worker))
    }
}

impl System for CapnpEncoded {
    type Client = Caller;

    async fn connect<E: Executor>(place: &Place<E>) -> Caller {
        let (near, far) = duplex(DUPLEX);
        place.serve(|| async {
            let service: work::Client = new_client(Worker);
            // However it ends, its client is gone.
            let _end = RpcSystem::new(network(far, Side::Server), Some(service.client)).await;
        });
        let mut system = RpcSystem::new(network(near, Side::Client), None);
        let client = system.bootstrap(Side::Server);
        place.run_here(async {
            let _end = system.await;
        });
        Caller(client)
    }
}

fn network(stream: DuplexStream, side: Side) -> Box<VatNetwork<impl futures::AsyncRead + Unpin>> {
    let (input, output) = split(stream);
    let (input, output) = (BufReader::new(input.compat()), BufWriter::new(output.compat_write()));
    Box::new(VatNetwork::new(input, output, side, ReaderOptions::new()))
}

impl work::Server for Worker {
    async fn add(self: Rc<Self>, params: work::AddParams, mut results: work::AddResults) -> Result<(), Error> {
        let params = params.get()?;
        results.get().set_sum(params.get_a() + params.get_b());
        Ok(())
    }

    async fn echo(self: Rc<Self>, params: work::EchoParams, mut results: work::EchoResults) -> Result<(), Error> {
        results.get().set_bytes(params.get()?.get_bytes()?);
        Ok(())
    }

    async fn echo_people(
        self: Rc<Self>,
        params: work::EchoPeopleParams,
        mut results: work::EchoPeopleResults,
    ) -> Result<(), Error> {
        results.get().set_people(params.get()?.get_people()?)
    }

    async fn lend(self: Rc<Self>, params: work::LendParams, mut results: work::LendResults) -> Result<(), Error> {
        let adder = Caller(params.get()?.get_adder()?);
        results.get().set_sum(adder.add(1, 2).await);
        Ok(())
    }

    async fn numbers(self: Rc<Self>, params: work::NumbersParams, _: work::NumbersResults) -> Result<(), Error> {
        let params = params.get()?;
        put_all(&params.get_to()?, params.get_count()).await
    }

    async fn sum(self: Rc<Self>, _: work::SumParams, mut results: work::SumResults) -> Result<(), Error> {
        results.get().set_sink(new_client(Sum::default()));
        Ok(())
    }
}

/// As many as flow control lets pass, and the next when there is room.
async fn put_all(to: &sink::Client, count: u32) -> Result<(), Error> {
    for number in 0..count {
        let mut request = to.put_request();
        request.get().set_number(number);
        request.send().await?;
    }
    to.end_request().send().promise.await.map(|_| ())
}

#[derive(Default)]
struct Sum(Cell<u64>);

impl sink::Server for Sum {
    async fn put(self: Rc<Self>, params: sink::PutParams) -> Result<(), Error> {
        self.0.set(self.0.get() + u64::from(params.get()?.get_number()));
        Ok(())
    }

    async fn end(self: Rc<Self>, _: sink::EndParams, mut results: sink::EndResults) -> Result<(), Error> {
        results.get().set_sum(self.0.get());
        Ok(())
    }
}

/// Hands numbers on to whoever reads the stream.
struct Feed(RefCell<Option<mpsc::UnboundedSender<u32>>>);

impl sink::Server for Feed {
    async fn put(self: Rc<Self>, params: sink::PutParams) -> Result<(), Error> {
        let number = params.get()?.get_number();
        let to = self.0.borrow();
        let sent = to.as_ref().map(|to| to.unbounded_send(number));
        sent.and_then(Result::ok).ok_or_else(|| Error::failed("nobody reads the stream".to_owned()))
    }

    async fn end(self: Rc<Self>, _: sink::EndParams, _: sink::EndResults) -> Result<(), Error> {
        self.0.take();
        Ok(())
    }
}

impl Adds for Caller {
    async fn add(&self, a: u32, b: u32) -> u32 {
        let mut request = self.0.add_request();
        request.get().set_a(a);
        request.get().set_b(b);
        let response = request.send().promise.await.expect("the service lives");
        response.get().expect("it has a sum").get_sum()
    }
}

impl Echoes for Caller {
    async fn echo(&self, bytes: Vec<u8>) -> Vec<u8> {
        let mut request = self.0.echo_request();
        request.get().set_bytes(&bytes);
        drop(bytes);
        let response = request.send().promise.await.expect("the service lives");
        response.get().and_then(|results| results.get_bytes()).expect("it has bytes").to_vec()
    }
}

impl EchoesPeople for Caller {
    async fn echo_people(&self, people: Vec<Person>) -> Vec<Person> {
        let mut request = self.0.echo_people_request();
        let mut list = request.get().init_people(people.len().try_into().expect("they are not that many"));
        for (index, person) in (0..).zip(people) {
            let mut place = list.reborrow().get(index);
            place.set_id(person.id);
            place.set_name(person.name);
            place.set_mail(person.mail);
        }
        let response = request.send().promise.await.expect("the service lives");
        let people = response.get().and_then(|results| results.get_people()).expect("it has people");
        read_people(people).expect("it has strings")
    }
}

fn read_people(people: struct_list::Reader<'_, person::Owned>) -> Result<Vec<Person>, Error> {
    let read = |person: person::Reader<'_>| {
        Ok(Person { id: person.get_id(), name: person.get_name()?.to_string()?, mail: person.get_mail()?.to_string()? })
    };
    people.iter().map(read).collect()
}

impl Streams for Caller {
    async fn numbers(&self, count: u32) -> impl Stream<Item = u32> {
        let (to, numbers) = mpsc::unbounded();
        let mut request = self.0.numbers_request();
        request.get().set_count(count);
        request.get().set_to(new_client(Feed(RefCell::new(Some(to)))));
        let end = request.send().promise;
        // The call lasts as long as the stream.
        tokio::task::spawn_local(async {
            let _end = end.await;
        });
        numbers
    }

    async fn sum(&self, count: u32) -> u64 {
        let sink = self.0.sum_request().send().pipeline.get_sink();
        for number in 0..count {
            let mut request = sink.put_request();
            request.get().set_number(number);
            request.send().await.expect("the service lives");
        }
        let response = sink.end_request().send().promise.await.expect("the service lives");
        response.get().expect("it has a sum").get_sum()
    }
}

impl Lends for Caller {
    async fn lend<E: Executor>(&self, _: &Place<E>) -> u32 {
        let mut request = self.0.lend_request();
        request.get().set_adder(new_client(Worker));
        let response = request.send().promise.await.expect("the service lives");
        response.get().expect("it has a sum").get_sum()
    }
}
