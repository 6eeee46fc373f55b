//! The shapes that were found already.

use std::{
    any::TypeId,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::de::DeserializeOwned;

use super::{Shape, by_type::ByType, plain, trace};
use crate::sync::Arc;

/// std's lock, also under loom, which has none for a static: nothing is run under it, and nobody waits for what is behind it.
static FOUND: Mutex<ByType<Arc<Shape>>> = Mutex::new(ByType::new());

/// See [`Shape::of`].
pub(super) fn of<T: DeserializeOwned + 'static>() -> Arc<Shape> {
    if let Some(shape) = plain::plain::<T>() {
        return shared(shape);
    }
    let id = TypeId::of::<T>();
    // Runs code of the type's, so the lock is free. If two threads ask at once, both find the same.
    known(id).unwrap_or_else(|| keep(id, trace::trace::<T>()))
}

/// Knows no type, and is called: to make a shape is to be able to drop it, which is more than all else that is done here.
#[inline(never)]
fn shared(shape: Shape) -> Arc<Shape> {
    Arc::new(shape)
}

fn known(id: TypeId) -> Option<Arc<Shape>> {
    found().get(id)
}

fn keep(id: TypeId, shape: Shape) -> Arc<Shape> {
    found().keep(id, shared(shape))
}

fn found() -> MutexGuard<'static, ByType<Arc<Shape>>> {
    FOUND.lock().unwrap_or_else(PoisonError::into_inner)
}
