//! Bytes to values, with the ports inside them from the side.

use std::{error::Error, fmt, mem};

use serde::de::DeserializeOwned;

use super::{
    Beside,
    cargo::{self, Arrivals, Scoped},
    depth::Depth,
    encoder::OK,
    plain_bytes,
    words::Words,
};
use crate::{
    MessagePort,
    shape::{GuidedError, Missing, Reader, Shape},
};

/// Reads values out of a message, where it was received: its sender never hears of what goes wrong here (PORT-28).
///
/// Ports that no value takes, or that went into a value that broke off, are closed with it (PORT-60).
#[derive(Debug)]
pub struct Decoder<'b> {
    rest: &'b [u8],
    /// What came beside the bytes and was not taken, if anything came.
    arrivals: Option<Arrivals>,
    /// The shapes that the writer gave the values that are left, if they may be others than the reader's.
    followed: Option<&'b [Shape]>,
    /// Whether what came beside the bytes is where values find it.
    is_handing_out: bool,
}

impl<'b> Decoder<'b> {
    /// Reads these bytes, which speak of no ports and no buffers.
    #[inline]
    pub fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes, arrivals: None, followed: None, is_handing_out: false }
    }

    /// Reads these bytes, which may speak of these ports and buffers.
    pub fn with_parts(bytes: &'b [u8], ports: Vec<MessagePort>, buffers: Vec<Vec<u8>>) -> Self {
        Self::beside(bytes, Beside { ports, buffers, ..Beside::default() })
    }

    /// Reads these bytes, which may speak of whatever travelled beside them.
    #[inline(never)]
    pub(super) fn beside(bytes: &'b [u8], Beside { ports, buffers, foreign, receipt: _ }: Beside) -> Self {
        let is_plain = ports.is_empty() && buffers.is_empty() && foreign.is_empty();
        let arrivals = if is_plain { None } else { Some(Arrivals::new(ports, buffers, foreign)) };
        Self { arrivals, ..Self::new(bytes) }
    }

    /// Reads the values to come as another version has written them: in these shapes. A value that is asked for after the last
    /// is missing, which only an `Option` may be; values that are not asked for are skipped.
    #[cfg(feature = "evolution")]
    pub fn follow(&mut self, writer: &'b [Shape]) {
        self.followed = Some(writer);
    }

    /// The shapes that the values to come were written in, if they may be others than the reader's. Where nothing says so, the program has
    /// nothing that could read them.
    #[inline]
    fn followed(&self) -> Option<&'b [Shape]> {
        if cfg!(feature = "evolution") { self.followed } else { None }
    }

    /// Reads a value.
    ///
    /// # Errors
    /// [`DecodeError`] if the bytes are no such value, if it nests more than 128 deep, if it has far more items than
    /// bytes, or if it speaks of a port that did not
    /// come or was read already.
    pub fn take<T: DeserializeOwned>(&mut self) -> Result<T, DecodeError> {
        self.take_all(Self::take_here)
    }

    fn take_here<T: DeserializeOwned>(&mut self) -> Result<T, DecodeError> {
        match self.followed() {
            None => self.take_plainly(),
            Some(writer) => self.take_followed(writer),
        }
    }

    fn take_followed<T: DeserializeOwned>(&mut self, writer: &'b [Shape]) -> Result<T, DecodeError> {
        match writer {
            [next, rest @ ..] => {
                self.followed = Some(rest);
                self.take_guided(next)
            }
            [] => T::deserialize(Missing).map_err(|error| DecodeError::new(error.to_string())),
        }
    }

    /// Reads a value that was written by another version of its type, which had this shape.
    ///
    /// Fields and variants are found by their names. A field that the writer does not have gets its `#[serde(default)]`, or
    /// `None` if it is an `Option`; one that the reader does not have is skipped, and a port in it closed. Numbers may be wider
    /// here than there. See [`compare`](crate::shape::compare) for what can be read.
    ///
    /// # Errors
    /// [`DecodeError`] as [`take`](Self::take), and if the value needs what was not written, or is a variant that is not known.
    ///
    /// # Examples
    /// ```
    /// use handover_core::{message::Decoder, shape::Shape};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Deserialize, Serialize)]
    /// struct Old {
    ///     name: String,
    ///     age: u8,
    /// }
    ///
    /// #[derive(Debug, Deserialize, PartialEq)]
    /// struct New {
    ///     age: u32,
    ///     nick: Option<String>,
    ///     name: String,
    /// }
    ///
    /// let bytes = postcard::to_allocvec(&Old { name: "Ada".to_owned(), age: 36 })?;
    /// let new: New = Decoder::new(&bytes).take_as(&Shape::of::<Old>())?;
    ///
    /// assert_eq!(new, New { age: 36, nick: None, name: "Ada".to_owned() });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn take_as<T: DeserializeOwned>(&mut self, writer: &Shape) -> Result<T, DecodeError> {
        self.take_all(|decoder| decoder.take_guided(writer))
    }

    fn take_guided<T: DeserializeOwned>(&mut self, writer: &Shape) -> Result<T, DecodeError> {
        self.read(|depth, bytes| {
            let mut reader = Reader::new(writer, bytes);
            let value = T::deserialize(depth.around(reader.whole()))?;
            Ok::<_, GuidedError>((value, reader.finish()?))
        })
    }

    /// Reads a value that was written by this version.
    fn take_plainly<T: DeserializeOwned>(&mut self) -> Result<T, DecodeError> {
        self.read(|depth, bytes| {
            let mut bytes = postcard::Deserializer::from_bytes(bytes);
            let value = T::deserialize(depth.around(&mut bytes))?;
            Ok::<_, postcard::Error>((value, bytes.finalize()?))
        })
    }

    /// Reads values, one after the other, for less than they would cost one by one.
    #[inline]
    pub(crate) fn take_all<R>(&mut self, read: impl FnOnce(&mut Self) -> R) -> R {
        if self.is_handing_out {
            return read(self);
        }
        self.is_handing_out = true;
        let scoped = Scoped::handing_out(&mut self.arrivals);
        let result = read(self);
        scoped.unload_arrivals(&mut self.arrivals);
        drop(scoped);
        self.is_handing_out = false;
        result
    }

    /// As [`take`](Self::take), inside [`take_all`](Self::take_all): elsewhere a value finds nothing beside it. If the value is bytes and nothing
    /// else, they are copied in one piece.
    pub(crate) fn take_static<T: DeserializeOwned + 'static>(&mut self) -> Result<T, DecodeError> {
        match self.followed() {
            Some(writer) => self.take_followed(writer),
            None => self.take_unfollowed(),
        }
    }

    fn take_unfollowed<T: DeserializeOwned + 'static>(&mut self) -> Result<T, DecodeError> {
        if plain_bytes::are::<T>() {
            let (bytes, rest) = plain_bytes::read(self.rest).ok_or_else(|| DecodeError::new(CUT_OFF.to_owned()))?;
            if let Some(value) = plain_bytes::into_value(bytes) {
                self.rest = rest;
                return Ok(value);
            }
        }
        self.take_plainly()
    }

    /// As [`take_static`](Self::take_static), of what a method returns.
    pub(crate) fn take_result<T, E>(&mut self) -> Result<Result<T, E>, DecodeError>
    where
        T: DeserializeOwned + 'static,
        E: DeserializeOwned,
    {
        match self.rest {
            [OK, rest @ ..] if self.followed().is_none() => {
                self.rest = rest;
                self.take_unfollowed().map(Ok)
            }
            _ => self.take_here(),
        }
    }

    fn read<T, E: fmt::Display>(
        &mut self,
        read: impl FnOnce(&Depth, &'b [u8]) -> Result<(T, &'b [u8]), E>,
    ) -> Result<T, DecodeError> {
        let depth = Depth::new(self.rest.len());
        let (value, rest) = read(&depth, self.rest).map_err(|error| DecodeError::of(&depth, &error))?;
        self.rest = rest;
        Ok(value)
    }

    /// Whether this is inside [`take_all`](Self::take_all).
    #[inline]
    pub(crate) fn is_handing_out(&self) -> bool {
        self.is_handing_out
    }

    /// Whether nothing is left to read.
    pub(crate) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Ends reading, and hands out the ports that no value took.
    ///
    /// # Errors
    /// [`DecodeError`] if bytes are left over.
    #[inline]
    pub(crate) fn end(self) -> Result<Vec<MessagePort>, DecodeError> {
        if self.has_ended() { Ok(Vec::new()) } else { self.end_of_more() }
    }

    /// Ends reading, and closes the ports that no value took.
    ///
    /// # Errors
    /// [`DecodeError`] if bytes are left over.
    #[inline]
    pub(crate) fn close(self) -> Result<(), DecodeError> {
        if !self.has_ended() {
            return self.end_of_more().map(drop);
        }
        // Nothing is left in it to be closed.
        mem::forget(self);
        Ok(())
    }

    /// Whether everything that came was read.
    #[inline]
    fn has_ended(&self) -> bool {
        self.rest.is_empty() && self.arrivals.is_none() && self.followed().is_none()
    }

    /// As [`end`](Self::end), where there is more than what was read.
    fn end_of_more(mut self) -> Result<Vec<MessagePort>, DecodeError> {
        for left in self.followed().unwrap_or_default() {
            // Whoever reads nothing skips what there is.
            self.take_as::<()>(left)?;
        }
        match self.rest.len() {
            0 => Ok(self.arrivals.map_or_else(Vec::new, Arrivals::into_ports)),
            left => Err(DecodeError::new(format!("{left} bytes are left over"))),
        }
    }
}

/// Why bytes are no such value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError(Words);

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl Error for DecodeError {}

impl DecodeError {
    #[cold]
    fn new(words: String) -> Self {
        Self(Words::new(words))
    }

    /// Why the value could not be read that just failed. Asked before its scope is left.
    #[cold]
    fn of(depth: &Depth, error: &dyn fmt::Display) -> Self {
        let problem = depth.problem().map(str::to_owned).or_else(cargo::problem);
        Self::new(problem.unwrap_or_else(|| error.to_string()))
    }
}

/// What a value is told whose bytes end before it does.
const CUT_OFF: &str = "the bytes end before the value does";
