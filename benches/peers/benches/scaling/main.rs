//! Whether a call costs the same among many: `cargo bench -p handover-bench-peers --bench scaling -- --row ports`.
//!
//! In a line all sizes take turns, round after round, and each is compared with the smallest of the same round; only these ratios
//! mean anything. Flat is 1.
//!
//! A queue of many calls has two effects that no system escapes: whoever is woken finds many, so that a call costs less; and
//! 10 000 calls and their lanes, or 100 000 ports, do not fit in the nearest caches, so that it costs more. The bare channels show
//! both. More contexts than cores take turns on them; then whoever is woken finds the calls of several.

mod between_threads;
mod one_thread;
mod turns;

use between_threads::{Channels, Ports, ring, star};
use clap::Parser;
use handover_bench_peers::{
    Selection,
    contenders::{
        async_channel::AsyncChannel,
        handover::{Encoded, Typed},
    },
};
use one_thread::{beside, in_handlers, methods, queued};
use turns::Report;

fn main() -> Result<(), String> {
    let report = Report::new(Selection::parse());
    // First, for what is measured in one thread pins it, and threads that it starts would inherit that.
    for outstanding in [1, 64] {
        let sizes = [1, 2, 4, 8];
        let stars = [
            ("handover", star::<Ports, _>(sizes, outstanding)),
            ("async-channel", star::<Channels, _>(sizes, outstanding)),
        ];
        report.section(&format!("contexts that call one service, {outstanding} outstanding each"), sizes, &stars)?;
        let sizes = [2, 4, 8];
        let rings = [
            ("handover", ring::<Ports, _>(sizes, outstanding)),
            ("async-channel", ring::<Channels, _>(sizes, outstanding)),
        ];
        report.section(&format!("contexts that call each other, {outstanding} outstanding each"), sizes, &rings)?;
    }

    let queued = [
        ("handover", queued::<Typed>()),
        ("handover encoded", queued::<Encoded>()),
        ("async-channel", queued::<AsyncChannel>()),
    ];
    report.section("calls that wait in the queue", [1, 100, 10_000], &queued)?;
    let waiting =
        [("handover", in_handlers::<one_thread::Typed>()), ("handover encoded", in_handlers::<one_thread::Encoded>())];
    report.section("calls that wait in handlers", [1, 100, 10_000], &waiting)?;
    let beside = [
        ("handover", beside::<Typed>()),
        ("handover encoded", beside::<Encoded>()),
        ("async-channel", beside::<AsyncChannel>()),
    ];
    report.section("ports in a context", [1, 1_000, 100_000], &beside)?;
    report.section("methods of the service", [1, 50], &[("handover", methods())])?;
    Ok(())
}
