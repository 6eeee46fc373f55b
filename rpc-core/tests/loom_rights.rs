//! Rights that are used, revoked and moved between threads, in every order that their locks allow: a single use starts once at most.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p handover-core --test loom_rights --release`; see `loom.rs`. The peers write their calls by hand,
//! so that nothing on their side keeps them from a second use.
#![cfg(loom)]

mod loom_common;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use handover_core::{
    Message, MessageChannel, MessagePort, Refusal,
    rpc::{Answer, Host, Hosting, Incoming, Method, MethodId, Never, Opened, Responder, ServeOptions, Service, host},
    shape::StaticDescription,
    wire::{CallId, Fault, Frame},
};
use loom::{future::block_on, thread};
use loom_common::{Double, explore_within};

/// A service of one method that takes `self`. Counts how often that starts.
struct Ticket;

impl Service for Ticket {
    const DESCRIPTION: StaticDescription =
        StaticDescription { name: "Ticket", docs: "", methods: &[Double::DESCRIPTION], supers: &[] };
    type Object = Arc<AtomicUsize>;
    type SharedCall = Never;
    type OnceCall = (u32, Responder<Double>);

    fn serves(method: MethodId) -> bool {
        method == Double::ID
    }

    fn open(incoming: Incoming<'_>) -> Result<Opened<Self>, Answer> {
        incoming.open::<Double>().map(Opened::Once)
    }

    async fn run(_: &Self::Object, call: Never) -> Answer {
        match call {}
    }

    async fn run_once(starts: Self::Object, (number, responder): Self::OnceCall) -> Answer {
        let run = responder.run(async move {
            starts.fetch_add(1, Ordering::Relaxed);
            number * 2
        });
        run.await
    }
}

fn ticket() -> (Arc<AtomicUsize>, Host<MessagePort>, Hosting<Ticket>) {
    let starts = Arc::new(AtomicUsize::new(0));
    let (host, hosting) = host::<Ticket, MessagePort>(starts.clone(), ServeOptions::default());
    (starts, host, hosting)
}

/// Serves until it is over, wherever it is moved.
fn serve(hosting: Hosting<Ticket>) {
    let mut hosting = Some(hosting);
    while let Some(halted) = hosting {
        hosting = block_on(halted.serve());
    }
}

fn spend(port: &MessagePort, id: u64) {
    let call = Frame::call(CallId(id), Double::ID, &[4]).to_bytes();
    port.post_message(call).expect("a frame without ports can be posted");
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Used,
    Spent,
    Revoked,
}

/// How so many calls at a port have ended, whichever was first; fewer if it was closed before.
fn told(port: &MessagePort, calls: usize) -> Vec<Told> {
    port.start();
    let mut told = Vec::new();
    while told.len() < calls
        && let Ok(message) = block_on(port.recv())
    {
        match Frame::parse(message.data()).expect("frames are posted") {
            Frame::Reply { .. } => told.push(Told::Used),
            Frame::Fault { fault: Fault::Refused(Refusal::Spent), .. } => told.push(Told::Spent),
            Frame::Fault { fault: Fault::Refused(Refusal::Revoked), .. } => told.push(Told::Revoked),
            Frame::Fault { fault, .. } => panic!("a call ended as {fault:?}"),
            _ => {}
        }
    }
    told.sort_unstable();
    told
}

/// C4
#[test]
fn of_two_holders_who_use_it_at_once_one_does() {
    explore_within(2, || {
        let (starts, host, hosting) = ticket();
        let (one, other) = (host.client(), host.client());
        drop(host);

        let server = thread::spawn(move || serve(hosting));
        let elsewhere = thread::spawn(move || {
            spend(&other, 1);
            told(&other, 1)
        });
        spend(&one, 1);
        let mut all = told(&one, 1);
        drop(one);
        all.extend(elsewhere.join().unwrap());
        server.join().unwrap();

        all.sort_unstable();
        assert_eq!(all, [Told::Used, Told::Spent]);
        assert_eq!(starts.load(Ordering::Relaxed), 1);
    });
}

/// C4
#[test]
fn a_port_that_is_used_before_and_after_it_is_handed_on_is_used_once() {
    explore_within(2, || {
        let (starts, host, hosting) = ticket();
        let port = host.client();
        drop(host);
        let (carrier, arrivals) = MessageChannel::new().into_ports();
        arrivals.start();

        let server = thread::spawn(move || serve(hosting));
        let receiver = thread::spawn(move || {
            let port = block_on(arrivals.recv()).expect("the port comes").into_parts().ports.remove(0);
            spend(&port, 2);
            told(&port, 2)
        });
        spend(&port, 1);
        carrier.post_message(Message::new([]).with_port(port)).expect("the port can be handed on");
        let told = receiver.join().unwrap();
        server.join().unwrap();

        assert_eq!(told, [Told::Used, Told::Spent]);
        assert_eq!(starts.load(Ordering::Relaxed), 1);
    });
}

/// C4
#[test]
fn a_use_that_meets_its_revocation_starts_once_at_most() {
    explore_within(2, || {
        let (starts, host, hosting) = ticket();
        let (port, revoker) = host.grant().revocable();
        drop(host);

        let server = thread::spawn(move || serve(hosting));
        let issuer = thread::spawn(move || revoker.revoke());
        spend(&port, 1);
        spend(&port, 2);
        let told = told(&port, 2);
        drop(port);
        issuer.join().unwrap();
        server.join().unwrap();

        let all = starts.load(Ordering::Relaxed);
        let used = told.iter().filter(|told| **told == Told::Used).count();
        assert!(used <= all && all <= 1, "it started {all} times, and the holder was told {told:?}");
    });
}

/// C4, C7
#[test]
fn a_use_that_meets_a_move_of_its_service_starts_once() {
    explore_within(2, || {
        let (starts, host, hosting) = ticket();
        let port = host.client();

        let server = thread::spawn(move || serve(hosting));
        let mover = thread::spawn(move || host.halt());
        spend(&port, 1);
        spend(&port, 2);
        let told = told(&port, 2);
        drop(port);
        mover.join().unwrap();
        server.join().unwrap();

        assert_eq!(told, [Told::Used, Told::Spent]);
        assert_eq!(starts.load(Ordering::Relaxed), 1);
    });
}
