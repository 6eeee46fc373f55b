//! What is neither bytes nor a port: it moves inside the process, and is refused where it cannot be.

mod common;

use std::sync::Arc;

use common::started_channel;
use futures::FutureExt;
use handover_core::{
    Message, MessagePort,
    message::{Foreign, RecvError},
    port::DataCloneReason,
    shape::Shape,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What no bytes can say.
#[derive(Debug, PartialEq)]
struct Knot(Result<Arc<String>, String>);

impl Knot {
    fn new(name: &str) -> Self {
        Self(Ok(Arc::new(name.to_owned())))
    }
}

impl Serialize for Knot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Foreign::put(|| self.0.clone().map(Foreign::new), serializer)
    }
}

impl<'de> Deserialize<'de> for Knot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Foreign::take(deserializer, |foreign| match foreign {
            Some(foreign) => match foreign.downcast() {
                Ok(name) => Ok(Self(Ok(name))),
                Err(other) => Err(format!("it is no knot: {}", other.is::<u32>())),
            },
            None => Ok(Self::new("")),
        })
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Locker {
    label: String,
    knots: Vec<Knot>,
    more: Option<Box<Locker>>,
}

fn receive<T: serde::de::DeserializeOwned>(port: &MessagePort) -> Result<T, String> {
    match port.recv_value().now_or_never().expect("a message is there") {
        Ok(event) => Ok(event.data),
        Err(RecvError::Unreadable(error)) => Err(error.to_string()),
        Err(closed) => panic!("{closed}"),
    }
}

fn refused<T: Serialize>(value: T) -> (String, T) {
    let Err(error) = started_channel().0.post_value(value) else { panic!("it was posted") };
    let DataCloneReason::Unserializable { why, .. } = error.reason() else { panic!("{:?}", error.reason()) };
    (why.clone(), error.into_rejected())
}

#[test]
fn it_moves_from_anywhere_in_a_value_and_is_the_same_thing_there() {
    let (ours, theirs) = started_channel();
    let knots = [Knot::new("reef"), Knot::new("bowline"), Knot::new("hitch")];
    let places = knots.each_ref().map(|knot| Arc::as_ptr(knot.0.as_ref().unwrap()));
    let [reef, bowline, hitch] = knots;
    let inner = Locker { label: "inner".into(), knots: vec![hitch], more: None };

    theirs.post_value(Locker { label: "outer".into(), knots: vec![reef, bowline], more: Some(inner.into()) }).unwrap();

    let outer: Locker = receive(&ours).unwrap();
    let inner = outer.more.unwrap();
    let arrived = outer.knots.iter().chain(&inner.knots).map(|knot| Arc::as_ptr(knot.0.as_ref().unwrap()));
    assert_eq!(arrived.collect::<Vec<_>>(), places);
}

#[test]
fn what_its_maker_refuses_is_not_posted_and_the_reason_is_told() {
    let (why, knot) = refused(vec![Knot::new("reef"), Knot(Err("it came undone".to_owned()))]);

    assert_eq!(why, "it came undone");
    assert_eq!(knot[0], Knot::new("reef"));
}

#[test]
fn one_thing_twice_in_a_value_is_not_posted() {
    let knot = Knot::new("reef");

    let (why, _) = refused((&knot, &knot));

    assert_eq!(why, "a thing that is not bytes is in the value twice");
}

#[test]
fn any_other_serialisation_fails_and_does_not_ask_for_it() {
    struct Unasked;
    impl Serialize for Unasked {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            Foreign::put(|| panic!("it was asked for"), serializer)
        }
    }

    assert!(postcard::to_allocvec(&Unasked).is_err());
    assert!(postcard::from_bytes::<Knot>(&[0]).is_err());
}

#[test]
fn bytes_that_speak_of_what_did_not_come_or_came_otherwise_are_no_value() {
    let (ours, theirs) = started_channel();
    let knot = || Foreign::new(Arc::new("reef".to_owned()));

    theirs.post_message(Message::new([0])).unwrap();
    theirs.post_message(Message::new([1]).with_foreign(knot())).unwrap();
    theirs.post_message(Message::new([0]).with_foreign(Foreign::new(Arc::new(7_u32)))).unwrap();
    theirs.post_message(Message::new([0, 0]).with_foreign(knot())).unwrap();
    theirs.post_message(Message::new([0]).with_foreign(knot()).with_foreign(knot())).unwrap();

    let missing = "the value speaks of a thing that is not in the message";
    assert_eq!(receive::<Knot>(&ours).unwrap_err(), missing);
    assert_eq!(receive::<Knot>(&ours).unwrap_err(), missing);
    assert_eq!(receive::<Knot>(&ours).unwrap_err(), "it is no knot: true");
    assert_eq!(receive::<(Knot, Knot)>(&ours).unwrap_err(), "the value takes one thing twice");
    assert_eq!(receive::<Knot>(&ours), Ok(Knot::new("reef")), "what nobody asks for is left");
}

#[test]
fn its_shape_is_its_own_and_no_numbers() {
    let shape = Shape::of::<Vec<Knot>>();

    assert_eq!(shape.to_string(), "Vec<Foreign>");
    let bytes = postcard::to_allocvec(&*shape).unwrap();
    assert_eq!(postcard::from_bytes::<Shape>(&bytes).unwrap(), *shape);
}

#[cfg(feature = "windows")]
#[test]
fn it_is_not_broadcast_and_stays_with_its_sender() {
    use handover_core::{BroadcastChannel, BroadcastError, BroadcastGroup, Origin, event_loop::EventLoop};
    let (event_loop, group) = (EventLoop::new(), BroadcastGroup::new());
    let channel = BroadcastChannel::<Message>::new(&event_loop, &group, &Origin::opaque(), "knots");
    let knot = Knot::new("reef");

    let error = channel.post_value(&("x", &knot)).unwrap_err();

    let BroadcastError::DataClone(DataCloneReason::Unserializable { path, why, .. }) = error else {
        panic!("{error:?}")
    };
    assert_eq!((path.as_str(), why.as_str()), ("[1]", "what is not bytes cannot be broadcast"));
}
