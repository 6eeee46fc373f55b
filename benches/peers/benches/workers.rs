//! What a worker costs beside a bare thread with channels, and what it costs to lend it a buffer:
//! `cargo bench -p handover-bench-peers --bench workers`.
//!
//! Both take turns, round after round; only the ratios within a round mean anything. What is told of a round is its median step: the
//! system decides anew for each thread on which core it begins, and now and then it begins late.

use std::{
    hint::black_box,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use futures::executor::block_on;
use handover::{Buffer, MessagePort, service, worker_thread::Worker};
use handover_bench_peers::Core;

/// How often the two take turns.
const ROUNDS: usize = 60;

/// How many workers are started in a turn, one after the other.
const WORKERS: usize = 50;

/// How often a buffer goes there and back in a turn.
const TRIPS: usize = 200;

/// The shortest service.
#[service]
trait Adder {
    async fn add(&self, a: u32, b: u32) -> u32;
}

struct Sum;

impl Adder for Sum {
    async fn add(&self, a: u32, b: u32) -> u32 {
        a + b
    }
}

fn main() {
    println!("Medians of {ROUNDS} rounds, and the quartiles of the ratio.\n");
    println!("{:44}{:>12}{:>12}{:>8}", "a worker, beside std::thread and mpsc", "worker, ns", "thread, ns", "ratio");
    compare("start to first reply", || steps(worker, First), || steps(bare_thread, First));
    compare("start, first reply, end", || steps(worker, Whole), || steps(bare_thread, Whole));

    // Threads inherit it.
    Core::Caller.pin();
    println!("\n{:44}{:>12}{:>12}{:>8}", "as before, on one core", "worker, ns", "thread, ns", "ratio");
    compare("start to first reply", || steps(worker, First), || steps(bare_thread, First));
    compare("start, first reply, end", || steps(worker, Whole), || steps(bare_thread, Whole));

    println!("\n{:44}{:>12}{:>12}{:>8}", "a buffer there and back", "this, ns", "1 KiB, ns", "ratio");
    for kib in [1, 64, 1024, 16 * 1024] {
        compare(&format!("{kib} KiB"), || buffer(kib << 10), || buffer(1 << 10));
    }
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
    let quartile = |of: &dyn Fn(&(f64, f64)) -> f64, quarter: usize| {
        let mut values: Vec<_> = times.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() * quarter / 4]
    };
    let (ours, yardstick) = (quartile(&|time| time.0, 2), quartile(&|time| time.1, 2));
    let [low, ratio, high] = [1, 2, 3].map(|quarter| quartile(&|time| time.0 / time.1, quarter));
    println!("{name:44}{ours:>12.0}{yardstick:>12.0}{ratio:>8.2}  ({low:.2} to {high:.2})");
}

/// Which part of a life is timed.
#[derive(Clone, Copy)]
enum Part {
    /// From the start to the first reply.
    First,
    /// To the end of the thread.
    Whole,
}
use Part::{First, Whole};

/// The median of several steps, each of which tells how long it took to its first reply, and to its end.
fn steps(step: fn() -> (Duration, Duration), part: Part) -> f64 {
    let mut took: Vec<_> = (0..WORKERS)
        .map(|_| match (step(), part) {
            ((first, _), First) => first,
            ((_, whole), Whole) => whole,
        })
        .collect();
    took.sort();
    took[took.len() / 2].as_nanos() as f64
}

fn worker() -> (Duration, Duration) {
    let start = Instant::now();
    let worker: Worker<AdderClient> =
        Worker::spawn("adder", |_, port| AdderServer::new(Sum).serve(port)).expect("one more thread can be started");
    black_box(block_on(worker.add(2, 3)).expect("the worker answers"));
    let first = start.elapsed();
    block_on(worker.join()).expect("the worker ends");
    (first, start.elapsed())
}

fn bare_thread() -> (Duration, Duration) {
    let start = Instant::now();
    let (ask, asked) = mpsc::channel::<(u32, u32, mpsc::Sender<u32>)>();
    let thread = thread::spawn(move || {
        while let Ok((a, b, reply)) = asked.recv() {
            let _ = reply.send(a + b);
        }
    });
    let (reply, answer) = mpsc::channel();
    let _ = ask.send((2, 3, reply));
    black_box(answer.recv().expect("the thread answers"));
    let first = start.elapsed();
    drop(ask);
    thread.join().expect("the thread ends");
    (first, start.elapsed())
}

/// On two cores: left alone, the two threads share one or not, by chance.
fn buffer(bytes: usize) -> f64 {
    let worker: Worker<MessagePort> = Worker::spawn("echo", async |_, port: MessagePort| {
        Core::Service.pin();
        while let Ok(event) = port.recv_value::<Buffer>().await {
            let _ = port.post_value(event.data);
        }
    })
    .expect("one more thread can be started");
    worker.start();
    let lent = Buffer::from(vec![7; bytes]);
    let (took, back) = block_on(async {
        // Once without being measured: then the worker has started.
        let mut lent = there_and_back(&worker, lent).await;
        let start = Instant::now();
        for _ in 0..TRIPS {
            lent = there_and_back(&worker, lent).await;
        }
        (start.elapsed(), lent)
    });
    assert_eq!(black_box(back).into_vec().len(), bytes);
    took.as_nanos() as f64 / TRIPS as f64
}

async fn there_and_back(worker: &MessagePort, buffer: Buffer) -> Buffer {
    let _ = worker.post_value(buffer);
    worker.recv_value::<Buffer>().await.expect("the worker gives it back").data
}
