//! Things that note themselves as long as they live.

use std::{cell::RefCell, collections::BTreeMap, fmt, panic::Location};

use super::What;
use crate::sync::{Arc, Mutex};

/// One thing that is alive. Dropped, it is noted no longer, on whatever thread that is.
#[derive(Debug)]
pub(crate) struct Alive(Option<(Arc<Register>, u64)>);

impl Alive {
    #[track_caller]
    pub(crate) fn new(what: What) -> Self {
        let made_at = Location::caller();
        let register = CURRENT.try_with(|current| current.borrow().clone()).ok().flatten();
        Self(register.map(|register| {
            let key = register.enter(Thing { what, made_at });
            (register, key)
        }))
    }

    /// Of what is not in use.
    pub(crate) fn none() -> Self {
        Self(None)
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        if let Some((register, key)) = &self.0 {
            register.leave(*key);
        }
    }
}

/// What was made on one thread since a check began, and is alive.
#[derive(Debug, Default)]
pub(super) struct Register {
    things: Mutex<(u64, BTreeMap<u64, Thing>)>,
}

/// What a register knows of a thing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thing {
    what: What,
    made_at: &'static Location<'static>,
}

impl Register {
    fn enter(&self, thing: Thing) -> u64 {
        let (last_key, things) = &mut *self.things.lock();
        *last_key += 1;
        things.insert(*last_key, thing);
        *last_key
    }

    fn leave(&self, key: u64) {
        self.things.lock().1.remove(&key);
    }

    /// Everything that is alive, the oldest first.
    pub(super) fn alive(&self) -> Vec<Thing> {
        self.things.lock().1.values().copied().collect()
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            What::Channel => write!(f, "a channel, made at {}", self.made_at),
            What::Port => f.write_str("a port"),
            What::Call(method) => write!(f, "a call of `{method}`"),
            What::OnewayCall(method) => write!(f, "a one-way call of `{method}`"),
            What::Handler(method) => write!(f, "a handler of `{method}`"),
        }
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<Register>>> = const { RefCell::new(None) };
}

/// Makes what is made on this thread from now on note itself there, or nowhere; tells where it did before.
pub(super) fn replace(register: Option<Arc<Register>>) -> Option<Arc<Register>> {
    CURRENT.replace(register)
}
