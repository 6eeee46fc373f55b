//! The window, in its event loop.

use std::{
    cell::{Cell, RefCell},
    fmt,
    rc::Rc,
};

use super::{WindowProxy, proxy::Posted};
use crate::{
    Origin,
    event_loop::{EventLoop, ListenerId, MessageListeners, Remote, Target, TargetKey, WeakEventLoop},
    message::{MessageErrorEvent, MessageEvent, Payload, Source},
};

/// A window in an event loop, whose messages are read as a `T`; [`Message`](crate::Message) for the bytes.
///
/// The value is a handle: clones are the same window, so that a handler can hold one. Others post to it by its
/// [proxy](Self::proxy), from any thread. The window stays open as long as there is a handle or somebody listens, until it is
/// [closed](Self::close) or its loop ends. What is posted to a closed window is dropped, and its sender never learns.
///
/// # Examples
/// ```
/// use handover_core::{TargetOrigin, Window, event_loop::EventLoop, message::Source};
///
/// let event_loop = EventLoop::new();
/// let shop = Window::<String>::new(&event_loop, "https://shop.example".parse()?);
/// let bank = Window::<String>::new(&event_loop, "https://bank.example".parse()?);
///
/// let here = bank.clone();
/// bank.set_onmessage(move |event| {
///     // WIN-12: first who it is, then what they say.
///     if event.origin != "https://shop.example" {
///         return;
///     }
///     if let Some(Source::Window(sender)) = &event.source {
///         let reply = format!("{}: paid", event.data);
///         sender.post_value(&here, reply, event.origin.parse().unwrap()).unwrap();
///     }
/// });
/// shop.set_onmessage(|event| assert_eq!(event.data, "3 apples: paid"));
///
/// let to_the_bank: TargetOrigin = "https://bank.example/pay?today".parse()?;
/// bank.proxy().post_value(&shop, "3 apples".to_owned(), to_the_bank)?;
/// assert_eq!(event_loop.run_until_idle(), 2, "there and back");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Window<T: Payload + 'static>(Rc<Inner<T>>);

struct Inner<T> {
    event_loop: WeakEventLoop,
    remote: Remote,
    key: Cell<TargetKey>,
    is_closed: Cell<bool>,
    origin: RefCell<Origin>,
    /// The document that the window holds.
    document: Cell<DocumentId>,
    /// The document that an event is being fired in.
    firing: Rc<Cell<DocumentId>>,
    listeners: MessageListeners<T>,
}

/// Counts the documents of one window.
type DocumentId = u64;

