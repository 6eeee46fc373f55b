//! What the methods of this program take and return, found once, and once written as bytes.
//!
//! A client says with its first call of a method what it takes the method for, and nearly always that is what this program takes it for
//! too. Then nothing is written or read but these bytes, and nothing is compared.

use std::{
    any::TypeId,
    sync::{Mutex, PoisonError},
};

use rustc_hash::{FxBuildHasher, FxHashMap};

use super::{Method, MethodId};
use crate::{shape::MethodShape, sync::Arc};

/// A method's shape, and the same as bytes.
#[derive(Clone)]
struct Known {
    shape: Arc<MethodShape>,
    bytes: Arc<[u8]>,
}

/// As many as there are methods in the program that were called or served as bytes.
struct Registry {
    by_type: FxHashMap<TypeId, Known>,
    /// Methods of several services may have one id.
    by_id: FxHashMap<MethodId, Vec<Known>>,
}

/// std's lock, also under loom, which has none for a static: nothing is run under it, and nobody waits for what is behind it.
static REGISTRY: Mutex<Registry> = Mutex::new(Registry {
    by_type: FxHashMap::with_hasher(FxBuildHasher),
    by_id: FxHashMap::with_hasher(FxBuildHasher),
});

/// What the method takes and returns: the same `Arc` each time, also for other methods of this id that are the same on the wire.
pub(super) fn shape_of<M: Method>() -> Arc<MethodShape> {
    known::<M>().shape
}

/// The same as bytes, for a call that introduces the method.
pub(super) fn introduction_of<M: Method>() -> Arc<[u8]> {
    known::<M>().bytes
}

fn known<M: Method>() -> Known {
    let method = TypeId::of::<M>();
    let known = registry(|registry| registry.by_type.get(&method).cloned());
    // Runs code of the types', so the lock is free. If two threads ask at once, the first has found it.
    known.unwrap_or_else(|| find_out(method, M::ID, Arc::new(M::DESCRIPTION.shape())))
}

#[cold]
fn find_out(method: TypeId, id: MethodId, shape: Arc<MethodShape>) -> Known {
    let bytes = postcard::to_allocvec(&*shape).expect("names and numbers always encode").into();
    let new = Known { shape, bytes };
    registry(|registry| {
        if let Some(known) = registry.by_type.get(&method) {
            return known.clone();
        }
        let same_id = registry.by_id.entry(id).or_default();
        // Of two methods that are the same on the wire, one knows the other's for its own.
        let known = match same_id.iter().find(|known| known.bytes == new.bytes) {
            Some(known) => known.clone(),
            None => {
                same_id.push(new.clone());
                new
            }
        };
        registry.by_type.insert(method, known.clone());
        known
    })
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
    registry(|registry| registry.by_id.get(&method)?.iter().find(|known| is_it(known)).cloned())
}

fn registry<R>(look: impl FnOnce(&mut Registry) -> R) -> R {
    look(&mut REGISTRY.lock().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::{rpc::describe::Describe, shape::Shape};

    #[test]
    fn a_shape_that_is_known_is_read_as_what_it_is_and_no_further() {
        let shape = shape_of::<Describe>();
        let mut bytes = postcard::to_allocvec(&*shape).unwrap();
        bytes.extend([7, 8]);

        let (read, rest) = read(Describe::ID, &bytes).unwrap();

        assert!(Arc::ptr_eq(&read, &shape));
        assert_eq!(rest, [7, 8]);
        assert_eq!(bytes_of(Describe::ID, &shape).as_deref(), Some(&bytes[..bytes.len() - 2]));
    }

    #[test]
    fn what_is_not_known_or_cut_off_or_another_methods_is_not_found() {
        let shape = shape_of::<Describe>();
        let bytes = postcard::to_allocvec(&*shape).unwrap();
        let other = MethodShape { args: vec![Shape::U32], result: Shape::Unit };

        assert!(read(Describe::ID, &bytes[..bytes.len() - 1]).is_none());
        assert!(read(Describe::ID, &postcard::to_allocvec(&other).unwrap()).is_none());
        assert!(read(MethodId(7), &bytes).is_none());
        assert!(bytes_of(Describe::ID, &Arc::new(other)).is_none());
    }
}
