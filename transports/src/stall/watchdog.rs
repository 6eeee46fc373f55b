//! Who looks, and when.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, Once, PoisonError, Weak},
    thread,
    time::Duration,
};

use super::{
    Stall,
    heart::{self, Heart, Watching},
};

/// Finds contexts that are stalled, each time that it is asked. It has no clock: stalled is who is in the same turn as the last time.
///
/// As long as there is one, contexts note what it needs. Those whose turn has begun before are seen from their next turn on.
///
/// # Examples
/// ```
/// use handover_transports::{context, stall::Watchdog};
///
/// let mut watchdog = Watchdog::new();
/// context::block_on(async {
///     assert_eq!(watchdog.check(), []);
///     assert_eq!(watchdog.check(), [], "it is still in that turn, but waits for no call");
/// });
/// ```
#[derive(Debug)]
pub struct Watchdog {
    seen: Vec<Seen>,
    _watching: Watching,
}

/// A thread in a turn, as of the last time.
#[derive(Debug)]
struct Seen {
    heart: Weak<Heart>,
    turn: u64,
    was_told: bool,
}

impl Watchdog {
    /// Watches from now on.
    pub fn new() -> Self {
        Self { seen: Vec::new(), _watching: Watching::begin() }
    }

    /// The contexts that are in the same turn as when this was asked before, and wait for answers; each is told of once in a turn.
    pub fn check(&mut self) -> Vec<Stall> {
        let mut stalls = Vec::new();
        let mut seen = Vec::new();
        for heart in heart::all() {
            let Some(turn) = heart.turn() else { continue };
            let was_told = match self.last_seen(&heart, turn) {
                Some(true) => true,
                Some(false) => heart.stall(turn).is_some_and(|stall| {
                    stalls.push(stall);
                    true
                }),
                None => false,
            };
            seen.push(Seen { heart: Arc::downgrade(&heart), turn, was_told });
        }
        self.seen = seen;
        stalls
    }

    /// Whether a thread was in this turn the last time, and if so, whether that was told.
    fn last_seen(&self, heart: &Arc<Heart>, turn: u64) -> Option<bool> {
        let is_it = |seen: &&Seen| seen.turn == turn && std::ptr::eq(seen.heart.as_ptr(), Arc::as_ptr(heart));
        self.seen.iter().find(is_it).map(|seen| seen.was_told)
    }
}

impl Default for Watchdog {
    fn default() -> Self {
        Self::new()
    }
}

impl Heart {
    fn stall(&self, turn: u64) -> Option<Stall> {
        let calls = self.waits.unanswered();
        // What it has called in a later turn is not what it is stalled by.
        let is_still = self.turn() == Some(turn);
        (is_still && !calls.is_empty()).then(|| Stall { context: self.name.clone(), calls })
    }
}

/// Says after how long a turn a context is warned of that waits for answers, or that none is: for the whole process, from now on. The
/// warning may come up to twice as late. A thread looks, as long as one is needed.
///
/// If it is never said: 2 seconds in debug builds, and none in release builds.
///
/// # Errors
/// If the system starts no thread.
pub fn warn_after(turn: Option<Duration>) -> io::Result<()> {
    SAID.call_once(|| {});
    set(turn)
}

/// After how long it is, if nobody says.
const BY_DEFAULT: Option<Duration> = if cfg!(debug_assertions) { Some(Duration::from_secs(2)) } else { None };

/// Whether it was said, or is as it is by default.
static SAID: Once = Once::new();

static SETTING: Mutex<Setting> = Mutex::new(Setting { after: None, has_thread: false });
static CHANGED: Condvar = Condvar::new();

struct Setting {
    after: Option<Duration>,
    has_thread: bool,
}

/// Begins to watch where that is the default, and nobody has said otherwise.
#[inline]
pub(super) fn start_by_default() {
    if BY_DEFAULT.is_some() {
        SAID.call_once(|| {
            // Without threads there is nobody who could look.
            let _no_thread = set(BY_DEFAULT);
        });
    }
}

fn set(after: Option<Duration>) -> io::Result<()> {
    let mut setting = setting();
    setting.after = after;
    CHANGED.notify_all();
    if after.is_some() && !setting.has_thread {
        let watchdog = Watchdog::new();
        thread::Builder::new().name("watchdog".to_owned()).spawn(move || warn(watchdog))?;
        setting.has_thread = true;
    }
    Ok(())
}

fn setting() -> MutexGuard<'static, Setting> {
    SETTING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Warns of those that are stalled until nobody wants that.
fn warn(mut watchdog: Watchdog) {
    let mut now = setting();
    while let Some(after) = now.after {
        let (woken, timeout) = CHANGED.wait_timeout(now, after).unwrap_or_else(PoisonError::into_inner);
        now = woken;
        if timeout.timed_out() {
            drop(now);
            watchdog.check().iter().for_each(Stall::warn);
            now = setting();
        }
    }
    now.has_thread = false;
}
