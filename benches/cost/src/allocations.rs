//! Counting what a program asks for, in all its threads.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

/// What a program that counts has as its `#[global_allocator]`.
pub type Counting = &'static StatsAlloc<System>;

/// The one allocator that counts.
pub static COUNTING: Counting = &INSTRUMENTED_SYSTEM;

/// How often this program has asked for memory, or for more.
pub fn count() -> u64 {
    let stats = COUNTING.stats();
    (stats.allocations + stats.reallocations) as u64
}

/// How many bytes this program has asked for.
pub fn bytes() -> u64 {
    COUNTING.stats().bytes_allocated as u64
}

/// How many bytes this program has, at this moment.
pub fn live_bytes() -> u64 {
    let stats = COUNTING.stats();
    stats.bytes_allocated.saturating_sub(stats.bytes_deallocated) as u64
}
