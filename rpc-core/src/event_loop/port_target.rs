//! A port whose messages are fired at handlers.

use std::{
    cell::{Cell, RefCell},
    fmt,
    marker::PhantomData,
    rc::Rc,
};

use serde::Serialize;

use super::{
    EventLoop, ListenerId, Remote,
    listeners::{Listeners, MessageListeners},
    runner::{Target, TargetKey, WeakEventLoop},
};
use crate::{
    ClosedBy, DataCloneError, Message, MessagePort,
    message::{MessageErrorEvent, MessageEvent, Payload},
    port::Announce,
    sync::Arc,
};

impl EventLoop {
    /// Fires what comes to a port at the port's handlers in this loop (EVT-10), each message read as a `T`; [`Message`] for the
    /// bytes.
    ///
    /// Nothing is delivered before the port is started, which the first handler that is [assigned](PortTarget::set_onmessage)
    /// does (PORT-36).
    pub fn attach<T: Payload + 'static>(&self, port: MessagePort) -> PortTarget<T> {
        let inner = Rc::new(Inner {
            port: RefCell::new(Some(port)),
            place: Cell::new(None),
            listeners: MessageListeners::default(),
            closed: Listeners::default(),
            is_closed_told: Cell::new(false),
        });
        let key = self.add(inner.clone());
        inner.place.set(Some((self.downgrade(), key)));
        let target = PortTarget(inner);
        let announcer = Announcer::<T> { remote: self.remote().clone(), key, payload: PhantomData };
        target.with_port(|port| port.set_announce(Arc::new(announcer)));
        if self.is_closed() {
            target.0.released();
        }
        target
    }
}

/// A port in an event loop: the standard's `MessagePort` with its handlers. Made by [`EventLoop::attach`].
///
/// The value is a handle: clones are the same port, so that a handler can hold one. The port stays attached as long as there
/// is a handle, or a listener for messages and something that may still come (GC-01); then it is dropped, which closes it.
pub struct PortTarget<T: Payload + 'static>(Rc<Inner<T>>);

struct Inner<T> {
    /// `None` once it was taken out again, or the loop has ended. There are no listeners then either.
    port: RefCell<Option<MessagePort>>,
    place: Cell<Option<(WeakEventLoop, TargetKey)>>,
    listeners: MessageListeners<T>,
    closed: Listeners<ClosedBy>,
    is_closed_told: Cell<bool>,
}

impl<T: Payload + 'static> PortTarget<T> {
    /// Assigns the handler for messages, and starts the port (PORT-36). It replaces the one before.
    pub fn set_onmessage(&self, handler: impl FnMut(&mut MessageEvent<T>) + 'static) {
        self.0.listeners.set_onmessage(Some(handler));
        self.start();
    }

    /// Takes the handler for messages away. The port stays started (PORT-03): what comes now is told to nobody.
    pub fn clear_onmessage(&self) {
        self.0.listeners.set_onmessage(None::<fn(&mut MessageEvent<T>)>);
        self.start();
    }

    /// Assigns the handler for messages that cannot be read. It does not start the port (PORT-36).
    pub fn set_onmessageerror(&self, handler: impl FnMut(&mut MessageErrorEvent) + 'static) {
        self.0.listeners.set_onmessageerror(Some(handler));
    }

    /// Assigns the handler that is told when the other end has gone, after everything that it posted (CLOSE-01, CLOSE-07). It does
    /// not start the port (CLOSE-08), and is never told of this end's own close (CLOSE-02).
    pub fn set_onclose(&self, mut handler: impl FnMut(ClosedBy) + 'static) {
        if self.is_attached() {
            self.0.closed.assign(Some(move |by: &mut ClosedBy| handler(*by)));
        }
    }

    /// Adds a listener for messages. It does not start the port (PORT-36).
    pub fn add_listener(&self, listener: impl FnMut(&mut MessageEvent<T>) + 'static) -> ListenerId {
        self.0.listeners.add(listener)
    }

    /// Removes a listener.
    pub fn remove_listener(&self, id: ListenerId) {
        self.0.listeners.remove(id);
    }

    /// As [`MessagePort::start`].
    pub fn start(&self) {
        self.with_port(MessagePort::start);
    }

    /// As [`MessagePort::close`]. What waits is still delivered if the port was started (PORT-43).
    pub fn close(&self) {
        self.with_port(MessagePort::close);
    }

    /// Whether the channel is closed, or the port was [detached](Self::detach).
    pub fn is_closed(&self) -> bool {
        self.with_port(MessagePort::is_closed).unwrap_or(true)
    }

    /// As [`MessagePort::post_message`]. A port that was [detached](Self::detach) has no destination.
    ///
    /// # Errors
    /// As there.
    pub fn post_message(&self, message: impl Into<Message>) -> Result<(), DataCloneError> {
        self.with_port(|port| port.post_message(message)).unwrap_or(Ok(()))
    }

    /// As [`MessagePort::post_value`]. A port that was [detached](Self::detach) has no destination.
    ///
    /// # Errors
    /// As there.
    pub fn post_value<V: Serialize>(&self, value: V) -> Result<(), DataCloneError<V>> {
        self.with_port(|port| port.post_value(value)).unwrap_or(Ok(()))
    }

    /// Takes the port out, to transfer it: also inside one of its own handlers. What has not been delivered goes with it
    /// (PORT-53); its listeners do not (PORT-61). `None` if it was taken out before.
    pub fn detach(&self) -> Option<MessagePort> {
        let port = self.0.port.take()?;
        port.remove_delivery();
        self.0.release();
        Some(port)
    }

    /// Whether anything can still be fired. What cannot be fired keeps no listener, which might hold this port.
    fn is_attached(&self) -> bool {
        self.0.port.borrow().is_some()
    }

    fn with_port<R>(&self, act: impl FnOnce(&MessagePort) -> R) -> Option<R> {
        self.0.port.borrow().as_ref().map(act)
    }
}

