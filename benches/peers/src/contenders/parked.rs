//! What two threads that sleep need at least to exchange anything: `park` and `unpark`, and an atomic number.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
};

use crate::{Core, Executor, Place, System, rows::Adds};

/// A thread that adds, and sleeps when there is nothing to add.
#[derive(Debug)]
pub(crate) struct Parked;

/// The caller's side.
#[derive(Debug)]
pub(crate) struct Caller {
    cell: Arc<Cell>,
    service: Option<JoinHandle<()>>,
}

/// The numbers on their way there, the sum on its way back, or nothing. Numbers stay small, so the upper bits tell.
#[derive(Debug)]
struct Cell {
    word: AtomicU64,
    caller: thread::Thread,
}

const REQUEST: u64 = 1 << 62;
const REPLY: u64 = 2 << 62;
const STOP: u64 = 3 << 62;
const KIND: u64 = 3 << 62;

impl System for Parked {
    type Client = Caller;

    async fn connect<E: Executor>(_: &Place<E>) -> Caller {
        let cell = Arc::new(Cell { word: AtomicU64::new(0), caller: thread::current() });
        let theirs = cell.clone();
        let service = thread::spawn(move || {
            Core::Service.pin();
            theirs.serve();
        });
        Caller { cell, service: Some(service) }
    }
}

impl Cell {
    fn serve(&self) {
        loop {
            let word = self.word.load(Ordering::Acquire);
            match word & KIND {
                REQUEST => {
                    let sum = ((word & !KIND) >> 31) + (word & 0x7fff_ffff);
                    self.word.store(REPLY | sum, Ordering::Release);
                    self.caller.unpark();
                }
                STOP => return,
                _ => thread::park(),
            }
        }
    }
}

impl Adds for Caller {
    /// Not as a future should: it blocks.
    async fn add(&self, a: u32, b: u32) -> u32 {
        self.cell.word.store(REQUEST | u64::from(a) << 31 | u64::from(b), Ordering::Release);
        self.wake_service();
        loop {
            let word = self.cell.word.load(Ordering::Acquire);
            if word & KIND == REPLY {
                return (word & !KIND) as u32;
            }
            thread::park();
        }
    }
}

impl Caller {
    fn wake_service(&self) {
        if let Some(service) = &self.service {
            service.thread().unpark();
        }
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.cell.word.store(STOP, Ordering::Release);
        self.wake_service();
        if let Some(service) = self.service.take() {
            service.join().expect("the service has not panicked");
        }
    }
}
