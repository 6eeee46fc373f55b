//! One page, as a right of its own.

use std::{cell::RefCell, rc::Rc};

use handover::service;

use crate::{
    Note,
    book::{Busy, Leaf},
};

/// One page.
#[service]
pub trait Page {
    /// What stands on it.
    async fn read(&self) -> Note;
    /// Writes a line below the others.
    async fn write(&self, line: String);
    /// Tears it out, and tells what stood on it. There is no other chance to.
    async fn tear_out(self) -> Note;
}

/// A page that somebody has in the hand.
pub(crate) struct Open {
    pub(crate) leaf: Leaf,
    pub(crate) leaves: Rc<RefCell<Vec<Option<Leaf>>>>,
    pub(crate) _open: Busy,
}

impl Page for Open {
    async fn read(&self) -> Note {
        self.leaf.borrow().clone()
    }

    async fn write(&self, line: String) {
        self.leaf.borrow_mut().lines.push(line);
    }

    async fn tear_out(self) -> Note {
        let is_it = |leaf: &&mut Option<Leaf>| leaf.as_ref().is_some_and(|leaf| Rc::ptr_eq(leaf, &self.leaf));
        if let Some(leaf) = self.leaves.borrow_mut().iter_mut().find(is_it) {
            *leaf = None;
        }
        self.leaf.take()
    }
}
