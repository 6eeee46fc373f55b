//! Values as messages: ports and buffers anywhere inside them, and what happens to what cannot be posted or read.

mod common;

use std::{collections::BTreeMap, sync::Arc};

use common::{channel, started_channel};
use futures::FutureExt;
use handover_core::{
    Buffer, Message, MessagePort,
    message::{MessageEvent, Payload, RecvError},
    port::DataCloneReason,
};
use serde::{Deserialize, Serialize, Serializer, ser};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn received<T: Payload>(port: &MessagePort) -> MessageEvent<T> {
    port.recv_value().now_or_never().expect("a message is there").expect("it can be read")
}

fn reason<T>(posted: Result<(), handover_core::DataCloneError<T>>) -> (DataCloneReason, T) {
    let Err(error) = posted else { panic!("it was posted") };
    (error.reason().clone(), error.into_rejected())
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Parcel {
    label: String,
    port: Option<MessagePort>,
    pictures: Vec<Buffer>,
    named: BTreeMap<String, Option<Buffer>>,
}

/// SER-01, SER-04, SER-07, SER-20
#[test]
fn a_value_arrives_with_its_ports_and_buffers_and_no_buffer_is_copied() {
    let (ours, theirs) = started_channel();
    let (near, far) = started_channel();
    let pictures: Vec<_> = (1..4).map(|size| vec![7; size << 10]).collect();
    let places: Vec<_> = pictures.iter().map(|picture| picture.as_ptr()).collect();
    let mut pictures = pictures.into_iter().map(Buffer::from);
    let parcel = Parcel {
        label: "fragile".to_owned(),
        port: Some(far),
        pictures: pictures.by_ref().take(2).collect(),
        named: [("left".to_owned(), None), ("right".to_owned(), pictures.next())].into(),
    };

    theirs.post_value(parcel).unwrap();

    let mut parcel: Parcel = received(&ours).data;
    assert_eq!(parcel.label, "fragile");
    let right = parcel.named.remove("right").unwrap();
    let arrived: Vec<_> = parcel.pictures.into_iter().chain(right).map(Buffer::into_vec).collect();
    assert_eq!(arrived.iter().map(|picture| picture.as_ptr()).collect::<Vec<_>>(), places);
    assert!(arrived.iter().zip(1..).all(|(picture, size)| picture.len() == size << 10));
    near.post_value(5_u32).unwrap();
    let port = parcel.port.unwrap();
    port.start();
    assert_eq!(received::<u32>(&port).data, 5);
}

/// SER-07, SER-11
#[test]
fn a_buffer_is_gone_at_the_sender_and_cannot_be_posted_again() {
    let (_ours, theirs) = started_channel();
    let shared = Arc::new(Buffer::from(vec![1, 2, 3]));

    theirs.post_value(Shared(shared.clone())).unwrap();

    assert!(shared.is_detached());
    assert_eq!(shared.len(), 0);
    let (reason, _) = reason(theirs.post_value(Shared(shared)));
    assert!(matches!(reason, DataCloneReason::Unserializable { why, .. } if why.contains("transferred before")));
}

/// A value that shares what it holds.
#[derive(Debug)]
struct Shared<T>(Arc<T>);

impl<T: Serialize> Serialize for Shared<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// SER-10
#[test]
fn empty_buffers_travel_like_any_other() {
    let (ours, theirs) = started_channel();

    theirs.post_value(vec![Buffer::default(), Buffer::from(Vec::new()), Buffer::from(vec![1])]).unwrap();

    let sizes: Vec<_> = received::<Vec<Buffer>>(&ours).data.iter().map(Buffer::len).collect();
    assert_eq!(sizes, [0, 0, 1]);
}

/// SER-02
#[test]
fn a_buffer_or_a_port_that_is_in_a_value_twice_is_refused_and_still_works() {
    let (ours, theirs) = started_channel();
    let (near, far) = started_channel();
    let buffer = Arc::new(Buffer::from(vec![1, 2, 3]));
    let port = Arc::new(far);

    assert!(theirs.post_value((Shared(buffer.clone()), Shared(buffer.clone()))).is_err());
    assert!(theirs.post_value((Shared(port.clone()), Shared(port.clone()))).is_err());

    assert_eq!(buffer.len(), 3);
    near.post_message("still").unwrap();
    assert_eq!(common::take(&port).data(), b"still");
    assert_eq!(ours.queued().messages, 0);
}

/// PORT-22
#[test]
fn a_value_that_holds_the_port_it_is_posted_on_is_refused_and_both_ends_still_work() {
    let (ours, theirs) = started_channel();
    let theirs = Arc::new(theirs);

    let (reason, _) = reason(theirs.post_value(Shared(theirs.clone())));

    assert_eq!(reason, DataCloneReason::SourcePort);
    theirs.post_value(1_u32).unwrap();
    ours.post_value(2_u32).unwrap();
    assert_eq!((received::<u32>(&ours).data, received::<u32>(&theirs).data), (1, 2));
}

/// PORT-24
#[test]
fn a_value_that_holds_the_other_end_is_lost_and_the_channel_with_it() {
    let (ours, theirs) = started_channel();

    theirs.post_value(("lost", ours)).unwrap();

    assert!(theirs.is_closed());
}

/// Something that does not serialise.
#[derive(Debug)]
struct Stubborn;

impl Serialize for Stubborn {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(ser::Error::custom("I stay"))
    }
}