impl<T: Payload + 'static> Window<T> {
    /// Opens a window that holds a document of this origin. In a loop that has ended it is closed from the start.
    pub fn new(event_loop: &EventLoop, origin: Origin) -> Self {
        let inner = Rc::new(Inner {
            event_loop: event_loop.downgrade(),
            remote: event_loop.remote().clone(),
            key: Cell::default(),
            is_closed: Cell::default(),
            origin: RefCell::new(origin),
            document: Cell::default(),
            firing: Rc::default(),
            listeners: MessageListeners::default(),
        });
        inner.key.set(event_loop.add(inner.clone()));
        if event_loop.is_closed() {
            inner.close();
        }
        Self(inner)
    }

    /// The origin of the document that the window holds.
    pub fn origin(&self) -> Origin {
        self.0.origin.borrow().clone()
    }

    /// Puts another document into the window. The listeners of the former one are gone (WIN-11), and what arrives from now on
    /// must be meant for the new origin (WIN-05): also what was posted before, for a message goes to the window, whatever it
    /// holds by then.
    pub fn navigate(&self, origin: Origin) {
        let former = self.0.origin.replace(origin);
        drop(former);
        self.0.document.set(self.0.document.get() + 1);
        self.0.listeners.clear();
    }

    /// Assigns the handler for messages. It replaces the one before. There is nothing to start: a window takes messages from
    /// when it is opened.
    pub fn set_onmessage(&self, handler: impl FnMut(&mut MessageEvent<T>) + 'static) {
        self.0.listeners.set_onmessage(Some(self.of_this_document(handler)));
    }

    /// Takes the handler for messages away.
    pub fn clear_onmessage(&self) {
        self.0.listeners.set_onmessage(None::<fn(&mut MessageEvent<T>)>);
    }

    /// Assigns the handler for messages that cannot be read (WIN-08).
    pub fn set_onmessageerror(&self, handler: impl FnMut(&mut MessageErrorEvent) + 'static) {
        self.0.listeners.set_onmessageerror(Some(self.of_this_document(handler)));
    }

    /// Takes the handler for messages that cannot be read away.
    pub fn clear_onmessageerror(&self) {
        self.0.listeners.set_onmessageerror(None::<fn(&mut MessageErrorEvent)>);
    }

    /// Adds a listener for messages.
    pub fn add_listener(&self, listener: impl FnMut(&mut MessageEvent<T>) + 'static) -> ListenerId {
        self.0.listeners.add(self.of_this_document(listener))
    }

    /// Removes a listener. One that is not there is ignored.
    pub fn remove_listener(&self, id: ListenerId) {
        self.0.listeners.remove(id);
    }

    /// What others post to this window with.
    pub fn proxy(&self) -> WindowProxy {
        WindowProxy::new(self.0.remote.clone(), self.0.key.get(), deliver::<T>)
    }

    /// Closes the window: it receives nothing more, also not what waits, and what it listened with is let go. Again is nothing.
    pub fn close(&self) {
        self.0.close();
    }

    /// Whether the window was closed, or its loop has ended.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed.get()
    }

    /// Holds a listener to the document that it was added in: one that is added while an event is fired in the document before
    /// has nothing to do with that event.
    fn of_this_document<E, F>(&self, mut listener: F) -> impl FnMut(&mut E) + 'static + use<T, E, F>
    where
        F: FnMut(&mut E) + 'static,
    {
        let (document, firing) = (self.0.document.get(), self.0.firing.clone());
        move |event| {
            if firing.get() == document {
                listener(event);
            }
        }
    }
}

/// The task that a message to a window is.
fn deliver<T: Payload + 'static>(event_loop: &EventLoop, key: TargetKey, posted: Posted) {
    if let Some(window) = event_loop.target::<Inner<T>>(key) {
        window.deliver(posted);
        // The one that asks.
        window.close_if_unused(1);
    }
}

impl<T: Payload + 'static> Inner<T> {
    /// The second half of the [window post message
    /// steps](https://html.spec.whatwg.org/multipage/web-messaging.html#window-post-message-steps).
    fn deliver(&self, posted: Posted) {
        // WIN-05: the origin that counts is that of now.
        if !posted.is_meant_for(&self.origin.borrow()) {
            tracing::debug!("a message was dropped, because it was meant for a window of another origin");
            return;
        }
        self.firing.set(self.document.get());
        let Posted { message, origin, source, .. } = posted;
        message.transfer_receiving_steps();
        let source = Some(Source::Window(source));
        self.listeners.fire(MessageEvent::read(message, origin.to_string(), source));
    }

    /// Closes the window if nobody but the loop and that many others have it, and nobody listens.
    fn close_if_unused(self: &Rc<Self>, others: usize) {
        if Rc::strong_count(self) <= 1 + others && self.listeners.is_empty() {
            self.close();
        }
    }

    fn close(&self) {
        self.is_closed.set(true);
        self.listeners.end();
        self.event_loop.remove(self.key.get());
    }
}

impl<T: Payload + 'static> Target for Inner<T> {
    fn released(&self) {
        self.close();
    }
}

impl<T: Payload + 'static> Clone for Window<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Payload + 'static> Drop for Window<T> {
    fn drop(&mut self) {
        // This handle.
        self.0.close_if_unused(1);
    }
}

impl<T: Payload + 'static> fmt::Debug for Window<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Window")
            .field("origin", &*self.0.origin.borrow())
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
