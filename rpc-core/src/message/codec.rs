//! Values to bytes and back, with the ports inside them on the side.
//!
//! A port is written as its index in the message's list, so it arrives as one port, listed and mentioned (PORT-30). Encoding
//! only looks: it moves ports when all went well, so a value that fails to encode still works afterwards (PORT-31).

use std::{error::Error, fmt};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    Message,
    cargo::{self, Arrivals, Cargo},
    depth::Depth,
    plain_bytes,
};
use crate::{
    MessagePort,
    shape::{GuidedError, Missing, Reader, Shape},
};

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

/// How serde writes that a `Result` is `Ok`.
const OK: u8 = 0;

/// What a value is told whose bytes end before it does.
const CUT_OFF: &str = "the bytes end before the value does";

/// Writes values into a message.
#[derive(Debug, Default)]
pub struct Encoder {
    bytes: Vec<u8>,
    cargo: Cargo,
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
        Self { cargo: Cargo::copying(), ..Self::default() }
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
        let mut cargo = std::mem::take(&mut self.cargo);
        self.is_collecting = true;
        let result = cargo::collecting(&mut cargo, || write(self));
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
        self.bytes =
            written.map_err(|error| EncodeError(cargo::problem().map_or_else(|| error.to_string(), str::to_owned)))?;
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
        let mut cargo = Cargo::default();
        let size = postcard::ser_flavors::Size::default();
        let bytes = cargo::collecting(&mut cargo, || postcard::serialize_with_flavor(value, size));
        cargo.buffer_bytes().saturating_add(bytes.unwrap_or(1) as u64)
    }

    /// Whether a value that was written holds this port.
    pub(crate) fn contains(&self, port: &MessagePort) -> bool {
        self.cargo.contains(port)
    }

    /// Ends writing, and moves the ports and buffers that were met out of the values.
    pub(crate) fn finish(self) -> Message {
        self.cargo.ship(self.bytes)
    }

    /// The place in a value that does not encode. Only looks.
    pub(crate) fn path_of_failure<T: Serialize>(value: &T) -> String {
        Self::path_in(Cargo::default(), value)
    }

    /// As [`path_of_failure`](Self::path_of_failure), for an encoder that [copies](Self::copying).
    #[cfg(feature = "windows")]
    pub(crate) fn path_of_failed_copy<T: Serialize + ?Sized>(value: &T) -> String {
        Self::path_in(Cargo::copying(), value)
    }

    fn path_in<T: Serialize + ?Sized>(mut cargo: Cargo, value: &T) -> String {
        let mut track = serde_path_to_error::Track::new();
        let mut size = postcard::Serializer { output: postcard::ser_flavors::Size::default() };
        let _failed = cargo::collecting(&mut cargo, || {
            value.serialize(serde_path_to_error::Serializer::new(&mut size, &mut track)).is_err()
        });
        track.path().to_string()
    }
}

/// Reads values out of a message, where it was received: its sender never hears of what goes wrong here (PORT-28).
///
/// Ports that no value takes, or that went into a value that broke off, are closed with it (PORT-60).
#[derive(Debug)]
pub struct Decoder<'b> {
    rest: &'b [u8],
    arrivals: Arrivals,
    /// The shapes that the writer gave the values that are left, if they may be others than the reader's.
    followed: Option<&'b [Shape]>,
    /// Whether what came beside the bytes is where values find it.
    is_handing_out: bool,
}

impl<'b> Decoder<'b> {
    /// Reads these bytes, which speak of no ports and no buffers.
    pub fn new(bytes: &'b [u8]) -> Self {
        Self::with_parts(bytes, Vec::new(), Vec::new())
    }

    /// Reads these bytes, which may speak of these ports and buffers.
    pub fn with_parts(bytes: &'b [u8], ports: Vec<MessagePort>, buffers: Vec<Vec<u8>>) -> Self {
        Self { rest: bytes, arrivals: Arrivals::new(ports, buffers), followed: None, is_handing_out: false }
    }

    /// Reads the values to come as another version has written them: in these shapes. A value that is asked for after the last
    /// is missing, which only an `Option` may be; values that are not asked for are skipped.
    pub fn follow(&mut self, writer: &'b [Shape]) {
        self.followed = Some(writer);
    }

