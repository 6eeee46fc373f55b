//! What the methods of this program take and return, found once, and once written as bytes.
//!
//! A client says with its first call of a method what it takes the method for, and nearly always that is what this program takes it for
//! too. Then nothing is written or read but these bytes, and nothing is compared.

use std::{
    any::TypeId,
    sync::{Mutex, PoisonError},
};

use super::{MethodId, codec::Facts};
use crate::shape::{ByType, WrittenShape};

/// A method, with its shape.
#[derive(Clone)]
struct Known {
    method: MethodId,
    shape: WrittenShape,
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
        let same = self.of(new.method).find(|same| same.shape == new.shape).cloned();
        let known = same.unwrap_or_else(|| {
            self.by_id.insert(self.begin(new.method), new.clone());
            new
        });
        self.by_type.keep(method, known)
    }
}

/// What the method takes and returns: the same bytes each time, also for other methods of this id that are the same on the wire.
pub(super) fn shape_of(facts: &Facts) -> WrittenShape {
    if let Some(known) = registry(|registry| registry.by_type.get(facts.kinds.call)) {
        return known.shape;
    }
    // Runs code of the types', so the lock is free. If two threads ask at once, the first has found it.
    let shape = WrittenShape::of(facts.description);
    registry(|registry| registry.add(facts.kinds.call, Known { method: facts.signature.method, shape })).shape
}

/// Reads a shape of the method that is known here, and tells what is behind it. `None` if it is another: shapes are read from their first
/// byte to their last without a look at what follows, so bytes that begin like these are these.
pub(super) fn read(method: MethodId, bytes: &[u8]) -> Option<(WrittenShape, &[u8])> {
    let is_it = |known: &&Known| bytes.starts_with(known.shape.as_bytes());
    let Known { shape, .. } = registry(|registry| registry.of(method).find(is_it).cloned())?;
    let rest = bytes.get(shape.as_bytes().len()..)?;
    Some((shape, rest))
}

fn registry<R>(look: impl FnOnce(&mut Registry) -> R) -> R {
    look(&mut REGISTRY.lock().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::{
        rpc::{Method, codec::Coded, describe::Describe},
        shape::{MethodShape, Shape},
    };

    #[test]
    fn a_shape_that_is_known_is_read_as_what_it_is_and_no_further() {
        let shape = shape_of(&Describe::CODEC.facts);
        let mut bytes = shape.as_bytes().to_vec();
        bytes.extend([7, 8]);

        let (read, rest) = read(Describe::ID, &bytes).unwrap();

        assert!(std::ptr::eq(read.as_bytes(), shape.as_bytes()));
        assert_eq!(rest, [7, 8]);
    }

    #[test]
    fn what_is_not_known_or_cut_off_or_another_methods_is_not_found() {
        let shape = shape_of(&Describe::CODEC.facts);
        let bytes = shape.as_bytes();
        let other = WrittenShape::from(MethodShape { args: vec![Shape::U32], result: Shape::Unit });

        assert!(read(Describe::ID, &bytes[..bytes.len() - 1]).is_none());
        assert!(read(Describe::ID, other.as_bytes()).is_none());
        assert!(read(MethodId(7), bytes).is_none());
    }
}
