//! Whether contexts are watched that nobody has said anything of. In a program of its own, since whatever is said counts for all of it.
#![cfg(target_os = "linux")]

use std::{fs, thread};

use handover::context;

#[test]
fn contexts_are_watched_by_themselves_in_debug_builds_and_in_no_other() {
    context::block_on(async {});

    assert_eq!(is_watched(), cfg!(debug_assertions));
}

/// Whether the thread is there that looks. It takes its name when it first runs.
fn is_watched() -> bool {
    let is_watchdog = || {
        let tasks = fs::read_dir("/proc/self/task").unwrap();
        let mut names = tasks.flatten().flat_map(|task| fs::read_to_string(task.path().join("comm")));
        names.any(|name| name.trim_end() == "watchdog")
    };
    (0..1_000).any(|_| {
        thread::yield_now();
        is_watchdog()
    })
}
