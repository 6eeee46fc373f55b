//! Microtasks: what is to be looked at again when everything that is ready now has had its turn.

use std::{cell::RefCell, mem, rc::Weak};

use js_sys::Promise;
use wasm_bindgen::{JsValue, closure::Closure};

use super::{bridge::Bridge, context::Entered};

thread_local! {
    static TURNS: Turns = Turns {
        resolved: Promise::resolve(&JsValue::UNDEFINED),
        next: Closure::new(|_| next()),
        waiting: RefCell::default(),
    };
}

/// The turns of this context. Jobs of a promise, for the microtasks that a browser makes of functions cost several times as much.
struct Turns {
    resolved: Promise,
    /// There for as long as the context is, so that no bridge that has ended is called.
    next: Closure<dyn FnMut(JsValue)>,
    waiting: RefCell<Vec<Weak<Bridge>>>,
}

/// Has a bridge look again in the next microtask.
pub(super) fn look_again(bridge: Weak<Bridge>) {
    TURNS.with(|turns| {
        let is_first = turns.waiting.borrow().is_empty();
        turns.waiting.borrow_mut().push(bridge);
        if is_first {
            let _ended = turns.resolved.then(&turns.next);
        }
    });
}

fn next() {
    let _entered = Entered::new();
    let waiting = TURNS.with(|turns| mem::take(&mut *turns.waiting.borrow_mut()));
    waiting.iter().filter_map(Weak::upgrade).for_each(|bridge| bridge.look_again());
}
