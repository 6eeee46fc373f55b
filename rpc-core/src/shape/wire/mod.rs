//! Shapes as bytes, and what holds shapes: [`write`](mod@write) writes them, and [`read`] reads them.
//!
//! A shape is written before its parts, as a list of heads: a head is a number, with what a shape has besides its parts. The list is flat, so
//! a hostile one cannot nest deeper than we look. serde sees bytes and no more: what it derives for all of this is many times the code.

pub(super) mod read;
pub(super) mod write;

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Visitor},
};

use self::read::Left;
use super::{Description, MethodKind, Shape};

/// The numbers of the heads that bring more than that, or that parts follow, and the highest of all.
mod head {
    pub(super) const OPTION: u32 = 20;
    pub(super) const LIST: u32 = 21;
    pub(super) const ARRAY: u32 = 22;
    pub(super) const MAP: u32 = 23;
    pub(super) const TUPLE: u32 = 24;
    pub(super) const STRUCT: u32 = 25;
    pub(super) const ENUM: u32 = 26;
    pub(super) const NAMED: u32 = 27;
    pub(super) const AGAIN: u32 = 28;
    pub(super) const FOREIGN: u32 = 29;
}

/// What calls are, in the order of their numbers.
const KINDS: [MethodKind; 7] = [
    MethodKind::Call,
    MethodKind::OneWay,
    MethodKind::Once,
    MethodKind::OneWayOnce,
    MethodKind::ServerStream,
    MethodKind::ClientStream,
    MethodKind::TwoWayStream,
];

/// Goes as bytes: the number of its heads, and the heads.
impl Serialize for Shape {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&write::shape(self))
    }
}

/// Fails if it nests more than 128 deep, has more than 8192 parts, or refers to a named type that it does not have.
impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(Whole { what: "a shape", read: |left| left.shape() })
    }
}

/// Goes as bytes.
impl Serialize for Description {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&write::description(self))
    }
}

/// Fails where one of its shapes does.
impl<'de> Deserialize<'de> for Description {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(Whole { what: "a description", read: |left| left.description() })
    }
}

/// Reads what is all that some bytes are.
struct Whole<T> {
    what: &'static str,
    read: fn(&mut Left<'_>) -> Option<T>,
}

impl<T> Visitor<'_> for Whole<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<T, E> {
        let mut left = Left(bytes);
        let value = (self.read)(&mut left).filter(|_| left.0.is_empty());
        value.ok_or_else(|| E::custom(format_args!("the bytes are not {}", self.what)))
    }
}

