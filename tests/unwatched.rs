//! What it costs that calls can be watched, where nobody does: nothing.

use allocation_counter::measure;
use futures::{executor::LocalPool, task::LocalSpawnExt};
use handover::{ClientOptions, MessageChannel, ServeOptions, prelude::*, rpc::trace::Spans};

#[service]
trait Sums {
    async fn add(&self, a: u32, b: u32) -> u32;
}

struct Adder;

impl Sums for Adder {
    async fn add(&self, a: u32, b: u32) -> u32 {
        a + b
    }
}

const CALLS: u64 = 1_000;

/// How often memory is asked for in so many calls, after as many others.
fn allocations(served: ServeOptions, called: ClientOptions) -> u64 {
    let mut pool = LocalPool::new();
    let (ours, theirs) = MessageChannel::new().into_ports();
    pool.spawner().spawn_local(SumsServer::new(Adder).with(served).serve(theirs)).unwrap();
    let sums = SumsClient::from(ours).with_options(called);
    let mut calls = || {
        pool.run_until(async {
            for number in 0..1_000 {
                assert_eq!(sums.add(number, 1).await, Ok(number + 1));
            }
        });
    };
    calls();
    measure(calls).count_total
}

#[test]
fn a_call_that_nobody_watches_allocates_nothing_for_that() {
    let unwatched = allocations(ServeOptions::default(), ClientOptions::default());
    let watched = allocations(
        ServeOptions::default().interceptor(Spans::default()),
        ClientOptions::default().interceptor(Spans::default()),
    );

    // Also not for the call: the cell, which holds the arguments and the reply, was used by the call before.
    assert_eq!(unwatched, 0);
    assert!(watched > CALLS, "nothing was measured");
}
