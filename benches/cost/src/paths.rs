//! The main paths of the library.
//!
//! All run in one thread, in a context, so that the same happens in the same order every time. *Encoded* means that the service
//! is of another type than its client takes it for, as if it were of another version: so everything goes as bytes.

use std::{sync::Arc, task::Poll, time::Duration};

use futures::{
    Stream, StreamExt,
    future::{join_all, poll_fn},
    stream,
};
use handover::{Buffer, Host, Message, MessageChannel, MessagePort, RevokerGroup, clock, context, in_process, service};
use serde::{Deserialize, Serialize};

use crate::{measure::Measure, watch::Watch};

/// A way through the library that many programs take often.
#[derive(Clone, Copy, Debug)]
pub struct Path {
    /// As the table has it.
    pub name: &'static str,
    /// How often it is gone to be measured.
    pub times: u32,
    /// Goes it.
    pub go: fn(Measure) -> u64,
}

/// Every path that is held to the table.
pub const PATHS: [Path; 20] = [
    path("null call", 1_000, |measure| null_call(measure, typed)),
    path("null call, encoded", 1_000, |measure| null_call(measure, encoded)),
    path("one of 64 outstanding calls", 6_400, |measure| outstanding(measure, typed)),
    path("one of 64 outstanding calls, encoded", 6_400, |measure| outstanding(measure, encoded)),
    path("call that waits once", 1_000, |measure| waiting_call(measure, typed)),
    path("echo of 4 KiB", 500, |measure| echo(measure, typed)),
    path("echo of 4 KiB, encoded", 100, |measure| echo(measure, encoded)),
    path("echo of 1 MiB in a buffer, encoded", 100, |measure| echo_buffer(measure, encoded)),
    path("item of a stream", 20_000, |measure| stream_item(measure, typed)),
    path("item of a stream, encoded", 20_000, |measure| stream_item(measure, encoded)),
    path("client passed, called once and dropped", 500, |measure| lend(measure, typed)),
    path("client passed, called once and dropped, encoded", 500, |measure| lend(measure, encoded)),
    path("message of 64 bytes posted and received", 2_000, post_and_receive),
    path("port transferred", 1_000, transfer),
    path("connection made and dropped", 500, connection),
    path("call by a right with a count and a rate", 1_000, limited_call),
    path("right granted and taken back, one of 1 000", 1_000, taken_back),
    path("right granted and taken back, one of 16 000", 16_000, taken_back),
    path("port through a membrane, one of 1 000 in each other's queues", 1_000, nested),
    path("port through a membrane, one of 16 000 in each other's queues", 16_000, nested),
];

const fn path(name: &'static str, times: u32, go: fn(Measure) -> u64) -> Path {
    Path { name, times, go }
}

/// The same service, as one of the two ends knows it.
macro_rules! work {
    ($end:ident, $item:ty) => {
        mod $end {
            use super::*;

            #[service]
            pub(super) trait Work {
                async fn add(&self, a: u32, b: u32) -> u32;
                async fn add_later(&self, a: u32, b: u32) -> u32;
                async fn echo(&self, bytes: Vec<u8>) -> Vec<u8>;
                async fn echo_buffer(&self, buffer: Buffer) -> Buffer;
                async fn lend(&self, adder: AdderClient) -> u32;
                async fn keep(&self, port: MessagePort);
                fn numbers(&self, count: u32) -> impl Stream<Item = $item>;
            }

            #[service]
            pub(super) trait Adder {
                async fn add(&self, a: u32, b: u32) -> u32;
            }

            pub(super) struct Sum;

            impl Work for Sum {
                async fn add(&self, a: u32, b: u32) -> u32 {
                    a + b
                }

                async fn add_later(&self, a: u32, b: u32) -> u32 {
                    turn().await;
                    a + b
                }

                async fn echo(&self, bytes: Vec<u8>) -> Vec<u8> {
                    bytes
                }

                async fn echo_buffer(&self, buffer: Buffer) -> Buffer {
                    buffer
                }

                async fn lend(&self, adder: AdderClient) -> u32 {
                    adder.add(1, 2).await.expect("it is served")
                }

                async fn keep(&self, port: MessagePort) {
                    drop(port);
                }

                fn numbers(&self, count: u32) -> impl Stream<Item = $item> {
                    stream::iter(0..count).map(<$item>::from)
                }
            }

            impl Adder for Sum {
                async fn add(&self, a: u32, b: u32) -> u32 {
                    a + b
                }
            }
        }
    };
}

work!(near, u32);
work!(far, Number);

/// On the wire it is its number.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Number(u32);

impl From<u32> for Number {
    fn from(number: u32) -> Self {
        Self(number)
    }
}

/// How a client comes by its service.
type Connect = fn() -> near::WorkClient;

fn typed() -> near::WorkClient {
    in_process::spawn(|port| near::WorkServer::new(near::Sum).serve(port))
}

fn encoded() -> near::WorkClient {
    in_process::spawn(|port| far::WorkServer::new(far::Sum).serve(port))
}

fn null_call(measure: Measure, connect: Connect) -> u64 {
    context::block_on(async {
        let client = connect();
        measure.around(async |times| add_repeatedly(&client, times).await).await
    })
}

