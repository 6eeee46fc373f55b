//! Which calls a thread waits for: for those who look for a thread that will never be answered, since it blocks.

use std::{
    cell::RefCell,
    collections::VecDeque,
    fmt,
    marker::PhantomData,
    sync::{
        Weak,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::call_info::Signature;
use crate::{
    MessagePort,
    port::PortId,
    sync::{Arc, Mutex},
};

/// How many calls are remembered. What a thread blocks on was polled last.
const MOST: usize = 16;

/// The calls that were polled last on a thread, and had no answer. Clones know the same.
///
/// Nobody's calls are noted unless there is one of these, and a thread's only as long as it [notes](Self::note_here) them here.
///
/// # Examples
/// ```
/// use handover_core::{MessageChannel, rpc::Waits};
///
/// let waits = Waits::new();
/// let noting = waits.note_here();
/// // A context polls its futures here. Should it not come back, another thread can ask what it waits for:
/// assert_eq!(waits.unanswered(), []);
/// drop(noting);
/// ```
#[derive(Clone)]
pub struct Waits(Arc<Noted>);

struct Noted {
    calls: Mutex<VecDeque<Wait>>,
}

/// A call that waits for its answer.
#[derive(Clone)]
struct Wait {
    call: Weak<dyn Unsettled>,
    signature: Signature,
    port: PortId,
}

/// A call that was polled and has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unanswered {
    /// How the trait is named. Empty where the method was not made by `#[service]`.
    pub service: &'static str,
    /// How the method is named.
    pub method: &'static str,
    /// The client's port, through which it was called.
    pub port: PortId,
    /// How far it has come.
    pub progress: Progress,
}

/// How far a call has come that has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// Nobody has taken it.
    Unread,
    /// A service of this process has taken it.
    Runs,
    /// It went out as bytes.
    SentAsBytes,
}

/// A call, whatever it calls.
pub(super) trait Unsettled: Send + Sync {
    /// How far it has come. `None` if it is over, or its answer is there.
    fn progress(&self) -> Option<Progress>;
}

/// How many there are who ask. What most calls look at.
static ASKING: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static HERE: RefCell<Option<Waits>> = const { RefCell::new(None) };
}

/// Whether there is anybody who asks, on any thread.
#[inline]
pub(super) fn is_asked_for() -> bool {
    ASKING.load(Ordering::Relaxed) > 0
}

/// Notes a call that was polled on this thread and has no answer.
#[cold]
pub(super) fn note(signature: Signature, port: &MessagePort, call: Arc<dyn Unsettled>) {
    // A thread that ends may poll something on its last way.
    let here = HERE.try_with(|here| here.borrow().clone()).ok().flatten();
    if let Some(waits) = here {
        waits.add(Wait { call: Arc::downgrade(&call), signature, port: port.id() });
    }
}

impl Waits {
    /// Knows of no call.
    pub fn new() -> Self {
        ASKING.fetch_add(1, Ordering::Relaxed);
        Self(Arc::new(Noted { calls: Mutex::default() }))
    }

    /// Notes the calls that are polled on this thread from now on, until what is returned is dropped. Those of before are forgotten.
    pub fn note_here(&self) -> Noting {
        self.forget();
        Noting { waits: self.clone(), former: HERE.replace(Some(self.clone())), here: PhantomData }
    }

    /// The calls that have no answer yet, of those that were polled last; at most 16. The last one is the last.
    pub fn unanswered(&self) -> Vec<Unanswered> {
        let calls = self.0.calls.lock().clone();
        // Each call has a lock of its own: looked at with no lock held.
        calls.iter().filter_map(Wait::look).collect()
    }

    fn add(&self, wait: Wait) {
        let mut calls = self.0.calls.lock();
        // Polled again, it is the last again.
        let former = calls.iter().position(|other| other.call.ptr_eq(&wait.call)).and_then(|at| calls.remove(at));
        let eldest = if calls.len() < MOST { None } else { calls.pop_front() };
        calls.push_back(wait);
        drop(calls);
        drop((former, eldest));
    }

    fn forget(&self) {
        let calls = std::mem::take(&mut *self.0.calls.lock());
        drop(calls);
    }
}

impl Default for Waits {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        ASKING.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Waits").field(&self.unanswered()).finish()
    }
}

impl Wait {
    fn look(&self) -> Option<Unanswered> {
        let progress = self.call.upgrade()?.progress()?;
        let Signature { name, service, .. } = self.signature;
        Some(Unanswered { service, method: name, port: self.port, progress })
    }
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, method, port, progress } = self;
        let how = match progress {
            Progress::Unread => "which nobody has read",
            Progress::Runs => "which runs",
            Progress::SentAsBytes => "which went out as bytes",
        };
        write!(f, "{service}/{method} through port {port}, {how}")
    }
}

/// Calls are noted on this thread. Made by [`Waits::note_here`].
#[must_use = "calls are noted until it is dropped"]
pub struct Noting {
    waits: Waits,
    former: Option<Waits>,
    /// It stays on its thread.
    here: PhantomData<*const ()>,
}

impl Drop for Noting {
    fn drop(&mut self) {
        let _ours = HERE.try_with(|here| here.replace(self.former.take()));
        self.waits.forget();
    }
}

impl fmt::Debug for Noting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Noting").finish_non_exhaustive()
    }
}
