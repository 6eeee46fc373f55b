//! A broadcast channel, in its event loop.

use std::{cell::Cell, fmt, rc::Rc};

use serde::Serialize;

use super::{
    BroadcastError, BroadcastGroup,
    group::{Broadcast, Member, Topic},
};
use crate::{
    Message, Origin,
    event_loop::{EventLoop, ListenerId, MessageListeners, Remote, Target, TargetKey, WeakEventLoop},
    message::{Encoder, MessageErrorEvent, MessageEvent, Payload},
    port::DataCloneReason,
};

/// A [broadcast channel](https://html.spec.whatwg.org/multipage/web-messaging.html#broadcasting-to-other-browsing-contexts) in
/// an event loop, whose messages are read as a `T`; [`Message`] for the bytes.
///
/// The value is a handle: clones are the same channel, so that a handler can hold one. The channel stays open as long as there
/// is a handle or somebody listens, until it is [closed](Self::close) or its loop ends (BC-02, BC-18).
///
/// # Examples
/// ```
/// use handover_core::{BroadcastChannel, BroadcastGroup, Origin, event_loop::EventLoop};
///
/// let (event_loop, group) = (EventLoop::new(), BroadcastGroup::new());
/// let origin: Origin = "https://news.example".parse()?;
/// let newsroom = BroadcastChannel::<String>::new(&event_loop, &group, &origin, "headlines");
/// let reader = BroadcastChannel::<String>::new(&event_loop, &group, &origin, "headlines");
/// reader.set_onmessage(|event| {
///     assert_eq!(event.data, "Rain tomorrow");
///     assert_eq!(event.origin, "https://news.example");
/// });
///
/// newsroom.post_value("Rain tomorrow")?;
///
/// assert_eq!(event_loop.run_until_idle(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct BroadcastChannel<T: Payload + 'static>(Rc<Inner<T>>);

struct Inner<T> {
    event_loop: WeakEventLoop,
    remote: Remote,
    key: Cell<TargetKey>,
    group: BroadcastGroup,
    topic: Topic,
    is_closed: Cell<bool>,
    /// Nothing will be fired any more.
    is_released: Cell<bool>,
    is_delivering: Cell<bool>,
    listeners: MessageListeners<T>,
}

impl<T: Payload + 'static> BroadcastChannel<T> {
    /// Opens a channel of that name in the group, for a context of that origin. What is posted after this call, it receives
    /// (BC-19).
    ///
    /// The name may be any, also empty (BC-01). In a loop that has ended the channel neither sends nor receives (BC-03, BC-17):
    /// the loop that counts is this one, whoever calls (BC-16).
    pub fn new(event_loop: &EventLoop, group: &BroadcastGroup, origin: &Origin, name: impl Into<String>) -> Self {
        let inner = Rc::new(Inner {
            event_loop: event_loop.downgrade(),
            remote: event_loop.remote().clone(),
            key: Cell::default(),
            group: group.clone(),
            topic: Topic { partition: origin.clone(), name: name.into() },
            is_closed: Cell::default(),
            is_released: Cell::default(),
            is_delivering: Cell::default(),
            listeners: MessageListeners::default(),
        });
        inner.key.set(event_loop.add(inner.clone()));
        if event_loop.is_closed() {
            inner.release();
        } else {
            inner.group.join(&inner.topic, inner.member());
        }
        Self(inner)
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.0.topic.name
    }

    /// [Posts](https://html.spec.whatwg.org/multipage/web-messaging.html#dom-broadcastchannel-postmessage) a value to everyone
    /// else who is there now (BC-06). Nothing in it is moved: [buffers](crate::Buffer) are copied (BC-05).
    ///
    /// Once this channel's loop has ended, nothing happens, and nothing is checked (BC-04).
    ///
    /// # Errors
    /// [`BroadcastError::InvalidState`] if the channel was closed; then [`BroadcastError::DataClone`] if the value does not
    /// serialise, or if there is a port in it (BC-04).
    pub fn post_value<V: Serialize + ?Sized>(&self, value: &V) -> Result<(), BroadcastError> {
        self.post(|| encode(value))
    }

    /// Posts bytes, as [`post_value`](Self::post_value) posts a value.
    ///
    /// # Errors
    /// [`BroadcastError::InvalidState`] if the channel was closed.
    pub fn post_message(&self, data: impl Into<Vec<u8>>) -> Result<(), BroadcastError> {
        self.post(|| Ok(Message::new(data)))
    }

    /// The checks in the order that BC-04 gives.
    fn post(&self, message: impl FnOnce() -> Result<Message, BroadcastError>) -> Result<(), BroadcastError> {
        if self.0.remote.is_closed() {
            return Ok(());
        }
        if self.0.is_closed.get() {
            return Err(BroadcastError::InvalidState);
        }
        let broadcast = Broadcast { message: message()?, origin: self.0.topic.partition.to_string() };
        self.0.group.post(&self.0.topic, &self.0.member(), broadcast);
        Ok(())
    }

    /// Assigns the handler for messages. It replaces the one before. There is nothing to start (BC-14).
    pub fn set_onmessage(&self, handler: impl FnMut(&mut MessageEvent<T>) + 'static) {
        self.0.listeners.set_onmessage(Some(handler));
    }

    /// Takes the handler for messages away.
    pub fn clear_onmessage(&self) {
        self.0.listeners.set_onmessage(None::<fn(&mut MessageEvent<T>)>);
    }

    /// Assigns the handler for messages that cannot be read (BC-12).
    pub fn set_onmessageerror(&self, handler: impl FnMut(&mut MessageErrorEvent) + 'static) {
        self.0.listeners.set_onmessageerror(Some(handler));
    }

    /// Takes the handler for messages that cannot be read away.
    pub fn clear_onmessageerror(&self) {
        self.0.listeners.set_onmessageerror(None::<fn(&mut MessageErrorEvent)>);
    }

    /// Adds a listener for messages.
    pub fn add_listener(&self, listener: impl FnMut(&mut MessageEvent<T>) + 'static) -> ListenerId {
        self.0.listeners.add(listener)
    }

    /// Removes a listener. One that is not there is ignored.
    pub fn remove_listener(&self, id: ListenerId) {
        self.0.listeners.remove(id);
    }

    /// [Closes](https://html.spec.whatwg.org/multipage/web-messaging.html#dom-broadcastchannel-close) the channel. Again is
    /// nothing (BC-13).
    ///
    /// It receives nothing more, also not what waits; what it has posted still arrives (BC-11).
    pub fn close(&self) {
        self.0.is_closed.set(true);
        self.0.release_if_closed();
    }
}

