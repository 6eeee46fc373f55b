//! Shapes as bytes: flat, so that a hostile one cannot nest deeper than we read.
//!
//! A shape is written before its parts, as a list of heads: a head says how many parts follow it.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, SeqAccess, Visitor},
};

use super::{
    Enum, Field, Shape, Struct, Variant,
    table::{DEPTH, SIZE},
};

/// A shape without its parts.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Head {
    Opaque,
    Unit,
    Bool,
    I8,
    I16,
    I32,
    I64,
    I128,
    U8,
    U16,
    U32,
    U64,
    U128,
    F32,
    F64,
    Char,
    String,
    Bytes,
    Port,
    Buffer,
    Option,
    List,
    Array(u64),
    Map,
    Tuple(u32),
    Struct { fields: Vec<(Vec<String>, bool)>, is_exact: bool },
    Enum { variants: Vec<String>, is_open: bool },
    Named(String),
    Again(u32),
    Foreign,
}

impl Head {
    fn of(shape: &Shape) -> Self {
        match shape {
            Shape::Opaque => Self::Opaque,
            Shape::Unit => Self::Unit,
            Shape::Bool => Self::Bool,
            Shape::I8 => Self::I8,
            Shape::I16 => Self::I16,
            Shape::I32 => Self::I32,
            Shape::I64 => Self::I64,
            Shape::I128 => Self::I128,
            Shape::U8 => Self::U8,
            Shape::U16 => Self::U16,
            Shape::U32 => Self::U32,
            Shape::U64 => Self::U64,
            Shape::U128 => Self::U128,
            Shape::F32 => Self::F32,
            Shape::F64 => Self::F64,
            Shape::Char => Self::Char,
            Shape::Text => Self::String,
            Shape::Bytes => Self::Bytes,
            Shape::Port => Self::Port,
            Shape::Buffer => Self::Buffer,
            Shape::Foreign => Self::Foreign,
            Shape::Optional(_) => Self::Option,
            Shape::List(_) => Self::List,
            Shape::Array(_, len) => Self::Array(*len),
            Shape::Map(..) => Self::Map,
            Shape::Tuple(items) => Self::Tuple(u32::try_from(items.len()).unwrap_or(u32::MAX)),
            Shape::Struct(it) => Self::Struct {
                fields: it.fields.iter().map(|field| (field.names.clone(), field.may_be_missing)).collect(),
                is_exact: it.is_exact,
            },
            Shape::Enum(it) => Self::Enum {
                variants: it.variants.iter().map(|variant| variant.name.clone()).collect(),
                is_open: it.is_open,
            },
            Shape::Named(name, _) => Self::Named(name.clone()),
            Shape::Again(number) => Self::Again(*number),
        }
    }
}

impl Serialize for Shape {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut heads = Vec::new();
        let mut left = vec![self];
        while let Some(shape) = left.pop() {
            heads.push(Head::of(shape));
            left.extend(shape.parts().into_iter().rev());
        }
        heads.serialize(serializer)
    }
}

/// Fails if it nests more than 128 deep, has more than 8192 parts, or refers to a named type that it does not have.
impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut heads = deserializer.deserialize_seq(Heads)?.into_iter();
        let shape = shape(&mut heads, DEPTH).map_err(Error::custom)?;
        match heads.next() {
            None => Ok(shape),
            Some(_) => Err(Error::custom("parts of a shape are left over")),
        }
    }
}

/// Reads heads, and not too many.
struct Heads;

impl<'de> Visitor<'de> for Heads {
    type Value = Vec<Head>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a shape")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<Head>, A::Error> {
        let (mut heads, mut named, mut highest) = (Vec::new(), 0_u32, None);
        while let Some(head) = seq.next_element::<Head>()? {
            if heads.len() == SIZE {
                return Err(Error::custom("a shape has too many parts"));
            }
            match &head {
                Head::Named(_) => named += 1,
                Head::Again(number) => highest = highest.max(Some(*number)),
                _ => {}
            }
            heads.push(head);
        }
        if highest.is_some_and(|highest| highest >= named) {
            return Err(Error::custom("a shape refers to a type that is not in it"));
        }
        Ok(heads)
    }
}

