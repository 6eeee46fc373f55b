//! Bytes that come back as they went.

use std::mem::take;

use crate::{Executor, Measure, Row, System, Work, measure::measure};

/// Calls a service that gives back what it was given.
pub trait Echoes {
    /// Makes one call with bytes as they usually are, and panics if it fails.
    fn echo(&self, bytes: Vec<u8>) -> impl Future<Output = Vec<u8>>;
}

/// As [`Echoes`], where a system can move bytes and not copy them, or copy them less often.
pub trait EchoesMoved {
    /// What is moved.
    type Buffer: From<Vec<u8>> + Default + 'static;

    /// Makes one call with bytes that move, and panics if it fails.
    fn echo_moved(&self, buffer: Self::Buffer) -> impl Future<Output = Self::Buffer>;

    /// How many bytes there are.
    fn length(buffer: &Self::Buffer) -> usize;
}

pub(crate) fn run<S: System<Client: Echoes>, E: Executor>(row: &Row, how: Measure) -> Vec<f64> {
    let size = size(row);
    measure::<S, E, _>(
        row,
        how,
        move || vec![7; size],
        async move |client, bytes, times, stopwatch, _| {
            for _ in 0..times {
                let begun = stopwatch.begin();
                *bytes = client.echo(take(bytes)).await;
                stopwatch.end(begun, 1);
            }
            assert_eq!(bytes.len(), size);
        },
    )
}

pub(crate) fn run_moved<S: System<Client: EchoesMoved>, E: Executor>(row: &Row, how: Measure) -> Vec<f64> {
    let size = size(row);
    let make = move || <S::Client as EchoesMoved>::Buffer::from(vec![7; size]);
    measure::<S, E, _>(row, how, make, async move |client, buffer, times, stopwatch, _| {
        for _ in 0..times {
            let begun = stopwatch.begin();
            *buffer = client.echo_moved(take(buffer)).await;
            stopwatch.end(begun, 1);
        }
        assert_eq!(S::Client::length(buffer), size);
    })
}

fn size(row: &Row) -> usize {
    match row.work {
        Work::Echo(size) | Work::EchoMoved(size) => size,
        _ => 0,
    }
}
