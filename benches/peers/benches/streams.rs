//! What an item of a stream costs beside a bare channel: `cargo bench -p handover-bench-peers --bench streams`.
//!
//! All take turns, round after round, and each is compared with the bounded channel of the same round; only these ratios mean
//! anything. The channel is as long as the stream's window.

use std::{hint::black_box, sync::LazyLock, time::Instant};

use core_affinity::CoreId;
use futures::{StreamExt, channel::oneshot, stream};
use handover::{
    CallError,
    stream::{StreamSender, Streaming, channel},
};
use handover_bench_peers::{Contexts, Executor, Tokio};

const ITEMS: u32 = 100_000;

/// As long as the default window of a stream.
const WINDOW: usize = 1024;

const ROUNDS: usize = 60;

/// How many items go before the clock starts, so that both threads run and queues have grown.
const WARM_UP: u32 = 1_000;

/// How a producer and a consumer of numbers are started, and what an item costs in nanoseconds.
type Contender = (&'static str, fn() -> f64);

fn main() {
    println!("{ITEMS} items, medians of {ROUNDS} rounds; ratios are to the bounded channel of the same round.");
    table("one thread, context", one_thread::<Contexts>());
    table("one thread, tokio", one_thread::<Tokio>());
    table("two threads, context", two_threads::<Contexts>());
    table("two threads, tokio", two_threads::<Tokio>());
}

fn one_thread<E: Executor>() -> [Contender; 5] {
    [
        ("bounded channel", || bounded_channel::<E>(E::spawn)),
        ("unbounded channel", || unbounded_channel::<E>(E::spawn)),
        ("stream, sent", || sent::<E>(E::spawn)),
        ("stream, fed", || fed::<E>(E::spawn)),
        ("stream as bytes, fed", || fed_as_bytes::<E>(E::spawn)),
    ]
}

fn two_threads<E: Executor>() -> [Contender; 5] {
    [
        ("bounded channel", || bounded_channel::<E>(spawn_thread::<E, _>)),
        ("unbounded channel", || unbounded_channel::<E>(spawn_thread::<E, _>)),
        ("stream, sent", || sent::<E>(spawn_thread::<E, _>)),
        ("stream, fed", || fed::<E>(spawn_thread::<E, _>)),
        ("stream as bytes, fed", || fed_as_bytes::<E>(spawn_thread::<E, _>)),
    ]
}

fn table<const N: usize>(name: &str, contenders: [Contender; N]) {
    let mut times = [const { Vec::new() }; N];
    for round in 0..ROUNDS {
        for place in 0..N {
            // Back and forth, so that nobody always has the same neighbour before it.
            let index = if round % 2 == 0 { place } else { N - 1 - place };
            times[index].push(contenders[index].1());
        }
    }
    println!("\n{name:30}{:>12}{:>10}", "ns an item", "ratio");
    for (contender, own) in contenders.iter().zip(&times) {
        let ratios = own.iter().zip(&times[0]).map(|(own, channel)| own / channel).collect();
        println!("{:30}{:>12.1}{:>10.2}", contender.0, median(own.clone()), median(ratios));
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn bounded_channel<E: Executor>(spawn: impl FnOnce(Task) + Send + 'static) -> f64 {
    let (sender, receiver) = async_channel::bounded(WINDOW);
    run::<E, _>(spawn, send_to_channel(sender), receiver)
}

fn unbounded_channel<E: Executor>(spawn: impl FnOnce(Task) + Send + 'static) -> f64 {
    let (sender, receiver) = async_channel::unbounded();
    run::<E, _>(spawn, send_to_channel(sender), receiver)
}

async fn send_to_channel(sender: async_channel::Sender<u32>) {
    for item in 0..WARM_UP + ITEMS {
        sender.send(item).await.expect("the receiver lives");
    }
}

fn sent<E: Executor>(spawn: impl FnOnce(Task) + Send + 'static) -> f64 {
    let (mut sender, receiver) = channel::<u32, CallError>();
    let produce = async move {
        for item in 0..WARM_UP + ITEMS {
            sender.send(item).await.expect("the consumer lives");
        }
        sender.finish().await.expect("the consumer lives");
    };
    run::<E, _>(spawn, produce, receiver.map(unwrap))
}

fn fed<E: Executor>(spawn: impl FnOnce(Task) + Send + 'static) -> f64 {
    let (sender, receiver) = channel::<u32, CallError>();
    run::<E, _>(spawn, feed(sender), receiver.map(unwrap))
}

/// With a task of the consumer's context that passes on the frames, as a transport does that leaves the process.
fn fed_as_bytes<E: Executor>(spawn: impl FnOnce(Task) + Send + 'static) -> f64 {
    let (ours, near) = handover::MessageChannel::new().into_ports();
    let (far, theirs) = handover::MessageChannel::new().into_ports();
    let relay = async move {
        near.start();
        far.start();
        let there = Box::pin(pass_on(&near, &far));
        let back = Box::pin(pass_on(&far, &near));
        futures::future::select(there, back).await;
    };
    let receiver = Streaming::<u32, CallError>::from(theirs);
    let produce = feed(StreamSender::from(ours));
    let spawn = move |task: Task| {
        E::spawn(relay);
        spawn(task);
    };
    run::<E, _>(spawn, produce, receiver.map(unwrap))
}

async fn pass_on(from: &handover::MessagePort, to: &handover::MessagePort) {
    while let Ok(message) = from.recv().await {
        to.post_message(message).expect("no message holds a port");
    }
}

async fn feed(sender: StreamSender<u32>) {
    sender.send_all(stream::iter(0..WARM_UP + ITEMS)).await;
}

fn unwrap(item: Result<u32, CallError>) -> u32 {
    item.expect("the stream is not cut")
}

/// What runs beside the consumer.
type Task = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs producer and consumer, and tells the nanoseconds of an item.
fn run<E: Executor, S>(
    spawn: impl FnOnce(Task) + Send + 'static,
    produce: impl Future<Output = ()> + Send + 'static,
    receiver: S,
) -> f64
where
    S: futures::Stream<Item = u32> + Send + 'static,
{
    pin(0);
    E::run(async move {
        let (done, produced) = oneshot::channel();
        spawn(Box::pin(async move {
            produce.await;
            let _waits = done.send(());
        }));
        let mut receiver = std::pin::pin!(receiver);
        for _ in 0..WARM_UP {
            black_box(receiver.next().await).expect("the stream is not over");
        }
        let start = Instant::now();
        let mut sum = 0_u64;
        while let Some(item) = receiver.next().await {
            sum += u64::from(item);
        }
        let time = start.elapsed().as_nanos() as f64 / f64::from(ITEMS);
        assert_eq!(sum, (u64::from(WARM_UP)..u64::from(WARM_UP + ITEMS)).sum());
        produced.await.expect("the producer ends");
        time
    })
}

fn spawn_thread<E: Executor, F: Future<Output = ()> + Send + 'static>(task: F) {
    E::spawn_thread(async {
        pin(1);
        task.await;
    });
}

/// Keeps this thread on a core. Left alone, two threads share one core or not, by chance.
fn pin(index: usize) {
    // Asked once: a thread that is pinned is told of no core but its own.
    static CORES: LazyLock<Vec<CoreId>> = LazyLock::new(|| core_affinity::get_core_ids().unwrap_or_default());
    if let Some(core) = CORES.get(index) {
        core_affinity::set_for_current(*core);
    }
}
