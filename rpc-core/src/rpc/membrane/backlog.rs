//! Opening gates, each after the one that brought its port. Ports may lie in each other's queues deeper than any stack: so those that are
//! found while one is opened wait until it is.

use std::cell::RefCell;

use super::gate::Gate;
use crate::sync::Arc;

thread_local! {
    /// The gates that are to be opened, where somebody opens one.
    static BACKLOG: RefCell<Option<Vec<Arc<Gate>>>> = const { RefCell::new(None) };
}

/// Opens gates, and those that are found while they are opened: now, or once the one is open at which this thread is.
pub(super) fn pass_on(gates: impl IntoIterator<Item = Arc<Gate>>) {
    let mut gates: Vec<_> = gates.into_iter().collect();
    let is_first = BACKLOG.with_borrow_mut(|backlog| match backlog {
        Some(backlog) => {
            backlog.append(&mut gates);
            false
        }
        None => !gates.is_empty() && backlog.replace(std::mem::take(&mut gates)).is_none(),
    });
    if !is_first {
        return;
    }
    let _last = Last;
    while let Some(gate) = BACKLOG.with_borrow_mut(|backlog| backlog.as_mut()?.pop()) {
        gate.open();
    }
}

/// Ends the backlog, also when something panics: what is left then stays closed, and waits for nobody.
struct Last;

impl Drop for Last {
    fn drop(&mut self) {
        drop(BACKLOG.take());
    }
}
