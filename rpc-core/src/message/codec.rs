//! Values to bytes and back, with the ports inside them on the side.
//!
//! A port is written as its index in the message's list, so it arrives as one port, listed and mentioned (PORT-30). Encoding
//! only looks: it moves ports when all went well, so a value that fails to encode still works afterwards (PORT-31).

use std::{error::Error, fmt};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    Message,
    depth::{Depth, TOO_DEEP},
    serde_port,
};
use crate::{MessagePort, port::Shipment};

/// Why a value could not be turned into bytes. Nothing was moved or closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodeError(String);

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for EncodeError {}

/// Why bytes are no such value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError(String);

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for DecodeError {}

/// Writes values into a message.
#[derive(Debug, Default)]
pub struct Encoder {
    bytes: Vec<u8>,
    ports: Shipment,
}

impl Encoder {
    /// Goes on after the bytes that are there already.
    pub(crate) fn after(bytes: Vec<u8>) -> Self {
        Self { bytes, ports: Shipment::default() }
    }

    /// Writes a value.
    ///
    /// # Errors
    /// [`EncodeError`] if the value does not serialise, or if a port in it cannot be transferred.
    pub fn put<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        let bytes = std::mem::take(&mut self.bytes);
        let (written, problem) = serde_port::collecting(&mut self.ports, || postcard::to_extend(value, bytes));
        self.bytes = written.map_err(|error| EncodeError(problem.map_or_else(|| error.to_string(), str::to_owned)))?;
        Ok(())
    }

    /// Ends writing, and moves the ports that were met out of the values.
    pub(crate) fn finish(self) -> Message {
        Message { data: self.bytes, ports: self.ports.ship() }
    }
}

/// Reads values out of a message, where it was received: its sender never hears of what goes wrong here (PORT-28).
///
/// Ports that no value takes, or that went into a value that broke off, are closed with it (PORT-60).
#[derive(Debug)]
pub struct Decoder<'b> {
    rest: &'b [u8],
    ports: Vec<Option<MessagePort>>,
}

impl<'b> Decoder<'b> {
    /// Reads these bytes, which may speak of these ports.
    pub(crate) fn new(bytes: &'b [u8], ports: Vec<MessagePort>) -> Self {
        Self { rest: bytes, ports: ports.into_iter().map(Some).collect() }
    }

    /// Reads a value.
    ///
    /// # Errors
    /// [`DecodeError`] if the bytes are no such value, if it nests more than 128 deep, or if it speaks of a port that did not
    /// come or was read already.
    pub fn take<T: DeserializeOwned>(&mut self) -> Result<T, DecodeError> {
        let depth = Depth::new();
        let (read, problem) = serde_port::handing_out(&mut self.ports, || {
            let mut bytes = postcard::Deserializer::from_bytes(self.rest);
            let value = T::deserialize(depth.around(&mut bytes))?;
            Ok::<_, postcard::Error>((value, bytes.finalize()?))
        });
        let problem = if depth.is_exceeded() { Some(TOO_DEEP) } else { problem };
        let (value, rest) =
            read.map_err(|error| DecodeError(problem.map_or_else(|| error.to_string(), str::to_owned)))?;
        self.rest = rest;
        Ok(value)
    }

    /// Ends reading.
    ///
    /// # Errors
    /// [`DecodeError`] if bytes are left over.
    pub(crate) fn end(self) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(DecodeError(format!("{left} bytes are left over"))),
        }
    }
}
