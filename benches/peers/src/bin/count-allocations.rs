//! Counts allocations: one number a line, for each contender of each row that is selected, in the table's order.

use std::alloc::System;

use handover_bench_peers::Filter;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Enough that what a queue allocates for many messages together shows as the fraction that it is.
const CALLS: u32 = 4096;

fn main() {
    for heat in Filter::from_args().heats() {
        let calls = heat.row.round_up(CALLS);
        for contender in heat.contenders {
            let allocations = contender.measure(heat.row, calls, allocations);
            println!("{}", allocations as f64 / f64::from(calls));
        }
    }
}

/// How often any thread has asked for memory, or for more.
fn allocations() -> u64 {
    let stats = ALLOCATOR.stats();
    (stats.allocations + stats.reallocations) as u64
}
