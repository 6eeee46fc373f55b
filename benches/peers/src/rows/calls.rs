//! The null call: the way there and back, and nothing else.

use futures::future::join_all;

use crate::{
    Executor, Measure, Row, System,
    measure::{Stopwatch, measure},
};

/// Calls a service that adds.
pub trait Adds {
    /// Makes one call, and panics if it fails.
    fn add(&self, a: u32, b: u32) -> impl Future<Output = u32>;
}

/// So many lanes in one task, and in each lane one call after the other.
///
/// Lanes are allocated once, and not for each call, so that little is measured but the calls.
pub(crate) fn run<S: System<Client: Adds>, E: Executor>(row: &Row, how: Measure) -> Vec<f64> {
    let lanes = row.outstanding;
    measure::<S, E, ()>(
        row,
        how,
        || (),
        async move |client, (), times, stopwatch, _| {
            if lanes == 1 {
                return call_repeatedly(client, 0, times, stopwatch).await;
            }
            join_all((0..lanes).map(|lane| call_repeatedly(client, lane, times / lanes, stopwatch))).await;
        },
    )
}

async fn call_repeatedly(client: &impl Adds, lane: u32, times: u32, stopwatch: &Stopwatch) {
    for time in 0..times {
        let begun = stopwatch.begin();
        assert_eq!(client.add(lane, time).await, lane + time);
        stopwatch.end(begun, 1);
    }
}
