//! What the caller at the other end takes this service's methods for.

use std::mem;

use super::{MethodId, codec::Facts, known};
use crate::{
    message::Decoder,
    shape::WrittenShape,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The methods that the caller has introduced. A caller says with its first call of a method what it takes it for, and says so again
/// when the port has another holder.
#[derive(Debug, Default)]
pub(super) struct Versions {
    /// In the order of their methods. Those that are what this end takes them for are taken out as soon as that is known.
    known: Mutex<Vec<(MethodId, Arc<Version>)>>,
    /// How many those are: nearly always none.
    count: AtomicUsize,
}

/// A method, as the caller knows it.
#[derive(Debug)]
pub(super) struct Version {
    shape: WrittenShape,
    /// What that means to us, once somebody has looked.
    verdict: Mutex<Option<Verdict>>,
}

/// Whether calls in the caller's shape can be served.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    /// Both ends have the same.
    Same,
    /// They do not, but can read each other.
    #[cfg(feature = "evolution")]
    Evolved,
    /// They cannot; where they differ first.
    Differs(String),
}

impl Verdict {
    #[cfg(feature = "evolution")]
    fn of(theirs: &WrittenShape, ours: &WrittenShape) -> Self {
        use crate::shape::{Agreement, MethodShape};

        match MethodShape::compare(theirs.read(), ours.read()) {
            Agreement::Same => Self::Same,
            Agreement::Evolved => Self::Evolved,
            Agreement::Differs(difference) => Self::Differs(difference.to_string()),
        }
    }

    /// Whether it could be read is not asked, for nothing is there that could read it.
    #[cfg(not(feature = "evolution"))]
    fn of(_: &WrittenShape, _: &WrittenShape) -> Self {
        Self::Differs(OTHER_VERSION.to_owned())
    }
}

/// Why a call or a result of another version is not read.
#[cfg(not(feature = "evolution"))]
pub(super) const OTHER_VERSION: &str = "it is of another version, and without the feature `evolution` none is read";

impl Versions {
    /// Notes what a method was introduced as. How many there may be is limited by how many the service has.
    pub(super) fn introduce(&self, method: MethodId, shape: WrittenShape) {
        let version = Arc::new(Version { shape, verdict: Mutex::new(None) });
        let mut known = self.known.lock();
        let former = match place(&known, method) {
            Ok(at) => Some(mem::replace(&mut known[at].1, version)),
            Err(at) if known.len() < MOST => {
                known.insert(at, (method, version));
                None
            }
            Err(_) => None,
        };
        self.count.store(known.len(), Ordering::Release);
        drop(known);
        drop(former);
    }

    /// What a call of the method was written for; `None` if nobody said.
    #[inline]
    pub(super) fn of(&self, method: MethodId) -> Option<Arc<Version>> {
        if self.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        self.find(method)
    }

    fn find(&self, method: MethodId) -> Option<Arc<Version>> {
        let known = self.known.lock();
        place(&known, method).ok().map(|at| known[at].1.clone())
    }

    /// A version has turned out to be what this end takes the method for: as if nobody had said anything.
    pub(super) fn is_ours(&self, method: MethodId, version: &Arc<Version>) {
        let mut known = self.known.lock();
        // The port may have another holder by now, who has said something else.
        let last_word = place(&known, method).ok().filter(|at| Arc::ptr_eq(&known[*at].1, version));
        let former = last_word.map(|at| known.remove(at));
        self.count.store(known.len(), Ordering::Release);
        drop(known);
        drop(former);
    }
}

/// Where a method is, or belongs.
fn place(known: &[(MethodId, Arc<Version>)], method: MethodId) -> Result<usize, usize> {
    known.binary_search_by_key(&method, |(method, _)| *method)
}

/// How many introductions are kept: no service has so many methods.
const MOST: usize = 4096;

impl Version {
    /// What the caller's shape means for the method; and whether this is the first time that it was asked.
    pub(super) fn verdict(&self, ours: &Facts) -> (Verdict, bool) {
        if let Some(verdict) = self.verdict.lock().clone() {
            return (verdict, false);
        }
        let ours = known::shape_of(ours);
        let verdict = if self.shape == ours { Verdict::Same } else { Verdict::of(&self.shape, &ours) };
        *self.verdict.lock() = Some(verdict.clone());
        (verdict, true)
    }

    /// Has the arguments read as they were written.
    #[cfg(feature = "evolution")]
    pub(super) fn guide<'b>(&'b self, decoder: &mut Decoder<'b>) {
        self.shape.read().decode_args_as(decoder);
    }

    /// Nothing is read that is not of this version.
    #[cfg(not(feature = "evolution"))]
    pub(super) fn guide(&self, _: &mut Decoder<'_>) {}
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::rpc::{Method, codec::Coded, describe::Describe};

    #[test]
    fn a_peer_that_introduces_without_end_fills_no_memory_and_may_correct_itself() {
        let versions = Versions::default();
        let most = u32::try_from(MOST).unwrap();
        let shape = known::shape_of(&Describe::CODEC.facts);
        (0..=most).for_each(|id| versions.introduce(MethodId(id), shape.clone()));
        let first = versions.of(MethodId(0)).unwrap();

        versions.introduce(MethodId(0), shape);

        assert!(versions.of(MethodId(most)).is_none(), "one too many");
        assert!(!Arc::ptr_eq(&first, &versions.of(MethodId(0)).unwrap()), "the later introduction counts");
    }
    #[test]
    fn what_is_ours_is_forgotten_unless_something_else_was_said_since() {
        let versions = Versions::default();
        let shape = known::shape_of(&Describe::CODEC.facts);
        versions.introduce(Describe::ID, shape.clone());
        let first = versions.of(Describe::ID).unwrap();
        assert!(matches!(first.verdict(&Describe::CODEC.facts), (Verdict::Same, true)));
        versions.introduce(Describe::ID, shape);

        versions.is_ours(Describe::ID, &first);
        let second = versions.of(Describe::ID).expect("it was said after the first");
        versions.is_ours(Describe::ID, &second);

        assert!(versions.of(Describe::ID).is_none());
    }
}
