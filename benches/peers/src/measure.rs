//! Doing a piece of work many times, and telling what that took.

use std::{cell::RefCell, sync::LazyLock, time::Instant};

use crate::{Core, Executor, Place, Row, System};

/// What is read before and after the work: a clock in nanoseconds, or a count.
pub type Gauge = fn() -> u64;

/// What is to be told of so many times the work of a row.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// How often the work is done.
    pub times: u32,
    /// What is told.
    pub what: What,
}

/// See [`Measure`].
#[derive(Clone, Copy, Debug)]
pub enum What {
    /// By how much the gauge has risen in all: one number.
    Whole(Gauge),
    /// How many nanoseconds each piece took by itself: a number for each.
    Each,
}

/// The nanoseconds since some moment: a [`Gauge`].
pub fn nanoseconds() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_nanos() as u64
}

/// Times pieces of work by themselves, if somebody wants to know.
#[derive(Debug, Default)]
pub(crate) struct Stopwatch(Option<RefCell<Vec<f64>>>);

impl Stopwatch {
    pub(crate) fn begin(&self) -> Option<Instant> {
        self.0.as_ref().map(|_| Instant::now())
    }

    /// So many pieces have been done since the beginning.
    pub(crate) fn end(&self, begun: Option<Instant>, pieces: u32) {
        if let Some((times, begun)) = self.0.as_ref().zip(begun) {
            times.borrow_mut().push(begun.elapsed().as_nanos() as f64 / f64::from(pieces));
        }
    }

    /// Whether somebody wants to know.
    pub(crate) fn is_running(&self) -> bool {
        self.0.is_some()
    }
}

/// Starts a new service, does the work that warms it up, and measures. Making what the work is done with is not measured.
pub(crate) fn measure<S: System, E: Executor, T: 'static>(
    row: &Row,
    measure: Measure,
    make: impl FnOnce() -> T + 'static,
    work: impl AsyncFn(&S::Client, &mut T, u32, &Stopwatch, &Place<E>) + 'static,
) -> Vec<f64> {
    Core::Caller.pin();
    let (threads, warm_up) = (row.threads, row.warm_up());
    E::run(async move {
        let place = Place::new(threads);
        let client = S::connect(&place).await;
        let mut thing = make();
        work(&client, &mut thing, warm_up, &Stopwatch::default(), &place).await;
        match measure.what {
            What::Whole(gauge) => {
                let before = gauge();
                work(&client, &mut thing, measure.times, &Stopwatch::default(), &place).await;
                vec![gauge().wrapping_sub(before) as f64]
            }
            What::Each => {
                let stopwatch = Stopwatch(Some(RefCell::default()));
                work(&client, &mut thing, measure.times, &stopwatch, &place).await;
                stopwatch.0.map(RefCell::into_inner).unwrap_or_default()
            }
        }
    })
}
