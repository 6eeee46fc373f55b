//! Workers that are killed at random under load, and many workers one after the other: every call ends once, with the right
//! ending, and nothing is left.

mod common;

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, OnceLock},
    time::{Duration, Instant},
};

use futures::{FutureExt, StreamExt, channel::oneshot, stream::FuturesUnordered};
use handover::{
    CallError, Interruption, NotSent, block_on, context, service,
    worker_thread::{Ending, Worker},
};

use common::turn;

/// Is called while its worker is killed.
#[service]
trait Target {
    /// Runs through so many turns, and tells its number.
    async fn run(&self, number: u32, turns: u32) -> u32;
}

/// How often each call was begun.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<HashMap<u32, u32>>>);

impl Target for Log {
    async fn run(&self, number: u32, turns: u32) -> u32 {
        *self.0.lock().unwrap().entry(number).or_default() += 1;
        for _ in 0..turns {
            turn().await;
        }
        number
    }
}

/// How a worker comes to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kill {
    Panic,
    PanicBeside,
    Terminate,
    Close,
    /// Its future ends.
    End,
    /// The calls that are under way are dropped, and the client with them.
    Drop,
}

const KILLS: [Kill; 6] = [Kill::Panic, Kill::PanicBeside, Kill::Terminate, Kill::Close, Kill::End, Kill::Drop];

/// Numbers that look random, from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

#[test]
fn every_call_ends_once_with_the_right_ending_however_its_worker_is_killed() {
    let seed = RandomState::new().hash_one(0) | 1;
    println!("seed: {seed}");
    let mut random = Random(seed);
    let mut endings = HashMap::new();
    for round in 0..300 {
        let kill = KILLS[random.below(KILLS.len() as u64) as usize];
        block_on(kill_once(round, kill, &mut random, &mut endings));
    }
    println!("{endings:?}");
    assert_eq!(threads_left("killed"), 0);
}

/// Makes many calls, kills the worker while they run, and checks how each of them ended.
async fn kill_once(round: u32, kill: Kill, random: &mut Random, endings: &mut HashMap<&'static str, u32>) {
    const CALLS: u32 = 20;
    let log = Log::default();
    let (hit, was_hit) = oneshot::channel::<()>();
    let service = log.clone();
    let worker: Worker<TargetClient> = Worker::spawn("killed", async move |scope, port| {
        let served = TargetServer::new(service).serve(port);
        if matches!(kill, Kill::Terminate | Kill::Drop) {
            return served.await;
        }
        futures::pin_mut!(served);
        futures::select! {
            () = served.fuse() => return,
            _ = was_hit.fuse() => {}
        }
        match kill {
            Kill::Panic => panic!("shot"),
            Kill::PanicBeside => {
                context::spawn_local(async { panic!("shot") });
                std::future::pending().await
            }
            Kill::Close => {
                scope.close();
                std::future::pending().await
            }
            Kill::End | Kill::Terminate | Kill::Drop => {}
        }
    })
    .unwrap();
    let (client, worker) = worker.split();
    let mut calls: FuturesUnordered<_> = (0..CALLS)
        .map(|number| {
            let (number, turns) = (round * CALLS + number, random.below(30) as u32);
            client.run(number, turns).map(move |ended| (number, ended))
        })
        .collect();
    let mut ended = Vec::new();
    for _ in 0..random.below(12) {
        while let Some(Some(call)) = calls.next().now_or_never() {
            ended.push(call);
        }
        turn().await;
    }
    match kill {
        Kill::Terminate => worker.terminate(),
        Kill::Drop => calls.clear(),
        Kill::Panic | Kill::PanicBeside | Kill::Close | Kill::End => {
            // It may have ended with its calls by itself.
            let _gone = hit.send(());
        }
    }
    ended.extend(calls.by_ref().collect::<Vec<_>>().await);

    assert!(kill == Kill::Drop || ended.len() == CALLS as usize, "{kill:?}: {} calls have ended", ended.len());
    drop(calls);
    drop(client);
    let joined = worker.join().await;
    let begun = log.0.lock().unwrap();
    assert!(begun.values().all(|times| *times == 1), "{kill:?}: a call has run twice");
    let said = "the worker `killed` panicked: shot";
    for (number, ended) in ended {
        let ran = begun.contains_key(&number);
        let name = match (ended, kill) {
            (Ok(answer), _) if answer == number && ran => "answered",
            (Err(CallError::NotSent(NotSent::Closed)), _) if !ran => "not sent",
            (Err(CallError::Unknown(Interruption::Closed)), Kill::Terminate | Kill::Close | Kill::End) if ran => {
                "ended"
            }
            (Err(CallError::Unknown(Interruption::Panicked(why))), Kill::Panic | Kill::PanicBeside)
                if ran && why == said =>
            {
                "panicked"
            }
            (other, kill) => panic!("{kill:?}: call {number}, which has begun: {ran}, ended with {other:?}"),
        };
        *endings.entry(name).or_default() += 1;
    }
    // A worker whose client goes first ends by itself.
    let is_expected = match (joined.as_ref().map_err(|error| error.ending()), kill) {
        (Ok(()), _) => true,
        (Err(Ending::Panicked(why)), Kill::Panic | Kill::PanicBeside) => why == "shot",
        (Err(ending), Kill::Terminate) => *ending == Ending::Terminated,
        (Err(ending), Kill::Close) => *ending == Ending::Closed,
        (Err(_), Kill::Panic | Kill::PanicBeside | Kill::End | Kill::Drop) => false,
    };
    assert!(is_expected, "{kill:?}: {joined:?}");
}