/// See [`Shape::fingerprint`].
pub(super) fn fingerprint(shape: &Shape) -> u64 {
    let bytes = write::shape(shape);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
pub(super) mod model;

#[cfg(test)]
mod tests {
    use super::{
        super::{
            MethodDescription,
            table::{DEPTH, SIZE},
        },
        *,
    };

    const EVERYTHING: &str = "T { a: A { b|c: Vec<u8>, d?: Option<B(u8, enum C { X, Y(A), Z { q: Map<String, [f32; 300]> }, .. })> }, e: T }";

    fn parsed(text: &str) -> Shape {
        text.parse().unwrap()
    }

    fn read(bytes: &[u8]) -> Option<Shape> {
        let mut left = Left(bytes);
        left.shape().filter(|_| left.0.is_empty())
    }

    fn read_description(bytes: &[u8]) -> Option<Description> {
        let mut left = Left(bytes);
        left.description().filter(|_| left.0.is_empty())
    }

    /// With a method of every kind.
    fn description() -> Description {
        let method = |(id, kind)| MethodDescription {
            id,
            name: format!("method_{id}"),
            docs: "Documented.".to_owned(),
            kind,
            args: vec![("a".to_owned(), parsed(EVERYTHING)), ("b".to_owned(), Shape::U8)],
            ok: Shape::Text,
            err: (kind == MethodKind::Once).then(|| parsed("E { why: String }")),
        };
        let methods = (1000..).zip(KINDS).map(method).collect();
        Description { name: "Service".to_owned(), docs: String::new(), methods }
    }

    /// Each of the places of some bytes, with each other byte there.
    fn with_another_byte(whole: &[u8]) -> impl Iterator<Item = Vec<u8>> {
        (0..whole.len()).flat_map(move |at| {
            (0..=u8::MAX).map(move |byte| {
                let mut bytes = whole.to_vec();
                bytes[at] = byte;
                bytes
            })
        })
    }

    #[test]
    fn a_shape_comes_back_from_its_bytes() {
        let leaves = "(_, (), bool, i8, i16, i32, i64, i128, u8, u16, u32, u64, u128, f32, f64, char, String, bytes, \
                      MessagePort, Buffer, Foreign)";
        for text in [EVERYTHING, leaves, "exact A { }", "(A(A), B(B, A))"] {
            let bytes = write::shape(&parsed(text));

            assert_eq!(read(&bytes), Some(parsed(text)));
            assert_eq!(model::take_shape(&bytes), Some((bytes.clone(), &[][..])));
        }
    }

    #[test]
    fn the_bytes_and_the_fingerprint_of_a_shape_never_change() {
        let shape = parsed("Contact { name: String, age?: Option<u8> }");

        let mut expected = vec![5, 27, 7];
        expected.extend(b"Contact");
        expected.extend([25, 2, 1, 4]);
        expected.extend(b"name");
        expected.extend([0, 1, 3]);
        expected.extend(b"age");
        expected.extend([1, 0, 16, 20, 8]);
        assert_eq!(write::shape(&shape), expected);
        assert_eq!(shape.fingerprint(), 7_753_124_609_834_463_411);
    }

    #[test]
    fn inside_a_value_a_shape_is_bytes() {
        let bytes = postcard::to_allocvec(&(7_u8, Shape::Unit)).unwrap();

        assert_eq!(bytes, [7, 2, 1, 1]);
        assert_eq!(postcard::from_bytes(&bytes), Ok((7_u8, Shape::Unit)));
        assert!(postcard::from_bytes::<Shape>(&[3, 1, 1, 1]).is_err(), "a byte is left over");
    }

    #[test]
    fn a_shape_that_nests_too_deep_is_refused() {
        let list = |depth: usize| {
            let mut bytes = postcard::to_allocvec(&(depth + 1)).unwrap();
            bytes.extend(std::iter::repeat_n(21, depth));
            bytes.push(0);
            read(&bytes)
        };

        assert!(list(DEPTH - 1).is_some());
        assert!(list(DEPTH).is_none());
        assert!(list(1 << 20).is_none());
    }

    #[test]
    fn a_shape_with_too_many_parts_is_refused() {
        let tuple = |parts: usize| read(&write::shape(&Shape::Tuple(vec![Shape::Unit; parts])));

        assert!(read(&[1, 24, 255, 255, 255, 255, 15]).is_none());
        assert!(tuple(SIZE - 1).is_some());
        assert!(tuple(SIZE).is_none());
    }

    #[test]
    fn a_shape_that_refers_to_what_it_does_not_hold_is_refused() {
        assert!(read(&[1, 28, 0]).is_none());
        assert!(read(&[2, 27, 0, 28, 0]).is_some());
        assert!(read(&[2, 27, 0, 28, 1]).is_none());
    }

    #[test]
    fn parts_that_are_left_over_are_refused() {
        assert!(read(&[2, 1, 1]).is_none());
    }

    #[test]
    fn a_shape_that_is_cut_off_or_has_another_byte_is_read_as_the_model_reads_it() {
        let whole = write::shape(&parsed(EVERYTHING));

        assert!((0..whole.len()).all(|end| read(&whole[..end]).is_none()));
        for bytes in with_another_byte(&whole) {
            let written = read(&bytes).map(|shape| write::shape(&shape));
            let expected = model::take_shape(&bytes).filter(|(_, left)| left.is_empty());
            assert_eq!(written, expected.map(|(written, _)| written), "{bytes:?}");
        }
    }

    #[test]
    fn the_bytes_of_a_description_never_change() {
        let method = MethodDescription {
            id: 300,
            name: "now".to_owned(),
            docs: "Tells.".to_owned(),
            kind: MethodKind::Once,
            args: vec![("zone".to_owned(), Shape::Text)],
            ok: Shape::U64,
            err: Some(Shape::Unit),
        };
        let description = Description { name: "Clock".to_owned(), docs: String::new(), methods: vec![method] };

        let bytes = postcard::to_allocvec(&description).unwrap();

        let expected = b"\x23\x05Clock\x00\x01\xac\x02\x03now\x06Tells.\x02\x01\x04zone\x01\x10\x01\x0b\x01\x01\x01";
        assert_eq!(bytes, expected);
        assert_eq!(postcard::from_bytes(&bytes), Ok(description));
    }

    #[test]
    fn a_description_comes_back_from_its_bytes_and_not_from_some_of_them_or_from_more() {
        let mut bytes = write::description(&description());

        assert_eq!(read_description(&bytes), Some(description()));
        assert!((0..bytes.len()).all(|end| read_description(&bytes[..end]).is_none()));
        bytes.push(0);
        assert_eq!(read_description(&bytes), None);
    }

    #[test]
    fn a_description_with_another_byte_is_another_or_none() {
        let mut described = description();
        described.methods.truncate(1);
        let whole = write::description(&described);

        for bytes in with_another_byte(&whole) {
            if let Some(read) = read_description(&bytes) {
                assert_eq!(read_description(&write::description(&read)), Some(read));
            }
        }
    }

    #[test]
    fn a_description_holds_no_shape_that_is_none() {
        let mut described = description();
        described.methods[0].ok = Shape::Again(0);

        assert_eq!(read_description(&write::description(&described)), None);
    }
}
