//! What the caller at the other end takes this service's methods for.

use std::collections::HashMap;

use super::{Method, MethodId};
use crate::{
    shape::{Agreement, MethodShape},
    sync::{Arc, Mutex},
};

/// The methods that the caller has introduced. A caller says with its first call of a method what it takes it for, and says so again
/// when the port has another holder.
#[derive(Debug, Default)]
pub(super) struct Versions(Mutex<HashMap<MethodId, Arc<Version>>>);

/// A method, as the caller knows it.
#[derive(Debug)]
pub(super) struct Version {
    shape: MethodShape,
    /// What that means to us, once somebody has looked.
    verdict: Mutex<Option<Verdict>>,
}

/// Whether calls in the caller's shape can be served.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    /// Both ends have the same.
    Same,
    /// They do not, but can read each other.
    Evolved,
    /// They cannot; where they differ first.
    Differs(String),
}

impl Versions {
    /// Notes what a method was introduced as. How many there may be is limited by how many the service has.
    pub(super) fn introduce(&self, method: MethodId, shape: MethodShape) {
        let version = Arc::new(Version { shape, verdict: Mutex::new(None) });
        let mut known = self.0.lock();
        let former =
            if known.len() < MOST || known.contains_key(&method) { known.insert(method, version) } else { None };
        drop(known);
        drop(former);
    }

    /// What a call of the method was written for; `None` if nobody said.
    pub(super) fn of(&self, method: MethodId) -> Option<Arc<Version>> {
        self.0.lock().get(&method).cloned()
    }
}

/// How many introductions are kept: no service has so many methods.
const MOST: usize = 4096;

impl Version {
    /// What the caller's shape means for the method; and whether this is the first time that it was asked.
    pub(super) fn verdict<M: Method>(&self) -> (Verdict, bool) {
        if let Some(verdict) = self.verdict.lock().clone() {
            return (verdict, false);
        }
        let verdict = match MethodShape::compare(&self.shape, &M::DESCRIPTION.shape()) {
            Agreement::Same => Verdict::Same,
            Agreement::Evolved => Verdict::Evolved,
            Agreement::Differs(difference) => Verdict::Differs(difference.to_string()),
        };
        *self.verdict.lock() = Some(verdict.clone());
        (verdict, true)
    }

    /// The shape that arguments are written in.
    pub(super) fn shape(&self) -> &MethodShape {
        &self.shape
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::rpc::describe::Describe;

    #[test]
    fn a_peer_that_introduces_without_end_fills_no_memory_and_may_correct_itself() {
        let versions = Versions::default();
        let most = u32::try_from(MOST).unwrap();
        (0..=most).for_each(|id| versions.introduce(MethodId(id), Describe::DESCRIPTION.shape()));
        let first = versions.of(MethodId(0)).unwrap();

        versions.introduce(MethodId(0), Describe::DESCRIPTION.shape());

        assert!(versions.of(MethodId(most)).is_none(), "one too many");
        assert!(!Arc::ptr_eq(&first, &versions.of(MethodId(0)).unwrap()), "the later introduction counts");
    }
}