impl<T: Payload + 'static> Inner<T> {
    /// Takes one thing out of the port, and fires it.
    fn deliver(&self) {
        let (parcel, closed_by, is_finished) = {
            let port = self.port.borrow();
            let Some(port) = &*port else { return };
            let parcel = port.try_take();
            let closed_by = if parcel.is_none() { port.closed_by() } else { None };
            (parcel.and_then(|parcel| port.unpack(parcel)), closed_by, port.is_finished())
        };
        if let Some(message) = parcel {
            self.listeners.fire(MessageEvent::read(message, String::new(), None));
        }
        if let Some(closed_by) = closed_by
            && !self.is_closed_told.replace(true)
            && closed_by != ClosedBy::ThisEnd
        {
            self.closed.fire(&mut closed_by.clone());
        }
        if is_finished && self.is_closed_told.get() {
            self.release();
        }
    }

    /// Lets the port go if nobody but the loop and that many others have it, and nobody listens.
    fn release_if_unused(self: Rc<Self>, others: usize) {
        if Rc::strong_count(&self) <= 1 + others && self.listeners.is_empty() {
            self.released();
        }
    }

    /// Nothing will be fired any more: lets go of the listeners, which may hold this target, and of the loop.
    fn release(&self) {
        self.listeners.end();
        self.closed.clear();
        if let Some((event_loop, key)) = self.place.take() {
            event_loop.remove(key);
        }
    }
}

impl<T: Payload + 'static> Target for Inner<T> {
    fn released(&self) {
        let port = self.port.take();
        drop(port);
        self.release();
    }
}

impl<T: Payload + 'static> Clone for PortTarget<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Payload + 'static> Drop for PortTarget<T> {
    fn drop(&mut self) {
        // This handle, and the one that asks.
        self.0.clone().release_if_unused(2);
    }
}

impl<T: Payload + 'static> fmt::Debug for PortTarget<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortTarget").field("is_closed", &self.is_closed()).finish_non_exhaustive()
    }
}

/// Queues a task for each thing that there is to take.
struct Announcer<T> {
    remote: Remote,
    key: TargetKey,
    payload: PhantomData<fn() -> T>,
}

impl<T: Payload + 'static> Announce for Announcer<T> {
    fn announce(&self) {
        let key = self.key;
        self.remote.queue(Box::new(move |event_loop| {
            if let Some(target) = event_loop.target::<Inner<T>>(key) {
                target.deliver();
                target.release_if_unused(1);
            }
        }));
    }
}
