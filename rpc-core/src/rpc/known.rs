//! What the methods of this program take and return, found once, and once written as bytes.
//!
//! A client says with its first call of a method what it takes the method for, and nearly always that is what this program takes it for
//! too. Then nothing is written or read but these bytes, and nothing is compared.

use std::{
    any::TypeId,
    sync::{Mutex, PoisonError},
};

use super::{MethodId, codec::Facts};
use crate::{
    shape::{ByType, MethodShape},
    sync::Arc,
};

/// A method's shape, and the same as bytes.
#[derive(Clone)]
struct Known {
    method: MethodId,
    shape: Arc<MethodShape>,
    bytes: Arc<[u8]>,
}

/// As many as there are methods in the program that were called or served as bytes.
struct Registry {
    by_type: ByType<Known>,
    /// In the order of their ids, which methods of several services may share.
    by_id: Vec<Known>,
}

/// std's lock, also under loom, which has none for a static: nothing is run under it, and nobody waits for what is behind it.
static REGISTRY: Mutex<Registry> = Mutex::new(Registry { by_type: ByType::new(), by_id: Vec::new() });

impl Registry {
    /// Where those of one id begin.
    fn begin(&self, method: MethodId) -> usize {
        self.by_id.partition_point(|known| known.method < method)
    }

    fn of(&self, method: MethodId) -> impl Iterator<Item = &Known> {
        self.by_id.iter().skip(self.begin(method)).take_while(move |known| known.method == method)
    }

    /// Takes a shape in, and hands out the one that counts: of two methods that are the same on the wire, one knows the other's for its own.
    fn add(&mut self, method: TypeId, new: Known) -> Known {
        if let Some(known) = self.by_type.get(method) {
            return known;
        }
        let same = self.of(new.method).find(|same| same.bytes == new.bytes).cloned();
        let known = same.unwrap_or_else(|| {
            self.by_id.insert(self.begin(new.method), new.clone());
            new
        });
        self.by_type.keep(method, known)
    }
}

/// What the method takes and returns: the same `Arc` each time, also for other methods of this id that are the same on the wire.
pub(super) fn shape_of(facts: &Facts) -> Arc<MethodShape> {
    known(facts).shape
}

/// The same as bytes, for a call that introduces the method.
pub(super) fn introduction_of(facts: &Facts) -> Arc<[u8]> {
    known(facts).bytes
}

fn known(facts: &Facts) -> Known {
    if let Some(known) = registry(|registry| registry.by_type.get(facts.kinds.call)) {
        return known;
    }
    // Runs code of the types', so the lock is free. If two threads ask at once, the first has found it.
    let shape = Arc::new(facts.description.shape());
    let bytes = postcard::to_allocvec(&*shape).expect("names and numbers always encode").into();
    registry(|registry| registry.add(facts.kinds.call, Known { method: facts.signature.method, shape, bytes }))
}

/// The bytes of a shape, if it is one that [`shape_of`] has found.
pub(super) fn bytes_of(method: MethodId, shape: &Arc<MethodShape>) -> Option<Arc<[u8]>> {
    find(method, |known| Arc::ptr_eq(&known.shape, shape)).map(|known| known.bytes)
}

/// Reads a shape of the method that is known here, and tells what is behind it. `None` if it is another: shapes are read from their first
/// byte to their last without a look at what follows, so bytes that begin like these are these.
pub(super) fn read(method: MethodId, bytes: &[u8]) -> Option<(Arc<MethodShape>, &[u8])> {
    let known = find(method, |known| bytes.starts_with(&known.bytes))?;
    Some((known.shape, bytes.get(known.bytes.len()..)?))
}

fn find(method: MethodId, is_it: impl Fn(&Known) -> bool) -> Option<Known> {
    registry(|registry| registry.of(method).find(|known| is_it(known)).cloned())
}

fn registry<R>(look: impl FnOnce(&mut Registry) -> R) -> R {
    look(&mut REGISTRY.lock().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::{
        rpc::{Method, codec::Coded, describe::Describe},
        shape::Shape,
    };

    #[test]
    fn a_shape_that_is_known_is_read_as_what_it_is_and_no_further() {
        let shape = shape_of(&Describe::CODEC.facts);
        let mut bytes = postcard::to_allocvec(&*shape).unwrap();
        bytes.extend([7, 8]);

        let (read, rest) = read(Describe::ID, &bytes).unwrap();

        assert!(Arc::ptr_eq(&read, &shape));
        assert_eq!(rest, [7, 8]);
        assert_eq!(bytes_of(Describe::ID, &shape).as_deref(), Some(&bytes[..bytes.len() - 2]));
    }

    #[test]
    fn what_is_not_known_or_cut_off_or_another_methods_is_not_found() {
        let shape = shape_of(&Describe::CODEC.facts);
        let bytes = postcard::to_allocvec(&*shape).unwrap();
        let other = MethodShape { args: vec![Shape::U32], result: Shape::Unit };

        assert!(read(Describe::ID, &bytes[..bytes.len() - 1]).is_none());
        assert!(read(Describe::ID, &postcard::to_allocvec(&other).unwrap()).is_none());
        assert!(read(MethodId(7), &bytes).is_none());
        assert!(bytes_of(Describe::ID, &Arc::new(other)).is_none());
    }
}