fn outstanding(measure: Measure, connect: Connect) -> u64 {
    context::block_on(async {
        let client = connect();
        let lanes = async |times| {
            join_all((0..64).map(|_| add_repeatedly(&client, times / 64))).await;
        };
        measure.around(lanes).await
    })
}

async fn add_repeatedly(client: &near::WorkClient, times: u32) {
    for time in 0..times {
        assert_eq!(client.add(time, 1).await, Ok(time + 1));
    }
}

fn waiting_call(measure: Measure, connect: Connect) -> u64 {
    context::block_on(async {
        let client = connect();
        let calls = async |times| {
            for time in 0..times {
                assert_eq!(client.add_later(time, 1).await, Ok(time + 1));
            }
        };
        measure.around(calls).await
    })
}

fn echo(measure: Measure, connect: Connect) -> u64 {
    context::block_on(async {
        let client = connect();
        let calls = async |times| {
            let mut bytes = vec![7; 4 << 10];
            for _ in 0..times {
                bytes = client.echo(bytes).await.expect("it is served");
            }
            assert_eq!(bytes.len(), 4 << 10);
        };
        measure.around(calls).await
    })
}

fn echo_buffer(measure: Measure, connect: Connect) -> u64 {
    context::block_on(async {
        let client = connect();
        let calls = async |times| {
            let mut buffer = Buffer::from(vec![7; 1 << 20]);
            for _ in 0..times {
                buffer = client.echo_buffer(buffer).await.expect("it is served");
            }
            assert_eq!(buffer.len(), 1 << 20);
        };
        measure.around(calls).await
    })
}

fn stream_item(measure: Measure, connect: Connect) -> u64 {
    context::block_on(async {
        let client = connect();
        let items = async |times| {
            let mut items = client.numbers(times).await.expect("it is served");
            let mut sum = 0;
            while let Some(item) = items.next().await {
                sum += u64::from(item.expect("it is not cut"));
            }
            assert_eq!(sum, (0..u64::from(times)).sum());
        };
        measure.around(items).await
    })
}

fn lend(measure: Measure, connect: Connect) -> u64 {
    context::block_on(async {
        let client = connect();
        let calls = async |times| {
            for _ in 0..times {
                let adder = in_process::spawn(|port| near::AdderServer::new(near::Sum).serve(port));
                assert_eq!(client.lend(adder).await, Ok(3));
            }
        };
        measure.around(calls).await
    })
}

fn post_and_receive(measure: Measure) -> u64 {
    context::block_on(async {
        let (ours, theirs) = started_ports();
        let messages = async |times| {
            for _ in 0..times {
                theirs.post_message(vec![7; 64]).expect("it holds no port");
                assert_eq!(ours.recv().await.expect("it was posted").data().len(), 64);
            }
        };
        measure.around(messages).await
    })
}

fn transfer(measure: Measure) -> u64 {
    context::block_on(async {
        let (ours, theirs) = started_ports();
        let transfers = async |times| {
            let (mut port, _other) = MessageChannel::new().into_ports();
            for _ in 0..times {
                theirs.post_message(Message::default().with_port(port)).expect("the port is here");
                port = ours.recv().await.expect("it was posted").into_parts().ports.remove(0);
            }
        };
        measure.around(transfers).await
    })
}

fn started_ports() -> (MessagePort, MessagePort) {
    let (ours, theirs) = MessageChannel::new().into_ports();
    ours.start();
    (ours, theirs)
}

/// Without a call: both ends, and the service's task.
fn connection(measure: Measure) -> u64 {
    context::block_on(async {
        let connections = async |times| {
            for _ in 0..times {
                let client = typed();
                // The service begins, and after the drop it ends.
                turn().await;
                drop(client);
                turn().await;
            }
        };
        measure.around(connections).await
    })
}

fn limited_call(measure: Measure) -> u64 {
    let _entered = clock::enter(Arc::new(Watch::default()));
    context::block_on(async {
        let client = hosted().grant().calls(u64::MAX).rate(u32::MAX, Duration::from_secs(1)).client();
        measure.around(async |times| add_repeatedly(&client, times).await).await
    })
}

/// All of them at once: each costs the same, however many there are.
fn taken_back(measure: Measure) -> u64 {
    context::block_on(async {
        let host = hosted();
        let rights = async |times| {
            let group = RevokerGroup::new();
            let clients: Vec<_> = (0..times).map(|_| host.grant().calls(3).group(&group).client()).collect();
            turn().await;
            group.revoke();
            host.idle().await;
            drop(clients);
        };
        measure.around(rights).await
    })
}

/// Each costs the same, however many there are.
fn nested(measure: Measure) -> u64 {
    context::block_on(async {
        let host = hosted();
        let right = host.grant().membrane().client();
        let ports = async |times| {
            let (mut port, first) = MessageChannel::new().into_ports();
            let mut others = vec![first];
            for _ in 1..times {
                let (outer, inner) = MessageChannel::new().into_ports();
                outer.post_message(Message::default().with_port(port)).expect("the port is here");
                others.push(outer);
                port = inner;
            }
            assert!(right.keep(port).await.is_ok());
        };
        measure.around(ports).await
    })
}

fn hosted() -> Host<near::WorkClient> {
    let (host, hosting) = near::WorkServer::new(near::Sum).host();
    context::spawn_local(async move { drop(hosting.serve().await) });
    host
}

/// Lets the others of the context run.
async fn turn() {
    let mut is_over = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut is_over, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
