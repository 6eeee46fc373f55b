//! Values to bytes, with the ports inside them on the side.
//!
//! A port is written as its index in the message's list, so it arrives as one port, listed and mentioned (PORT-30). Encoding
//! only looks: it moves ports when all went well, so a value that fails to encode still works afterwards (PORT-31).

use std::{error::Error, fmt};

use serde::Serialize;

use super::{
    Message,
    cargo::{self, Cargo},
    plain_bytes,
};
use crate::MessagePort;

/// Writes values into a message.
#[derive(Debug, Default)]
pub struct Encoder {
    bytes: Vec<u8>,
    /// What was met, if anything was.
    cargo: Option<Cargo>,
    /// Whether the cargo is where values find it.
    is_collecting: bool,
}

impl Encoder {
    /// Goes on after the bytes that are there already.
    pub(crate) fn after(bytes: Vec<u8>) -> Self {
        Self { bytes, ..Self::default() }
    }

    /// Writes a message that many receive: a port is an error, and buffers are copied (BC-05).
    #[cfg(feature = "windows")]
    pub(crate) fn copying() -> Self {
        Self { cargo: Some(Cargo::copying()), ..Self::default() }
    }

    /// Writes a value. A port or a buffer in it becomes its index (SER-03).
    ///
    /// # Errors
    /// [`EncodeError`] if the value does not serialise, or if a port in it cannot be transferred.
    pub fn put<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.put_all(|encoder| encoder.put_here(value))
    }

    /// Writes values, one after the other, for less than they would cost one by one.
    pub(crate) fn put_all<R>(&mut self, write: impl FnOnce(&mut Self) -> R) -> R {
        if self.is_collecting {
            return write(self);
        }
        self.is_collecting = true;
        let (result, cargo) = cargo::collecting(self.cargo.take(), || write(self));
        self.is_collecting = false;
        self.cargo = cargo;
        result
    }

    /// As [`put`](Self::put). If the value is bytes and nothing else, they are copied in one piece.
    pub(crate) fn put_static<T: Serialize + 'static>(&mut self, value: &T) -> Result<(), EncodeError> {
        let Some(bytes) = plain_bytes::of(value) else { return self.put(value) };
        plain_bytes::write(bytes, &mut self.bytes);
        Ok(())
    }

    /// As [`put_static`](Self::put_static), of what a method returns.
    pub(crate) fn put_result<T, E>(&mut self, result: &Result<T, E>) -> Result<(), EncodeError>
    where
        T: Serialize + 'static,
        E: Serialize,
    {
        let Some(bytes) = result.as_ref().ok().and_then(plain_bytes::of) else { return self.put(result) };
        self.bytes.push(OK);
        plain_bytes::write(bytes, &mut self.bytes);
        Ok(())
    }

    fn put_here<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        let written = postcard::to_extend(value, std::mem::take(&mut self.bytes));
        self.bytes = written.map_err(|error| EncodeError(cargo::problem().unwrap_or_else(|| error.to_string())))?;
        Ok(())
    }

    /// How many bytes were written.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// How many bytes what a method returns, or an item, would have, with those of its buffers. Only looks. A value that does not
    /// serialise has one.
    pub(crate) fn size_of_result<T: Serialize + 'static, E: Serialize>(value: &Result<T, E>) -> u64 {
        if let Some(bytes) = value.as_ref().ok().and_then(plain_bytes::of) {
            return plain_bytes::size(bytes).saturating_add(1);
        }
        let size = postcard::ser_flavors::Size::default();
        let (bytes, cargo) = cargo::collecting(None, || postcard::serialize_with_flavor(value, size));
        cargo.map_or(0, |cargo| cargo.buffer_bytes()).saturating_add(bytes.unwrap_or(1) as u64)
    }

    /// Whether a value that was written holds this port.
    pub(crate) fn contains(&self, port: &MessagePort) -> bool {
        self.cargo.as_ref().is_some_and(|cargo| cargo.contains(port))
    }

    /// Ends writing, and moves the ports and buffers that were met out of the values.
    pub(crate) fn finish(self) -> Message {
        match self.cargo {
            Some(cargo) => cargo.ship(self.bytes),
            None => Message::new(self.bytes),
        }
    }

    /// The place in a value that does not encode. Only looks.
    pub(crate) fn path_of_failure<T: Serialize>(value: &T) -> String {
        Self::path_in(None, value)
    }

    /// As [`path_of_failure`](Self::path_of_failure), for an encoder that [copies](Self::copying).
    #[cfg(feature = "windows")]
    pub(crate) fn path_of_failed_copy<T: Serialize + ?Sized>(value: &T) -> String {
        Self::path_in(Some(Cargo::copying()), value)
    }

    fn path_in<T: Serialize + ?Sized>(cargo: Option<Cargo>, value: &T) -> String {
        let mut track = serde_path_to_error::Track::new();
        let mut size = postcard::Serializer { output: postcard::ser_flavors::Size::default() };
        let _failed = cargo::collecting(cargo, || {
            value.serialize(serde_path_to_error::Serializer::new(&mut size, &mut track)).is_err()
        });
        track.path().to_string()
    }
}

/// Why a value could not be turned into bytes. Nothing was moved or closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodeError(String);

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for EncodeError {}

/// How serde writes that a `Result` is `Ok`.
pub(super) const OK: u8 = 0;
