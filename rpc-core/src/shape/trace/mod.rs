//! Finding the shape of a type by asking its `Deserialize`.
//!
//! The type is deserialised again and again from made-up values, each time in a way not tried yet: another variant, another
//! field left out, another text for a type that refuses the last. What it asks for is kept in a [`Memory`]. It ends when nothing
//! new is learned, or when a budget is spent; what is not known then stays opaque.

mod candidates;
mod enums;
mod memory;
mod plan;
mod shape;
mod structs;
mod tracer;

use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
};

use serde::de::DeserializeOwned;

use self::{
    memory::{Memory, Mode, Place},
    tracer::Tracer,
};
use super::Shape;
use crate::message;

/// How often a type is deserialised at most.
const PASSES: usize = 4096;

/// How often in a row without anything learned.
const IDLE_PASSES: usize = 48;

/// Finds the shape of a type.
pub(super) fn trace<T: DeserializeOwned>() -> Shape {
    trace_by(&|tracer| T::deserialize(tracer).is_ok())
}

/// Finds the shape of what is deserialised so, which says whether it succeeded.
fn trace_by(deserialize: &dyn Fn(Tracer<'_>) -> bool) -> Shape {
    let memory = RefCell::new(Memory::new());
    let mut idle = 0;
    for _ in 0..PASSES {
        let known = memory.borrow_mut().begin_pass();
        let pass = || deserialize(Tracer::new(&memory, Place::ROOT, Mode::Explore));
        // A type that panics is asked no further.
        let ended = catch_unwind(AssertUnwindSafe(|| message::handing_out_anything(pass)));
        let Ok(mut memory) = memory.try_borrow_mut() else { break };
        if let Ok(false) = ended {
            memory.failed(Place::ROOT, 0);
        }
        if ended.is_err() || memory.is_spent() || !memory.has_needs() {
            break;
        }
        idle = if memory.progress() == known { idle + 1 } else { 0 };
        if idle == IDLE_PASSES {
            break;
        }
    }
    shape::shape(&memory.into_inner())
}

#[cfg(test)]
#[expect(dead_code, reason = "of types that are only deserialised, to nothing")]
mod tests {
    use std::{
        collections::{BTreeMap, HashMap, HashSet},
        net::{IpAddr, SocketAddr},
        num::{NonZeroI8, NonZeroU64},
        ops::Range,
        path::PathBuf,
        time::{Duration, SystemTime},
    };

    use serde::{Deserialize, Deserializer, Serialize, de::Visitor};

    use super::*;
    use crate::{Buffer, MessagePort};

    #[track_caller]
    fn assert_shape<T: DeserializeOwned>(expected: &str) {
        let started = std::time::Instant::now();
        let shape = trace::<T>();
        assert!(started.elapsed().as_secs() < 5, "it took {:?}", started.elapsed());
        assert_eq!(shape.to_string(), expected);
        assert_eq!(expected.parse::<Shape>(), Ok(shape), "it does not come back from its text");
    }

    #[test]
    fn types_without_parts_are_what_they_are() {
        assert_shape::<()>("()");
        assert_shape::<bool>("bool");
        assert_shape::<u8>("u8");
        assert_shape::<i128>("i128");
        assert_shape::<usize>("u64");
        assert_shape::<f32>("f32");
        assert_shape::<char>("char");
        assert_shape::<String>("String");
        assert_shape::<PathBuf>("String");
        assert_shape::<MessagePort>("MessagePort");
        assert_shape::<Buffer>("Buffer");
    }

    #[test]
    fn types_of_parts_name_their_parts() {
        assert_shape::<Option<Vec<u8>>>("Option<Vec<u8>>");
        assert_shape::<HashMap<String, (u8, i16)>>("Map<String, (u8, i16)>");
        assert_shape::<HashSet<char>>("Vec<char>");
        assert_shape::<BTreeMap<u8, Vec<Option<MessagePort>>>>("Map<u8, Vec<Option<MessagePort>>>");
        assert_shape::<[u8; 32]>("[u8; 32]");
        assert_shape::<[(u8, bool); 2]>("[(u8, bool); 2]");
        assert_shape::<(Box<u8>, Box<str>)>("(u8, String)");
        assert_shape::<Result<u8, String>>("enum Result { Ok(u8), Err(String) }");
        assert_shape::<Duration>("exact Duration { secs: u64, nanos: u32 }");
        assert_shape::<SystemTime>("exact SystemTime { secs_since_epoch: u64, nanos_since_epoch: u32 }");
        assert_shape::<Range<u8>>("exact Range { start: u8, end: u8 }");
    }

    #[test]
    fn types_that_check_what_they_get_are_given_something_that_they_take() {
        assert_shape::<NonZeroU64>("u64");
        assert_shape::<NonZeroI8>("i8");
        assert_shape::<(NonZeroU64, String)>("(u64, String)");
        assert_shape::<(IpAddr, u8)>("(enum IpAddr { V4([u8; 4]), V6([u8; 16]) }, u8)");
        assert_shape::<(SocketAddr, u8)>("(enum SocketAddr { V4([u8; 4], u16), V6([u8; 16], u16) }, u8)");
    }

    #[derive(Serialize, Deserialize)]
    struct Contact {
        name: String,
        address: Address,
        #[serde(default)]
        tags: Vec<Tag>,
        age: Option<u8>,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Address {
        #[serde(rename = "road", alias = "alley")]
        street: String,
        #[serde(alias = "no", alias = "nr")]
        number: u16,
        town: Id,
        #[serde(skip)]
        cached: u64,
    }

    #[derive(Serialize, Deserialize)]
    struct Id(u32);

    #[derive(Serialize, Deserialize)]
    enum Tag {
        Plain,
        Text(String),
        Pair(u8, Id),
        Full {
            by: Id,
            at: [f32; 3],
        },
        #[serde(other)]
        Other,
    }

    #[test]
    fn structs_and_enums_are_known_by_their_names() {
        assert_shape::<Contact>(
            "Contact { name: String, address: exact Address { alley|road: String, no|nr|number: u16, town: Id(u32) }, \
             tags?: Vec<enum Tag { Plain, Text(String), Pair(u8, Id), Full { by: Id, at: [f32; 3] }, Other, .. }>, \
             age?: Option<u8> }",
        );
    }

    #[derive(Deserialize)]
    struct Tree {
        name: String,
        children: Vec<Tree>,
        parent: Option<Box<Tree>>,
        last: u8,
    }

    #[derive(Deserialize)]
    enum Expr {
        Add(Box<Expr>, Box<Expr>),
        Call { args: Vec<Expr>, of: Box<Function> },
        Not(Box<Expr>),
        Lit(f64),
    }

    #[derive(Deserialize)]
    struct Function {
        body: Expr,
        name: String,
    }

    #[derive(Deserialize)]
    struct Linked(u8, Option<Box<Linked>>);

    #[derive(Deserialize)]
    struct Nested(Vec<Nested>);

    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Transparent {
        inner: Vec<Transparent>,
    }

    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Doubled {
        inner: Option<Box<(Doubled, Doubled)>>,
    }

    #[test]
    fn types_that_hold_themselves_refer_to_themselves() {
        assert_shape::<Tree>("Tree { name: String, children: Vec<Tree>, parent?: Option<Tree>, last: u8 }");
        assert_shape::<Expr>(
            "enum Expr { Add(Expr, Expr), Call { args: Vec<Expr>, of: Function { body: Expr, name: String } }, \
             Not(Expr), Lit(f64) }",
        );
        assert_shape::<Linked>("Linked(u8, Option<Linked>)");
        assert_shape::<Nested>("Nested(Vec<Nested>)");
    }

    #[test]
    fn types_that_hold_themselves_without_a_name_end_as_opaque() {
        let shape = trace::<Transparent>().to_string();
        assert!(shape.starts_with("Vec<Vec<") && shape.contains('_'), "{shape}");
        let shape = trace::<Doubled>();
        assert!(postcard::from_bytes::<Shape>(&postcard::to_allocvec(&shape).unwrap()).is_ok());
    }

    /// A text with an `@` in it.
    #[derive(Deserialize)]
    #[serde(try_from = "String")]
    struct Email;

    impl TryFrom<String> for Email {
        type Error = &'static str;

        fn try_from(text: String) -> Result<Self, &'static str> {
            if text.contains('@') { Ok(Self) } else { Err("no @") }
        }
    }

    /// A text that nobody would guess.
    #[derive(Deserialize)]
    #[serde(try_from = "String")]
    struct Password;

    impl TryFrom<String> for Password {
        type Error = &'static str;

        fn try_from(text: String) -> Result<Self, &'static str> {
            if text == "correct horse" { Ok(Self) } else { Err("wrong") }
        }
    }

    #[derive(Deserialize)]
    enum Secret {
        Password(Password),
        Pair(Password, u8),
        Open(u8),
    }

    #[derive(Deserialize)]
    struct Login {
        email: Email,
        first: u8,
        password: Password,
        secret: Secret,
        second: Option<Password>,
        #[serde(default)]
        many: Vec<Password>,
        last: String,
    }

    #[test]
    fn what_comes_after_a_value_that_cannot_be_made_up_is_found_all_the_same() {
        assert_shape::<Email>("String");
        assert_shape::<Password>("String");
        assert_shape::<Secret>("enum Secret { Password(String), Pair(String, _), Open(u8) }");
        let shape = trace::<Login>().to_string().replace('?', "");
        assert_eq!(
            shape,
            "Login { email: String, first: u8, password: String, secret: enum Secret { Password(String), \
             Pair(String, _), Open(u8) }, second: Option<String>, many: Vec<String>, last: String }",
        );
    }

    #[derive(Deserialize)]
    #[serde(tag = "kind")]
    enum Tagged {
        A { x: u8 },
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        A(u8),
    }

    #[test]
    fn types_that_no_value_of_can_travel_are_opaque() {
        assert_shape::<Tagged>("_");
        assert_shape::<(u8, Untagged)>("(u8, _)");
    }

    /// Panics, asks for what it should not, and asks without end.
    struct Panics;

    impl<'de> Deserialize<'de> for Panics {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            let number = u8::deserialize(from)?;
            assert!(number > 100, "on purpose");
            Ok(Self)
        }
    }

    struct Endless;

    impl<'de> Deserialize<'de> for Endless {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            struct Visit;
            impl<'de> Visitor<'de> for Visit {
                type Value = Endless;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("no end")
                }
                fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Endless, A::Error> {
                    while seq.next_element::<(Endless, Endless)>()?.is_some() {}
                    Ok(Endless)
                }
            }
            from.deserialize_tuple(usize::MAX, Visit)
        }
    }

    #[test]
    fn a_type_that_panics_or_has_no_end_is_asked_no_further() {
        assert_shape::<(String, Panics, u8)>("(String, u8, _)");
        trace::<Endless>();
        trace::<[[[u8; 32]; 32]; 32]>();
    }

    mod other {
        #[derive(serde::Deserialize)]
        pub(super) struct Id(String);
    }

    #[derive(Deserialize)]
    struct Generic<T> {
        it: T,
        id: Id,
    }

    #[test]
    fn types_of_one_name_are_told_apart() {
        assert_shape::<(Id, other::Id, Id)>("(Id(u32), Id(String), Id@0)");
        assert_shape::<(Generic<u8>, Generic<String>, Generic<u8>)>(
            "(Generic { it: u8, id: Id(u32) }, Generic { it: String, id: Id }, Generic@0)",
        );
    }
}
