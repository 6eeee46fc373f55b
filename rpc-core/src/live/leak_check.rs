//! Seeing to it that a test leaves nothing behind.

use std::{fmt, marker::PhantomData};

use super::counted::{self, Register};
use crate::sync::Arc;

/// Counts the channels, ports, calls and handlers that its thread makes, from [`begin`](Self::begin) to [`end`](Self::end), and
/// fails if one of them is still alive then.
///
/// It counts by *thread of making*: what other tests do on threads of their own does not disturb it, and what is made here and
/// dropped on another thread is no leak. What a worker thread makes itself is not seen. Of checks inside each other, the inner one sees
/// what is made as long as it lives, and is to be ended first.
///
/// # Examples
/// ```
/// use handover_core::{MessageChannel, live::LeakCheck};
///
/// let check = LeakCheck::begin();
/// let (ours, theirs) = MessageChannel::new().into_ports();
/// drop(ours);
/// assert_eq!(check.alive().len(), 2, "the channel, and one of its ports");
/// drop(theirs);
/// check.end();
/// ```
#[must_use = "it sees what is made until it is dropped"]
pub struct LeakCheck {
    register: Arc<Register>,
    former: Option<Arc<Register>>,
    /// It belongs to the thread that it was made on.
    here: PhantomData<*const ()>,
}

impl LeakCheck {
    /// Begins to count.
    pub fn begin() -> Self {
        let register = Arc::new(Register::default());
        let former = counted::replace(Some(register.clone()));
        Self { register, former, here: PhantomData }
    }

    /// What was made since and is alive, a line for each, the oldest first.
    pub fn alive(&self) -> Vec<String> {
        self.register.alive().iter().map(ToString::to_string).collect()
    }

    /// Ends the check. What was spawned and has not ended is alive, and so is what it holds: end the context first, or let it settle.
    ///
    /// # Panics
    /// With a list, if anything that was made since is alive.
    #[track_caller]
    pub fn end(self) {
        let alive = self.alive();
        assert!(alive.is_empty(), "{} left alive:\n- {}", alive.len(), alive.join("\n- "));
    }
}

/// Without [`LeakCheck::end`], nothing is checked.
impl Drop for LeakCheck {
    fn drop(&mut self) {
        let own = counted::replace(self.former.take());
        drop(own);
    }
}

impl fmt::Debug for LeakCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeakCheck").field("alive", &self.alive()).finish_non_exhaustive()
    }
}
