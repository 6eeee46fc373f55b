//! What grows in one thread: calls that wait, connections beside the one that is used, methods.

use std::{
    future::pending,
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Waker},
};

use handover::{MessageChannel, MessagePort, service};
use handover_bench_peers::{
    Contender, Entry, Executor, Measure, Place, Row, System, Threads, Tokio, What, Work, nanoseconds, rows::Adds,
};

use crate::turns::Turn;

/// How many calls a turn has: ten for each lane where there are most.
const CALLS: u32 = 100_000;

/// So many lanes, and a service that replies at once.
pub(crate) fn queued<S: System<Client: Adds>>() -> [Turn; 3] {
    [1, 100, 10_000].map(|outstanding| turn(one::<S>(), outstanding))
}

/// One lane; all other calls wait in their handlers.
pub(crate) fn in_handlers<F: Form>() -> [Turn; 3] {
    one_lane_each([one::<Among<F, 1>>(), one::<Among<F, 100>>(), one::<Among<F, 10_000>>()])
}

/// One lane; the last method is called.
pub(crate) fn methods() -> [Turn; 2] {
    one_lane_each([one::<OneOfThem>(), one::<FiftyOfThem>()])
}

fn one_lane_each<const N: usize>(contenders: [Contender; N]) -> [Turn; N] {
    contenders.map(|contender| turn(contender, 1))
}

/// One lane; all other connections do nothing.
pub(crate) fn beside<S: System<Client: Adds>>() -> [Turn; 3] {
    one_lane_each([one::<Beside<S, 1>>(), one::<Beside<S, 1_000>>(), one::<Beside<S, 100_000>>()])
}

fn one<S: System<Client: Adds>>() -> Contender {
    Entry::<S, Tokio>::new("").calls().enter()
}

fn turn(contender: Contender, outstanding: u32) -> Turn {
    let row = Row { work: Work::Add, threads: Threads::One, outstanding };
    let times = row.round_up(CALLS);
    let run = contender.run(&row).expect("it makes calls");
    Box::new(move || run(&row, Measure { times, what: What::Whole(nanoseconds) })[0] / f64::from(times))
}

/// A connection among so many, itself included.
struct Beside<S, const CONNECTIONS: u32>(PhantomData<S>);

impl<S: System<Client: Adds>, const CONNECTIONS: u32> System for Beside<S, CONNECTIONS> {
    type Client = Neighbours<S::Client>;

    async fn connect<E: Executor>(place: &Place<E>) -> Neighbours<S::Client> {
        let mut idle = Vec::new();
        for _ in 1..CONNECTIONS {
            idle.push(S::connect(place).await);
        }
        Neighbours { client: S::connect(place).await, _idle: idle }
    }
}

struct Neighbours<C> {
    client: C,
    _idle: Vec<C>,
}

impl<C: Adds> Adds for Neighbours<C> {
    async fn add(&self, a: u32, b: u32) -> u32 {
        self.client.add(a, b).await
    }
}

mod near {
    use super::*;

    #[service]
    pub(super) trait Patient {
        async fn add(&self, a: u32, b: u32) -> u32;
        async fn wait(&self);
    }
}

/// Of another type, so that it knows calls as bytes only.
mod far {
    use super::*;

    #[service]
    pub(super) trait Patient {
        async fn add(&self, a: u32, b: u32) -> u32;
        async fn wait(&self);
    }
}

/// A service some of whose methods never return.
pub(crate) trait Form: 'static {
    /// Serves a port.
    fn serve(port: MessagePort) -> impl Future<Output = ()>;
}

macro_rules! form {
    ($form:ident of $end:ident) => {
        pub(crate) struct $form;

        impl Form for $form {
            fn serve(port: MessagePort) -> impl Future<Output = ()> {
                $end::PatientServer::new(Self).serve(port)
            }
        }

        impl $end::Patient for $form {
            async fn add(&self, a: u32, b: u32) -> u32 {
                a + b
            }

            async fn wait(&self) {
                pending().await
            }
        }
    };
}

form!(Typed of near);
form!(Encoded of far);

/// A call among so many, itself included; the others have begun, and never end.
struct Among<F, const CALLS: u32>(PhantomData<F>);

impl<F: Form, const CALLS: u32> System for Among<F, CALLS> {
    type Client = AmongOthers;

    async fn connect<E: Executor>(place: &Place<E>) -> AmongOthers {
        let (ours, theirs) = MessageChannel::new().into_ports();
        place.serve(|| F::serve(theirs));
        let client = Arc::new(near::PatientClient::from(ours));
        // They are before every call that adds, so each has begun when the first of those returns.
        let others = (1..CALLS).map(|_| sent(wait(client.clone()))).collect();
        AmongOthers { client, _others: others }
    }
}

struct AmongOthers {
    client: Arc<near::PatientClient>,
    /// Dropping them would end them.
    _others: Vec<Task>,
}

type Task = Pin<Box<dyn Future<Output = ()>>>;

impl Adds for AmongOthers {
    async fn add(&self, a: u32, b: u32) -> u32 {
        self.client.add(a, b).await.expect("the service lives")
    }
}

async fn wait(client: Arc<near::PatientClient>) {
    let _never = client.wait().await;
}

/// A call is sent when it is first polled.
fn sent(call: impl Future<Output = ()> + 'static) -> Task {
    let mut call: Task = Box::pin(call);
    assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending(), "nobody has served it");
    call
}

/// A service whose methods all add, and a system that calls one of them.
macro_rules! adder {
    ($system:ident calls $called:ident of $service:ident, $client:ident, $server:ident: $($method:ident)*) => {
        #[service]
        trait $service {
            $(async fn $method(&self, a: u32, b: u32) -> u32;)*
        }

        struct $system;

        impl $service for $system {
            $(async fn $method(&self, a: u32, b: u32) -> u32 {
                a + b
            })*
        }

        impl System for $system {
            type Client = $client;

            async fn connect<E: Executor>(place: &Place<E>) -> $client {
                let (ours, theirs) = MessageChannel::new().into_ports();
                place.serve(|| $server::new($system).serve(theirs));
                ours.into()
            }
        }

        impl Adds for $client {
            async fn add(&self, a: u32, b: u32) -> u32 {
                self.$called(a, b).await.expect("the service lives")
            }
        }
    };
}

adder!(OneOfThem calls add_01 of One, OneClient, OneServer: add_01);

adder! {
    FiftyOfThem calls add_50 of Fifty, FiftyClient, FiftyServer:
    add_01 add_02 add_03 add_04 add_05 add_06 add_07 add_08 add_09 add_10
    add_11 add_12 add_13 add_14 add_15 add_16 add_17 add_18 add_19 add_20
    add_21 add_22 add_23 add_24 add_25 add_26 add_27 add_28 add_29 add_30
    add_31 add_32 add_33 add_34 add_35 add_36 add_37 add_38 add_39 add_40
    add_41 add_42 add_43 add_44 add_45 add_46 add_47 add_48 add_49 add_50
}
