//! Limits to how deep a value from a peer may nest, so that decoding a recursive type cannot exhaust the stack, and to how many
//! items without bytes it may have, so that decoding ends.
//!
//! They stand between a type and the codec, and count the sequences, maps, enums, options and structs that are open.

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor};

/// How many of them may be open at once.
const LIMIT: u32 = 128;

/// What a value that goes deeper is told.
const TOO_DEEP: &str = "the value nests too deep";

/// How many items a value may have without a byte being spent on them, and how many for each byte: a list of values that have no
/// bytes is as long as it says.
const FREE_ITEMS: usize = 4096;
const ITEMS_PER_BYTE: usize = 64;

/// What a list that says it is longer is told.
const TOO_MANY: &str = "the value has more items than bytes for them";

/// How many more may be opened, and whether one too many was.
#[derive(Debug)]
pub(super) struct Depth {
    left: Cell<u32>,
    items_left: Cell<usize>,
    problem: Cell<Option<&'static str>>,
}

impl Depth {
    /// The limits for a value of so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        let items = bytes.saturating_mul(ITEMS_PER_BYTE).saturating_add(FREE_ITEMS);
        Self { left: Cell::new(LIMIT), items_left: Cell::new(items), problem: Cell::new(None) }
    }

    /// Counts an item.
    fn count<E: Error>(&self) -> Result<(), E> {
        let Some(left) = self.items_left.get().checked_sub(1) else {
            self.problem.set(Some(TOO_MANY));
            return Err(E::custom(TOO_MANY));
        };
        self.items_left.set(left);
        Ok(())
    }

    /// The limit that was the reason why decoding failed, if one was.
    pub(super) fn problem(&self) -> Option<&'static str> {
        self.problem.get()
    }

    /// Puts the limit around a part of the value.
    pub(super) fn around<T>(&self, inner: T) -> Limited<'_, T> {
        Limited { inner, depth: self }
    }

    /// Reads a part one level down.
    fn inside<T, E: Error>(&self, read: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let Some(left) = self.left.get().checked_sub(1) else {
            self.problem.set(Some(TOO_DEEP));
            return Err(E::custom(TOO_DEEP));
        };
        self.left.set(left);
        let result = read();
        self.left.set(left + 1);
        result
    }
}

/// A deserializer, a visitor, a seed or an access, with the limit around it.
#[derive(Debug)]
pub(super) struct Limited<'d, T> {
    inner: T,
    depth: &'d Depth,
}

/// Passes a request on, with the limit around the visitor.
macro_rules! forward {
    ($($method:ident($($arg:ident: $type:ty),*);)*) => {
        $(fn $method<V: Visitor<'de>>(self, $($arg: $type,)* visitor: V) -> Result<V::Value, Self::Error> {
            self.inner.$method($($arg,)* self.depth.around(visitor))
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Limited<'_, D> {
    type Error = D::Error;

    forward! {
        deserialize_any();
        deserialize_bool();
        deserialize_i8();
        deserialize_i16();
        deserialize_i32();
        deserialize_i64();
        deserialize_i128();
        deserialize_u8();
        deserialize_u16();
        deserialize_u32();
        deserialize_u64();
        deserialize_u128();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_str();
        deserialize_string();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_option();
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_seq();
        deserialize_tuple(len: usize);
        deserialize_tuple_struct(name: &'static str, len: usize);
        deserialize_map();
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier();
        deserialize_ignored_any();
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// Passes on what has no parts.
macro_rules! visit_leaves {
    ($($method:ident($type:ty);)*) => {
        $(fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.inner.$method(value)
        })*
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Limited<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    visit_leaves! {
        visit_bool(bool);
        visit_i8(i8);
        visit_i16(i16);
        visit_i32(i32);
        visit_i64(i64);
        visit_i128(i128);
        visit_u8(u8);
        visit_u16(u16);
        visit_u32(u32);
        visit_u64(u64);
        visit_u128(u128);
        visit_f32(f32);
        visit_f64(f64);
        visit_char(char);
        visit_str(&str);
        visit_borrowed_str(&'de str);
        visit_string(String);
        visit_bytes(&[u8]);
        visit_borrowed_bytes(&'de [u8]);
        visit_byte_buf(Vec<u8>);
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<V::Value, D::Error> {
        let Self { inner, depth } = self;
        depth.inside(|| inner.visit_some(depth.around(from)))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, from: D) -> Result<V::Value, D::Error> {
        let Self { inner, depth } = self;
        depth.inside(|| inner.visit_newtype_struct(depth.around(from)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, from: A) -> Result<V::Value, A::Error> {
        let Self { inner, depth } = self;
        depth.inside(|| inner.visit_seq(depth.around(from)))
    }

    fn visit_map<A: MapAccess<'de>>(self, from: A) -> Result<V::Value, A::Error> {
        let Self { inner, depth } = self;
        depth.inside(|| inner.visit_map(depth.around(from)))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, from: A) -> Result<V::Value, A::Error> {
        let Self { inner, depth } = self;
        depth.inside(|| inner.visit_enum(depth.around(from)))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Limited<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(self.depth.around(from))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Limited<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.depth.count()?;
        self.inner.next_element_seed(self.depth.around(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Limited<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.depth.count()?;
        self.inner.next_key_seed(self.depth.around(seed))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.next_value_seed(self.depth.around(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, 'd, A: EnumAccess<'de>> EnumAccess<'de> for Limited<'d, A> {
    type Error = A::Error;
    type Variant = Limited<'d, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let (value, variant) = self.inner.variant_seed(self.depth.around(seed))?;
        Ok((value, self.depth.around(variant)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Limited<'_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.newtype_variant_seed(self.depth.around(seed))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.inner.tuple_variant(len, self.depth.around(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.inner.struct_variant(fields, self.depth.around(visitor))
    }
}
