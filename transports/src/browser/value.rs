//! A value of JavaScript's on its way.
//!
//! Such values never leave their thread, and what travels through ports may; so they lie in a table of the thread, and what travels
//! is their number.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use handover_core::message::Foreign;
use js_sys::{ArrayBuffer, Object};
use rustc_hash::FxHashMap;
use wasm_bindgen::{JsCast, JsValue};

use super::js;

thread_local! {
    /// What is on its way through this context.
    static VALUES: RefCell<FxHashMap<u64, JsValue>> = RefCell::default();
}

/// How a value gets to another context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Cloned,
    Transferred,
}

/// One value.
#[derive(Debug)]
pub(super) struct Value {
    number: u64,
    way: Way,
    /// Whether nobody else can have it or change it: then nothing keeps the browser from posting it.
    is_ours: AtomicBool,
}

impl Value {
    pub(super) fn new(value: JsValue, way: Way) -> Arc<Self> {
        Arc::new(Self { number: keep(value), way, is_ours: AtomicBool::new(false) })
    }

    /// One that has come from elsewhere. What it is, and how it would be sent on, is for its reader to say. A buffer that came once is
    /// nobody's but the reader's, and moves on as it is.
    pub(super) fn arrived(value: JsValue, is_once: bool) -> Foreign {
        let is_ours = is_once && value.is_instance_of::<ArrayBuffer>();
        let way = if is_ours { Way::Transferred } else { Way::Cloned };
        Foreign::new(Arc::new(Self { number: keep(value), way, is_ours: AtomicBool::new(is_ours) }))
    }

    /// The same value, to be sent on that way.
    pub(super) fn read(&self, way: Way) -> Arc<Self> {
        let is_ours = AtomicBool::new(way == self.way && self.is_ours.load(Ordering::Relaxed));
        Arc::new(Self { number: keep(self.take().0), way, is_ours })
    }

    /// Sees to it that the browser will post it: by taking what it would take then, a clone or the transfer itself, already now, within
    /// this context. What is refused later would be lost with all that is in the same packet.
    pub(super) fn make_ours(&self) -> Result<(), String> {
        if self.is_ours.load(Ordering::Relaxed) {
            return Ok(());
        }
        let ours =
            taken(&self.peek().ok_or("a value of JavaScript's is sent by another thread than its own")?, self.way);
        let ours = ours.map_err(|error| format!("the browser refuses it: {}", js::words(&error)))?;
        let former = VALUES.with_borrow_mut(|values| values.insert(self.number, ours));
        drop(former);
        self.is_ours.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Whether it is of this type.
    pub(super) fn is_a<T: JsCast>(&self) -> bool {
        self.peek().is_some_and(|value| value.has_type::<T>())
    }

    fn peek(&self) -> Option<JsValue> {
        VALUES.with_borrow(|values| values.get(&self.number).cloned())
    }

    /// Takes it out, and tells whether it is to be transferred. On another thread, and again, there is nothing.
    pub(super) fn take(&self) -> (JsValue, bool) {
        let value = VALUES.with_borrow_mut(|values| values.remove(&self.number));
        (value.unwrap_or_default(), self.way == Way::Transferred)
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        let left = VALUES.try_with(|values| values.try_borrow_mut().ok()?.remove(&self.number));
        drop(left);
    }
}

fn keep(value: JsValue) -> u64 {
    /// One for all threads, so that none of them takes another's value for its own.
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    VALUES.with_borrow_mut(|values| values.insert(number, value));
    number
}

/// What the browser makes of a value that is sent.
fn taken(value: &JsValue, way: Way) -> Result<JsValue, JsValue> {
    match way {
        Way::Cloned => js::structured_clone(value, &Object::new()),
        Way::Transferred => js::transferred(value),
    }
}
