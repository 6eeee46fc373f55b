//! A service with so many clients that some of its ports are read directly and others have a lane: nobody can tell which.

mod common;

use std::{cell::RefCell, rc::Rc};

use common::settle;
use futures::{channel::oneshot, future::join_all, poll};
use handover::{Host, Refusal, context, prelude::*};

/// More than are read directly, and less.
const SIZES: [usize; 4] = [1, 8, 9, 20];

#[service]
trait Register {
    async fn sign(&self, name: usize, number: u32) -> usize;
    /// Waits until it is let go.
    async fn wait(&self) -> u32;
}

#[derive(Clone, Default)]
struct Pages {
    signed: Rc<RefCell<Vec<(usize, u32)>>>,
    gates: Rc<RefCell<Vec<oneshot::Sender<()>>>>,
}

impl Register for Pages {
    async fn sign(&self, name: usize, number: u32) -> usize {
        self.signed.borrow_mut().push((name, number));
        self.signed.borrow().len()
    }

    async fn wait(&self) -> u32 {
        let (open, gate) = oneshot::channel();
        self.gates.borrow_mut().push(open);
        gate.await.map_or(0, |()| 1)
    }
}

impl Pages {
    fn numbers_of(&self, name: usize) -> Vec<u32> {
        self.signed.borrow().iter().filter(|(who, _)| *who == name).map(|(_, number)| *number).collect()
    }
}

fn register() -> (Host<RegisterClient>, Pages) {
    let pages = Pages::default();
    let (host, hosting) = RegisterServer::new(pages.clone()).host();
    context::spawn_local(async move { drop(hosting.serve().await) });
    (host, pages)
}

/// Runs a test with each number of clients.
fn with_clients<Fut: Future<Output = ()>>(test: impl Fn(Host<RegisterClient>, Pages, usize) -> Fut) {
    for size in SIZES {
        println!("clients: {size}");
        context::block_on(async {
            let (host, pages) = register();
            test(host, pages, size).await;
        });
    }
}

fn clients(host: &Host<RegisterClient>, size: usize) -> Vec<RegisterClient> {
    (0..size).map(|_| host.client()).collect()
}

/// C16
#[test]
fn the_calls_of_each_are_served_in_order_and_all_of_them_are() {
    with_clients(async |host, pages, size| {
        let clients = clients(&host, size);

        let calls =
            clients.iter().enumerate().flat_map(|(name, client)| (0..200).map(move |number| client.sign(name, number)));
        let answers = join_all(calls).await;

        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(pages.signed.borrow().len(), 200 * size);
        for name in 0..size {
            assert_eq!(pages.numbers_of(name), (0..200).collect::<Vec<_>>());
        }
    });
}

/// LOOP-07
#[test]
fn one_who_calls_without_end_holds_up_nobody() {
    with_clients(async |host, pages, size| {
        let loud = host.client();
        let others = clients(&host, size);

        let noise = join_all((0..10_000).map(|number| loud.sign(usize::MAX, number)));
        let quiet = async {
            for (name, client) in others.iter().enumerate() {
                assert!(client.sign(name, 0).await.is_ok());
            }
            pages.signed.borrow().len()
        };
        let (_, when) = futures::join!(noise, quiet);

        assert!(when < 5000 + size, "{size} others were served after {when} calls");
    });
}

/// C10
#[test]
fn who_is_revoked_is_refused_with_what_it_has_sent_and_the_others_go_on() {
    with_clients(async |host, pages, size| {
        for revoked in 0..size {
            let mut all: Vec<_> = (0..size).map(|_| host.grant().revocable()).collect();
            let (client, revoker) = all.remove(revoked);
            let mut running = client.wait();
            assert!(poll!(&mut running).is_pending());
            settle().await;
            let before = pages.signed.borrow().len();
            let mut waiting: Vec<_> = (0..3).map(|number| client.sign(revoked, number)).collect();
            for call in &mut waiting {
                assert!(poll!(call).is_pending());
            }

            revoker.revoke();

            for call in waiting {
                assert_eq!(call.await, Err(CallError::Refused(Refusal::Revoked)));
            }
            assert!(running.await.is_err_and(|error| error.is_denied()));
            assert_eq!(pages.signed.borrow().len(), before, "no call began");
            for (client, _) in &all {
                assert!(client.sign(0, 0).await.is_ok());
            }
            drop((client, all));
            host.idle().await;
        }
    });
}

/// C6
#[test]
fn who_goes_leaves_its_place_to_the_next_and_ends_its_own_calls_alone() {
    with_clients(async |host, pages, size| {
        let mut all = clients(&host, size);
        for round in 0..30 {
            let gone = all.remove(round % size);
            let mut left = gone.wait();
            assert!(poll!(&mut left).is_pending());
            drop(left);
            drop(gone);
            settle().await;
            assert_eq!(host.clients(), size - 1);

            all.push(host.client());
            for (name, client) in all.iter().enumerate() {
                assert!(client.sign(name, 0).await.is_ok());
            }
        }
        drop(all);
        host.idle().await;
        assert_eq!(pages.signed.borrow().len(), 30 * size);
    });
}

/// C7, C15
#[test]
fn a_service_that_moves_takes_along_what_waits_at_each_port() {
    for size in SIZES {
        context::block_on(async {
            let pages = Pages::default();
            let (host, hosting) = RegisterServer::new(pages.clone()).host();
            let clients = clients(&host, size);
            let (moved, here) = oneshot::channel();
            context::spawn_local(async move { drop(moved.send(hosting.serve().await)) });
            for (name, client) in clients.iter().enumerate() {
                assert!(client.sign(name, 0).await.is_ok());
            }

            host.halt();
            let hosting = here.await.unwrap().expect("it was halted");
            let calls = clients
                .iter()
                .enumerate()
                .flat_map(|(name, client)| (1..9).map(move |number| client.sign(name, number)));
            let mut calls = join_all(calls);
            assert!(poll!(&mut calls).is_pending());
            settle().await;
            assert_eq!(pages.signed.borrow().len(), size, "nobody serves");
            context::spawn_local(async move { drop(hosting.serve().await) });

            assert!(calls.await.iter().all(Result::is_ok));
            for name in 0..size {
                assert_eq!(pages.numbers_of(name), (0..9).collect::<Vec<_>>());
            }
        });
    }
}

#[service]
trait Ticket {
    async fn spend(self) -> u32;
}

struct Paper;

impl Ticket for Paper {
    async fn spend(self) -> u32 {
        7
    }
}

/// C4
#[test]
fn what_is_good_for_one_use_is_so_whoever_of_its_holders_is_first() {
    for size in SIZES {
        for first in 0..size {
            context::block_on(async {
                let (host, hosting) = TicketServer::new(Paper).host();
                context::spawn_local(async move { drop(hosting.serve().await) });
                let mut all: Vec<_> = (0..size).map(|_| host.client()).collect();
                let winner = all.remove(first);

                assert_eq!(winner.spend().await, Ok(7));

                for client in all {
                    assert!(client.spend().await.is_err());
                }
            });
        }
    }
}