#[derive(Debug, Serialize)]
struct Outer {
    first: MessagePort,
    inner: BTreeMap<&'static str, Vec<Option<Stubborn>>>,
    last: Buffer,
}

/// PORT-31, SER-03
#[test]
fn a_value_that_cannot_be_posted_names_its_type_and_the_place_and_comes_back_whole() {
    let (ours, theirs) = started_channel();
    let (near, far) = started_channel();
    let inner = [("left", vec![None, Some(Stubborn)])].into();

    let (reason, outer) = reason(theirs.post_value(Outer { first: far, inner, last: vec![1].into() }));

    let DataCloneReason::Unserializable { type_name, path, .. } = &reason else { panic!("{reason:?}") };
    assert!(type_name.ends_with("Outer"), "{type_name}");
    assert_eq!(path, "inner.left[1]");
    assert!(reason.to_string().contains("inner.left[1]"));
    assert_eq!(outer.last.len(), 1);
    near.post_message("still").unwrap();
    assert_eq!(common::take(&outer.first).data(), b"still");
    assert_eq!(ours.queued().messages, 0);
}

/// PORT-44
#[test]
fn a_closed_port_in_a_value_is_named_by_its_place() {
    let (_ours, theirs) = started_channel();

    let (reason, _) = reason(theirs.post_value(vec![Some(channel().0), Some(common::closed_port())]));

    let DataCloneReason::Unserializable { path, why, .. } = reason else { panic!("{reason:?}") };
    assert_eq!(path, "[1]");
    assert!(why.contains("closed"), "{why}");
}

/// PORT-23
#[test]
fn a_value_posted_to_nobody_is_gone_with_its_ports_and_buffers() {
    let (ours, theirs) = started_channel();
    let (near, far) = channel();
    let buffer = Arc::new(Buffer::from(vec![1]));
    drop(ours);

    theirs.post_value((far, Shared(buffer.clone()))).unwrap();

    assert!(near.is_closed());
    assert!(buffer.is_detached());
}

/// DEC-09, PORT-27, SER-23
#[test]
fn a_message_that_is_no_such_value_says_why_and_the_next_one_arrives() {
    let (ours, theirs) = started_channel();
    let (near, far) = channel();

    theirs.post_message(Message::new([200]).with_port(far)).unwrap();
    theirs.post_value("next".to_owned()).unwrap();

    let error = ours.recv_value::<String>().now_or_never().unwrap().unwrap_err();
    assert!(matches!(&error, RecvError::Unreadable(_)), "{error}");
    assert!(near.is_closed(), "PORT-60");
    assert_eq!(received::<String>(&ours).data, "next");
    drop(theirs);
    assert_eq!(ours.recv_value::<String>().now_or_never().unwrap().unwrap_err(), RecvError::Closed);
}

#[test]
fn a_buffer_index_that_is_wrong_makes_a_message_unreadable() {
    let (ours, theirs) = started_channel();

    for bytes in [&[0][..], &[255, 255, 255, 255, 15]] {
        theirs.post_message(bytes).unwrap();
        assert!(ours.recv_value::<Buffer>().now_or_never().unwrap().is_err());
    }
    theirs.post_message(Message::new([0, 0]).with_buffer(vec![1])).unwrap();
    assert!(ours.recv_value::<(Buffer, Buffer)>().now_or_never().unwrap().is_err());
}

/// SER-24
#[test]
fn what_is_listed_and_not_mentioned_arrives_beside_the_value() {
    let (ours, theirs) = started_channel();
    let (near, far) = started_channel();

    theirs.post_message(Message::new([7]).with_port(far)).unwrap();

    let MessageEvent { data, mut ports, .. } = received::<u32>(&ours);
    assert_eq!((data, ports.len()), (7, 1));
    near.post_message("hello").unwrap();
    let port = ports.remove(0);
    port.start();
    assert_eq!(common::take(&port).data(), b"hello");
}

/// PORT-56
#[test]
fn a_port_in_a_value_travels_on_with_its_queue_through_many_hands() {
    let (near, mut port) = channel();
    near.post_value(1_u32).unwrap();
    for hop in 2..6_u32 {
        let (carrier, arrival) = started_channel();
        carrier.post_value(("onwards", port)).unwrap();
        near.post_value(hop).unwrap();
        port = received::<(String, MessagePort)>(&arrival).data.1;
    }

    port.start();

    assert!((1..6).eq((1..6).map(|_| received::<u32>(&port).data)));
}
