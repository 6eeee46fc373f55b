//! The thread that sees to it that a pool has its workers.

use std::{
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use futures::channel::oneshot;
use handover_core::{
    MessagePort,
    rpc::{CallRouter, RouteId},
};

use crate::worker_thread::{Control, SpawnError};

/// What the supervisor is told.
pub(super) enum Command {
    /// The worker of that number has ended.
    Ended(u64),
    /// There shall be that many.
    Resize(usize),
    /// There shall be none, and no calls.
    Stop { deadline: Option<Duration>, done: Option<oneshot::Sender<usize>> },
}

/// A worker that was just started.
pub(super) struct Hired {
    pub(super) number: u64,
    pub(super) port: MessagePort,
    pub(super) control: Arc<Control>,
    pub(super) thread: JoinHandle<()>,
}

/// How often, and when, a worker is replaced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) first: Duration,
    pub(super) longest: Duration,
    pub(super) limit: u32,
    pub(super) stable_after: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(10),
            longest: Duration::from_secs(10),
            limit: 10,
            stable_after: Duration::from_secs(60),
        }
    }
}

impl Patience {
    /// How long to wait after that many failures in a row; `None` if that was enough.
    fn pause(&self, failures: u32) -> Option<Duration> {
        if failures > self.limit {
            return None;
        }
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        Some(self.first.saturating_mul(doubled).min(self.longest))
    }
}

/// Replaces workers, and ends them.
pub(super) struct Supervisor<H> {
    router: CallRouter,
    commands: mpsc::Receiver<Command>,
    hire: H,
    patience: Patience,
    last_number: u64,
    /// The workers that there are to be.
    places: Vec<Place>,
    /// Those that were let go, and have not ended.
    leaving: Vec<Working>,
}

/// One of the workers that there are to be.
struct Place {
    failures: u32,
    state: PlaceState,
}

enum PlaceState {
    Working(Working),
    /// It is to be replaced then.
    Empty {
        until: Instant,
    },
    GivenUp,
}

/// A worker that runs.
struct Working {
    number: u64,
    route: RouteId,
    control: Arc<Control>,
    thread: JoinHandle<()>,
    since: Instant,
}

impl Place {
    fn has(&self, number: u64) -> bool {
        matches!(&self.state, PlaceState::Working(working) if working.number == number)
    }
}

impl<H: FnMut(u64) -> Result<Hired, SpawnError>> Supervisor<H> {
    pub(super) fn new(router: CallRouter, commands: mpsc::Receiver<Command>, hire: H, patience: Patience) -> Self {
        Self { router, commands, hire, patience, last_number: 0, places: Vec::new(), leaving: Vec::new() }
    }

    /// Starts the first workers.
    pub(super) fn start(&mut self, workers: usize) -> Result<(), SpawnError> {
        for _ in 0..workers {
            let working = self.hire()?;
            self.places.push(Place { failures: 0, state: PlaceState::Working(working) });
        }
        Ok(())
    }

    /// Does what it is told until the pool is stopped and its workers have ended.
    pub(super) fn run(mut self) {
        loop {
            self.fill();
            let command = match self.next_start() {
                Some(then) => match self.commands.recv_timeout(then.saturating_duration_since(Instant::now())) {
                    Err(mpsc::RecvTimeoutError::Timeout) => continue,
                    received => received.ok(),
                },
                None => self.commands.recv().ok(),
            };
            match command {
                Some(Command::Ended(number)) => self.ended(number),
                Some(Command::Resize(workers)) => self.resize(workers),
                Some(Command::Stop { deadline, done }) => return self.stop(deadline, done),
                // The pool says when it goes; the workers say when they do.
                None => return,
            }
        }
    }

    fn hire(&mut self) -> Result<Working, SpawnError> {
        self.last_number += 1;
        let Hired { number, port, control, thread } = (self.hire)(self.last_number)?;
        let route = self.router.add(port);
        Ok(Working { number, route, control, thread, since: Instant::now() })
    }

