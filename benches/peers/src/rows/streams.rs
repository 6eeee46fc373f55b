//! Streams of numbers, with backpressure, to the service and from it.

use std::{hint::black_box, pin::pin};

use ::handover::stream::Window;
use futures::{Stream, StreamExt};

use crate::{Executor, Measure, Row, System, measure::measure};

/// How many items may be under way, where a system lets its user say so: as many as Handover's consumer grants of such items.
pub const WINDOW: usize = Window::of::<u32>().items as usize;

/// How many items are timed together: by itself an item takes less than a look at the clock.
const TOGETHER: u32 = 1_000;

/// Calls a service that has and takes streams.
pub trait Streams {
    /// Gets the numbers from 0 on, so many, and panics if the stream is cut.
    fn numbers(&self, count: u32) -> impl Future<Output = impl Stream<Item = u32>>;

    /// Sends the numbers from 0 on, so many, and gets their sum.
    fn sum(&self, count: u32) -> impl Future<Output = u64>;
}

pub(crate) fn run_down<S: System<Client: Streams>, E: Executor>(row: &Row, how: Measure) -> Vec<f64> {
    measure::<S, E, ()>(
        row,
        how,
        || (),
        async |client, (), times, stopwatch, _| {
            for (count, begun) in portions(times, stopwatch.is_running()).map(|count| (count, stopwatch.begin())) {
                let mut numbers = pin!(client.numbers(count).await);
                let mut sum = 0;
                while let Some(number) = numbers.next().await {
                    sum += u64::from(black_box(number));
                }
                assert_eq!(sum, sum_to(count));
                stopwatch.end(begun, count);
            }
        },
    )
}

pub(crate) fn run_up<S: System<Client: Streams>, E: Executor>(row: &Row, how: Measure) -> Vec<f64> {
    measure::<S, E, ()>(
        row,
        how,
        || (),
        async |client, (), times, stopwatch, _| {
            for (count, begun) in portions(times, stopwatch.is_running()).map(|count| (count, stopwatch.begin())) {
                assert_eq!(client.sum(count).await, sum_to(count));
                stopwatch.end(begun, count);
            }
        },
    )
}

/// All items in one stream, or streams that are timed by themselves.
fn portions(items: u32, timed: bool) -> impl Iterator<Item = u32> {
    let (streams, each) = if timed { (items / TOGETHER, TOGETHER) } else { (1, items) };
    std::iter::repeat_n(each, streams as usize)
}

fn sum_to(count: u32) -> u64 {
    (0..u64::from(count)).sum()
}
