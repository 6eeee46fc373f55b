//! Whether a call costs the same among many: `cargo bench -p handover-bench-peers --bench scaling`.
//!
//! Three things grow: how many calls wait in the queue, how many wait in their handlers while others come and go, and how many
//! methods the service has, of which the last is called. In a line all sizes take turns, round after round, and each is
//! compared with the smallest of the same round; only these ratios mean anything. Flat is 1. All is on one thread.
//!
//! A queue of many calls has two effects that no system escapes: whoever is woken finds many, so that a call costs less; and
//! 10 000 calls and their lanes do not fit in the nearest caches, so that it costs more. The bare channel shows both.

use std::{
    fmt::Display,
    future::pending,
    marker::PhantomData,
    pin::Pin,
    sync::{Arc, LazyLock, Mutex},
    task::{Context, Waker},
    time::Instant,
};

use handover::{MessageChannel, MessagePort, service};
use handover_bench_peers::{
    Caller, Contender, Executor, Row, System, Threads, Tokio,
    async_channel::AsyncChannel,
    handover::{Handover, HandoverAsBytes, relay},
};

/// How often the sizes of a line take turns.
const ROUNDS: usize = 20;

/// How many calls a turn has: ten for each lane where there are most.
const CALLS: u32 = 100_000;

/// How many calls are outstanding.
const OUTSTANDING: [u32; 3] = [1, 100, 10_000];

fn main() {
    println!("Medians of {ROUNDS} rounds, one thread; ratios are to the first size of the same round.");

    heading("calls that wait in the queue", &OUTSTANDING);
    line("handover", queued::<Handover>());
    line("handover as bytes", queued::<HandoverAsBytes>());
    line("async-channel", queued::<AsyncChannel>());

    heading("calls that wait in handlers", &OUTSTANDING);
    line("handover", waiting::<AsValues>());
    line("handover as bytes", waiting::<AsBytes>());

    heading("methods of the service", &[1, 50]);
    line("handover", methods::<AsValues>());
    line("handover as bytes", methods::<AsBytes>());
}

/// What takes turns: a size of something.
type Size = (Row, Contender);

/// So many lanes, and a service that replies at once.
fn queued<S: System>() -> [Size; 3] {
    OUTSTANDING.map(|outstanding| (Row { threads: Threads::One, outstanding }, Contender::new::<S, Tokio>()))
}

/// One lane; all other calls wait in their handlers.
fn waiting<F: Form>() -> [Size; 3] {
    [
        one_lane::<Among<F, { OUTSTANDING[0] }>>(),
        one_lane::<Among<F, { OUTSTANDING[1] }>>(),
        one_lane::<Among<F, { OUTSTANDING[2] }>>(),
    ]
}

fn methods<F: Form>() -> [Size; 2] {
    [one_lane::<OneMethod<F>>(), one_lane::<FiftyMethods<F>>()]
}

fn one_lane<S: System>() -> Size {
    (Row { threads: Threads::One, outstanding: 1 }, Contender::new::<S, Tokio>())
}

fn heading(name: &str, sizes: &[u32]) {
    print!("\n{name:30}{:>10}", format!("{}, ns", sizes[0]));
    print_cells(sizes);
}

/// Lets the sizes take turns, and prints what came of it.
fn line<const N: usize>(name: &str, sizes: [Size; N]) {
    let mut times = [const { Vec::new() }; N];
    for round in 0..ROUNDS {
        for place in 0..N {
            // Back and forth, so that nobody always has the same neighbour before it.
            let index = if round % 2 == 0 { place } else { N - 1 - place };
            times[index].push(time_a_call(&sizes[index]));
        }
    }
    let ratios =
        times.each_ref().map(|own| median(own.iter().zip(&times[0]).map(|(own, first)| own / first).collect()));
    print!("{name:30}{:>10.0}", median(times[0].clone()));
    print_cells(&ratios.map(|ratio| format!("{ratio:.2}")));
}

fn print_cells(cells: &[impl Display]) {
    println!("{}", cells.iter().map(|cell| format!("{cell:>10}")).collect::<String>());
}

