//! Going a path many times between two looks at a gauge.

use crate::allocations;

/// What is read before and after: a count, or nothing but a [mark](crate::instructions::mark).
pub type Gauge = fn() -> u64;

/// How often a path is gone before the gauge is first read: by then queues have grown and boxes are there to be used again.
const WARM_UP: u32 = 300;

/// Goes a path, and tells by how much a gauge rose.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// How often the path is gone between the two looks.
    pub times: u32,
    /// What is read.
    pub gauge: Gauge,
}

impl Measure {
    /// Goes a path so many times, after some that are not measured.
    pub async fn around(self, go: impl AsyncFn(u32)) -> u64 {
        go(WARM_UP).await;
        let before = (self.gauge)();
        go(self.times).await;
        (self.gauge)() - before
    }
}

/// What going a path once costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// How often memory is asked for.
    pub allocations: f64,
    /// How many bytes are asked for.
    pub bytes: f64,
    /// How many instructions are run; nothing where there is no callgrind.
    pub instructions: Option<f64>,
}

impl Cost {
    /// Counts what a path allocates. Needs a program that counts.
    pub fn of_allocations(go: fn(Measure) -> u64, times: u32) -> Self {
        let each = |gauge| go(Measure { times, gauge }) as f64 / f64::from(times);
        Self { allocations: each(allocations::count), bytes: each(allocations::bytes), instructions: None }
    }
}
