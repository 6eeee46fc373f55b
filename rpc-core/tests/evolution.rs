//! The table under "Evolution" in WIRE.md, row by row: the old type is written and read as the new one, and the other way round.

#![cfg(feature = "evolution")]

use handover_core::{
    Buffer, MessageChannel, MessagePort,
    message::{DecodeError, Decoder},
    shape::{Agreement, Shape, compare},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A type as it was or as it became.
trait Version: Serialize + DeserializeOwned + 'static {}
impl<T: Serialize + DeserializeOwned + 'static> Version for T {}

/// Writes as one version and reads as the other.
fn pass<W: Version, R: Version>(value: &W) -> Result<R, DecodeError> {
    let bytes = postcard::to_allocvec(value).unwrap();
    // Something follows, which has to be found.
    let followed = [&bytes[..], b"\x2a"].concat();
    let mut decoder = Decoder::new(&followed);
    let read = decoder.take_as(&Shape::of::<W>())?;
    assert_eq!(decoder.take::<u8>(), Ok(42), "it was not read to its end");
    Ok(read)
}

fn agreement<W: Version, R: Version>() -> Agreement {
    compare(&Shape::of::<W>(), &Shape::of::<R>())
}

#[track_caller]
fn assert_reads<W: Version, R: Version + std::fmt::Debug + PartialEq>(written: &W, read: &R) {
    assert!(agreement::<W, R>().is_compatible(), "{:?}", agreement::<W, R>());
    assert_eq!(pass::<W, R>(written).as_ref(), Ok(read));
}

#[track_caller]
fn assert_differs<W: Version, R: Version + std::fmt::Debug>(written: &W, expected: &str) {
    match agreement::<W, R>() {
        Agreement::Differs(difference) => assert_eq!(difference.to_string(), expected),
        other => panic!("{other:?}"),
    }
    pass::<W, R>(written).unwrap_err();
}

/// Two versions of a type, with the same name.
macro_rules! versions {
    ($old:item $new:item) => {
        mod old {
            #[allow(unused_imports, reason = "not every version holds one")]
            use super::*;
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
            $old
        }
        mod new {
            #[allow(unused_imports, reason = "not every version holds one")]
            use super::*;
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
            $new
        }
    };
}

mod a_field_with_a_default_is_added {
    use super::*;
    versions! {
        pub(super) struct Contact { pub(super) name: String }
        pub(super) struct Contact { pub(super) name: String, #[serde(default)] pub(super) age: u8 }
    }

    #[test]
    fn old_to_new_and_back() {
        let (old, new) = (old::Contact { name: "Ada".into() }, new::Contact { name: "Ada".into(), age: 36 });

        assert_reads(&old, &new::Contact { age: 0, ..new.clone() });
        assert_reads(&new, &old);
    }

    #[test]
    fn at_any_depth() {
        type In<T> = Vec<(u8, Option<std::collections::BTreeMap<String, Result<[T; 2], T>>>)>;
        let old = old::Contact { name: "Ada".into() };
        let new = new::Contact { name: "Ada".into(), age: 36 };
        let read = new::Contact { age: 0, ..new.clone() };

        let written: In<old::Contact> = vec![
            (1, None),
            (2, Some([("a".into(), Ok([old.clone(), old.clone()])), ("b".into(), Err(old.clone()))].into())),
        ];
        let expected: In<new::Contact> = vec![
            (1, None),
            (2, Some([("a".into(), Ok([read.clone(), read.clone()])), ("b".into(), Err(read))].into())),
        ];
        assert_reads(&written, &expected);
        let written: In<new::Contact> =
            vec![(1, None), (2, Some([("a".into(), Ok([new.clone(), new.clone()])), ("b".into(), Err(new))].into()))];
        let expected: In<old::Contact> =
            vec![(1, None), (2, Some([("a".into(), Ok([old.clone(), old.clone()])), ("b".into(), Err(old))].into()))];
        assert_reads(&written, &expected);
    }
}

mod an_optional_field_is_added_in_the_middle {
    use super::*;
    versions! {
        pub(super) struct Contact { pub(super) name: String, pub(super) age: u8 }
        pub(super) struct Contact { pub(super) name: String, pub(super) nick: Option<String>, pub(super) age: u8 }
    }

    #[test]
    fn old_to_new_and_back() {
        let old = old::Contact { name: "Ada".into(), age: 36 };
        let new = new::Contact { name: "Ada".into(), nick: Some("A".into()), age: 36 };

        assert_reads(&old, &new::Contact { nick: None, ..new.clone() });
        assert_reads(&new, &old);
    }
}

mod a_field_without_a_default_is_added {
    use super::*;
    versions! {
        pub(super) struct Contact { pub(super) name: String }
        pub(super) struct Contact { pub(super) name: String, pub(super) age: u8 }
    }

    #[test]
    fn old_to_new_and_back() {
        let (old, new) = (old::Contact { name: "Ada".into() }, new::Contact { name: "Ada".into(), age: 36 });

        let expected = "age: `u8` is read and not written, and there is no default for it";
        assert_differs::<_, new::Contact>(&old, expected);
        assert_eq!(pass::<_, new::Contact>(&old).unwrap_err().to_string(), "missing field `age`");
        assert_reads(&new, &old);
    }
}

mod fields_change_places {
    use super::*;
    versions! {
        pub(super) struct Contact { pub(super) name: String, pub(super) age: u8 }
        pub(super) struct Contact { pub(super) age: u8, pub(super) name: String }
    }

    #[test]
    fn old_to_new_and_back() {
        let (old, new) = (old::Contact { name: "Ada".into(), age: 36 }, new::Contact { name: "Ada".into(), age: 36 });

        assert_reads(&old, &new);
        assert_reads(&new, &old);
    }
}

mod a_field_is_renamed_and_keeps_its_old_name_as_an_alias {
    use super::*;
    versions! {
        pub(super) struct Contact { pub(super) name: String, pub(super) age: u8 }
        pub(super) struct Contact { #[serde(alias = "name")] pub(super) full_name: String, pub(super) age: u8 }
    }

    #[test]
    fn old_to_new_and_back() {
        let old = old::Contact { name: "Ada".into(), age: 36 };
        let new = new::Contact { full_name: "Ada".into(), age: 36 };

        assert_reads(&old, &new);
        assert_reads(&new, &old);
    }
}

mod a_field_is_renamed {
    use super::*;
    versions! {
        pub(super) struct Contact { pub(super) name: String }
        pub(super) struct Contact { pub(super) full_name: String }
    }

    #[test]
    fn old_to_new_and_back() {
        let (old, new) = (old::Contact { name: "Ada".into() }, new::Contact { full_name: "Ada".into() });

        let missing = |name| format!("{name}: `String` is read and not written, and there is no default for it");
        assert_differs::<_, new::Contact>(&old, &missing("full_name"));
        assert_differs::<_, old::Contact>(&new, &missing("name"));
    }
}

mod a_field_is_added_and_the_old_type_denies_unknown_fields {
    use super::*;
    versions! {
        #[serde(deny_unknown_fields)]
        pub(super) struct Contact { pub(super) name: String }
        #[serde(deny_unknown_fields)]
        pub(super) struct Contact { pub(super) name: String, #[serde(default)] pub(super) age: u8 }
    }

    #[test]
    fn old_to_new_and_back() {
        let (old, new) = (old::Contact { name: "Ada".into() }, new::Contact { name: "Ada".into(), age: 0 });

        assert_reads(&old, &new);
        let expected = "age: `u8` is written, which the reader does not know and does not ignore";
        assert_differs::<_, old::Contact>(&new, expected);
    }
}

mod a_variant_is_added {
    use super::*;
    versions! {
        pub(super) enum Answer { Yes, No(String) }
        pub(super) enum Answer { Maybe { chance: f32 }, Yes, No(String) }
    }

    #[test]
    fn old_to_new_and_back() {
        assert_reads(&old::Answer::Yes, &new::Answer::Yes);
        assert_reads(&old::Answer::No("x".into()), &new::Answer::No("x".into()));
        assert_reads(&new::Answer::Yes, &old::Answer::Yes);
        assert_reads(&new::Answer::No("x".into()), &old::Answer::No("x".into()));
    }

    #[test]
    fn a_value_of_it_fails_at_a_reader_that_does_not_know_it() {
        let error = pass::<_, old::Answer>(&new::Answer::Maybe { chance: 0.5 }).unwrap_err();

        assert_eq!(error.to_string(), "unknown variant `Maybe`, expected `Yes` or `No`");
    }
}

mod a_variant_is_added_and_the_old_type_has_one_for_others {
    use super::*;
    versions! {
        pub(super) enum Answer { Yes, No(String), #[serde(other)] Other }
        pub(super) enum Answer { Yes, No(String), Maybe { chance: f32 }, #[serde(other)] Other }
    }

    #[test]
    fn old_to_new_and_back() {
        assert_reads(&old::Answer::Other, &new::Answer::Other);
        assert_reads(&old::Answer::No("x".into()), &new::Answer::No("x".into()));
        assert_reads(&new::Answer::Maybe { chance: 0.5 }, &old::Answer::Other);
        assert_reads(&new::Answer::Yes, &old::Answer::Yes);
    }
}

mod a_variant_gets_content {
    use super::*;
    versions! {
        pub(super) enum Answer { Yes, No }
        pub(super) enum Answer { Yes { #[serde(default)] sure: bool }, No(u8) }
    }

    #[test]
    fn fields_with_defaults_may_be_added_and_anything_else_not() {
        assert_eq!(pass(&old::Answer::Yes), Ok(new::Answer::Yes { sure: false }));
        assert_eq!(pass(&new::Answer::Yes { sure: true }), Ok(old::Answer::Yes));
        assert_differs::<_, new::Answer>(&old::Answer::No, "No: `()` is written and `u8` is read");
        assert_reads(&new::Answer::No(7), &old::Answer::No);
    }
}

mod numbers_get_wider {
    use super::*;

    #[test]
    fn old_to_new() {
        assert_reads(&[0_u8, 127, 128, 255], &[0_u16, 127, 128, 255]);
        assert_reads(
            &(200_u8, u16::MAX, u32::MAX, u64::MAX),
            &(200_u64, 65_535_i32, u64::from(u32::MAX), u128::from(u64::MAX)),
        );
        assert_reads(
            &(i8::MIN, i16::MIN, i32::MIN, i64::MIN),
            &(-128_i16, -32_768_i64, i128::from(i32::MIN), i128::from(i64::MIN)),
        );
        assert_reads(&1.5_f32, &1.5_f64);
    }

    #[test]
    fn new_to_old_is_refused_whatever_the_number_is() {
        assert_differs::<_, u8>(&1_u16, "`u16` is written and `u8` is read");
        assert_differs::<_, u32>(&1_u64, "`u64` is written and `u32` is read");
        assert_differs::<_, i8>(&1_i16, "`i16` is written and `i8` is read");
        assert_differs::<_, f32>(&1.5_f64, "`f64` is written and `f32` is read");
        assert_differs::<_, i32>(&1_u32, "`u32` is written and `i32` is read");
        assert_differs::<_, u64>(&1_i8, "`i8` is written and `u64` is read");
    }
}

mod a_value_becomes_optional {
    use super::*;

    #[test]
    fn old_to_new_and_back() {
        assert_reads(&(7_u8, "x".to_owned()), &(Some(7_u16), Some("x".to_owned())));
        assert_differs::<_, u8>(&Some(7_u8), "`Option<u8>` is written and `u8` is read");
    }
}

mod a_type_gets_another_name_or_a_newtype {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Id(u32);

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Number(u32);

    #[test]
    fn old_to_new_and_back() {
        assert_eq!(agreement::<Id, Number>(), Agreement::Same);
        assert_eq!(agreement::<u32, Id>(), Agreement::Same);
        assert_reads(&Id(7), &Number(7));
        assert_reads(&Id(7), &7_u32);
        assert_reads(&7_u32, &Id(7));
    }
}

mod a_list_of_bytes_becomes_bytes {
    use super::*;

    /// As serde_bytes writes and reads them.
    #[derive(Debug, PartialEq)]
    struct Bytes(Vec<u8>);

    impl Serialize for Bytes {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(&self.0)
        }
    }

    impl<'de> Deserialize<'de> for Bytes {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visit;
            impl serde::de::Visitor<'_> for Visit {
                type Value = Bytes;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("bytes")
                }
                fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                    Ok(Bytes(bytes.to_vec()))
                }
            }
            deserializer.deserialize_byte_buf(Visit)
        }
    }

    #[test]
    fn old_to_new_and_back() {
        assert_eq!(agreement::<Vec<u8>, Bytes>(), Agreement::Same);
        assert_eq!(agreement::<Bytes, Vec<u8>>(), Agreement::Same);
        assert_reads(&vec![1_u8, 200], &Bytes(vec![1, 200]));
        assert_reads(&Bytes(vec![1, 200]), &vec![1_u8, 200]);
        assert!(matches!(agreement::<Vec<i8>, Bytes>(), Agreement::Differs(_)));
    }
}

mod a_tuple_gets_longer {
    use super::*;

    #[test]
    fn old_to_new_and_back() {
        let expected = "1: `u16` is read and not written, and there is no default for it";
        assert_differs::<_, (u8, u16)>(&(1_u8,), expected);
        assert_reads(&(1_u8, 2_u16), &(1_u8,));
    }

    #[test]
    fn an_array_of_another_length_is_another_type() {
        assert_differs::<_, [u8; 3]>(&[1_u8, 2], "`[u8; 2]` is written and `[u8; 3]` is read");
        assert_differs::<_, [u8; 2]>(&[1_u8, 2, 3], "`[u8; 3]` is written and `[u8; 2]` is read");
        assert_reads(&(1_u8, 2_u8), &[1_u8, 2]);
    }
}

mod something_is_returned_where_nothing_was {
    use super::*;

    #[test]
    fn old_to_new_and_back() {
        assert_reads(&("x".to_owned(), Some([1_u32, 2])), &());
        assert_differs::<_, String>(&(), "`()` is written and `String` is read");
    }
}

mod something_else_altogether {
    use super::*;

    #[derive(Debug, Serialize, Deserialize)]
    enum Left {
        A,
    }

    #[derive(Debug, Serialize, Deserialize)]
    enum Right {
        B,
    }

    #[test]
    fn old_to_new_and_back() {
        assert_differs::<_, u8>(&"x".to_owned(), "`String` is written and `u8` is read");
        assert_differs::<_, Vec<String>>(&vec![1_u8], "item: `u8` is written and `String` is read");
        assert_differs::<_, Right>(&Left::A, "`enum Left { A }` is written and `enum Right { B }` is read");
        assert!(matches!(agreement::<MessagePort, Buffer>(), Agreement::Differs(_)));
        assert!(matches!(agreement::<MessagePort, u32>(), Agreement::Differs(_)));
    }
}

mod a_type_that_holds_itself_gets_a_field {
    use super::*;
    versions! {
        pub(super) struct Tree { pub(super) name: String, pub(super) children: Vec<Tree> }
        pub(super) struct Tree { #[serde(default)] pub(super) hidden: bool, pub(super) name: String, pub(super) children: Vec<Tree> }
    }

    #[test]
    fn old_to_new_and_back() {
        let old = |name: &str, children| old::Tree { name: name.to_owned(), children };
        let new = |name: &str, children| new::Tree { hidden: false, name: name.to_owned(), children };
        let (old, new) = (
            old("a", vec![old("b", vec![old("c", vec![])]), old("d", vec![])]),
            new("a", vec![new("b", vec![new("c", vec![])]), new("d", vec![])]),
        );

        assert_reads(&old, &new);
        assert_reads(&new, &old);
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct OldOffer {
    name: String,
    port: MessagePort,
    spare: Vec<MessagePort>,
    picture: Buffer,
}

#[derive(Debug, Serialize, Deserialize)]
struct NewOffer {
    picture: Buffer,
    port: MessagePort,
    more: Option<MessagePort>,
}

#[test]
fn ports_and_buffers_inside_are_found_and_skipped_ports_are_closed() {
    let (ours, theirs) = MessageChannel::new().into_ports();
    let (kept, sent) = MessageChannel::new().into_ports();
    let (kept_spare, spare) = MessageChannel::new().into_ports();
    theirs
        .post_value(OldOffer { name: "x".into(), port: sent, spare: vec![spare], picture: Buffer::from(vec![1, 2, 3]) })
        .unwrap();
    ours.start();

    let message = futures::executor::block_on(ours.recv()).unwrap().into_parts();
    let mut decoder = Decoder::with_parts(&message.data, message.ports, message.buffers);
    let offer: NewOffer = decoder.take_as(&Shape::of::<OldOffer>()).unwrap();
    drop(decoder);

    assert_eq!(offer.picture.into_vec(), [1, 2, 3]);
    assert!(offer.more.is_none());
    kept.post_value(7_u8).unwrap();
    offer.port.start();
    assert_eq!(futures::executor::block_on(offer.port.recv_value::<u8>()).unwrap().data, 7);
    assert_eq!(futures::executor::block_on(kept_spare.closed()), handover_core::ClosedBy::Peer);
}

#[test]
fn values_that_follow_each_other_are_read_in_the_shapes_of_their_writer() {
    let bytes = postcard::to_allocvec(&(1_u8, "skipped", 300_u32)).unwrap();
    let shapes: Vec<Shape> = ["u8", "String", "u32"].iter().map(|text| text.parse().unwrap()).collect();
    let mut decoder = Decoder::new(&bytes);
    decoder.follow(&shapes);

    assert_eq!(decoder.take::<u64>(), Ok(1));
    assert_eq!(decoder.take::<()>(), Ok(()));
    assert_eq!(decoder.take::<Option<u32>>(), Ok(Some(300)));
    assert_eq!(decoder.take::<Option<u32>>(), Ok(None));
    decoder.take::<u32>().unwrap_err();
}

/// Reads the first of two fields, by hand, and leaves the second.
#[derive(Debug, PartialEq)]
struct First(u8);

impl<'de> Deserialize<'de> for First {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> serde::de::Visitor<'de> for Visit {
            type Value = First;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("two fields")
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<First, A::Error> {
                seq.next_element()?.map(First).ok_or(serde::de::Error::missing_field("a"))
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<First, A::Error> {
                let first: Option<(String, u8)> = map.next_entry()?;
                let _second: Option<String> = map.next_key()?;
                first.map(|(_, first)| First(first)).ok_or(serde::de::Error::missing_field("a"))
            }
        }
        deserializer.deserialize_struct("Two", &["a", "b"], Visit)
    }
}

#[test]
fn what_a_type_leaves_unread_is_skipped_whether_it_reads_in_a_row_or_by_name() {
    let bytes = postcard::to_allocvec(&(1_u8, "skipped", "and this", 7_u8)).unwrap();
    for text in ["(Two { a: u8, b: (String, String) }, u8)", "(Two { a: u8, c: String, b: String }, u8)"] {
        let writer: Shape = text.parse().unwrap();

        assert_eq!(Decoder::new(&bytes).take_as::<(First, u8)>(&writer), Ok((First(1), 7)), "{text}");
    }
}
