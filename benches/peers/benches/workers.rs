//! What a worker costs beside a bare thread with channels, and what it costs to lend it a buffer:
//! `cargo bench -p handover-bench-peers --bench workers`.
//!
//! Both take turns, round after round; only the ratios within a round mean anything.

use std::{hint::black_box, thread, time::Instant};

use futures::executor::block_on;
use handover::{Buffer, MessagePort, service, worker_thread::Worker};

/// How often the two take turns.
const ROUNDS: usize = 40;

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
    println!("Medians of {ROUNDS} rounds.\n");
    println!("{:44}{:>10}{:>16}{:>10}", "start, first reply, end", "worker, ns", "thread, ns", "ratio");
    compare("one after the other", workers, threads);

    println!("\n{:44}{:>10}{:>16}{:>10}", "a buffer there and back", "this, ns", "1 KiB, ns", "ratio");
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

fn workers() -> f64 {
    let start = Instant::now();
    for _ in 0..WORKERS {
        let worker: Worker<AdderClient> = Worker::spawn("adder", |_, port| AdderServer::new(Sum).serve(port))
            .expect("one more thread can be started");
        black_box(block_on(worker.add(2, 3)).expect("the worker answers"));
        block_on(worker.join()).expect("the worker ends");
    }
    a_step(start, WORKERS)
}

fn threads() -> f64 {
    let start = Instant::now();
    for _ in 0..WORKERS {
        let (ask, asked) = async_channel::unbounded::<(u32, u32, async_channel::Sender<u32>)>();
        let thread = thread::Builder::new().name("adder".to_owned()).spawn(move || {
            block_on(async {
                while let Ok((a, b, reply)) = asked.recv().await {
                    let _ = reply.send(a + b).await;
                }
            });
        });
        let (reply, answer) = async_channel::bounded(1);
        let _ = ask.try_send((2, 3, reply));
        black_box(block_on(answer.recv()).expect("the thread answers"));
        drop(ask);
        thread.expect("one more thread can be started").join().expect("the thread ends");
    }
    a_step(start, WORKERS)
}

fn buffer(bytes: usize) -> f64 {
    let worker: Worker<MessagePort> = Worker::spawn("echo", async |_, port: MessagePort| {
        while let Ok(event) = port.recv_value::<Buffer>().await {
            let _ = port.post_value(event.data);
        }
    })
    .expect("one more thread can be started");
    worker.start();
    let mut lent = Buffer::from(vec![7; bytes]);
    let start = Instant::now();
    block_on(async move {
        for _ in 0..TRIPS {
            let _ = worker.post_value(lent);
            lent = worker.recv_value::<Buffer>().await.expect("the worker gives it back").data;
        }
        black_box(lent);
    });
    a_step(start, TRIPS)
}
