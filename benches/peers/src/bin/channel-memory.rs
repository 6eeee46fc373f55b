//! What an idle channel takes, what a message allocates, and that a million channels give everything back.

use std::alloc::System;

use futures::FutureExt;
use handover::MessageChannel;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// How many channels are made.
const CHANNELS: usize = 1_000_000;

/// How many messages are posted.
const MESSAGES: usize = 10_000;

fn main() {
    let mut channels = Vec::with_capacity(CHANNELS);
    let region = Region::new(ALLOCATOR);
    channels.extend((0..CHANNELS).map(|_| MessageChannel::new().into_ports()));
    let made = region.change();
    let handles = size_of_val(&channels[0]);
    drop(channels.drain(..));
    let after = region.change();
    println!(
        "an idle channel: {} bytes in {} allocation, and {handles} bytes for its two ports",
        (made.bytes_allocated - made.bytes_deallocated) / CHANNELS,
        made.allocations / CHANNELS,
    );
    println!(
        "a million channels made and dropped: {} bytes left",
        after.bytes_allocated.saturating_sub(after.bytes_deallocated),
    );

    let (ours, theirs) = MessageChannel::new().into_ports();
    ours.start();
    let _ = theirs.post_message(vec![7; 64]);
    let _ = ours.recv().now_or_never();
    let region = Region::new(ALLOCATOR);
    for _ in 0..MESSAGES {
        let _ = theirs.post_message(vec![7; 64]);
        let _ = ours.recv().now_or_never();
    }
    println!("a message of 64 bytes: {} allocation", region.change().allocations as f64 / MESSAGES as f64);
}
