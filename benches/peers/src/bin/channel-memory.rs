//! What an idle channel takes, what a message allocates, and that a million channels give everything back.

use futures::FutureExt;
use handover::MessageChannel;
use handover_bench_cost::allocations::{self, COUNTING, Counting};

#[global_allocator]
static ALLOCATOR: Counting = COUNTING;

/// How many channels are made.
const CHANNELS: usize = 1_000_000;

/// How many messages are posted.
const MESSAGES: usize = 10_000;

fn main() {
    let mut channels = Vec::with_capacity(CHANNELS);
    let (before, count) = (allocations::live_bytes(), allocations::count());
    channels.extend((0..CHANNELS).map(|_| MessageChannel::new().into_ports()));
    let made = allocations::live_bytes() - before;
    let count = allocations::count() - count;
    let handles = size_of_val(&channels[0]);
    drop(channels.drain(..));
    println!(
        "an idle channel: {} bytes in {} allocation, and {handles} bytes for its two ports",
        made / CHANNELS as u64,
        count / CHANNELS as u64,
    );
    println!("a million channels made and dropped: {} bytes left", allocations::live_bytes().saturating_sub(before));

    let (ours, theirs) = MessageChannel::new().into_ports();
    ours.start();
    let _ = theirs.post_message(vec![7; 64]);
    let _ = ours.recv().now_or_never();
    let before = allocations::count();
    for _ in 0..MESSAGES {
        let _ = theirs.post_message(vec![7; 64]);
        let _ = ours.recv().now_or_never();
    }
    println!("a message of 64 bytes: {} allocation", (allocations::count() - before) as f64 / MESSAGES as f64);
}
