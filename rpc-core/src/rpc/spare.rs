//! Cells of calls that went as bytes and are over, kept for the next calls: a few in each thread.

use std::{
    any::{Any, TypeId},
    cell::RefCell,
};

use crate::sync::Arc;

/// How many cells a thread keeps.
const MOST: usize = 64;

/// Among so many is looked for one of the right type, the last first: of calls inside calls, the inner one's lies on top.
const LOOKED_AT: usize = 4;

/// What is larger is not worth keeping, in bytes.
pub(super) const LARGEST: usize = 512;

thread_local! {
    static SPARE: RefCell<Vec<(TypeId, Arc<dyn Any + Send + Sync>)>> = const { RefCell::new(Vec::new()) };
}

/// A cell of this type, if there is one.
pub(super) fn take(kind: TypeId) -> Option<Arc<dyn Any + Send + Sync>> {
    // A thread that ends may have none any more.
    let found = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if spare.last()?.0 == kind {
            return spare.pop();
        }
        let below = spare.len().saturating_sub(LOOKED_AT);
        let index = (below..spare.len()).rev().find(|index| spare[*index].0 == kind)?;
        Some(spare.swap_remove(index))
    });
    found.ok().flatten().map(|(_, kept)| kept)
}

/// Keeps a cell that has nothing of anybody's in it. Where there are too many, older ones are dropped.
pub(super) fn give(kind: TypeId, cell: Arc<dyn Any + Send + Sync>) {
    // loom's locks belong to one of its runs.
    if cfg!(loom) {
        return;
    }
    let _kept = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if spare.len() == MOST {
            // The older half: of calls, perhaps, that nobody makes any more. Nothing of anybody's is dropped with them.
            spare.drain(..MOST / 2);
        }
        spare.push((kind, cell));
    });
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_gives_back_what_it_kept_by_its_type_and_keeps_no_more_than_a_few() {
        let give_byte = || give(TypeId::of::<u8>(), Arc::new(1_u8));
        let take_byte = || take(TypeId::of::<u8>())?.downcast::<u8>().ok();
        let give_text = |text: &'static str| give(TypeId::of::<&str>(), Arc::new(text));
        let take_text = || take(TypeId::of::<&str>())?.downcast::<&str>().ok();
        give_byte();
        give_text("two");

        assert_eq!(take_byte().as_deref(), Some(&1));
        assert_eq!(take_byte(), None);
        assert_eq!(take_text().as_deref(), Some(&"two"));

        (0..2 * MOST).for_each(|_| give_byte());
        give_text("another");
        assert_eq!(take_text().as_deref(), Some(&"another"), "there is room for what is new");
        assert!(std::iter::from_fn(take_byte).count() <= MOST);
    }
}
