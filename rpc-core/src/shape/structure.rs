//! What a shape is made of.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::{of, wire};

/// What a type is on the wire: what follows what in its bytes, with the names of fields and variants.
///
/// It is found by asking the type's `Deserialize`; nothing has to be derived for it. It holds each type of one name once: where
/// the type is met again, inside itself or beside, [`Again`](Self::Again) refers to it.
///
/// # Examples
/// ```
/// use handover_core::shape::Shape;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Contact {
///     name: String,
///     age: Option<u8>,
/// }
///
/// let shape = Shape::of::<Contact>();
///
/// assert_eq!(shape.to_string(), "Contact { name: String, age?: Option<u8> }");
/// assert_eq!("Contact { name: String, age?: Option<u8> }".parse(), Ok(Shape::clone(&shape)));
/// ```
///
/// A `?` marks a field that may be missing, if the writer has none of the name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Shape {
    /// Not known: the type does not tell without the bytes of a value. Agrees with anything, and cannot be skipped.
    Opaque,
    /// Nothing.
    Unit,
    /// One byte, 0 or 1.
    Bool,
    /// One byte.
    I8,
    /// A varint, zigzag.
    I16,
    /// A varint, zigzag.
    I32,
    /// A varint, zigzag.
    I64,
    /// A varint, zigzag.
    I128,
    /// One byte.
    U8,
    /// A varint.
    U16,
    /// A varint.
    U32,
    /// A varint; also a `usize`.
    U64,
    /// A varint.
    U128,
    /// Four bytes.
    F32,
    /// Eight bytes.
    F64,
    /// A length and UTF-8.
    Char,
    // Not `String`, nor `Option` below: with those names in reach rustc would write std's with their whole paths, in whatever it has
    // to say to users of this crate.
    /// A length and UTF-8.
    Text,
    /// A length and bytes. The same as a list of `U8`.
    Bytes,
    /// An index into the ports of the message.
    Port,
    /// An index into the buffers of the message.
    Buffer,
    /// An index into what is [foreign](crate::message::Foreign) in the message.
    Foreign,
    /// One byte, 0 or 1, and after 1 the value.
    Optional(Box<Shape>),
    /// A length and that many values.
    List(Box<Shape>),
    /// That many values.
    Array(Box<Shape>, u64),
    /// A length and that many keys and values.
    Map(Box<Shape>, Box<Shape>),
    /// The values.
    Tuple(Vec<Shape>),
    /// The values of the fields.
    Struct(Struct),
    /// The varint index of a variant, and its content.
    Enum(Enum),
    /// A type that has a name; the name adds no bytes. What types are called makes no difference to whether they agree.
    Named(String, Box<Shape>),
    /// The type that was the nth to be `Named` in this shape, counted from 0, in the order in which they are written.
    Again(u32),
}

/// The fields of a struct, or of a variant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Struct {
    /// In the order in which they travel.
    pub fields: Vec<Field>,
    /// Whether a field that it does not know is an error to it (`#[serde(deny_unknown_fields)]`).
    pub is_exact: bool,
}

/// A field.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// Its names: more than one if it has aliases (`#[serde(alias = "…")]`).
    pub names: Vec<String>,
    /// Whether a value can be read without it: `#[serde(default)]`, or an `Option`.
    pub may_be_missing: bool,
    /// What it holds.
    pub shape: Shape,
}

/// The variants of an enum.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Enum {
    /// In the order of their indices.
    pub variants: Vec<Variant>,
    /// Whether it takes a variant that it does not know for another one (`#[serde(other)]`).
    pub is_open: bool,
}

/// A variant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Variant {
    /// Its name; empty if that cannot be found out, because variants have aliases.
    pub name: String,
    /// `Unit`, the only value, a tuple of values, or a `Struct`.
    pub content: Shape,
}

impl Shape {
    /// The shape of a type. Found when it is first asked for; later it costs a look into a map.
    ///
    /// The type's `Deserialize` is run for that, with made-up values. What cannot be found out so is [`Opaque`](Self::Opaque).
    pub fn of<T: DeserializeOwned + 'static>() -> Arc<Self> {
        of::of::<T>()
    }

    /// A number that two equal shapes share, on every machine and in every version: FNV-1a of its bytes on the wire.
    pub fn fingerprint(&self) -> u64 {
        wire::fingerprint(self)
    }

    /// The parts of this shape, in the order in which they are written.
    pub(super) fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Optional(part) | Self::List(part) | Self::Array(part, _) | Self::Named(_, part) => vec![part],
            Self::Map(key, value) => vec![key, value],
            Self::Tuple(items) => items.iter().collect(),
            Self::Struct(it) => it.fields.iter().map(|field| &field.shape).collect(),
            Self::Enum(it) => it.variants.iter().map(|variant| &variant.content).collect(),
            Self::Opaque
            | Self::Unit
            | Self::Bool
            | Self::I8
            | Self::I16
            | Self::I32
            | Self::I64
            | Self::I128
            | Self::U8
            | Self::U16
            | Self::U32
            | Self::U64
            | Self::U128
            | Self::F32
            | Self::F64
            | Self::Char
            | Self::Text
            | Self::Bytes
            | Self::Port
            | Self::Buffer
            | Self::Foreign
            | Self::Again(_) => Vec::new(),
        }
    }
}

impl Field {
    /// Whether one of its names is one of the other's.
    pub(super) fn is_called(&self, other: &Self) -> bool {
        self.names.iter().any(|name| other.names.contains(name))
    }
}