fn time_a_call((row, contender): &Size) -> f64 {
    let calls = row.round_up(CALLS);
    contender.measure(*row, calls, nanoseconds) as f64 / f64::from(calls)
}

/// The time since some moment.
fn nanoseconds() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_nanos() as u64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// In what form calls reach their service.
trait Form: 'static {
    /// Two ports that lead to each other.
    fn ports<E: Executor>() -> (MessagePort, MessagePort);
}

struct AsValues;

impl Form for AsValues {
    fn ports<E: Executor>() -> (MessagePort, MessagePort) {
        MessageChannel::new().into_ports()
    }
}

/// By a relay, as in [`HandoverAsBytes`].
struct AsBytes;

impl Form for AsBytes {
    fn ports<E: Executor>() -> (MessagePort, MessagePort) {
        let (ours, near) = MessageChannel::new().into_ports();
        let (far, theirs) = MessageChannel::new().into_ports();
        E::spawn(relay(near, far));
        (ours, theirs)
    }
}

#[service]
trait Patient {
    async fn add(&self, a: u32, b: u32) -> u32;
    async fn wait(&self);
}

struct WaitsForEver;

impl Patient for WaitsForEver {
    async fn add(&self, a: u32, b: u32) -> u32 {
        a + b
    }

    async fn wait(&self) {
        pending().await
    }
}

/// A call among so many, itself included; the others have begun, and never end.
struct Among<F, const CALLS: u32>(PhantomData<F>);

impl<F: Form, const CALLS: u32> System for Among<F, CALLS> {
    const NAME: &'static str = "handover, among calls that wait";

    fn open<E: Executor>() -> (impl Caller, impl Future<Output = ()> + Send + 'static) {
        let (ours, theirs) = F::ports::<E>();
        let client = Arc::new(PatientClient::from(ours));
        // They are before every call that adds, so each has begun when the first of those returns.
        let others = (1..CALLS).map(|_| sent(wait(client.clone()))).collect();
        (AmongOthers { client, _others: Mutex::new(others) }, PatientServer::new(WaitsForEver).serve(theirs))
    }
}

struct AmongOthers {
    client: Arc<PatientClient>,
    /// Dropping them would end them.
    _others: Mutex<Vec<Task>>,
}

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Caller for AmongOthers {
    async fn add(&self, a: u32, b: u32) -> u32 {
        self.client.add(a, b).await.expect("the service lives")
    }
}

async fn wait(client: Arc<PatientClient>) {
    let _never = client.wait().await;
}

/// A call is sent when it is first polled.
fn sent(call: impl Future<Output = ()> + Send + 'static) -> Task {
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

        struct $system<F>(PhantomData<F>);

        const _: () = {
            struct Sum;

            impl $service for Sum {
                $(async fn $method(&self, a: u32, b: u32) -> u32 {
                    a + b
                })*
            }

            impl<F: Form> System for $system<F> {
                const NAME: &'static str = stringify!($service);

                fn open<E: Executor>() -> (impl Caller, impl Future<Output = ()> + Send + 'static) {
                    let (ours, theirs) = F::ports::<E>();
                    ($client::from(ours), $server::new(Sum).serve(theirs))
                }
            }

            impl Caller for $client {
                async fn add(&self, a: u32, b: u32) -> u32 {
                    self.$called(a, b).await.expect("the service lives")
                }
            }
        };
    };
}

adder!(OneMethod calls add_01 of One, OneClient, OneServer: add_01);

adder! {
    FiftyMethods calls add_50 of Fifty, FiftyClient, FiftyServer:
    add_01 add_02 add_03 add_04 add_05 add_06 add_07 add_08 add_09 add_10
    add_11 add_12 add_13 add_14 add_15 add_16 add_17 add_18 add_19 add_20
    add_21 add_22 add_23 add_24 add_25 add_26 add_27 add_28 add_29 add_30
    add_31 add_32 add_33 add_34 add_35 add_36 add_37 add_38 add_39 add_40
    add_41 add_42 add_43 add_44 add_45 add_46 add_47 add_48 add_49 add_50
}
