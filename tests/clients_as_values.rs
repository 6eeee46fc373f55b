//! Clients as arguments and results, anywhere inside a serde value, over every way from a client to its service.

mod common;

use std::collections::BTreeMap;

use common::over_every_way;
use futures::{future::join_all, poll};
use handover::{Interruption, context, in_process, prelude::*};
use serde::{Deserialize, Serialize};

#[service]
trait Counter {
    async fn next(&self) -> u32;
}

struct From1(std::cell::Cell<u32>);

impl Counter for From1 {
    async fn next(&self) -> u32 {
        self.0.set(self.0.get() + 1);
        self.0.get()
    }
}

/// A counter in the context of the test.
fn counter() -> CounterClient {
    in_process::spawn(|port| CounterServer::new(From1(0.into())).serve(port))
}

#[derive(Debug, Serialize, Deserialize)]
struct Kit {
    label: String,
    spare: Option<CounterClient>,
    more: Vec<(u8, CounterClient)>,
    named: BTreeMap<String, Pocket>,
}

#[derive(Debug, Serialize, Deserialize)]
enum Pocket {
    Empty,
    With { counter: CounterClient, port: MessagePort },
}

#[service]
trait Cloakroom {
    /// Keeps the whole kit, and gives back what was kept before.
    async fn swap(&self, kit: Kit) -> Result<Kit, Kit>;
    async fn give(&self, counter: CounterClient) -> u32;
    async fn make(&self) -> CounterClient;
    async fn keep(&self, counter: CounterClient);
}

#[derive(Default)]
struct Room {
    kit: std::cell::RefCell<Option<Kit>>,
    kept: std::cell::RefCell<Vec<CounterClient>>,
}

impl Cloakroom for Room {
    async fn swap(&self, kit: Kit) -> Result<Kit, Kit> {
        match self.kit.replace(None) {
            Some(former) => {
                *self.kit.borrow_mut() = Some(kit);
                Ok(former)
            }
            None => Err(kit),
        }
    }

    async fn give(&self, counter: CounterClient) -> u32 {
        counter.next().await.unwrap()
    }

    async fn make(&self) -> CounterClient {
        in_process::spawn(|port| CounterServer::new(From1(40.into())).serve(port))
    }

    async fn keep(&self, counter: CounterClient) {
        self.kept.borrow_mut().push(counter);
    }
}

fn kit() -> (Kit, MessagePort) {
    let (ours, theirs) = MessageChannel::new().into_ports();
    let with = Pocket::With { counter: counter(), port: theirs };
    let kit = Kit {
        label: "blue".to_owned(),
        spare: Some(counter()),
        more: vec![(1, counter()), (2, counter())],
        named: [("left".to_owned(), Pocket::Empty), ("right".to_owned(), with)].into(),
    };
    (kit, ours)
}

#[test]
fn clients_and_ports_travel_at_any_depth_there_and_back_and_still_work() {
    over_every_way(async |way| {
        let room: CloakroomClient = way.spawn(|port| CloakroomServer::new(Room::default()).serve(port));
        let (kit, ours) = kit();
        ours.post_message("posted before the journey").unwrap();

        let answer = room.swap(kit).await;

        let Err(RpcError::Service(mut kit)) = answer else { panic!("the room kept nothing yet") };
        assert_eq!(kit.label, "blue");
        assert_eq!(kit.spare.unwrap().next().await, Ok(1));
        for (_, counter) in kit.more {
            assert_eq!(counter.next().await, Ok(1));
            assert_eq!(counter.next().await, Ok(2));
        }
        let Some(Pocket::With { counter, port }) = kit.named.remove("right") else { panic!("an empty pocket") };
        assert_eq!(counter.next().await, Ok(1));
        port.start();
        assert_eq!(port.recv().await.unwrap().data(), b"posted before the journey");
    });
}

#[test]
fn a_service_calls_through_the_client_it_was_given() {
    over_every_way(async |way| {
        let room: CloakroomClient = way.spawn(|port| CloakroomServer::new(Room::default()).serve(port));

        let calls = join_all((0..100).map(|_| room.give(counter()))).await;

        assert!(calls.into_iter().all(|answer| answer == Ok(1)));
    });
}

#[test]
fn a_client_that_was_handed_on_works_when_the_one_in_the_middle_has_gone() {
    over_every_way(async |way| {
        let room: CloakroomClient = way.spawn(|port| CloakroomServer::new(Room::default()).serve(port));
        let made = room.make().await.unwrap();
        let first = made.next().await;

        drop(room);

        assert_eq!(first, Ok(41));
        assert_eq!(made.next().await, Ok(42));
    });
}

#[test]
fn a_client_that_is_dropped_by_its_new_holder_ends_its_service() {
    over_every_way(async |way| {
        let room: CloakroomClient = way.spawn(|port| CloakroomServer::new(Room::default()).serve(port));
        let (ours, theirs) = MessageChannel::new().into_ports();
        context::spawn_local(async move { CounterServer::new(From1(0.into())).serve(theirs).await });
        let counter = CounterClient::from(ours);
        let (watched, watch) = MessageChannel::new().into_ports();

        assert_eq!(room.give(counter).await, Ok(1));
        room.keep(CounterClient::from(watched)).await.unwrap();
        drop(room);

        assert_eq!(watch.closed().await, handover::ClosedBy::Peer);
    });
}

#[test]
fn a_reply_that_nobody_waits_for_closes_what_was_in_it() {
    handover::block_on(async {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let room = CloakroomClient::from(ours);
        let mut call = room.make();
        assert!(poll!(&mut call).is_pending());
        let (counter, watch) = MessageChannel::new().into_ports();
        let mut counter = Some(CounterClient::from(counter));

        struct Giver<'g>(std::cell::RefCell<&'g mut Option<CounterClient>>);

        impl Cloakroom for Giver<'_> {
            async fn swap(&self, kit: Kit) -> Result<Kit, Kit> {
                Ok(kit)
            }
            async fn give(&self, _: CounterClient) -> u32 {
                0
            }
            async fn make(&self) -> CounterClient {
                self.0.borrow_mut().take().unwrap()
            }
            async fn keep(&self, _: CounterClient) {}
        }

        let mut served = Box::pin(CloakroomServer::new(Giver((&mut counter).into())).serve(theirs));
        assert!(poll!(&mut served).is_pending());
        drop(call);

        assert_eq!(watch.closed().await, handover::ClosedBy::Peer);
    });
}

#[test]
fn a_client_of_the_wrong_service_is_refused_and_not_understood_by_accident() {
    over_every_way(async |way| {
        let port: MessagePort = way.spawn(|port| CounterServer::new(From1(0.into())).serve(port));
        let room = CloakroomClient::from(port);

        let answer = room.give(counter()).await;

        let id = handover::wire::MethodId::of_name("give");
        assert_eq!(answer, Err(CallError::Refused(handover::Refusal::UnknownMethod(id))));
        let counter = CounterClient::from(Client::into_port(room));
        assert_eq!(counter.next().await, Ok(1), "the connection lives on");
    });
}

#[test]
fn a_service_that_ends_while_it_holds_the_arguments_closes_the_clients_in_them() {
    over_every_way(async |way| {
        let room: CloakroomClient = way.spawn(async |port: MessagePort| {
            port.start();
            drop(port.recv().await);
        });
        let (counter, watch) = MessageChannel::new().into_ports();

        let answer = room.keep(CounterClient::from(counter)).await;

        assert_eq!(answer, Err(CallError::Unknown(Interruption::Closed)));
        assert_eq!(watch.closed().await, handover::ClosedBy::Peer);
    });
}