/// Waits some milliseconds in each call.
#[service]
trait Slow {
    async fn run(&self, number: u32, millis: u64) -> u32;
    /// Ends the worker in a panic.
    #[rpc(oneway)]
    async fn shoot(&self);
}

impl Slow for Log {
    async fn run(&self, number: u32, millis: u64) -> u32 {
        *self.0.lock().unwrap().entry(number).or_default() += 1;
        async_io::Timer::after(Duration::from_millis(millis)).await;
        number
    }

    async fn shoot(&self) {
        context::spawn_local(async { panic!("shot") });
    }
}

/// How the worker that a call went to was killed, once it was.
type Fate = Arc<OnceLock<Shot>>;

/// How a worker is killed under load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Shot {
    Panic,
    Terminate,
    /// Its handle is dropped. Calls have clients of their own, so the worker ends once it has answered them.
    Drop,
}

fn slow_worker(log: &Log) -> (Worker<SlowClient>, Fate) {
    let log = log.clone();
    let worker = Worker::spawn("paced", |_, port| SlowServer::new(log).serve(port)).unwrap();
    (worker, Fate::default())
}

#[test]
fn a_thousand_calls_a_second_each_end_once_with_the_right_ending_while_their_workers_are_killed() {
    const CALLS: u32 = 3_000;
    let seed = RandomState::new().hash_one(0) | 1;
    println!("seed: {seed}");
    let (mut random, log) = (Random(seed), Log::default());
    let (mut worker, mut fate) = slow_worker(&log);
    let mut shots = HashMap::new();
    let mut calls = FuturesUnordered::new();
    let mut ended = Vec::new();

    block_on(async {
        let began = Instant::now();
        for number in 0..CALLS {
            // The pace is the load, and nothing depends on its being kept.
            let mut next = FutureExt::fuse(async_io::Timer::at(began + Duration::from_millis(number.into())));
            loop {
                futures::select_biased! {
                    _ = next => break,
                    call = calls.select_next_some() => ended.push(call),
                }
            }
            let (client, fate_of_call, millis) = (worker.clone(), fate.clone(), random.below(15));
            let mut call = async move { (number, client.run(number, millis).await, fate_of_call) }.boxed_local();
            match (&mut call).now_or_never() {
                Some(at_once) => ended.push(at_once),
                None => calls.push(call),
            }
            if random.below(40) > 0 {
                continue;
            }
            let shot = [Shot::Panic, Shot::Terminate, Shot::Drop][random.below(3) as usize];
            *shots.entry(shot).or_insert(0) += 1;
            fate.set(shot).unwrap();
            let (next_worker, next_fate) = slow_worker(&log);
            let killed = std::mem::replace(&mut worker, next_worker);
            fate = next_fate;
            match shot {
                Shot::Panic => killed.shoot().await.unwrap(),
                Shot::Terminate => killed.terminate(),
                Shot::Drop => drop(killed.into_client()),
            }
        }
        ended.extend(calls.collect::<Vec<_>>().await);
        drop(worker);
    });

    println!("{shots:?}");
    assert_eq!(ended.len(), CALLS as usize, "each call ends once");
    let begun = log.0.lock().unwrap();
    let mut endings = HashMap::new();
    for (number, ended, fate) in ended {
        let (ran, shot) = (begun.get(&number).copied().unwrap_or(0), fate.get());
        let ending = match (&ended, ran, shot) {
            (Ok(answer), 1, _) if *answer == number => "answered",
            (Err(CallError::NotSent(NotSent::Closed)), 0, Some(Shot::Panic | Shot::Terminate)) => "not sent",
            (Err(CallError::Unknown(Interruption::Closed)), 1, Some(Shot::Terminate)) => "terminated",
            (Err(CallError::Unknown(Interruption::Panicked(why))), 1, Some(Shot::Panic))
                if why == "the worker `paced` panicked: shot" =>
            {
                "panicked"
            }
            _ => panic!("call {number}, which ran {ran} times, ended with {ended:?}, and its worker by {shot:?}"),
        };
        *endings.entry(ending).or_insert(0) += 1;
    }
    println!("{endings:?}");
    assert!(endings["answered"] > CALLS / 2, "{endings:?}");
    assert_eq!(threads_left("paced"), 0);
}

#[test]
fn ten_thousand_workers_one_after_the_other_leave_neither_threads_nor_memory() {
    let one = || {
        let log = Log::default();
        let worker: Worker<TargetClient> =
            Worker::spawn("brief", |_, port| TargetServer::new(log).serve(port)).unwrap();
        assert_eq!(block_on(worker.run(1, 0)), Ok(1));
        block_on(worker.join()).unwrap();
    };
    (0..1_000).for_each(|_| one());
    let before = resident_bytes();

    (0..9_000).for_each(|_| one());

    assert_eq!(threads_left("brief"), 0);
    let grown = resident_bytes().saturating_sub(before);
    println!("{grown} bytes more than {before}");
    // A worker that left its channel alone would leave 352 bytes.
    assert!(grown < 2 << 20, "{grown} bytes more are in use");
}

/// How many threads of that name are left. The system lists one for a moment after it was joined.
fn threads_left(name: &str) -> usize {
    for _ in 0..100_000 {
        if threads_named(name) == 0 {
            return 0;
        }
        std::thread::yield_now();
    }
    threads_named(name)
}

/// The threads of this process with that name.
fn threads_named(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|comm| comm.trim_end() == name).count()
}

/// What the system has given this process; 0 where it does not say.
fn resident_bytes() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|pages| pages.split(' ').nth(1)?.parse::<usize>().ok());
    pages.unwrap_or(0) * 4096
}
