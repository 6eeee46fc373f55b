//! What contexts use of a processor when they have nothing to do.
#![cfg(target_os = "linux")]

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use handover::{block_on, service, worker_thread};

/// Tells which thread it runs on.
#[service]
trait Whereabouts {
    /// A folder in which the system tells of the thread.
    async fn here(&self) -> String;
}

struct Worker;

impl Whereabouts for Worker {
    async fn here(&self) -> String {
        this_thread().to_string_lossy().into_owned()
    }
}

fn this_thread() -> PathBuf {
    Path::new("/proc").join(fs::read_link("/proc/thread-self").unwrap())
}

/// How long a thread has run, by the clock of its processor.
fn time_run(thread: &Path) -> Duration {
    let text = fs::read_to_string(thread.join("schedstat")).unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

/// A worker that was called many times in a row waits awake for the next call, for a while.
#[test]
fn a_worker_uses_less_than_a_millisecond_after_its_last_call_and_nothing_from_then_on() {
    block_on(async {
        let whereabouts: WhereaboutsClient =
            worker_thread::spawn("idle", |port| WhereaboutsServer::new(Worker).serve(port)).unwrap();
        let mut worker = PathBuf::new();
        for _ in 0..500 {
            worker = PathBuf::from(whereabouts.here().await.unwrap());
        }
        assert_ne!(worker, this_thread());

        let at_the_last_call = time_run(&worker);
        // Not to win a race: this is the time in which it is idle.
        thread::sleep(Duration::from_millis(20));
        let soon_after = time_run(&worker);
        thread::sleep(Duration::from_millis(50));
        let later = time_run(&worker);

        assert!(soon_after - at_the_last_call < Duration::from_millis(1), "{:?}", soon_after - at_the_last_call);
        assert_eq!(later, soon_after, "it does something by itself");
    });
}
