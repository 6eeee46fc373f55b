//! The shapes that were found already.

use std::{
    any::TypeId,
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde::de::DeserializeOwned;

use super::{Shape, plain, trace};
use crate::sync::Arc;

/// std's lock, also under loom, which has none for a static: nothing is run under it, and nobody waits for what is behind it.
static FOUND: Mutex<BTreeMap<TypeId, Arc<Shape>>> = Mutex::new(BTreeMap::new());

/// See [`Shape::of`].
pub(super) fn of<T: DeserializeOwned + 'static>() -> Arc<Shape> {
    if let Some(shape) = plain::plain::<T>() {
        return Arc::new(shape);
    }
    let id = TypeId::of::<T>();
    if let Some(found) = FOUND.lock().unwrap_or_else(PoisonError::into_inner).get(&id) {
        return found.clone();
    }
    // Runs code of the type's, so the lock is free. If two threads ask at once, both find the same.
    let shape = Arc::new(trace::trace::<T>());
    FOUND.lock().unwrap_or_else(PoisonError::into_inner).entry(id).or_insert(shape).clone()
}
