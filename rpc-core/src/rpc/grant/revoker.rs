//! Taking a right back.

use std::fmt;

use super::{Ended, GrantKey};
use crate::{
    rpc::host::Hub,
    sync::{Arc, Mutex},
};

/// Takes a right back that was granted. Whoever has it can do that, and nothing else.
///
/// Dropping it takes nothing back. Clones are the same.
#[derive(Clone)]
pub struct Revoker {
    hub: Arc<Hub>,
    grant: Option<GrantKey>,
}

impl Revoker {
    pub(in crate::rpc) fn new(hub: Arc<Hub>, grant: Option<GrantKey>) -> Self {
        Self { hub, grant }
    }

    /// Takes the right back, and every right that was made from it. Again is nothing.
    ///
    /// When this has returned, no method begins any more by any of them. Calls that run end as
    /// [`Interruption::Revoked`](crate::rpc::Interruption::Revoked) at their next `.await`, those that wait and all later ones as
    /// [`Refusal::Revoked`](crate::rpc::Refusal::Revoked), and the ports are closed, by whoever serves and in its turn. It is called from
    /// any thread, and waits for nobody.
    pub fn revoke(&self) {
        if let Some(grant) = self.grant {
            self.hub.end_grant(grant, Ended::Revoked);
        }
    }

    /// Whether nothing can be called by the right any more: it was taken back, its time is up, or nobody is left who has it or anything
    /// that was made from it.
    pub fn is_over(&self) -> bool {
        self.grant.is_none_or(|grant| self.hub.ended(grant).is_some())
    }
}

impl fmt::Debug for Revoker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revoker").field("is_over", &self.is_over()).finish()
    }
}

/// Rights that are taken back together, of any services. Clones are the same group.
///
/// # Examples
/// ```
/// let group = handover_core::rpc::RevokerGroup::default();
/// // `host.grant().group(&group).client()`, as often as one likes; and then
/// group.revoke();
/// // from here on, whatever is granted in this group is taken back at once.
/// ```
#[derive(Clone, Debug, Default)]
pub struct RevokerGroup(Arc<Mutex<Members>>);

#[derive(Debug, Default)]
struct Members {
    revokers: Vec<Revoker>,
    /// When there are so many, those are looked for that are over.
    most: usize,
    is_revoked: bool,
}

impl RevokerGroup {
    /// Makes a group of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a right. If the group was revoked, so is this.
    pub fn add(&self, revoker: Revoker) {
        let mut members = self.0.lock();
        if members.is_revoked {
            drop(members);
            return revoker.revoke();
        }
        members.revokers.push(revoker);
        let full = (members.revokers.len() > members.most).then(|| std::mem::take(&mut members.revokers));
        drop(members);
        if let Some(revokers) = full {
            self.keep(revokers);
        }
    }

    /// Puts back those that are not over.
    fn keep(&self, mut revokers: Vec<Revoker>) {
        revokers.retain(|revoker| !revoker.is_over());
        let mut members = self.0.lock();
        let is_revoked = members.is_revoked;
        if !is_revoked {
            members.most = revokers.len().saturating_mul(2).max(16);
            members.revokers.append(&mut revokers);
        }
        drop(members);
        // Somebody has revoked the group meanwhile, who did not see these.
        revokers.iter().for_each(Revoker::revoke);
    }

    /// Takes all of them back, as [`Revoker::revoke`] does, and all that are added later.
    pub fn revoke(&self) {
        let mut members = self.0.lock();
        members.is_revoked = true;
        let revokers = std::mem::take(&mut members.revokers);
        drop(members);
        revokers.iter().for_each(Revoker::revoke);
    }
}
