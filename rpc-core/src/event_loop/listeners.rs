//! Who is told of an event.

use std::{
    cell::{Cell, RefCell},
    fmt,
    rc::Rc,
};

use crate::message::{MessageErrorEvent, MessageEvent};

/// Names a listener, to remove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenerId(u64);

/// The place of the one handler that is assigned, not added.
const HANDLER: ListenerId = ListenerId(0);

type Listener<E> = Rc<RefCell<dyn FnMut(&mut E)>>;

/// The listeners of one kind of event at one target, in the order in which they were added. The handler that is assigned has
/// the place of its first assignment.
pub(crate) struct Listeners<E> {
    list: RefCell<Vec<(ListenerId, Option<Listener<E>>)>>,
    last: Cell<u64>,
}

impl<E> Default for Listeners<E> {
    fn default() -> Self {
        Self { list: RefCell::default(), last: Cell::new(0) }
    }
}

impl<E: 'static> Listeners<E> {
    /// Assigns the handler, or takes it away. It keeps its place.
    pub(crate) fn assign(&self, handler: Option<impl FnMut(&mut E) + 'static>) {
        let handler = handler.map(|handler| Rc::new(RefCell::new(handler)) as Listener<E>);
        let mut list = self.list.borrow_mut();
        let former = match list.iter_mut().find(|(id, _)| *id == HANDLER) {
            Some((_, place)) => std::mem::replace(place, handler),
            None => {
                list.push((HANDLER, handler));
                None
            }
        };
        drop(list);
        drop(former);
    }

    /// Adds a listener.
    pub(crate) fn add(&self, listener: impl FnMut(&mut E) + 'static) -> ListenerId {
        self.last.set(self.last.get() + 1);
        let id = ListenerId(self.last.get());
        self.list.borrow_mut().push((id, Some(Rc::new(RefCell::new(listener)))));
        id
    }

    /// Removes a listener. One that is not there is ignored.
    pub(crate) fn remove(&self, id: ListenerId) {
        let mut list = self.list.borrow_mut();
        let removed = list.iter().position(|(other, _)| *other == id).map(|at| list.remove(at));
        drop(list);
        drop(removed);
    }

    /// Tells everyone who listens now and still does when its turn comes.
    pub(crate) fn fire(&self, event: &mut E) {
        let ids: Vec<_> = self.list.borrow().iter().map(|(id, _)| *id).collect();
        for id in ids {
            if let Some(listener) = self.get(id) {
                (listener.borrow_mut())(event);
            }
        }
    }

    /// Whether nobody listens.
    pub(crate) fn is_empty(&self) -> bool {
        self.list.borrow().iter().all(|(_, listener)| listener.is_none())
    }

    /// Lets all of them go.
    pub(crate) fn clear(&self) {
        let list = self.list.take();
        drop(list);
    }

    fn get(&self, id: ListenerId) -> Option<Listener<E>> {
        self.list.borrow().iter().find(|(other, _)| *other == id)?.1.clone()
    }
}

impl<E> fmt::Debug for Listeners<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listeners").field("count", &self.list.borrow().len()).finish()
    }
}

/// The listeners of something that messages are fired at.
pub(crate) struct MessageListeners<T> {
    message: Listeners<MessageEvent<T>>,
    error: Listeners<MessageErrorEvent>,
    is_over: Cell<bool>,
}

impl<T> Default for MessageListeners<T> {
    fn default() -> Self {
        Self { message: Listeners::default(), error: Listeners::default(), is_over: Cell::new(false) }
    }
}

impl<T: 'static> MessageListeners<T> {
    /// Assigns the handler for messages, or takes it away.
    pub(crate) fn set_onmessage(&self, handler: Option<impl FnMut(&mut MessageEvent<T>) + 'static>) {
        self.message.assign(handler);
        self.clear_if_over();
    }

    /// Assigns the handler for messages that cannot be read, or takes it away.
    pub(crate) fn set_onmessageerror(&self, handler: Option<impl FnMut(&mut MessageErrorEvent) + 'static>) {
        self.error.assign(handler);
        self.clear_if_over();
    }

    /// Adds a listener for messages.
    pub(crate) fn add(&self, listener: impl FnMut(&mut MessageEvent<T>) + 'static) -> ListenerId {
        let id = self.message.add(listener);
        self.clear_if_over();
        id
    }

    /// Removes a listener for messages. One that is not there is ignored.
    pub(crate) fn remove(&self, id: ListenerId) {
        self.message.remove(id);
    }

    /// Tells of a message, or of one that could not be read (PORT-27).
    pub(crate) fn fire(&self, event: Result<MessageEvent<T>, MessageErrorEvent>) {
        match event {
            Ok(mut event) => self.message.fire(&mut event),
            Err(mut event) => self.error.fire(&mut event),
        }
    }

    /// Whether nobody listens.
    pub(crate) fn is_empty(&self) -> bool {
        self.message.is_empty() && self.error.is_empty()
    }

    /// Lets all of them go.
    pub(crate) fn clear(&self) {
        self.message.clear();
        self.error.clear();
    }

    /// Nothing will be fired any more: lets all of them go, now and from now on. One that was kept might hold what it listens to.
    pub(crate) fn end(&self) {
        self.is_over.set(true);
        self.clear();
    }

    fn clear_if_over(&self) {
        if self.is_over.get() {
            self.clear();
        }
    }
}