fn encode<V: Serialize + ?Sized>(value: &V) -> Result<Message, BroadcastError> {
    let mut encoder = Encoder::copying();
    encoder.put(value).map_err(|error| {
        BroadcastError::DataClone(DataCloneReason::Unserializable {
            type_name: std::any::type_name::<V>(),
            path: Encoder::path_of_failed_copy(value),
            why: error.to_string(),
        })
    })?;
    Ok(encoder.finish())
}

/// The task that a message to a channel is.
fn deliver<T: Payload + 'static>(event_loop: &EventLoop, key: TargetKey, broadcast: &Broadcast) {
    // BC-08: whether it is closed counts now, not when the message was posted. A closed one is not there any more.
    if let Some(channel) = event_loop.target::<Inner<T>>(key) {
        channel.deliver(broadcast);
        // The one that asks.
        channel.release_if_unused(1);
    }
}

impl<T: Payload + 'static> Inner<T> {
    fn member(&self) -> Member {
        Member { remote: self.remote.clone(), key: self.key.get(), deliver: deliver::<T> }
    }

    fn deliver(&self, broadcast: &Broadcast) {
        let _delivering = Delivering::new(self);
        self.listeners.fire(MessageEvent::read(broadcast.copy(), broadcast.origin.clone(), None));
    }

    /// Lets a closed channel go, but not before all its listeners were told of the message that one of them closed it on.
    fn release_if_closed(&self) {
        if self.is_closed.get() && !self.is_delivering.get() {
            self.release();
        }
    }

    /// Lets the channel go if nobody but the loop and that many others have it, and nobody listens.
    fn release_if_unused(self: &Rc<Self>, others: usize) {
        if Rc::strong_count(self) <= 1 + others && self.listeners.is_empty() {
            self.release();
        }
    }

    fn release(&self) {
        if self.is_released.replace(true) {
            return;
        }
        self.group.leave(&self.topic, &self.member());
        self.listeners.end();
        self.event_loop.remove(self.key.get());
    }
}

impl<T: Payload + 'static> Target for Inner<T> {
    fn released(&self) {
        self.release();
    }
}

/// An event that is being fired at a channel. It ends also by a handler's panic.
struct Delivering<'c, T: Payload + 'static>(&'c Inner<T>);

impl<'c, T: Payload + 'static> Delivering<'c, T> {
    fn new(channel: &'c Inner<T>) -> Self {
        channel.is_delivering.set(true);
        Self(channel)
    }
}

impl<T: Payload + 'static> Drop for Delivering<'_, T> {
    fn drop(&mut self) {
        self.0.is_delivering.set(false);
        self.0.release_if_closed();
    }
}

impl<T: Payload + 'static> Clone for BroadcastChannel<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Payload + 'static> Drop for BroadcastChannel<T> {
    fn drop(&mut self) {
        // This handle.
        self.0.release_if_unused(1);
    }
}

impl<T: Payload + 'static> fmt::Debug for BroadcastChannel<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BroadcastChannel")
            .field("name", &self.name())
            .field("is_closed", &self.0.is_closed.get())
            .finish_non_exhaustive()
    }
}
