//! Values to bytes, with the ports inside them on the side.
//!
//! A port is written as its index in the message's list, so it arrives as one port, listed and mentioned (PORT-30). Encoding
//! only looks: it moves ports when all went well, so a value that fails to encode still works afterwards (PORT-31).

use std::{error::Error, fmt};

use postcard::ser_flavors::Flavor;
use serde::Serialize;

use super::{
    Message,
    cargo::{self, Cargo, Scoped},
    plain_bytes, spare,
    words::Words,
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
    #[inline]
    pub(crate) fn after(bytes: Vec<u8>) -> Self {
        Self { bytes, cargo: None, is_collecting: false }
    }

    /// Begins a frame, in a buffer that another has left; its head is written where it stays.
    #[inline(always)]
    pub(crate) fn frame(put_head: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut encoder = Self::after(spare::take());
        put_head(&mut encoder.bytes);
        encoder
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
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn put_all<R>(&mut self, write: impl FnOnce(&mut Self) -> R) -> R {
        if self.is_collecting {
            return write(self);
        }
        self.is_collecting = true;
        let scoped = Scoped::collecting(&mut self.cargo);
        let result = write(self);
        scoped.unload_cargo(&mut self.cargo);
        drop(scoped);
        self.is_collecting = false;
        result
    }

    /// As [`put`](Self::put), inside [`put_all`](Self::put_all): elsewhere nothing that is beside a value can be written. If the value is bytes and
    /// nothing else, they are copied in one piece.
    pub(crate) fn put_static<T: Serialize + 'static>(&mut self, value: &T) -> Result<(), EncodeError> {
        let Some(bytes) = plain_bytes::of(value) else { return self.put_here(value) };
        plain_bytes::write(bytes, &mut self.bytes);
        Ok(())
    }

    /// As [`put_static`](Self::put_static), of what a method returns.
    #[inline]
    pub(crate) fn put_result<T, E>(&mut self, result: &Result<T, E>) -> Result<(), EncodeError>
    where
        T: Serialize + 'static,
        E: Serialize,
    {
        let Ok(value) = result else { return self.put_here(result) };
        let length = self.bytes.len();
        self.bytes.push(OK);
        self.put_static(value).inspect_err(|_| self.bytes.truncate(length))
    }

    fn put_here<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        let length = self.bytes.len();
        let mut serializer = postcard::Serializer { output: Appended(&mut self.bytes) };
        value.serialize(&mut serializer).map_err(|error| {
            self.bytes.truncate(length);
            EncodeError::of(&error)
        })
    }

    /// Whether this is inside [`put_all`](Self::put_all).
    #[inline]
    pub(crate) fn is_collecting(&self) -> bool {
        self.is_collecting
    }

    /// How many bytes were written.
    #[inline]
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// How many bytes what a method returns, or an item, would have, with those of its buffers. Only looks. A value that does not
    /// serialise has one.
    #[inline]
    pub(crate) fn size_of_result<T: Serialize + 'static, E: Serialize>(value: &Result<T, E>) -> u64 {
        if let Some(bytes) = value.as_ref().ok().and_then(plain_bytes::of) {
            return plain_bytes::size(bytes).saturating_add(1);
        }
        let size = postcard::ser_flavors::Size::default();
        let mut cargo = None;
        let scoped = Scoped::collecting(&mut cargo);
        let bytes = postcard::serialize_with_flavor(value, size);
        scoped.unload_cargo(&mut cargo);
        drop(scoped);
        cargo.map_or(0, |cargo| cargo.buffer_bytes()).saturating_add(bytes.unwrap_or(1) as u64)
    }

    /// Whether a value that was written holds this port.
    pub(crate) fn contains(&self, port: &MessagePort) -> bool {
        self.cargo.as_ref().is_some_and(|cargo| cargo.contains(port))
    }

    /// Ends writing, and moves the ports and buffers that were met out of the values.
    #[inline]
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

    fn path_in<T: Serialize + ?Sized>(mut cargo: Option<Cargo>, value: &T) -> String {
        let mut track = serde_path_to_error::Track::new();
        let mut size = postcard::Serializer { output: postcard::ser_flavors::Size::default() };
        let scoped = Scoped::collecting(&mut cargo);
        let _failed = value.serialize(serde_path_to_error::Serializer::new(&mut size, &mut track));
        drop(scoped);
        track.path().to_string()
    }
}

/// Why a value could not be turned into bytes. Nothing was moved or closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodeError(Words);

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl Error for EncodeError {}

impl EncodeError {
    /// Why the value could not be written that just failed. Asked before its scope is left.
    #[cold]
    fn of(error: &postcard::Error) -> Self {
        Self(Words::new(cargo::problem().unwrap_or_else(|| error.to_string())))
    }
}

/// Bytes that the codec appends to. Most of what it writes is one byte long.
struct Appended<'b>(&'b mut Vec<u8>);

impl Flavor for Appended<'_> {
    type Output = ();

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        match bytes {
            [byte] => self.0.push(*byte),
            _ => self.0.extend_from_slice(bytes),
        }
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// How serde writes that a `Result` is `Ok`.
pub(super) const OK: u8 = 0;

#[cfg(all(test, not(loom)))]
mod tests {
    use serde::{Serializer, ser::Error};

    use super::*;
    use crate::{Buffer, MessageChannel};

    /// It writes something, and fails then.
    struct Failing;

    impl Serialize for Failing {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            (7_u8, Never).serialize(serializer)
        }
    }

    struct Never;

    impl Serialize for Never {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(S::Error::custom("no"))
        }
    }

    #[test]
    fn a_value_that_fails_leaves_none_of_its_bytes() {
        let mut encoder = Encoder::default();
        encoder.put(&1_u8).unwrap();

        assert!(encoder.put(&Failing).is_err());
        assert!(encoder.put_result(&Ok::<_, u8>(Failing)).is_err());

        encoder.put(&2_u8).unwrap();
        assert_eq!(encoder.finish().data(), [1, 2]);
    }

    /// It posts a value of its own, with a buffer, which fails.
    struct Posting;

    impl Serialize for Posting {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let (ours, theirs) = MessageChannel::new().into_ports();
            let gone = Buffer::from(vec![1]);
            theirs.post_value((Buffer::from(vec![7]), &ours)).map_err(S::Error::custom)?;
            let copy = [&gone, &gone];
            assert!(theirs.post_value(copy).unwrap_err().to_string().contains("twice"));
            serializer.serialize_u8(5)
        }
    }

    #[test]
    fn a_value_that_posts_others_while_it_is_written_keeps_what_is_beside_it() {
        let (first, last) = (Buffer::from(vec![1]), Buffer::from(vec![2]));
        let mut encoder = Encoder::default();

        encoder.put(&(&first, Posting, &last)).unwrap();

        let message = encoder.finish();
        assert_eq!(message.data(), [0, 5, 1]);
        assert_eq!(message.buffers(), [vec![1], vec![2]]);
    }

    #[test]
    fn what_was_wrong_inside_a_value_is_not_what_is_said_of_another() {
        let shared = Buffer::from(vec![1]);
        let mut encoder = Encoder::default();

        let twice = encoder.put(&[&shared, &shared]).unwrap_err();
        let other = encoder.put(&(Posting, Never)).unwrap_err();

        assert_eq!(twice.to_string(), "a buffer is in the value twice");
        assert!(!other.to_string().contains("twice"), "{other}");
    }
}
