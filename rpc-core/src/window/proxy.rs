//! The way to a window, from anywhere.

use std::fmt;

use serde::Serialize;

use super::Window;
use crate::{
    DataCloneError, Message, Origin, TargetOrigin,
    event_loop::{EventLoop, Remote, TargetKey},
    message::{Encoder, Payload, unserializable},
    port::DataCloneReason,
};

/// Posts to a window, from any thread: the standard's
/// [`WindowProxy`](https://html.spec.whatwg.org/multipage/nav-history-apis.html#the-windowproxy-exotic-object), as far as strangers
/// may use it.
///
/// It stands for the window, whatever document that holds. Two proxies are equal if they lead to the same window. A proxy does
/// not keep the window open.
#[derive(Clone)]
pub struct WindowProxy {
    remote: Remote,
    key: TargetKey,
    deliver: Deliver,
}

/// What the task of a message does. It knows what the window's messages are read as.
pub(super) type Deliver = fn(&EventLoop, TargetKey, Posted);

/// A message on its way to a window.
pub(super) struct Posted {
    pub(super) message: Message,
    /// The sender's origin when it posted.
    pub(super) origin: Origin,
    pub(super) source: WindowProxy,
    /// The origin that the receiver must have; any if there is none.
    receiver: Option<Origin>,
}

impl WindowProxy {
    pub(super) fn new(remote: Remote, key: TargetKey, deliver: Deliver) -> Self {
        Self { remote, key, deliver }
    }

    /// [Posts](https://html.spec.whatwg.org/multipage/web-messaging.html#dom-window-postmessage) a message to the window, with
    /// the ports in it (WIN-01), if the window's origin is `target` when the message arrives there (WIN-05). `from` is the window that
    /// posts: its origin and its proxy go along (WIN-09).
    ///
    /// The message is in the queue of the window's loop when this returns (LOOP-03), behind what was posted to that window before
    /// (WIN-10). A message that is refused, or that finds the window closed, is dropped there with its ports (PORT-59); the
    /// sender never learns.
    ///
    /// # Errors
    /// [`DataCloneError`] if a port in the message has been closed (PORT-44, PORT-58). Everything comes back inside (PORT-31).
    pub fn post_message(
        &self,
        from: &Window<impl Payload + 'static>,
        message: impl Into<Message>,
        target: TargetOrigin,
    ) -> Result<(), DataCloneError> {
        let mut message = message.into();
        if let Some(position) = message.ports().iter().position(|port| !port.is_transferable()) {
            return Err(DataCloneError::new(message, DataCloneReason::DetachedPort(position)));
        }
        // WIN-04: from here on the ports are gone from the sender, whatever becomes of the message.
        message.transfer_steps();
        self.post(Posted::new(from, target, message));
        Ok(())
    }

    /// Posts a value as [`post_message`](Self::post_message) does. Ports, clients and [buffers](crate::Buffer) anywhere inside it
    /// are transferred.
    ///
    /// # Errors
    /// [`DataCloneError`] if the value does not serialise, or if a port or a buffer in it was closed or transferred before. The
    /// value comes back inside, and all of it still works (PORT-31).
    pub fn post_value<V: Serialize>(
        &self,
        from: &Window<impl Payload + 'static>,
        value: V,
        target: TargetOrigin,
    ) -> Result<(), DataCloneError<V>> {
        // The sender is who it is now: what serialises the value may do anything.
        let mut posted = Posted::new(from, target, Message::default());
        let mut encoder = Encoder::default();
        if let Err(error) = encoder.put(&value) {
            let reason = unserializable(&value, error.to_string());
            return Err(DataCloneError::new(value, reason));
        }
        posted.message = encoder.finish();
        // What is left of the value is detached; it goes before anything is delivered.
        drop(value);
        self.post(posted);
        Ok(())
    }

    fn post(&self, posted: Posted) {
        let (key, deliver) = (self.key, self.deliver);
        self.remote.queue(Box::new(move |event_loop| deliver(event_loop, key, posted)));
    }
}

impl Posted {
    fn new(from: &Window<impl Payload + 'static>, target: TargetOrigin, message: Message) -> Self {
        let origin = from.origin();
        let receiver = match target {
            TargetOrigin::Same => Some(origin.clone()),
            TargetOrigin::Any => None,
            TargetOrigin::Only(receiver) => Some(receiver),
        };
        Self { message, origin, source: from.proxy(), receiver }
    }

    /// Whether a window of this origin may receive it (WIN-05, WIN-06).
    pub(super) fn is_meant_for(&self, origin: &Origin) -> bool {
        self.receiver.as_ref().is_none_or(|receiver| receiver == origin)
    }
}

impl PartialEq for WindowProxy {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.remote.is_same(&other.remote)
    }
}

impl Eq for WindowProxy {}

impl fmt::Debug for WindowProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WindowProxy").field("key", &self.key).finish_non_exhaustive()
    }
}
