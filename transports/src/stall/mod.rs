//! Help with deadlocks: contexts that block on an answer which they would have to give, or let through, themselves.
//!
//! Calls are asynchronous, so a context may call itself, and contexts may call each other in a ring, as long as they await the
//! answers. Code that *blocks* its thread on an answer – `futures::executor::block_on(contacts.count())` inside a method –
//! keeps its context from everything else, and often from the very thing that it waits for. ([`context::block_on`] refuses to.)
//!
//! So contexts are watched: if one does not come back from its futures for a while, and a call that it made in that turn has no answer,
//! a warning of `tracing` names the context, which is its thread's name, and the service, the method and the port of each such call.
//!
//! In debug builds that is so for contexts that take 2 seconds; in release builds only after [`warn_after`]. It costs nothing where it
//! is off.
//!
//! [`context::block_on`]: crate::context::block_on

mod heart;
mod watchdog;

use std::fmt;

use handover_core::rpc::Unanswered;

pub(crate) use heart::Beat;
pub use watchdog::{Watchdog, warn_after};

/// A context that has not come back from its futures, and waits for answers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stall {
    /// The name of the context's thread.
    pub context: String,
    /// The calls without an answer that it polled last; what it blocks on is the last, or among the last.
    pub calls: Vec<Unanswered>,
}

impl Stall {
    /// Says it, as a warning.
    pub fn warn(&self) {
        let calls: Vec<_> = self.calls.iter().map(ToString::to_string).collect();
        tracing::warn!(
            context = self.context,
            calls = calls.join("; "),
            "a context is stalled, and calls that it made have no answer: if it blocks on one, it may wait for itself; await it"
        );
    }
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the context `{}` is stalled, and waits for", self.context)?;
        let mut separator = "";
        self.calls.iter().try_for_each(|call| write!(f, "{} {call}", std::mem::replace(&mut separator, ";")))
    }
}
