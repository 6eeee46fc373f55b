//! tonic: gRPC over HTTP/2 over a byte stream in memory.
//!
//! Client and server are what `tonic-build` makes of a `.proto`, written by hand, and the messages are derived: so no `protoc` is
//! needed. A service handles a call in a task of its own, which is what HTTP/2 in Rust does.

use std::{
    convert::Infallible,
    future::Ready,
    pin::{Pin, pin},
    task::{Context, Poll},
};

use ::tonic::{
    Request, Response, Status, Streaming,
    body::Body,
    client::Grpc as GrpcClient,
    server::{Grpc as GrpcServer, NamedService},
    transport::{Channel, Endpoint, Server},
};
use futures::{Stream, StreamExt, channel::oneshot, future::select, stream};
use hyper_util::rt::TokioIo;
use prost::bytes::Bytes;
use tokio::io::duplex;
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};

use super::DUPLEX;
use crate::{
    Executor, Place, System,
    rows::{Adds, Echoes, EchoesMoved, EchoesPeople, Person, Streams},
};

/// Over a byte stream.
#[derive(Debug)]
pub(crate) struct Tonic;

/// The caller's side, and what its server notices the end by.
#[derive(Debug)]
pub(crate) struct Caller(Channel, #[expect(dead_code, reason = "it is dropped")] oneshot::Sender<Infallible>);

#[derive(Clone, PartialEq, prost::Message)]
struct Pair {
    #[prost(uint32, tag = "1")]
    a: u32,
    #[prost(uint32, tag = "2")]
    b: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Number {
    #[prost(uint32, tag = "1")]
    number: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Total {
    #[prost(uint64, tag = "1")]
    total: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Plain {
    #[prost(bytes = "vec", tag = "1")]
    bytes: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Moved {
    #[prost(bytes = "bytes", tag = "1")]
    bytes: Bytes,
}

#[derive(Clone, PartialEq, prost::Message)]
struct People {
    #[prost(message, repeated, tag = "1")]
    people: Vec<Person>,
}

/// More than the largest message here.
const LARGEST: usize = 16 << 20;

impl System for Tonic {
    type Client = Caller;

    async fn connect<E: Executor>(place: &Place<E>) -> Caller {
        let (near, far) = duplex(DUPLEX);
        let (caller, gone) = oneshot::channel::<Infallible>();
        place.serve(|| async {
            // No other stream comes. A server that has no stream to wait for is done, and on a thread of its own that would be the end.
            let streams = stream::iter([Ok::<_, Infallible>(far)]).chain(stream::pending());
            let _end = select(pin!(Server::builder().serve_with_incoming(Worker, streams)), gone).await;
        });
        let mut near = Some(near);
        let connector = service_fn(move |_| {
            let stream = near.take().map(TokioIo::new).ok_or("there is one connection");
            async { stream }
        });
        let channel = Endpoint::from_static("http://memory").connect_with_connector(connector).await;
        Caller(channel.expect("the server lives"), caller)
    }
}

/// Does the work.
#[derive(Clone)]
struct Worker;

impl NamedService for Worker {
    const NAME: &'static str = "Work";
}

type Answer = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

impl Service<http::Request<Body>> for Worker {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Answer {
        match request.uri().path() {
            "/Work/Add" => unary(request, |Pair { a, b }| Number { number: a + b }),
            "/Work/Echo" => unary(request, |plain: Plain| plain),
            "/Work/EchoMoved" => unary(request, |moved: Moved| moved),
            "/Work/EchoPeople" => unary(request, |people: People| people),
            "/Work/Numbers" => Box::pin(async { Ok(server().server_streaming(Numbers, request).await) }),
            "/Work/Sum" => Box::pin(async { Ok(server().client_streaming(Sum, request).await) }),
            _ => Box::pin(async { Ok(Status::unimplemented("").into_http()) }),
        }
    }
}

fn server<T: prost::Message + Default + 'static, U: prost::Message + Default + 'static>() -> GrpcServer<ProstCodec<U, T>>
{
    GrpcServer::new(ProstCodec::default()).max_decoding_message_size(LARGEST)
}

fn unary<T, U>(request: http::Request<Body>, work: fn(T) -> U) -> Answer
where
    T: prost::Message + Default + 'static,
    U: prost::Message + Default + 'static,
{
    Box::pin(async move { Ok(server().unary(Unary(work), request).await) })
}

struct Unary<T, U>(fn(T) -> U);

impl<T, U> Service<Request<T>> for Unary<T, U> {
    type Response = Response<U>;
    type Error = Status;
    type Future = Ready<Result<Response<U>, Status>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<T>) -> Self::Future {
        std::future::ready(Ok(Response::new(self.0(request.into_inner()))))
    }
}

struct Numbers;

impl Service<Request<Number>> for Numbers {
    type Response = Response<Pin<Box<dyn Stream<Item = Result<Number, Status>> + Send>>>;
    type Error = Status;
    type Future = Ready<Result<Self::Response, Status>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Number>) -> Self::Future {
        let numbers = stream::iter(0..request.into_inner().number).map(|number| Ok(Number { number }));
        std::future::ready(Ok(Response::new(Box::pin(numbers))))
    }
}

struct Sum;

impl Service<Request<Streaming<Number>>> for Sum {
    type Response = Response<Total>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Total>, Status>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Streaming<Number>>) -> Self::Future {
        Box::pin(async {
            let mut numbers = request.into_inner();
            let mut total = 0;
            while let Some(Number { number }) = numbers.message().await? {
                total += u64::from(number);
            }
            Ok(Response::new(Total { total }))
        })
    }
}

impl Caller {
    async fn ready(&self) -> GrpcClient<Channel> {
        // As generated clients are used: cloning a channel is cheap, and each call needs it for itself.
        let mut grpc = GrpcClient::new(self.0.clone()).max_decoding_message_size(LARGEST);
        grpc.ready().await.expect("the server lives");
        grpc
    }

    async fn unary<T, U>(&self, path: &'static str, message: T) -> U
    where
        T: prost::Message + 'static,
        U: prost::Message + Default + 'static,
    {
        let codec = ProstCodec::<T, U>::default();
        let path = http::uri::PathAndQuery::from_static(path);
        let response = self.ready().await.unary(Request::new(message), path, codec).await;
        response.expect("the server lives").into_inner()
    }
}

impl Adds for Caller {
    async fn add(&self, a: u32, b: u32) -> u32 {
        let Number { number } = self.unary("/Work/Add", Pair { a, b }).await;
        number
    }
}

impl Echoes for Caller {
    async fn echo(&self, bytes: Vec<u8>) -> Vec<u8> {
        let Plain { bytes } = self.unary("/Work/Echo", Plain { bytes }).await;
        bytes
    }
}

impl EchoesMoved for Caller {
    type Buffer = Bytes;

    async fn echo_moved(&self, bytes: Bytes) -> Bytes {
        let Moved { bytes } = self.unary("/Work/EchoMoved", Moved { bytes }).await;
        bytes
    }

    fn length(buffer: &Bytes) -> usize {
        buffer.len()
    }
}

impl EchoesPeople for Caller {
    async fn echo_people(&self, people: Vec<Person>) -> Vec<Person> {
        let People { people } = self.unary("/Work/EchoPeople", People { people }).await;
        people
    }
}

impl Streams for Caller {
    async fn numbers(&self, count: u32) -> impl Stream<Item = u32> {
        let path = http::uri::PathAndQuery::from_static("/Work/Numbers");
        let request = Request::new(Number { number: count });
        let response = self.ready().await.server_streaming(request, path, ProstCodec::default()).await;
        response
            .expect("the server lives")
            .into_inner()
            .map(|number: Result<Number, _>| number.expect("it is not cut").number)
    }

    async fn sum(&self, count: u32) -> u64 {
        let path = http::uri::PathAndQuery::from_static("/Work/Sum");
        let numbers = stream::iter(0..count).map(|number| Number { number });
        let response = self.ready().await.client_streaming(Request::new(numbers), path, ProstCodec::default()).await;
        let Total { total } = response.expect("the server lives").into_inner();
        total
    }
}
