//! Values that were encoded, travelled, and were decoded.

use std::pin::pin;

use futures::FutureExt;
use serde::{Deserialize, Serialize, Serializer, de::DeserializeOwned, ser};

use super::{DecodeError, Decoder, EncodeError, Encoder, Message, Parts};
use crate::{Closed, ClosedBy, MessageChannel, MessagePort, port::DataCloneReason, shape::Shape};

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

#[cfg(feature = "evolution")]
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

#[cfg(feature = "evolution")]
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
