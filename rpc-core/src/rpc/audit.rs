//! The log of what becomes of the rights on a service.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use serde::{Deserialize, Serialize};

use super::{CallError, CallInfo, Limits, MethodId, Outcome, Refusal, grant::GrantKey};
use crate::{panicking::words_of, sync::Arc};

/// Is told of everything that becomes of the rights on a service: each grant, each use, each refusal, and each end (C26).
///
/// What it is told gives no rights: it names them by [labels](RightId), and has nothing of what calls said. It is called where the service
/// is served, and by whoever grants and revokes, in the order in which that happens there; never under a lock. If it panics, that ends
/// nothing but itself. Any closure that takes an entry is one.
pub trait Audit: Send + Sync {
    /// Something has become of a right.
    fn note(&self, entry: AuditEntry);
}

impl<F: Fn(AuditEntry) + Send + Sync> Audit for F {
    fn note(&self, entry: AuditEntry) {
        self(entry);
    }
}

/// Names a right in a log, among those of its service, for ever. It is a label: nothing can be done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RightId(u64);

impl RightId {
    pub(super) fn of(grant: GrantKey) -> Self {
        Self(grant.to_bits())
    }
}

impl fmt::Display for RightId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// What becomes of a right. All rights are made from that of the service itself, which nobody has granted: whoever is at its first port
/// has that.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditEntry {
    /// It was made from another: by the service, or by a clone.
    Granted {
        /// The new one.
        right: RightId,
        /// The one that it was made from.
        parent: RightId,
        /// What its issuer calls it; empty if it has no name.
        label: Arc<str>,
        /// What it is limited to, beside what its parent is. The methods are those that its holder has.
        limits: Box<Limits>,
    },
    /// A right was to be made from it and was not.
    NotGranted {
        /// The one that it was to be made from.
        parent: RightId,
        /// See [`Refusal::label`].
        reason: &'static str,
    },
    /// A method ran by it, to its end or not. The call was taken out of what the right has left. It is noted when the method has ended, so
    /// the end of the right may come before.
    Used {
        /// By which right.
        right: RightId,
        /// Which method.
        method: MethodId,
        /// How it is named in the trait.
        name: &'static str,
        /// See [`Outcome::label`].
        outcome: &'static str,
        /// What it took.
        cost: AuditCost,
    },
    /// A call by it was refused: no method ran.
    Refused {
        /// By which right.
        right: RightId,
        /// Which method was wanted.
        method: MethodId,
        /// See [`Refusal::label`].
        reason: &'static str,
    },
    /// Its issuer has taken it back, or one that it was made from.
    Revoked {
        /// Which.
        right: RightId,
    },
    /// Its time is up, or that of one that it was made from.
    Expired {
        /// Which.
        right: RightId,
    },
    /// Its holder has gone, or was told that it has ended. Each that was granted is released once, at the latest with the service.
    Released {
        /// Which.
        right: RightId,
    },
    /// The service was stopped, to be served elsewhere. All rights go on.
    Moved,
}

/// What a call took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AuditCost {
    /// The bytes of its arguments; none of what stayed a value.
    pub received: u64,
    /// The bytes of its result; none of what stayed a value.
    pub sent: u64,
}

impl AuditEntry {
    /// How a call ended by that right.
    pub(super) fn of_call(grant: GrantKey, call: &CallInfo, outcome: &Outcome) -> Self {
        let (right, method) = (RightId::of(grant), call.method);
        match outcome {
            Outcome::Failed(CallError::Refused(refusal)) => Self::Refused { right, method, reason: refusal.label() },
            Outcome::Returned | Outcome::ServiceError | Outcome::Failed(_) | Outcome::Cancelled => Self::Used {
                right,
                method,
                name: call.name,
                outcome: outcome.label(),
                cost: AuditCost { received: call.bytes_received(), sent: call.bytes_sent() },
            },
        }
    }
}

/// Who is told, if anybody is.
#[derive(Clone, Default)]
pub(super) struct Auditor(Option<Arc<dyn Audit>>);

impl Auditor {
    pub(super) const NONE: Self = Self(None);

    pub(super) fn new(audit: impl Audit + 'static) -> Self {
        Self(Some(Arc::new(audit)))
    }

    pub(super) fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// Tells it what there is to tell, which is not found out where nobody is told. To be called with no lock held.
    #[inline]
    pub(super) fn note(&self, entry: impl FnOnce() -> AuditEntry) {
        if let Some(audit) = &self.0
            && let Err(panic) = catch_unwind(AssertUnwindSafe(|| audit.note(entry())))
        {
            tracing::error!(message = words_of(&*panic), "an audit panicked");
        }
    }

    /// A call was refused before its method was looked at.
    pub(super) fn refused(&self, grant: GrantKey, method: MethodId, refusal: &Refusal) {
        self.note(|| AuditEntry::Refused { right: RightId::of(grant), method, reason: refusal.label() });
    }
}
