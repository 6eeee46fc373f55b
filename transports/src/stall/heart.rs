//! What is known of each thread that is a context: whether it is in a turn, and what it has called there.

use std::{
    cell::{Cell, OnceCell},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
};

use handover_core::rpc::{Noting, Waits};

use super::watchdog;

/// A thread that is a context.
#[derive(Debug)]
pub(super) struct Heart {
    pub(super) name: String,
    /// Counts the begins and the ends of turns: odd in a turn.
    turns: AtomicU64,
    pub(super) waits: Waits,
}

/// How many watch.
static WATCHING: AtomicUsize = AtomicUsize::new(0);

/// All that beat.
static HEARTS: Mutex<Vec<Weak<Heart>>> = Mutex::new(Vec::new());

thread_local! {
    static HEART: OnceCell<Arc<Heart>> = const { OnceCell::new() };
    static IS_IN_TURN: Cell<bool> = const { Cell::new(false) };
}

/// As long as one of these lives, threads tell.
#[derive(Debug)]
pub(super) struct Watching;

impl Watching {
    pub(super) fn begin() -> Self {
        WATCHING.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        WATCHING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// All threads that have been contexts since somebody watches, and live.
pub(super) fn all() -> Vec<Arc<Heart>> {
    let mut hearts = HEARTS.lock().unwrap_or_else(PoisonError::into_inner);
    hearts.retain(|heart| heart.strong_count() > 0);
    hearts.iter().filter_map(Weak::upgrade).collect()
}

impl Heart {
    /// The number of the turn that the thread is in.
    pub(super) fn turn(&self) -> Option<u64> {
        let turns = self.turns.load(Ordering::Relaxed);
        (turns % 2 == 1).then_some(turns)
    }

    fn of_this_thread() -> Option<Arc<Self>> {
        // A thread that ends may poll something on its last way.
        HEART.try_with(|heart| heart.get_or_init(Self::start).clone()).ok()
    }

    fn start() -> Arc<Self> {
        let name = thread::current().name().unwrap_or("a thread without a name").to_owned();
        let heart = Arc::new(Self { name, turns: AtomicU64::new(0), waits: Waits::new() });
        HEARTS.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&heart));
        heart
    }
}

/// This thread polls what runs in its context, until this is dropped.
#[derive(Debug)]
pub(crate) struct Beat {
    _turn: Option<InTurn>,
}

#[derive(Debug)]
struct InTurn {
    heart: Arc<Heart>,
    _noting: Noting,
}

impl Beat {
    /// Begins a turn. One inside another is part of it.
    #[inline]
    pub(crate) fn begin() -> Self {
        watchdog::start_by_default();
        let is_watched = WATCHING.load(Ordering::Relaxed) > 0;
        Self { _turn: if is_watched { InTurn::begin() } else { None } }
    }
}

impl InTurn {
    #[cold]
    fn begin() -> Option<Self> {
        if IS_IN_TURN.replace(true) {
            return None;
        }
        let heart = Heart::of_this_thread()?;
        let noting = heart.waits.note_here();
        heart.turns.fetch_add(1, Ordering::Relaxed);
        Some(Self { heart, _noting: noting })
    }
}

impl Drop for InTurn {
    fn drop(&mut self) {
        self.heart.turns.fetch_add(1, Ordering::Relaxed);
        IS_IN_TURN.set(false);
    }
}
