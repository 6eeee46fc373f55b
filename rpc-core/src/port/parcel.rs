//! What a queue holds: bytes, or a value that has not been encoded.

use std::{
    any::{Any, TypeId},
    fmt, mem,
    sync::Weak,
};

use super::MessagePort;
use crate::{Message, sync::Arc};

/// One entry of a port's message queue.
#[derive(Debug)]
pub(crate) enum Parcel {
    /// Bytes, with the ports that travel in them.
    Message(Message),
    /// A value that stays what it is as long as it stays in the process.
    Value(Carried),
}

impl Parcel {
    /// It has arrived: the ports of a message are the receiver's. Those in a value never left it.
    #[inline]
    pub(crate) fn received(self) -> Self {
        if let Self::Message(message) = &self {
            message.transfer_receiving_steps();
        }
        self
    }
}

/// A value that travels through a queue without being encoded.
pub(crate) trait Value: Any + Send + Sync {
    /// What the layer above sorts its values by: for a call, the id of its method, and whether it wants an answer.
    fn selector(&self) -> u64;

    /// Whether it is of this kind, which says more than its type where values of several kinds are of one type.
    fn is_for(&self, kind: &TypeId) -> bool;

    /// Turns it into bytes for a reader that does not know its type. Answers will come back by `via`, the port that received it.
    ///
    /// `None` if nothing is left to deliver, or if it could not be encoded; then its sender has been told.
    fn encode(self: Arc<Self>, via: &MessagePort) -> Option<Message>;

    /// Learns that nobody will ever receive it.
    fn discarded(&self);
}

/// A value on its way. Dropped on the way, it learns that it was discarded.
pub(crate) struct Carried(Option<Arc<dyn Value>>);

impl Carried {
    /// Sends a value on its way.
    pub(crate) fn new(value: Arc<dyn Value>) -> Self {
        Self(Some(value))
    }

    /// See [`Value::selector`].
    #[inline]
    pub(crate) fn selector(&self) -> u64 {
        self.0.as_ref().map_or(0, |value| value.selector())
    }

    /// Takes a value of this kind, all of which are of that type, or gives it back.
    #[inline]
    pub(crate) fn downcast<T: Value>(self, kind: &TypeId) -> Result<Arc<T>, Self> {
        match self.into_value() {
            Some(value) if value.is_for(kind) => {
                let any: Arc<dyn Any + Send + Sync> = value;
                any.downcast::<T>().map_err(|_| Self(None))
            }
            other => Err(Self(other)),
        }
    }

    /// Takes it out of what it lies in, where nothing is left.
    #[inline]
    pub(super) fn take(&mut self) -> Self {
        Self(self.0.take())
    }

    /// The value, for those who only want to know whether anybody still has it.
    pub(crate) fn downgrade(&self) -> Option<Weak<dyn Value>> {
        self.0.as_ref().map(Arc::downgrade)
    }

    /// See [`Value::encode`].
    #[inline]
    pub(crate) fn encode(self, via: &MessagePort) -> Option<Message> {
        self.into_value()?.encode(via)
    }

    /// The value, which is on its way no longer.
    #[inline]
    fn into_value(mut self) -> Option<Arc<dyn Value>> {
        let value = self.0.take();
        // Nothing is left in it to be told of.
        mem::forget(self);
        value
    }
}

impl Drop for Carried {
    #[inline]
    fn drop(&mut self) {
        if let Some(value) = self.0.take() {
            value.discarded();
        }
    }
}

impl fmt::Debug for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Carried")
    }
}
