//! Futures that run by microtasks: in the next one, or when everything that is ready now has had its turn. What a message of the
//! browser's wakes runs before that is over.
//!
//! Jobs of a promise run them. The microtasks that a browser makes of functions, by which `wasm_bindgen_futures` runs its tasks, cost
//! many times as much in some engines; and several jobs are dear as well, where the thread has just been woken.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Wake, Waker},
};

use rustc_hash::FxHashMap;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

use super::{context::Entered, js::Job};

thread_local! {
    static TURNS: Turns = Turns::new();
}

/// How soon a task runs when it was woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// In the next microtask.
    #[cfg_attr(not(feature = "wasm-worker"), allow(dead_code, reason = "only the context of a worker runs so"))]
    Next,
    /// Three microtasks later: what others do after an `.await` or two has happened by then.
    Late,
}

/// Runs a future in this context, and gives what it is woken by.
pub(crate) fn spawn(pace: Pace, future: impl Future<Output = ()> + 'static) -> Arc<Rouser> {
    TURNS.with(|turns| {
        let number = turns.next.get();
        turns.next.set(number + 1);
        let rouser = Arc::new(Rouser { task: number, pace, is_woken: AtomicBool::new(false) });
        let task =
            Task { future: RefCell::new(Box::pin(future)), waker: rouser.clone().into(), is_missed: Cell::default() };
        turns.tasks.borrow_mut().insert(number, Rc::new(task));
        rouser.wake_by_ref();
        rouser
    })
}

/// Does something that wakes tasks, and gives those a turn that are to run in the next microtask, before there is any. What is woken
/// in these turns, or is late, runs by microtasks, unless it [was run](Rouser::run_if_woken) `finally`.
pub(super) fn at_once(act: impl FnOnce(), finally: impl FnOnce()) {
    TURNS.with(|turns| turns.is_held.set(true));
    act();
    let woken = TURNS.with(|turns| turns.soon.woken.borrow().len());
    (0..woken).for_each(|_| run_first(Pace::Next));
    finally();
    TURNS.with(Turns::release);
}

/// The tasks of this context, and what is to be run of them.
struct Turns {
    next: Cell<u64>,
    tasks: RefCell<FxHashMap<u64, Rc<Task>>>,
    resolved: Job,
    soon: Lane,
    late: Lane,
    /// Whether no jobs are made for now.
    is_held: Cell<bool>,
}

/// What was woken, in order, and what runs the first of it: one job for each.
struct Lane {
    woken: RefCell<VecDeque<Arc<Rouser>>>,
    /// How many jobs were not made.
    held: Cell<usize>,
    /// There for as long as the context is, so that nothing that has ended is called.
    run: Closure<dyn FnMut(JsValue)>,
}

struct Task {
    future: RefCell<Pin<Box<dyn Future<Output = ()>>>>,
    waker: Waker,
    /// Whether it was to run while it did.
    is_missed: Cell<bool>,
}

/// Wakes a task of this context's. Elsewhere there is none of that number.
pub(crate) struct Rouser {
    task: u64,
    pace: Pace,
    is_woken: AtomicBool,
}

impl Turns {
    fn new() -> Self {
        let lane = |pace| Lane {
            woken: RefCell::default(),
            held: Cell::default(),
            run: Closure::new(move |_| run_first(pace)),
        };
        Self {
            next: Cell::default(),
            tasks: RefCell::default(),
            resolved: js_sys::Promise::resolve(&JsValue::UNDEFINED).unchecked_into(),
            soon: lane(Pace::Next),
            late: lane(Pace::Late),
            is_held: Cell::default(),
        }
    }

    fn lane(&self, pace: Pace) -> &Lane {
        match pace {
            Pace::Next => &self.soon,
            Pace::Late => &self.late,
        }
    }

    fn push(&self, rouser: Arc<Rouser>) {
        let pace = rouser.pace;
        let lane = self.lane(pace);
        lane.woken.borrow_mut().push_back(rouser);
        if self.is_held.get() {
            lane.held.set(lane.held.get() + 1);
        } else {
            self.schedule(pace);
        }
    }

    /// Makes a job that runs the first of those that were woken.
    fn schedule(&self, pace: Pace) {
        let run = &self.lane(pace).run;
        match pace {
            Pace::Next => self.resolved.then(run),
            Pace::Late => self.resolved.pass().pass().then(run),
        }
    }

    /// Makes the jobs that were not made, for those that have not run meanwhile.
    fn release(&self) {
        self.is_held.set(false);
        for pace in [Pace::Next, Pace::Late] {
            let lane = self.lane(pace);
            let left = lane.held.take().min(lane.woken.borrow().len());
            (0..left).for_each(|_| self.schedule(pace));
        }
    }

    fn take_first(&self, pace: Pace) -> Option<(u64, Rc<Task>)> {
        let rouser = self.lane(pace).woken.borrow_mut().pop_front()?;
        self.turn_of(&rouser)
    }

    fn take(&self, rouser: &Rouser) -> Option<(u64, Rc<Task>)> {
        let mut woken = self.lane(rouser.pace).woken.borrow_mut();
        let place = woken.iter().rposition(|other| other.task == rouser.task)?;
        woken.remove(place);
        self.turn_of(rouser)
    }

    fn turn_of(&self, rouser: &Rouser) -> Option<(u64, Rc<Task>)> {
        // Whatever wakes it while it runs has it run again.
        rouser.is_woken.store(false, Ordering::Relaxed);
        Some((rouser.task, self.tasks.borrow().get(&rouser.task)?.clone()))
    }
}

impl Rouser {
    /// Runs the task now, if it was woken. One that ran so does not run again for that.
    pub(super) fn run_if_woken(&self) {
        if let Some(turn) = TURNS.with(|turns| turns.take(self)) {
            run(turn);
        }
    }
}

impl Wake for Rouser {
    fn wake(self: Arc<Self>) {
        if !self.is_woken.swap(true, Ordering::Relaxed) {
            let _torn_down = TURNS.try_with(|turns| turns.push(self));
        }
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.clone().wake();
    }
}

fn run_first(pace: Pace) {
    let _entered = Entered::new();
    if let Some(turn) = TURNS.with(|turns| turns.take_first(pace)) {
        run(turn);
    }
}

fn run((number, task): (u64, Rc<Task>)) {
    let Ok(mut future) = task.future.try_borrow_mut() else {
        // It runs, and has itself dispatched an event of the browser's; or it has panicked as it ran, and does so no more.
        return task.is_missed.set(true);
    };
    let polled = future.as_mut().poll(&mut Context::from_waker(&task.waker));
    drop(future);
    if polled.is_ready() {
        let ended = TURNS.with(|turns| turns.tasks.borrow_mut().remove(&number));
        drop(ended);
    } else if task.is_missed.take() {
        task.waker.wake_by_ref();
    }
}
