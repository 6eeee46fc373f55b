//! The shapes in which calls are made.

use std::fmt;

use futures::future::join_all;

use crate::Caller;

/// A row of the table: where the service runs, and how many calls wait for it at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Where the service runs.
    pub threads: Threads,
    /// How many calls are outstanding at a time.
    pub outstanding: u32,
}

/// Where a service runs, seen from its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// On the caller's thread, as a task beside the caller's.
    One,
    /// On a thread of its own. A side that has nothing to do sleeps.
    Two,
}

/// Every row.
pub const ROWS: [Row; 4] = [
    Row { threads: Threads::One, outstanding: 1 },
    Row { threads: Threads::One, outstanding: 64 },
    Row { threads: Threads::Two, outstanding: 1 },
    Row { threads: Threads::Two, outstanding: 64 },
];

impl Row {
    /// Makes calls in this shape: so many lanes in one task, and in each lane one call after the other.
    ///
    /// Lanes are allocated once, and not for each call, so that little is measured but the calls.
    pub(crate) async fn make_calls(self, caller: &impl Caller, calls: u32) {
        let each = calls / self.outstanding;
        join_all((0..self.outstanding).map(|lane| call_repeatedly(caller, lane, each))).await;
    }

    /// Rounds a number of calls up so that every lane makes the same number of them.
    pub fn round_up(self, calls: u32) -> u32 {
        calls.next_multiple_of(self.outstanding)
    }
}

async fn call_repeatedly(caller: &impl Caller, lane: u32, times: u32) {
    for time in 0..times {
        assert_eq!(caller.add(lane, time).await, lane + time);
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let threads = match self.threads {
            Threads::One => "one thread",
            Threads::Two => "two threads",
        };
        write!(f, "{threads}, {} outstanding", self.outstanding)
    }
}