    /// Starts the workers whose time has come.
    fn fill(&mut self) {
        let now = Instant::now();
        for at in 0..self.places.len() {
            if !matches!(self.places[at].state, PlaceState::Empty { until } if until <= now) {
                continue;
            }
            match self.hire() {
                Ok(working) => self.places[at].state = PlaceState::Working(working),
                Err(error) => {
                    tracing::error!(%error, "a worker of a pool could not be replaced");
                    self.failed(at);
                }
            }
        }
    }

    /// When the next worker is to be started.
    fn next_start(&self) -> Option<Instant> {
        let starts = self.places.iter().filter_map(|place| match place.state {
            PlaceState::Empty { until } => Some(until),
            PlaceState::Working(_) | PlaceState::GivenUp => None,
        });
        starts.min()
    }

    fn ended(&mut self, number: u64) {
        if let Some(at) = self.leaving.iter().position(|working| working.number == number) {
            Self::bury(self.leaving.swap_remove(at));
            return;
        }
        let Some(at) = self.places.iter().position(|place| place.has(number)) else { return };
        let state = std::mem::replace(&mut self.places[at].state, PlaceState::GivenUp);
        if let PlaceState::Working(working) = state {
            self.router.remove(working.route);
            if working.since.elapsed() >= self.patience.stable_after {
                self.places[at].failures = 0;
            }
            tracing::warn!(worker = working.control.name, "a worker of a pool has ended, and is to be replaced");
            Self::bury(working);
        }
        self.failed(at);
    }

    /// Decides when a worker that failed is replaced.
    fn failed(&mut self, at: usize) {
        let place = &mut self.places[at];
        place.failures += 1;
        place.state = match self.patience.pause(place.failures) {
            Some(pause) => PlaceState::Empty { until: Instant::now() + pause },
            None => PlaceState::GivenUp,
        };
        if self.places.iter().all(|place| matches!(place.state, PlaceState::GivenUp)) {
            tracing::error!("all workers of a pool fail again and again: it takes no more calls");
            self.router.close();
        }
    }

    fn resize(&mut self, workers: usize) {
        self.places.retain(|place| !matches!(place.state, PlaceState::GivenUp));
        while self.places.len() > workers {
            let place = self.places.pop();
            if let Some(Place { state: PlaceState::Working(working), .. }) = place {
                self.let_go(working);
            }
        }
        let now = Instant::now();
        self.places.resize_with(workers, || Place { failures: 0, state: PlaceState::Empty { until: now } });
    }

    /// Hands a worker nothing more: it ends when it has answered what it has.
    fn let_go(&mut self, working: Working) {
        self.router.remove(working.route);
        self.leaving.push(working);
    }

    fn stop(mut self, deadline: Option<Duration>, done: Option<oneshot::Sender<usize>>) {
        let ends = deadline.map(|deadline| Instant::now() + deadline);
        self.router.close();
        for place in std::mem::take(&mut self.places) {
            if let PlaceState::Working(working) = place.state {
                self.let_go(working);
            }
        }
        while !self.leaving.is_empty() {
            let command = match ends {
                Some(ends) => self.commands.recv_timeout(ends.saturating_duration_since(Instant::now())).ok(),
                None => self.commands.recv().ok(),
            };
            match command {
                Some(Command::Ended(number)) => self.ended(number),
                Some(Command::Resize(_) | Command::Stop { .. }) => {}
                None => break,
            }
        }
        for working in &self.leaving {
            working.control.terminate();
        }
        if let Some(done) = done {
            let _nobody_waits = done.send(self.leaving.len());
        }
    }

    /// Waits for a thread that has nothing left to do.
    fn bury(working: Working) {
        let _panicked_while_ending = working.thread.join();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_the_longest_and_ends_at_the_limit() {
        let patience = Patience {
            first: Duration::from_millis(10),
            longest: Duration::from_millis(35),
            limit: 4,
            ..Patience::default()
        };

        let pauses: Vec<_> = (1..=5).map(|failures| patience.pause(failures)).collect();

        let millis = |millis| Some(Duration::from_millis(millis));
        assert_eq!(pauses, [millis(10), millis(20), millis(35), millis(35), None]);
    }
}
