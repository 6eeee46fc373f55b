//! The right to call, as an argument.

use crate::{Executor, Measure, Place, Row, System, measure::measure};

/// Calls a service that takes a client.
pub trait Lends {
    /// Makes something in this context that adds, and one call that takes the right to use it along: the service adds 1 and 2 with
    /// it, and lets go of it.
    fn lend<E: Executor>(&self, place: &Place<E>) -> impl Future<Output = u32>;
}

pub(crate) fn run<S: System<Client: Lends>, E: Executor>(row: &Row, how: Measure) -> Vec<f64> {
    measure::<S, E, ()>(
        row,
        how,
        || (),
        async |client, (), times, stopwatch, place| {
            for _ in 0..times {
                let begun = stopwatch.begin();
                assert_eq!(client.lend(place).await, 3);
                stopwatch.end(begun, 1);
            }
        },
    )
}
