//! Who takes new futures for a context.

use std::{cell::RefCell, rc::Rc};

use futures::future::LocalBoxFuture;

use super::{
    CURRENT, Entered,
    woken::{Place, Woken},
};

/// Takes futures for a context, and knows those of it that were woken.
#[derive(Clone, Default)]
pub(crate) struct Spawner(Rc<Spawned>);

#[derive(Default)]
struct Spawned {
    places: RefCell<Places>,
    woken: Woken,
}

/// Which places are taken.
#[derive(Default)]
struct Places {
    /// Those that were not polled yet.
    new: Vec<New>,
    free: Vec<Place>,
    /// How many there are beside the main one's, taken or not.
    all: usize,
}

/// A future that was spawned.
pub(super) struct New {
    pub(super) place: Place,
    pub(super) future: LocalBoxFuture<'static, ()>,
}

/// The place of the main future.
pub(super) const MAIN: Place = 0;

impl Spawner {
    /// Takes a future, to be polled after all that were woken before, and all others that whoever spawns it wakes in the same
    /// poll.
    pub(super) fn spawn(&self, future: LocalBoxFuture<'static, ()>) {
        let mut places = self.0.places.borrow_mut();
        let place = places.free.pop().unwrap_or_else(|| {
            places.all += 1;
            MAIN + places.all
        });
        places.new.push(New { place, future });
        drop(places);
        self.0.woken.note_spawned(place);
        self.0.woken.wake_context();
    }

    /// Makes this thread the context as long as the guard lives.
    pub(crate) fn enter(&self) -> Entered {
        Entered(CURRENT.replace(Some(self.clone())))
    }

    /// Takes the new ones over into an empty place, whose room is for the next.
    pub(super) fn take_new(&self, to: &mut Vec<New>) {
        std::mem::swap(&mut self.0.places.borrow_mut().new, to);
    }

    /// The place is another's from now on.
    pub(super) fn leave(&self, place: Place) {
        self.0.places.borrow_mut().free.push(place);
    }

    /// Whether there are any beside the main one.
    #[cfg(any(feature = "worker-thread", all(feature = "wasm-worker", target_family = "wasm", target_os = "unknown")))]
    pub(super) fn has_any(&self) -> bool {
        let places = self.0.places.borrow();
        places.all > places.free.len()
    }

    pub(super) fn woken(&self) -> &Woken {
        &self.0.woken
    }
}
