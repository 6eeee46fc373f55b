//! Typed messages: a serde value in, a serde value out.

use std::{
    error::Error,
    fmt,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use serde::{Serialize, de::DeserializeOwned};

use super::{DecodeError, Encoder, Message, MessageEvent};
use crate::{
    Closed, DataCloneError, MessagePort,
    port::{DataCloneReason, Recv},
};

impl MessagePort {
    /// Posts a value: turned into bytes here, and back where it is received (DEC-09). Ports, clients and
    /// [buffers](super::Buffer) anywhere inside it are transferred.
    ///
    /// # Errors
    /// [`DataCloneError`] if the value does not serialise, if a port or a buffer in it was closed or transferred before, or if
    /// this port is in it (PORT-22). The value comes back inside, and all of it still works (PORT-31).
    ///
    /// # Examples
    /// ```
    /// use handover_core::{MessageChannel, MessagePort};
    ///
    /// let (ours, theirs) = MessageChannel::new().into_ports();
    /// let (near, far) = MessageChannel::new().into_ports();
    ///
    /// theirs.post_value(("a port for you", far))?;
    ///
    /// ours.start();
    /// # futures::executor::block_on(async {
    /// let (text, port) = ours.recv_value::<(String, MessagePort)>().await?.data;
    /// near.post_value(7_u32)?;
    /// port.start();
    /// assert_eq!(port.recv_value::<u32>().await?.data, 7);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn post_value<T: Serialize>(&self, value: T) -> Result<(), DataCloneError<T>> {
        let mut encoder = Encoder::default();
        if let Err(error) = encoder.put(&value) {
            let reason = unserializable(&value, error.to_string());
            return Err(DataCloneError::new(value, reason));
        }
        if encoder.contains(self) {
            return Err(DataCloneError::new(value, DataCloneReason::SourcePort));
        }
        let message = encoder.finish();
        // What is left of the value is detached; it goes before anything is delivered.
        drop(value);
        self.post_in_flight(message);
        Ok(())
    }

    /// Receives the next message as a value of type `T`, waiting for one if the queue is empty.
    ///
    /// # Errors
    /// [`RecvError::Unreadable`] if the message is no such value: the standard's `messageerror` (PORT-27). The message is gone,
    /// with its ports (PORT-60); the next one is not affected (SER-23). [`RecvError::Closed`] as [`recv`](Self::recv).
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub fn recv_value<T: Payload>(&self) -> RecvValue<'_, T> {
        RecvValue { recv: self.recv(), payload: PhantomData }
    }
}

/// Why a value cannot be posted, with the place in it. Only looks.
pub(crate) fn unserializable<T: Serialize>(value: &T, why: String) -> DataCloneReason {
    let path = Encoder::path_of_failure(value);
    DataCloneReason::Unserializable { type_name: std::any::type_name::<T>(), path, why }
}

/// What a message can be received as: any type that is `Deserialize`, or the [`Message`] as it is.
pub trait Payload: Sized {
    /// Reads a message, whose ports and buffers have arrived before (SER-20). Hands out, beside the value, the ports that the
    /// value does not hold (SER-24).
    ///
    /// # Errors
    /// [`DecodeError`] if it is no such value.
    fn read(message: Message) -> Result<(Self, Vec<MessagePort>), DecodeError>;
}

impl<T: DeserializeOwned> Payload for T {
    fn read(mut message: Message) -> Result<(Self, Vec<MessagePort>), DecodeError> {
        let mut decoder = message.decoder(0);
        let value = decoder.take()?;
        Ok((value, decoder.end()?))
    }
}

impl Payload for Message {
    fn read(message: Message) -> Result<(Self, Vec<MessagePort>), DecodeError> {
        Ok((message, Vec::new()))
    }
}

/// Waits for a value. Made by [`MessagePort::recv_value`].
#[must_use = "futures do nothing unless polled"]
#[derive(Debug)]
pub struct RecvValue<'p, T> {
    recv: Recv<'p>,
    payload: PhantomData<fn() -> T>,
}

impl<T: Payload> Future for RecvValue<'_, T> {
    type Output = Result<MessageEvent<T>, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.recv).poll(cx).map(|received| {
            let event = MessageEvent::read(received?, String::new(), None);
            event.map_err(|unreadable| RecvError::Unreadable(unreadable.error))
        })
    }
}

/// Why no value was received.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecvError {
    /// The channel is closed, and everything was received.
    Closed,
    /// A message came that is no such value.
    Unreadable(DecodeError),
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => Closed.fmt(f),
            Self::Unreadable(error) => write!(f, "a message cannot be read: {error}"),
        }
    }
}

impl Error for RecvError {}

impl From<Closed> for RecvError {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}
