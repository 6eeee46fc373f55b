//! What rights cost: a call by one with limits beside a plain call, and very many of them that are alive at once.
//!
//! `cargo bench -p handover-bench-cost --bench rights`. Everything is in one thread. The calls take turns, round by round, so that what
//! the machine does meanwhile does it to all of them.

use std::{
    future::poll_fn,
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use handover::{Granting, Host, RevokerGroup, clock, context, prelude::*};
use handover_bench_cost::{
    allocations::{COUNTING, Counting, live_bytes},
    watch::Watch,
};

#[global_allocator]
static ALLOCATOR: Counting = COUNTING;

#[service]
trait Adder {
    async fn add(&self, a: u32, b: u32) -> u32;
}

struct Plain;

impl Adder for Plain {
    async fn add(&self, a: u32, b: u32) -> u32 {
        a + b
    }
}

fn main() {
    let _entered = clock::enter(Arc::new(Watch::default()));
    calls();
    for grants in [10_000, 100_000] {
        many(grants);
    }
}

/// How many rounds there are, and calls in each.
const ROUNDS: usize = 300;
const CALLS: u32 = 1_000;

fn calls() {
    let limited = |limit: fn(Granting<AdderClient>) -> Granting<AdderClient>| {
        move |host: &Host<AdderClient>| limit(host.grant()).client()
    };
    context::block_on(async {
        let (ours, theirs) = MessageChannel::new().into_ports();
        context::spawn_local(AdderServer::new(Plain).serve(theirs));
        let host = hosted();
        let hour = |granting: Granting<AdderClient>| granting.expires(Duration::from_secs(3600));
        let rights = [
            ("a plain call", AdderClient::from(ours)),
            ("by a right without limits", host.client()),
            ("by one with a count", limited(|granting| granting.calls(u64::MAX))(&host)),
            ("by one with a rate", limited(|granting| granting.rate(u32::MAX, Duration::from_secs(1)))(&host)),
            (
                "by one with both",
                limited(|granting| granting.calls(u64::MAX).rate(u32::MAX, Duration::from_secs(1)))(&host),
            ),
            ("by one that expires", limited(hour)(&host)),
        ];
        let mut nanos = vec![Vec::new(); rights.len()];
        for round in 0..ROUNDS {
            for (nanos, (_, client)) in nanos.iter_mut().zip(&rights) {
                let begun = Instant::now();
                for number in 0..CALLS {
                    assert_eq!(client.add(number, 1).await, Ok(number + 1));
                }
                // The first rounds find out how much room there has to be.
                if round >= ROUNDS / 10 {
                    nanos.push(begun.elapsed().as_nanos() as f64 / f64::from(CALLS));
                }
            }
        }
        let medians: Vec<_> = nanos.into_iter().map(median).collect();
        for ((name, _), nanos) in rights.iter().zip(&medians) {
            println!("{name:28} {nanos:7.0} ns, {:.2} times a plain call", nanos / medians[0]);
        }
    });
}

fn many(grants: usize) {
    context::block_on(async {
        let (host, group) = (hosted(), RevokerGroup::new());
        let before = live_bytes();
        let clients: Vec<_> = (0..grants).map(|_| host.grant().calls(3).group(&group).client()).collect();
        assert_eq!(clients[grants - 1].add(1, 2).await, Ok(3));
        let bytes = live_bytes().saturating_sub(before) / grants as u64;

        let begun = Instant::now();
        group.revoke();
        let told = begun.elapsed();
        while host.clients() > 0 {
            turn().await;
        }
        let closed = begun.elapsed();

        println!(
            "{grants} rights: {bytes} bytes each; taken back in {:.1} ms, all ports closed after {:.1} ms",
            told.as_secs_f64() * 1e3,
            closed.as_secs_f64() * 1e3
        );
        drop(clients);
    });
}

fn hosted() -> Host<AdderClient> {
    let (host, hosting) = AdderServer::new(Plain).host();
    context::spawn_local(async move { drop(hosting.serve().await) });
    host
}

/// Lets everybody else run.
async fn turn() {
    let mut is_second = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut is_second, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}
