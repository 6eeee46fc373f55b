//! Futures that run by microtasks: in the next one, or when everything that is ready now has had its turn.
//!
//! Jobs of a promise run them. The microtasks that a browser makes of functions, by which `wasm_bindgen_futures` runs its tasks, cost
//! many times as much in some engines.

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

/// Runs a future in this context, and gives the waker by which it is woken.
pub(crate) fn spawn(pace: Pace, future: impl Future<Output = ()> + 'static) -> Waker {
    TURNS.with(|turns| {
        let number = turns.next.get();
        turns.next.set(number + 1);
        let waker = Waker::from(Arc::new(Rouser { task: number, pace, is_woken: AtomicBool::new(false) }));
        let task = Task { future: RefCell::new(Box::pin(future)), waker: waker.clone() };
        turns.tasks.borrow_mut().insert(number, Rc::new(task));
        waker.wake_by_ref();
        waker
    })
}

/// The tasks of this context, and what is to be run of them.
struct Turns {
    next: Cell<u64>,
    tasks: RefCell<FxHashMap<u64, Rc<Task>>>,
    resolved: Job,
    soon: Lane,
    late: Lane,
}

/// What was woken, in order, and what runs the first of it: one job for each.
struct Lane {
    woken: RefCell<VecDeque<Arc<Rouser>>>,
    /// There for as long as the context is, so that nothing that has ended is called.
    run: Closure<dyn FnMut(JsValue)>,
}

struct Task {
    future: RefCell<Pin<Box<dyn Future<Output = ()>>>>,
    waker: Waker,
}

/// Wakes a task of this context's. Elsewhere there is none of that number.
struct Rouser {
    task: u64,
    pace: Pace,
    is_woken: AtomicBool,
}

impl Turns {
    fn new() -> Self {
        let lane = |pace| Lane { woken: RefCell::default(), run: Closure::new(move |_| run_first(pace)) };
        Self {
            next: Cell::default(),
            tasks: RefCell::default(),
            resolved: js_sys::Promise::resolve(&JsValue::UNDEFINED).unchecked_into(),
            soon: lane(Pace::Next),
            late: lane(Pace::Late),
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
        match pace {
            Pace::Next => self.resolved.then(&lane.run),
            Pace::Late => self.resolved.pass().pass().then(&lane.run),
        }
    }

    fn take_first(&self, pace: Pace) -> Option<(u64, Rc<Task>)> {
        let rouser = self.lane(pace).woken.borrow_mut().pop_front()?;
        // Whatever wakes it while it runs has it run again.
        rouser.is_woken.store(false, Ordering::Relaxed);
        Some((rouser.task, self.tasks.borrow().get(&rouser.task)?.clone()))
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
    let Some((number, task)) = TURNS.with(|turns| turns.take_first(pace)) else { return };
    let polled = task.future.borrow_mut().as_mut().poll(&mut Context::from_waker(&task.waker));
    if polled.is_ready() {
        let ended = TURNS.with(|turns| turns.tasks.borrow_mut().remove(&number));
        drop(ended);
    }
}
