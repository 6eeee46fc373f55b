//! The shapes that were found already.

use std::{
    any::TypeId,
    sync::{Mutex, PoisonError},
};

use serde::de::DeserializeOwned;

use super::{Shape, plain, trace};
use crate::sync::Arc;

/// The types in order. Little is ever put in, and much is looked for: a list is as good as any map, and less code.
type Found = Vec<(TypeId, Arc<Shape>)>;

/// std's lock, also under loom, which has none for a static: nothing is run under it, and nobody waits for what is behind it.
static FOUND: Mutex<Found> = Mutex::new(Vec::new());

/// See [`Shape::of`].
pub(super) fn of<T: DeserializeOwned + 'static>() -> Arc<Shape> {
    if let Some(shape) = plain::plain::<T>() {
        return Arc::new(shape);
    }
    let id = TypeId::of::<T>();
    // Runs code of the type's, so the lock is free. If two threads ask at once, both find the same.
    known(id).unwrap_or_else(|| keep(id, Arc::new(trace::trace::<T>())))
}

fn known(id: TypeId) -> Option<Arc<Shape>> {
    let found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let at = place(&found, id).ok()?;
    found.get(at).map(|(_, shape)| shape.clone())
}

fn keep(id: TypeId, shape: Arc<Shape>) -> Arc<Shape> {
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    match place(&found, id) {
        Ok(at) => found.get(at).map_or(shape, |(_, first)| first.clone()),
        Err(at) => {
            found.insert(at, (id, shape.clone()));
            shape
        }
    }
}

fn place(found: &Found, id: TypeId) -> Result<usize, usize> {
    found.binary_search_by_key(&id, |(known, _)| *known)
}
