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
        return Arc::new(shape);
    }
    let id = TypeId::of::<T>();
    let known = found().get(id);
    // Runs code of the type's, so the lock is free. If two threads ask at once, both find the same.
    known.unwrap_or_else(|| {
        let shape = Arc::new(trace::trace::<T>());
        found().keep(id, shape)
    })
}

fn found() -> MutexGuard<'static, ByType<Arc<Shape>>> {
    FOUND.lock().unwrap_or_else(PoisonError::into_inner)
}