/// Puts a shape together, from its head and those that follow.
fn shape(heads: &mut std::vec::IntoIter<Head>, depth: usize) -> Result<Shape, &'static str> {
    let depth = depth.checked_sub(1).ok_or("a shape nests too deep")?;
    let head = heads.next().ok_or("a part of a shape is missing")?;
    let mut part = || shape(heads, depth);
    Ok(match head {
        Head::Opaque => Shape::Opaque,
        Head::Unit => Shape::Unit,
        Head::Bool => Shape::Bool,
        Head::I8 => Shape::I8,
        Head::I16 => Shape::I16,
        Head::I32 => Shape::I32,
        Head::I64 => Shape::I64,
        Head::I128 => Shape::I128,
        Head::U8 => Shape::U8,
        Head::U16 => Shape::U16,
        Head::U32 => Shape::U32,
        Head::U64 => Shape::U64,
        Head::U128 => Shape::U128,
        Head::F32 => Shape::F32,
        Head::F64 => Shape::F64,
        Head::Char => Shape::Char,
        Head::String => Shape::Text,
        Head::Bytes => Shape::Bytes,
        Head::Port => Shape::Port,
        Head::Buffer => Shape::Buffer,
        Head::Foreign => Shape::Foreign,
        Head::Option => Shape::Optional(Box::new(part()?)),
        Head::List => Shape::List(Box::new(part()?)),
        Head::Array(len) => Shape::Array(Box::new(part()?), len),
        Head::Map => Shape::Map(Box::new(part()?), Box::new(part()?)),
        // Fails at the first part that is not there, whatever the number.
        Head::Tuple(len) => Shape::Tuple((0..len).map(|_| part()).collect::<Result<_, &'static str>>()?),
        Head::Struct { fields, is_exact } => {
            let fields = fields.into_iter();
            let fields = fields
                .map(|(names, may_be_missing)| Ok::<_, &'static str>(Field { names, may_be_missing, shape: part()? }));
            Shape::Struct(Struct { fields: fields.collect::<Result<_, &'static str>>()?, is_exact })
        }
        Head::Enum { variants, is_open } => {
            let variants = variants.into_iter().map(|name| Ok::<_, &'static str>(Variant { name, content: part()? }));
            Shape::Enum(Enum { variants: variants.collect::<Result<_, &'static str>>()?, is_open })
        }
        Head::Named(name) => Shape::Named(name, Box::new(part()?)),
        Head::Again(number) => Shape::Again(number),
    })
}

/// See [`Shape::fingerprint`].
pub(super) fn fingerprint(shape: &Shape) -> u64 {
    let bytes = postcard::to_allocvec(shape).unwrap_or_default();
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Shape {
        text.parse().unwrap()
    }

    #[test]
    fn a_shape_comes_back_from_its_bytes() {
        let text = "A { a: Vec<u8>, b?: Option<B(u8, enum C { X, Y(A), Z { q: Map<String, [f32; 3]> }, .. })> }";
        let bytes = postcard::to_allocvec(&parsed(text)).unwrap();

        assert_eq!(postcard::from_bytes::<Shape>(&bytes).unwrap().to_string(), text);
    }

    #[test]
    fn the_bytes_and_the_fingerprint_of_a_shape_never_change() {
        let shape = parsed("Contact { name: String, age?: Option<u8> }");

        let bytes = postcard::to_allocvec(&shape).unwrap();
        let mut expected = vec![5, 27, 7];
        expected.extend(b"Contact");
        expected.extend([25, 2, 1, 4]);
        expected.extend(b"name");
        expected.extend([0, 1, 3]);
        expected.extend(b"age");
        expected.extend([1, 0, 16, 20, 8]);
        assert_eq!(bytes, expected);
        assert_eq!(shape.fingerprint(), 7_753_124_609_834_463_411);
    }

    #[test]
    fn a_shape_that_nests_too_deep_is_refused() {
        let list = |depth: usize| {
            let mut bytes = postcard::to_allocvec(&(depth + 1)).unwrap();
            bytes.extend(std::iter::repeat_n(21, depth));
            bytes.push(0);
            postcard::from_bytes::<Shape>(&bytes)
        };

        assert!(list(DEPTH - 1).is_ok());
        assert!(list(DEPTH).is_err());
        assert!(list(1 << 20).is_err());
    }

    #[test]
    fn a_shape_with_too_many_parts_is_refused() {
        assert!(postcard::from_bytes::<Shape>(&[1, 24, 255, 255, 255, 255, 15]).is_err());
        let many = Shape::Tuple(vec![Shape::Unit; SIZE]);
        assert!(postcard::from_bytes::<Shape>(&postcard::to_allocvec(&many).unwrap()).is_err());
        let fewer = Shape::Tuple(vec![Shape::Unit; SIZE - 1]);
        assert!(postcard::from_bytes::<Shape>(&postcard::to_allocvec(&fewer).unwrap()).is_ok());
    }

    #[test]
    fn a_shape_that_refers_to_what_it_does_not_hold_is_refused() {
        assert!(postcard::from_bytes::<Shape>(&[1, 28, 0]).is_err());
        assert!(postcard::from_bytes::<Shape>(&[2, 27, 0, 28, 0]).is_ok());
        assert!(postcard::from_bytes::<Shape>(&[2, 27, 0, 28, 1]).is_err());
    }

    #[test]
    fn parts_that_are_left_over_are_refused() {
        assert!(postcard::from_bytes::<Shape>(&[2, 1, 1]).is_err());
    }
}
