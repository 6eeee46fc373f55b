//! What happens when the system starts no more threads: whoever asks for one is told, whoever has one goes on, and when there is room
//! again all is well.
//!
//! Threads run out in a process of its own, which may have only so much memory for their stacks.
#![cfg(unix)]

use std::{
    env,
    process::{Command, Stdio},
    time::Duration,
};

use handover::{
    block_on, service,
    shared_worker::{ConnectError, SharedWorker, SharedWorkerGroup, SharedWorkerOptions},
    worker_pool::{WorkerPool, WorkerPoolBuilder},
    worker_thread::{self, SpawnError, Worker, WorkerBuilder},
};

#[service]
trait Adder {
    async fn add(&self, a: u32, b: u32) -> u32;
    /// The name of the worker.
    async fn name(&self) -> String;
}

struct Sum(String);

impl Adder for Sum {
    async fn add(&self, a: u32, b: u32) -> u32 {
        a + b
    }

    async fn name(&self) -> String {
        self.0.clone()
    }
}

/// The stack of each worker. It is never touched, so it is memory only on paper.
const STACK: usize = 256 << 20;

/// What the process may have, in KiB: some of such stacks.
const MEMORY: usize = 4 << 20;

fn builder(name: &str) -> WorkerBuilder {
    WorkerBuilder::new(name).stack_size(STACK)
}

fn adder(name: &str) -> Result<Worker<AdderClient>, SpawnError> {
    builder(name).spawn(|scope, port| AdderServer::new(Sum(scope.name().to_owned())).serve(port))
}

/// A pool that never gives a place up.
fn pool(workers: usize) -> Result<WorkerPool<AdderClient>, SpawnError> {
    WorkerPoolBuilder::new("pool")
        .stack_size(STACK)
        .backoff(Duration::from_millis(1), Duration::from_millis(1))
        .limit(u32::MAX)
        .spawn(workers, |scope, port| AdderServer::new(Sum(scope.name().to_owned())).serve(port))
}

/// In the process that may have little: what it is a name for.
const IN_NEED: &str = "HANDOVER_TEST_WITHOUT_THREADS";

#[test]
fn without_threads_left_whoever_asks_is_told_whoever_runs_goes_on_and_with_room_again_all_is_well() {
    if env::var_os(IN_NEED).is_some() {
        return run_out_of_threads();
    }
    let name = "without_threads_left_whoever_asks_is_told_whoever_runs_goes_on_and_with_room_again_all_is_well";

    let ran = Command::new("sh")
        .args(["-c", &format!("ulimit -v {MEMORY} && exec \"$0\" --exact {name} --nocapture")])
        .arg(env::current_exe().unwrap())
        .env(IN_NEED, "yes")
        .stdin(Stdio::null())
        .output()
        .unwrap();

    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    assert!(said.contains("all is well with "), "{said}");
}

fn run_out_of_threads() {
    // Each has answered before the next is asked for: a thread that has just begun has more of the memory than it keeps.
    let grows = pool(1).unwrap();
    assert_eq!(block_on(grows.client().name()), Ok("pool 1".to_owned()));
    let mut workers = Vec::new();
    let refused = loop {
        match adder("adder") {
            Ok(worker) => {
                assert_eq!(block_on(worker.add(2, 3)), Ok(5));
                workers.push(worker);
            }
            Err(error) => break error,
        }
        assert!(workers.len() < 1000, "there is no end of threads");
    };

    // Whoever asks is told, by every way to ask.
    assert_eq!(refused.to_string(), "no thread could be started for the worker `adder`");
    assert!(std::error::Error::source(&refused).is_some(), "the system says why");
    assert_eq!(pool(2).unwrap_err().name(), "pool 1");
    let scoped = worker_thread::scope(|scope| {
        scope.spawn_with::<AdderClient, (), _, _>(builder("scoped"), async |_, _| {}).map(drop)
    });
    assert_eq!(scoped.unwrap_err().name(), "scoped");
    let group = SharedWorkerGroup::new();
    let options = SharedWorkerOptions::new().stack_size(STACK);
    let shared = SharedWorker::<AdderClient>::connect_with(&group, "shared", options, async |_, _| {});
    assert!(matches!(shared, Err(ConnectError::Spawn(error)) if error.name() == "shared"));
    assert_eq!(group.names(), Vec::<String>::new());

    // Whoever runs goes on. The pool is to have one more, for which there is no room yet.
    grows.resize(2);
    for worker in &workers {
        assert_eq!(block_on(worker.add(2, 3)), Ok(5));
    }
    let of_the_pool = grows.client();
    assert_eq!(block_on(of_the_pool.name()), Ok("pool 1".to_owned()));

    // With room again, all is well. The pool gets its second worker by itself, whom calls go to while the first has one.
    let started = workers.len();
    for worker in workers {
        block_on(worker.join()).unwrap();
    }
    while block_on(async { futures::join!(of_the_pool.name(), of_the_pool.name()) }).1 == Ok("pool 1".to_owned()) {}
    assert_eq!(block_on(adder("late").unwrap().add(2, 3)), Ok(5));
    assert_eq!(block_on(grows.stop(None)), 0);
    println!("all is well with {started} workers");
}
