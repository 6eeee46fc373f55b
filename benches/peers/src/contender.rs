//! Who takes part.

use std::fmt;

use crate::{
    Contexts, Executor, Row, System, Threads, Tokio,
    async_channel::AsyncChannel,
    cores::Core,
    handover::{Handover, HandoverAsBytes},
    handover_duplex::{HandoverDuplex, HandoverDuplexOneByOne},
    tarpc::{Tarpc, TarpcInOneTask},
    tarpc_duplex::TarpcDuplex,
};

/// Every contender. A new one joins here.
pub const CONTENDERS: [Contender; 10] = [
    Contender::new::<Handover, Tokio>(),
    Contender::new::<HandoverAsBytes, Tokio>(),
    Contender::new::<AsyncChannel, Tokio>(),
    Contender::new::<Tarpc, Tokio>(),
    Contender::new::<TarpcInOneTask, Tokio>(),
    Contender::new::<Handover, Contexts>(),
    Contender::new::<AsyncChannel, Contexts>(),
    Contender::new::<HandoverDuplex, Tokio>(),
    Contender::new::<HandoverDuplexOneByOne, Tokio>(),
    Contender::new::<TarpcDuplex, Tokio>(),
];

/// What is read before and after the calls: a clock in nanoseconds, or a count of allocations.
pub type Gauge = fn() -> u64;

/// A system on an executor.
#[derive(Clone, Copy, Debug)]
pub struct Contender {
    /// [`System::NAME`].
    pub system: &'static str,
    /// [`Executor::NAME`].
    pub executor: &'static str,
    measure: fn(Row, u32, Gauge) -> u64,
}

/// How many calls are made before the gauge is first read: queues have grown by then, and both threads run.
const WARM_UP: u32 = 128;

impl Contender {
    /// A system and an executor. Those of [`CONTENDERS`] meet in every row; a bench of one question makes its own.
    pub const fn new<S: System, E: Executor>() -> Self {
        Self { system: S::NAME, executor: E::NAME, measure: measure::<S, E> }
    }

    /// Starts a new service, makes calls, and tells by how much the gauge rose meanwhile.
    pub fn measure(&self, row: Row, calls: u32, gauge: Gauge) -> u64 {
        (self.measure)(row, calls, gauge)
    }
}

fn measure<S: System, E: Executor>(row: Row, calls: u32, gauge: Gauge) -> u64 {
    Core::Caller.pin();
    E::run(async move {
        let (caller, service) = S::open::<E>();
        match row.threads {
            Threads::One => E::spawn(service),
            Threads::Two => E::spawn_thread(async {
                Core::Service.pin();
                service.await;
            }),
        }
        row.make_calls(&caller, row.round_up(WARM_UP)).await;
        let before = gauge();
        row.make_calls(&caller, calls).await;
        gauge() - before
    })
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.system, self.executor)
    }
}
