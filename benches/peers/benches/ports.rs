//! What a message at a port costs beside a bare channel, and what a transfer costs:
//! `cargo bench -p handover-bench-peers --bench ports`.
//!
//! Both take turns, round after round; only the ratios within a round mean anything. Both do the same: bytes are allocated and
//! posted, received by awaiting them in `block_on`, and freed. With two threads, each on a core of its own, one thread allocates
//! and posts as fast as it can while the other receives and frees. There, most of the time goes to an allocator that frees
//! what another thread has allocated, and to waking a receiver that was faster.

use std::{hint::black_box, process::Command, thread, time::Instant};

use futures::executor::block_on;
use handover::{Message, MessageChannel, MessagePort};
use handover_bench_peers::Core;

/// How often the two take turns.
const ROUNDS: usize = 60;

/// How many messages go in a turn.
const MESSAGES: usize = 20_000;

/// The bytes of a message.
const SIZE: usize = 64;

fn main() {
    Core::Service.pin();
    println!("Medians of {ROUNDS} rounds; a message has {SIZE} bytes.\n");
    println!("{:44}{:>10}{:>16}{:>10}", "post and receive", "port, ns", "channel, ns", "ratio");
    compare("one thread, one waiting", || port_in_one_thread(1), || channel_in_one_thread(1));
    compare("one thread, 64 waiting", || port_in_one_thread(64), || channel_in_one_thread(64));
    compare("two threads", port_in_two_threads, channel_in_two_threads);

    println!("\n{:44}{:>10}{:>16}{:>10}", "transfer of a port", "this, ns", "empty, ns", "ratio");
    for queued in [0, 10, 10_000] {
        compare(&format!("{queued} messages queued"), || transfer(queued), || transfer(0));
    }

    let memory = Command::new(env!("CARGO_BIN_EXE_channel-memory")).output().expect("cargo has built the program");
    print!("\n{}", String::from_utf8_lossy(&memory.stdout));
}

/// Lets two things take turns, each of which tells the nanoseconds of one of its steps.
fn compare(name: &str, ours: impl Fn() -> f64, yardstick: impl Fn() -> f64) {
    let mut times = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS {
        times.push(if round % 2 == 0 {
            let ours = ours();
            (ours, yardstick())
        } else {
            let yardstick = yardstick();
            (ours(), yardstick)
        });
    }
    let median = |of: &dyn Fn(&(f64, f64)) -> f64| {
        let mut values: Vec<_> = times.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let (ours, yardstick, ratio) = (median(&|time| time.0), median(&|time| time.1), median(&|time| time.0 / time.1));
    println!("{name:44}{ours:>10.0}{yardstick:>16.0}{ratio:>10.2}");
}

fn a_step(start: Instant, steps: usize) -> f64 {
    start.elapsed().as_nanos() as f64 / steps as f64
}

fn payload() -> Vec<u8> {
    vec![7; SIZE]
}

fn ports() -> (MessagePort, MessagePort) {
    let (ours, theirs) = MessageChannel::new().into_ports();
    ours.start();
    (ours, theirs)
}

fn port_in_one_thread(waiting: usize) -> f64 {
    let (ours, theirs) = ports();
    let start = Instant::now();
    block_on(async {
        for _ in 0..MESSAGES / waiting {
            for _ in 0..waiting {
                let _ = theirs.post_message(payload());
            }
            for _ in 0..waiting {
                black_box(ours.recv().await.ok());
            }
        }
    });
    a_step(start, MESSAGES)
}

fn channel_in_one_thread(waiting: usize) -> f64 {
    let (sender, receiver) = async_channel::unbounded();
    let start = Instant::now();
    block_on(async {
        for _ in 0..MESSAGES / waiting {
            for _ in 0..waiting {
                let _ = sender.try_send(payload());
            }
            for _ in 0..waiting {
                black_box(receiver.recv().await.ok());
            }
        }
    });
    a_step(start, MESSAGES)
}

fn port_in_two_threads() -> f64 {
    let (ours, theirs) = ports();
    let start = Instant::now();
    let sender = thread::spawn(move || {
        Core::Caller.pin();
        for _ in 0..MESSAGES {
            let _ = theirs.post_message(payload());
        }
    });
    block_on(async { while black_box(ours.recv().await).is_ok() {} });
    let time = a_step(start, MESSAGES);
    let _ = sender.join();
    time
}

fn channel_in_two_threads() -> f64 {
    let (sender, receiver) = async_channel::unbounded();
    let start = Instant::now();
    let sender = thread::spawn(move || {
        Core::Caller.pin();
        for _ in 0..MESSAGES {
            let _ = sender.try_send(payload());
        }
    });
    block_on(async { while black_box(receiver.recv().await).is_ok() {} });
    let time = a_step(start, MESSAGES);
    let _ = sender.join();
    time
}

/// Hands one port back and forth.
fn transfer(queued: usize) -> f64 {
    const TRANSFERS: usize = 2000;
    let (sender, mut port) = MessageChannel::new().into_ports();
    for _ in 0..queued {
        let _ = sender.post_message("x");
    }
    let (ours, theirs) = ports();
    let start = Instant::now();
    let port = block_on(async {
        for _ in 0..TRANSFERS {
            let _ = theirs.post_message(Message::default().with_port(port));
            port = ours.recv().await.expect("it is there").into_parts().ports.remove(0);
        }
        port
    });
    let time = a_step(start, TRANSFERS);
    drop(port);
    time
}