    /// Reads a value.
    ///
    /// # Errors
    /// [`DecodeError`] if the bytes are no such value, if it nests more than 128 deep, if it has far more items than
    /// bytes, or if it speaks of a port that did not
    /// come or was read already.
    pub fn take<T: DeserializeOwned>(&mut self) -> Result<T, DecodeError> {
        match self.followed {
            None => self.take_plainly(),
            Some([next, rest @ ..]) => {
                self.followed = Some(rest);
                self.take_as(next)
            }
            Some([]) => T::deserialize(Missing).map_err(|error| DecodeError(error.to_string())),
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
    pub(crate) fn take_all<R>(&mut self, read: impl FnOnce(&mut Self) -> R) -> R {
        if self.is_handing_out {
            return read(self);
        }
        let mut arrivals = std::mem::take(&mut self.arrivals);
        self.is_handing_out = true;
        let result = cargo::handing_out(&mut arrivals, || read(self));
        self.is_handing_out = false;
        self.arrivals = arrivals;
        result
    }

    /// As [`take`](Self::take). If the value is bytes and nothing else, they are copied in one piece.
    pub(crate) fn take_static<T: DeserializeOwned + 'static>(&mut self) -> Result<T, DecodeError> {
        if self.followed.is_none() && plain_bytes::are::<T>() {
            let (bytes, rest) = plain_bytes::read(self.rest).ok_or_else(|| DecodeError(CUT_OFF.to_owned()))?;
            if let Some(value) = plain_bytes::into_value(bytes) {
                self.rest = rest;
                return Ok(value);
            }
        }
        self.take()
    }

    /// As [`take_static`](Self::take_static), of what a method returns.
    pub(crate) fn take_result<T, E>(&mut self) -> Result<Result<T, E>, DecodeError>
    where
        T: DeserializeOwned + 'static,
        E: DeserializeOwned,
    {
        match self.rest {
            [OK, rest @ ..] if self.followed.is_none() && plain_bytes::are::<T>() => {
                self.rest = rest;
                self.take_static().map(Ok)
            }
            _ => self.take(),
        }
    }

    fn read<T, E: fmt::Display>(
        &mut self,
        read: impl FnOnce(&Depth, &'b [u8]) -> Result<(T, &'b [u8]), E>,
    ) -> Result<T, DecodeError> {
        self.take_all(|decoder| {
            let depth = Depth::new(decoder.rest.len());
            let (value, rest) = read(&depth, decoder.rest).map_err(|error| {
                let problem = depth.problem().or_else(cargo::problem);
                DecodeError(problem.map_or_else(|| error.to_string(), str::to_owned))
            })?;
            decoder.rest = rest;
            Ok(value)
        })
    }

    /// Whether nothing is left to read.
    pub(crate) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Ends reading, and hands out the ports that no value took.
    ///
    /// # Errors
    /// [`DecodeError`] if bytes are left over.
    pub(crate) fn end(mut self) -> Result<Vec<MessagePort>, DecodeError> {
        for left in self.followed.take().unwrap_or_default() {
            // Whoever reads nothing skips what there is.
            self.take_as::<()>(left)?;
        }
        match self.rest.len() {
            0 => Ok(self.arrivals.into_ports()),
            left => Err(DecodeError(format!("{left} bytes are left over"))),
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::pin::pin;

    use futures::FutureExt;
    use serde::{Deserialize, Serializer, ser};

    use super::{super::Parts, *};
    use crate::{Closed, ClosedBy, MessageChannel, port::DataCloneReason};

    fn channel() -> (MessagePort, MessagePort) {
        MessageChannel::new().into_ports()
    }

    fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Message, EncodeError> {
        let mut encoder = Encoder::default();
        encoder.put(value)?;
        Ok(encoder.finish())
    }

    fn decode<T: DeserializeOwned>(message: Message) -> Result<T, DecodeError> {
        let Parts { data, ports, .. } = message.into_parts();
        let mut decoder = Decoder::with_parts(&data, ports, Vec::new());
        let value = decoder.take()?;
        decoder.end()?;
        Ok(value)
    }

    /// Posts a message and receives it.
    fn delivered(message: Message) -> Message {
        let (near, far) = channel();
        near.post_message(message).unwrap();
        far.start();
        far.recv().now_or_never().unwrap().unwrap()
    }

    fn closed_by(port: &MessagePort) -> Option<ClosedBy> {
        port.closed().now_or_never()
    }

    #[track_caller]
    fn assert_connected(one: &MessagePort, other: &MessagePort) {
        for (from, to) in [(one, other), (other, one)] {
            to.start();
            from.post_message("ping").unwrap();
            assert_eq!(to.recv().now_or_never().expect("nothing came").unwrap().data(), b"ping");
        }
    }

    /// Values with this in them do not serialise.
    struct Unencodable;

    impl Serialize for Unencodable {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(ser::Error::custom("on purpose"))
        }
    }

    /// PORT-30
    #[test]
    fn ports_anywhere_in_a_value_arrive_in_their_places() {
        #[derive(Serialize, Deserialize)]
        struct Value {
            name: String,
            maybe: Option<MessagePort>,
            many: Vec<(u8, MessagePort)>,
        }
        let (kept, sent): (Vec<MessagePort>, Vec<MessagePort>) = (0..3).map(|_| channel()).unzip();
        let [first, second, third] = sent.try_into().unwrap();
        let value = Value { name: "x".into(), maybe: Some(first), many: vec![(1, second), (2, third)] };

        let message = encode(&value).unwrap();
        drop(value);

        let value: Value = decode(delivered(message)).unwrap();
        assert_eq!(value.name, "x");
        assert_connected(&kept[0], value.maybe.as_ref().unwrap());
        assert_connected(&kept[1], &value.many[0].1);
        assert_connected(&kept[2], &value.many[1].1);
    }

    /// PORT-30
    #[test]
    fn a_port_in_a_value_is_in_the_messages_list_once() {
        let (_kept, sent) = channel();

        let message = encode(&("x", &sent)).unwrap();

        assert_eq!(message.ports().len(), 1);
    }

    /// PORT-30
    #[test]
    fn the_values_of_one_message_share_its_list() {
        let ((kept_first, first), (kept_second, second)) = (channel(), channel());
        let mut encoder = Encoder::default();
        encoder.put(&first).unwrap();
        encoder.put(&second).unwrap();

        let Parts { data, ports, .. } = delivered(encoder.finish()).into_parts();

        let mut decoder = Decoder::with_parts(&data, ports, Vec::new());
        assert_connected(&kept_first, &decoder.take().unwrap());
        assert_connected(&kept_second, &decoder.take().unwrap());
    }

    /// PORT-25
    #[test]
    fn a_port_does_not_serialise_outside_of_a_message() {
        let (kept, port) = channel();

        assert!(postcard::to_allocvec(&port).is_err());

        assert_connected(&kept, &port);
    }

    /// PORT-25
    #[test]
    fn a_port_does_not_deserialise_outside_of_a_message() {
        assert!(postcard::from_bytes::<MessagePort>(&[0]).is_err());
    }

    /// PORT-25
    #[test]
    fn encoding_and_decoding_leave_nothing_for_a_port_outside_of_a_message() {
        let (_kept, port) = channel();
        let message = encode(&port).unwrap();
        let _arrived: MessagePort = decode(message).unwrap();
        assert!(encode(&Unencodable).is_err());

        assert!(postcard::to_allocvec(&channel().0).is_err());
        assert!(postcard::from_bytes::<MessagePort>(&[0]).is_err());
    }

    /// PORT-31
    #[test]
    fn a_value_with_one_port_twice_fails_and_leaves_the_port_working() {
        let (kept, port) = channel();

        let error = encode(&(&port, &port)).unwrap_err();

        assert_eq!(error.to_string(), "a port is in the value twice");
        assert_connected(&kept, &port);
    }

    /// PORT-31, PORT-44, PORT-58
    #[test]
    fn a_value_with_a_closed_port_fails_and_leaves_the_others_working() {
        let (kept, open) = channel();
        let (_peer, closed) = channel();
        closed.close();

        let error = encode(&(&open, &closed)).unwrap_err();

        assert_eq!(error.to_string(), "a port in the value was closed or transferred before");
        assert_connected(&kept, &open);
    }

    /// PORT-31
    #[test]
    fn a_value_that_fails_to_encode_leaves_its_ports_started_and_with_what_waits() {
        let (kept, port) = channel();
        port.start();
        kept.post_message("waits").unwrap();

        encode(&(&port, Unencodable)).unwrap_err();

        assert_eq!(port.recv().now_or_never().unwrap().unwrap().data(), b"waits");
        assert_connected(&kept, &port);
    }

    /// PORT-31
    #[test]
    fn a_value_that_was_encoded_and_never_posted_closes_its_ports_with_the_message() {
        let (kept, port) = channel();

        drop(encode(&port).unwrap());

        assert_eq!(closed_by(&kept), Some(ClosedBy::Peer));
    }

    /// PORT-26
    #[test]
    fn a_port_sends_nothing_from_the_place_it_has_left() {
        let (kept, old) = channel();
        let new: MessagePort = decode(delivered(encode(&old).unwrap())).unwrap();
        let (kept_other, other) = channel();

        old.post_message(Message::new("from the old place").with_port(other)).unwrap();

        new.post_message("from the new place").unwrap();
        kept.start();
        assert_eq!(kept.recv().now_or_never().unwrap().unwrap().data(), b"from the new place");
        assert_eq!(closed_by(&kept_other), Some(ClosedBy::Peer), "it was lost with its message");
    }

    /// PORT-51
    #[test]
    fn a_port_receives_nothing_at_the_place_it_has_left() {
        let (kept, old) = channel();
        old.start();
        kept.post_message("1").unwrap();

        let new: MessagePort = decode(delivered(encode(&old).unwrap())).unwrap();

        assert_eq!(old.recv().now_or_never().unwrap().unwrap_err(), Closed);
        assert_eq!(closed_by(&old), Some(ClosedBy::ThisEnd));
        new.start();
        assert_eq!(new.recv().now_or_never().unwrap().unwrap().data(), b"1");
    }

    /// PORT-51, PORT-58
    #[test]
    fn a_port_does_not_leave_twice() {
        let (_kept, old) = channel();
        let (carrier, _far) = channel();
        let _new = encode(&old).unwrap();

        let error = encode(&old).unwrap_err();
        let refused = carrier.post_message(Message::default().with_port(old)).unwrap_err();

        assert_eq!(error.to_string(), "a port in the value was closed or transferred before");
        assert_eq!(*refused.reason(), DataCloneReason::DetachedPort(0));
    }

    /// PORT-51
    #[test]
    fn what_waits_at_the_place_that_a_port_leaves_ends_there() {
        let (kept, old) = channel();
        old.start();
        let mut recv = pin!(old.recv());
        let mut closed = pin!(old.closed());
        assert!(recv.as_mut().now_or_never().is_none());
        assert!(closed.as_mut().now_or_never().is_none());

        let new: MessagePort = decode(delivered(encode(&old).unwrap())).unwrap();
        new.start();
        kept.post_message("for the new place").unwrap();

        assert_eq!(recv.now_or_never().unwrap().unwrap_err(), Closed);
        assert_eq!(closed.now_or_never(), Some(ClosedBy::ThisEnd));
        assert_eq!(new.recv().now_or_never().unwrap().unwrap().data(), b"for the new place");
    }

    /// PORT-38, PORT-51
    #[test]
    fn starting_closing_and_dropping_the_old_place_does_nothing_to_the_new_one() {
        let (kept, old) = channel();
        kept.post_message("1").unwrap();
        let new: MessagePort = decode(delivered(encode(&old).unwrap())).unwrap();

        old.start();
        assert!(new.recv().now_or_never().is_none(), "it was started from its old place");
        old.close();
        drop(old);

        assert_eq!(closed_by(&kept), None);
        new.start();
        assert_eq!(new.recv().now_or_never().unwrap().unwrap().data(), b"1");
    }

    /// Serialises as a port, and closes it.
    struct ClosedOnTheWay<'p>(&'p MessagePort);

    impl Serialize for ClosedOnTheWay<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let result = self.0.serialize(serializer);
            self.0.close();
            result
        }
    }

    /// PORT-30
    #[test]
    fn a_port_that_is_closed_while_its_value_is_encoded_leaves_the_others_in_their_places() {
        let ((_kept_first, first), (kept_second, second)) = (channel(), channel());

        let message = encode(&(ClosedOnTheWay(&first), &second)).unwrap();

        let (first, second): (MessagePort, MessagePort) = decode(delivered(message)).unwrap();
        assert_eq!(closed_by(&first), Some(ClosedBy::Peer));
        assert_connected(&kept_second, &second);
    }

    /// Serialises as the length of another message, with another port in it.
    struct Nested;

    impl Serialize for Nested {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let (_kept, port) = channel();
            let inner = encode(&(port, "inner")).map_err(ser::Error::custom)?;
            serializer.serialize_u64(inner.data().len() as u64)
        }
    }

    /// PORT-30
    #[test]
    fn a_value_that_encodes_another_message_on_the_way_keeps_its_own_ports() {
        let ((kept_first, first), (kept_second, second)) = (channel(), channel());

        let message = encode(&(&first, Nested, &second)).unwrap();

        assert_eq!(message.ports().len(), 2);
        let (first, _, second): (MessagePort, u64, MessagePort) = decode(delivered(message)).unwrap();
        assert_connected(&kept_first, &first);
        assert_connected(&kept_second, &second);
    }

    /// PORT-60
    #[test]
    fn a_value_that_speaks_of_a_port_that_did_not_come_fails_and_closes_the_ports_that_did() {
        let (kept, sent) = channel();
        let message = Message::new([0, 1]).with_port(sent);

        let error = decode::<(MessagePort, MessagePort)>(delivered(message)).unwrap_err();

        assert_eq!(error.to_string(), "the value speaks of a port that is not in the message");
        assert_eq!(closed_by(&kept), Some(ClosedBy::Peer));
    }

    /// PORT-60
    #[test]
    fn a_value_that_takes_one_port_twice_fails_and_closes_it() {
        let (kept, sent) = channel();
        let message = Message::new([0, 0]).with_port(sent);

        let error = decode::<(MessagePort, MessagePort)>(delivered(message)).unwrap_err();

        assert_eq!(error.to_string(), "the value takes one port twice");
        assert_eq!(closed_by(&kept), Some(ClosedBy::Peer));
    }

    /// PORT-60
    #[test]
    fn a_value_that_breaks_off_after_its_ports_closes_them() {
        let (kept, sent) = channel();
        let message = encode(&(sent, "text")).unwrap();
        let Parts { mut data, ports, .. } = delivered(message).into_parts();
        data.pop();

        decode::<(MessagePort, String)>(Message::new(data).with_ports(ports)).unwrap_err();

        assert_eq!(closed_by(&kept), Some(ClosedBy::Peer));
    }

    /// PORT-60
    #[test]
    fn ports_that_the_value_does_not_mention_are_closed_once_it_is_read() {
        let ((kept_first, first), (kept_second, second)) = (channel(), channel());
        let message = Message::new([1]).with_ports([first, second]);

        let mentioned: MessagePort = decode(delivered(message)).unwrap();

        assert_eq!(closed_by(&kept_first), Some(ClosedBy::Peer));
        assert_connected(&kept_second, &mentioned);
    }

    /// PORT-28
    #[test]
    fn bytes_that_do_not_decode_are_no_news_to_their_sender_and_no_harm_to_what_follows() {
        let (sender, receiver) = channel();
        receiver.start();

        sender.post_message(b"\xff").unwrap();
        sender.post_message(encode("good").unwrap()).unwrap();

        decode::<String>(receiver.recv().now_or_never().unwrap().unwrap()).unwrap_err();
        assert_eq!(closed_by(&sender), None);
        assert_eq!(decode::<String>(receiver.recv().now_or_never().unwrap().unwrap()).unwrap(), "good");
    }

    #[test]
    fn values_that_were_written_and_are_not_asked_for_are_skipped_at_the_end_and_their_ports_are_closed() {
        let (kept, sent) = channel();
        let Parts { data, ports, .. } = delivered(encode(&(1_u8, "text", sent)).unwrap()).into_parts();
        let written = ["u8", "String", "MessagePort"].map(|text| text.parse::<Shape>().unwrap());
        let mut decoder = Decoder::with_parts(&data, ports, Vec::new());
        decoder.follow(&written);

        assert_eq!(decoder.take::<u32>(), Ok(1));
        let unread = decoder.end().unwrap();

        assert_eq!(unread.len(), 1);
        drop(unread);
        assert_eq!(closed_by(&kept), Some(ClosedBy::Peer));
    }

    #[test]
    fn bytes_that_are_left_over_after_what_was_written_are_an_error() {
        let written = [Shape::U8];
        let mut decoder = Decoder::new(&[1, 2, 3]);
        decoder.follow(&written);

        assert_eq!(decoder.end().unwrap_err().to_string(), "2 bytes are left over");
    }

    /// PORT-28
    #[test]
    fn bytes_that_do_not_decode_pass_every_stop_on_the_way_unchanged() {
        let message = delivered(delivered(Message::new(b"\xff")));

        assert_eq!(message.data(), b"\xff");
        decode::<String>(message).unwrap_err();
    }
}
