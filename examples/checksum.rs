//! Hashes every file under a directory with a pool of workers, and prints what `sha256sum` would, sorted by name.
//!
//! `cargo run --release --example checksum -- DIRECTORY | sha256sum -c`
//!
//! Three kinds of contexts: a worker that [walks](tree) the directory, a pool whose workers [read and hash](sums), and this thread,
//! which joins the two and never blocks. Files and results are streams, so nobody runs ahead of whoever comes after it: what is in
//! memory beside the results themselves is bounded.

#[path = "checksum/hand_out.rs"]
mod hand_out;
#[path = "checksum/lines.rs"]
mod lines;
#[path = "checksum/progress.rs"]
mod progress;
#[path = "checksum/sha.rs"]
mod sha;
#[path = "checksum/sums.rs"]
mod sums;
#[path = "checksum/tree.rs"]
mod tree;
#[path = "checksum/turn.rs"]
mod turn;

use std::{
    error::Error,
    io,
    num::NonZero,
    path::PathBuf,
    pin::pin,
    process::{self, ExitCode},
    thread,
};

use clap::Parser;
use futures::{StreamExt, channel::oneshot, executor::block_on, future::FusedFuture};
use handover::{
    context,
    stream::Window,
    worker_pool::WorkerPoolBuilder,
    worker_thread::{self, Worker, WorkerBuilder, executor::WorkerFuture},
};

use crate::{
    hand_out::Event,
    lines::Line,
    progress::Progress,
    sums::{Sha256Sums, SumsClient, SumsServer},
    tree::{Disk, TreeClient, TreeServer},
};

/// Prints the SHA-256 sum of every file under a directory, sorted by name, in the format of sha256sum
///
/// Files that cannot be read are named on standard error, and the status is 1. Ctrl-C prints what is done, and the status is 130.
#[derive(Debug, Parser)]
#[command(name = "checksum")]
struct Args {
    /// Where the files are; symbolic links in it are not followed
    directory: PathBuf,
    /// How many threads hash [default: one for each core]
    #[arg(long, value_name = "N")]
    workers: Option<NonZero<usize>>,
}

/// How it went.
#[derive(Debug, Default)]
struct Summary {
    sums: Vec<Line>,
    is_incomplete: bool,
    is_interrupted: bool,
}

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(summary) if summary.is_interrupted => ExitCode::from(INTERRUPTED),
        Ok(summary) if summary.is_incomplete => ExitCode::FAILURE,
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            progress::say(&format!("checksum: {error}"));
            ExitCode::from(2)
        }
    }
}

/// The status of a program that a signal of that kind ends, as a shell tells it.
const INTERRUPTED: u8 = 130;

fn run(args: Args) -> Result<Summary, Box<dyn Error>> {
    let interrupted = on_interrupt()?;
    let summary = block_on(context::run(hash_all(args, interrupted)))?;
    match lines::print(&summary.sums, io::stdout().lock()) {
        // Whoever reads has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Summary { is_incomplete: true, ..summary }),
        Err(error) => Err(format!("cannot write the sums: {error}").into()),
        Ok(()) => Ok(summary),
    }
    // The workers are not waited for: one may be reading from a disk that does not answer.
}

/// Runs a worker that sleeps whenever it waits. By itself it would wait awake for a moment while calls flow; but here the cores are
/// for those who hash.
fn asleep(worker: WorkerFuture<'_>) {
    block_on(worker);
}

/// Is told when somebody presses Ctrl-C. The second time ends the program.
fn on_interrupt() -> Result<oneshot::Receiver<()>, ctrlc::Error> {
    let (interrupt, interrupted) = oneshot::channel();
    let mut interrupt = Some(interrupt);
    ctrlc::set_handler(move || match interrupt.take() {
        Some(interrupt) => {
            // If nobody waits any more, the sums are being printed.
            let _done = interrupt.send(());
        }
        None => process::exit(INTERRUPTED.into()),
    })?;
    Ok(interrupted)
}

async fn hash_all(args: Args, interrupted: oneshot::Receiver<()>) -> Result<Summary, Box<dyn Error>> {
    let workers = args.workers.map_or_else(cores, NonZero::get);
    let tree = WorkerBuilder::new("tree").executor(asleep);
    let tree: Worker<TreeClient> = tree.spawn(|_, port| TreeServer::new(Disk).serve(port))?;
    let pool = WorkerPoolBuilder::new("sums")
        .executor(asleep)
        .spawn::<SumsClient, _, _>(workers, |_, port| SumsServer::new(Sha256Sums::default()).serve(port))?;
    let sums = pool.client();

    let found = tree.files(args.directory.clone().into_os_string()).await?.with_window(AHEAD);
    let mut interrupted = pin!(interrupted);
    let mut events = pin!(hand_out::hash_all(found, &sums, workers).take_until(&mut interrupted));

    let mut summary = Summary::default();
    let mut progress = Progress::new();
    if let Some(tell) = progress.wants_total() {
        ask_for_total(args.directory, tell)?;
    }
    while let Some(event) = events.next().await {
        match event {
            Event::Read(bytes) => progress.add_bytes(bytes),
            Event::Hashed(line) => {
                progress.add_file();
                summary.sums.push(line);
            }
            Event::Unreadable(name, why) => {
                summary.is_incomplete = true;
                progress.say(&format!("checksum: cannot read {name:?}: {why}"));
            }
        }
    }
    summary.is_interrupted = interrupted.is_terminated();
    progress.finish();
    Ok(summary)
}

/// Has another worker walk ahead, as nothing else does.
fn ask_for_total(directory: PathBuf, tell: impl FnOnce(u64) + 'static) -> Result<(), Box<dyn Error>> {
    let tree: TreeClient = worker_thread::spawn("total", |port| TreeServer::new(Disk).serve(port))?;
    context::spawn_local(async move {
        if let Ok(bytes) = tree.total(directory.into_os_string()).await {
            tell(bytes);
        }
    });
    Ok(())
}

/// How far the files are walked ahead of being hashed, in items of some files each.
const AHEAD: Window = Window { items: 32, bytes: u32::MAX };

fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}
