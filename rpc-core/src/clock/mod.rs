//! Time, as far as calls need it: deadlines, ages, and rights that expire.
//!
//! Nothing here reads a clock by itself. A context has one clock: the one that it [entered](enter), or else the system's, with the
//! feature `system-clock`. Tests enter a [`ManualClock`] and move it by hand.

mod manual;
#[cfg(not(feature = "system-clock"))]
#[path = "no_system.rs"]
mod system;
#[cfg(feature = "system-clock")]
mod system;

use std::{cell::RefCell, fmt, marker::PhantomData, pin::Pin, time::Duration};

pub use manual::ManualClock;

use crate::sync::Arc;

/// Becomes ready at a time that it was made for. Dropping it forgets the time.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The longest time that is waited for: longer deadlines count as this one. A year.
pub const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A clock, which only goes forward.
pub trait Clock: Send + Sync {
    /// How long it has been running, from whatever moment it started at.
    fn now(&self) -> Duration;

    /// Waits until [`now`](Self::now) is that late.
    fn sleep_until(&self, at: Duration) -> Sleep;
}

impl fmt::Debug for dyn Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({:?})", self.now())
    }
}

thread_local! {
    static ENTERED: RefCell<Option<Arc<dyn Clock>>> = const { RefCell::new(None) };
}

/// The clock of this context. `None` if it entered none, and the feature `system-clock` is off.
pub fn current() -> Option<Arc<dyn Clock>> {
    entered().or_else(|| system::clock().cloned())
}

/// The clock that this context has entered.
pub(crate) fn entered() -> Option<Arc<dyn Clock>> {
    ENTERED.with_borrow(Option::clone)
}

/// The clock of a context that has entered this one, if any.
pub(crate) fn of_context(entered: Option<&Arc<dyn Clock>>) -> Option<&Arc<dyn Clock>> {
    match entered {
        Some(clock) => Some(clock),
        None => system::clock(),
    }
}

/// Gives this thread a clock, until what is returned is dropped.
///
/// # Examples
/// ```
/// use std::{sync::Arc, time::Duration};
/// use handover_core::clock::{self, Clock, ManualClock};
///
/// let manual = Arc::new(ManualClock::default());
/// let _entered = clock::enter(manual.clone());
///
/// manual.advance(Duration::from_secs(5));
///
/// assert_eq!(clock::current().unwrap().now(), Duration::from_secs(5));
/// ```
pub fn enter(clock: Arc<dyn Clock>) -> Entered {
    let former = ENTERED.replace(Some(clock));
    Entered { former, here: PhantomData }
}

/// A thread has a clock as long as this lives. Where one is entered inside another, the inner one is to be dropped first.
#[must_use = "the clock is left when this is dropped"]
#[derive(Debug)]
pub struct Entered {
    former: Option<Arc<dyn Clock>>,
    /// It belongs to the thread that it was made on.
    here: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let left = ENTERED.replace(self.former.take());
        drop(left);
    }
}
