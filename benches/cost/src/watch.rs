//! A clock for limits of time, without timers.

use std::{
    future::pending,
    time::{Duration, Instant},
};

use handover::clock::{Clock, Sleep};

/// The system's clock, for a program that has no other use for timers.
#[derive(Debug)]
pub struct Watch(Instant);

impl Default for Watch {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for Watch {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep_until(&self, _: Duration) -> Sleep {
        Box::pin(pending())
    }
}
