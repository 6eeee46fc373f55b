//! Reading what another version of a type has written: the type says what it wants, and the writer's shape says what is there.

use std::fmt;

use postcard::de_flavors::Slice;
use serde::{
    Deserialize, Deserializer,
    de::{
        self, DeserializeSeed, EnumAccess, Expected, IntoDeserializer, MapAccess, SeqAccess, Unexpected, VariantAccess,
        Visitor,
        value::{StrDeserializer, U32Deserializer},
    },
};

use super::{Enum, Field, Shape, Struct, Variant, compare::widens, table::Table};
use crate::message::{BUFFER, FOREIGN, PORT};

/// How many values may be skipped without a byte being spent on them, and how many for each byte: values without bytes are
/// counted by a number that may be anything. Those that are read are counted where they are asked for, as in plain decoding.
const FREE: u64 = 4096;
const PER_BYTE: u64 = 64;

/// Why a value could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GuidedError(String);

impl GuidedError {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for GuidedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for GuidedError {}

impl de::Error for GuidedError {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self(text.to_string())
    }

    // In words of our own: serde's can write any number as a decimal fraction, which is more code than all of this module.
    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!("invalid type: {}, expected {expected}", in_words(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!("invalid value: {}, expected {expected}", in_words(found)))
    }
}

/// What serde says of a value that is not the expected one, but for the digits of a fraction.
fn in_words(found: Unexpected<'_>) -> String {
    let word = match found {
        Unexpected::Bool(is_so) => return format!("boolean `{is_so}`"),
        Unexpected::Unsigned(number) => return format!("integer `{number}`"),
        Unexpected::Signed(number) => return format!("integer `{number}`"),
        Unexpected::Char(letter) => return format!("character `{letter}`"),
        Unexpected::Str(text) => return format!("string \"{text}\""),
        Unexpected::Other(other) => other,
        Unexpected::Float(_) => "floating point number",
        Unexpected::Bytes(_) => "byte array",
        Unexpected::Unit => "unit value",
        Unexpected::Option => "Option value",
        Unexpected::NewtypeStruct => "newtype struct",
        Unexpected::Seq => "sequence",
        Unexpected::Map => "map",
        Unexpected::Enum => "enum",
        Unexpected::UnitVariant => "unit variant",
        Unexpected::NewtypeVariant => "newtype variant",
        Unexpected::TupleVariant => "tuple variant",
        Unexpected::StructVariant => "struct variant",
    };
    word.to_owned()
}

impl From<postcard::Error> for GuidedError {
    fn from(error: postcard::Error) -> Self {
        Self(error.to_string())
    }
}

/// Bytes, and the shape that they were written in.
pub(crate) struct Reader<'w, 'de> {
    table: Table<'w>,
    bytes: postcard::Deserializer<'de, Slice<'de>>,
    left: u64,
}

impl<'w, 'de> Reader<'w, 'de> {
    pub(crate) fn new(writer: &'w Shape, bytes: &'de [u8]) -> Self {
        let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Self {
            table: Table::of(writer),
            bytes: postcard::Deserializer::from_bytes(bytes),
            left: len.saturating_mul(PER_BYTE).saturating_add(FREE),
        }
    }

    /// Reads the whole.
    pub(crate) fn whole(&mut self) -> Guided<'_, 'w, 'de> {
        let shape = self.table.root;
        Guided { reader: self, shape }
    }

    /// The bytes that are left over.
    pub(crate) fn finish(self) -> Result<&'de [u8], GuidedError> {
        Ok(self.bytes.finalize()?)
    }

    pub(super) fn resolve(&self, shape: &'w Shape) -> &'w Shape {
        self.table.resolve(shape)
    }

    /// Counts a value that is skipped.
    pub(super) fn spend(&mut self) -> Result<(), GuidedError> {
        let left = self.left.checked_sub(1).ok_or(GuidedError::new("there are more values than bytes for them"))?;
        self.left = left;
        Ok(())
    }

    /// Reads what is the same in every version.
    pub(super) fn plain<T: Deserialize<'de>>(&mut self) -> Result<T, GuidedError> {
        Ok(T::deserialize(&mut self.bytes)?)
    }

    fn len(&mut self) -> Result<usize, GuidedError> {
        usize::try_from(self.plain::<u64>()?).map_err(|_| GuidedError::new("a list is too long"))
    }

    /// Reads which variant follows.
    pub(super) fn variant(&mut self, it: &'w Enum) -> Result<(u32, &'w Variant), GuidedError> {
        let number = self.plain::<u32>()?;
        let variant = usize::try_from(number).ok().and_then(|number| it.variants.get(number));
        let variant = variant.ok_or_else(|| GuidedError::new(format!("there is no variant {number}")))?;
        Ok((number, variant))
    }

    /// Reads an integer as it was written.
    fn integer(&mut self, written: &Shape) -> Result<Integer, GuidedError> {
        Ok(match written {
            Shape::I8 => Integer::Signed(self.plain::<i8>()?.into()),
            Shape::I16 => Integer::Signed(self.plain::<i16>()?.into()),
            Shape::I32 => Integer::Signed(self.plain::<i32>()?.into()),
            Shape::I64 => Integer::Signed(self.plain::<i64>()?.into()),
            Shape::I128 => Integer::Signed(self.plain()?),
            Shape::U8 => Integer::Unsigned(self.plain::<u8>()?.into()),
            Shape::U16 => Integer::Unsigned(self.plain::<u16>()?.into()),
            Shape::U32 => Integer::Unsigned(self.plain::<u32>()?.into()),
            Shape::U64 => Integer::Unsigned(self.plain::<u64>()?.into()),
            _ => Integer::Unsigned(self.plain()?),
        })
    }
}

impl fmt::Debug for Reader<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("table", &self.table).finish_non_exhaustive()
    }
}

/// An integer of any size.
enum Integer {
    Signed(i128),
    Unsigned(u128),
}

impl Integer {
    fn narrow<T: TryFrom<i128> + TryFrom<u128>>(self) -> Result<T, GuidedError> {
        let narrow = match self {
            Self::Signed(number) => number.try_into().ok(),
            Self::Unsigned(number) => number.try_into().ok(),
        };
        narrow.ok_or(GuidedError::new("a number is too large"))
    }
}

/// A value that is to be read, and the shape that it was written in.
#[derive(Debug)]
pub(crate) struct Guided<'r, 'w, 'de> {
    reader: &'r mut Reader<'w, 'de>,
    shape: &'w Shape,
}

impl<'r, 'w, 'de> Guided<'r, 'w, 'de> {
    fn written(&self) -> &'w Shape {
        self.reader.resolve(self.shape)
    }

    #[cold]
    fn mismatch(&self, read: &str) -> GuidedError {
        GuidedError::new(format!("{read} is read, and `{}` was written", self.reader.table.extract(self.shape)))
    }

    // What follows knows nothing of who visits, so it is there once for all types that are read.

    /// Reads what has no parts, and is as it was written.
    fn leaf<T: Deserialize<'de>>(self, read: &Shape) -> Result<T, GuidedError> {
        match self.written() {
            Shape::Opaque => self.reader.plain(),
            written if written == read => self.reader.plain(),
            _ => Err(self.mismatch(&format!("`{read}`"))),
        }
    }

    /// Reads a number, from one of its type or of a narrower one.
    fn integer<T>(self, read: &Shape) -> Result<T, GuidedError>
    where
        T: Deserialize<'de> + TryFrom<i128> + TryFrom<u128>,
    {
        match self.written() {
            written if widens(written, read) => self.reader.integer(written)?.narrow(),
            _ => self.leaf(read),
        }
    }

    fn double(self) -> Result<f64, GuidedError> {
        match self.written() {
            Shape::F32 => self.reader.plain::<f32>().map(f64::from),
            _ => self.leaf(&Shape::F64),
        }
    }

    fn bytes(self) -> Result<&'de [u8], GuidedError> {
        match self.written() {
            Shape::List(item) if *self.reader.resolve(item) == Shape::U8 => self.reader.plain(),
            _ => self.leaf(&Shape::Bytes),
        }
    }

    /// Reads how many items follow, and of what shape they are.
    fn list(&mut self) -> Result<(&'w Shape, u64), GuidedError> {
        let item = match self.written() {
            Shape::Opaque => &Shape::Opaque,
            Shape::List(item) => item,
            Shape::Bytes => &Shape::U8,
            _ => return Err(self.mismatch("a list")),
        };
        Ok((item, self.reader.plain()?))
    }

    fn map(&self) -> Result<(&'w Shape, &'w Shape), GuidedError> {
        match self.written() {
            Shape::Opaque => Ok((&Shape::Opaque, &Shape::Opaque)),
            Shape::Map(key, value) => Ok((key, value)),
            _ => Err(self.mismatch("a map")),
        }
    }

    fn structure(&self, name: &str) -> Result<&'w Struct, GuidedError> {
        match self.written() {
            Shape::Struct(written) => Ok(written),
            Shape::Unit => Ok(&NO_FIELDS),
            _ => Err(self.mismatch(&format!("`{name}`"))),
        }
    }

    /// Reads which variant follows.
    fn choice(self, name: &str, variants: &[&str]) -> Result<Choice<'r, 'w, 'de>, GuidedError> {
        let (number, variant) = match self.written() {
            Shape::Opaque => (Some(self.reader.plain()?), &OPAQUE),
            Shape::Enum(written) => {
                let (number, variant) = self.reader.variant(written)?;
                let is_own = written.variants.iter().map(|variant| variant.name.as_str()).eq(variants.iter().copied());
                ((is_own || variant.name.is_empty()).then_some(number), variant)
            }
            _ => return Err(self.mismatch(&format!("`{name}`"))),
        };
        Ok(Choice { reader: self.reader, variant, number })
    }

    /// Reads the fields of a struct or a variant: in a row if they are the reader's own, and by their names if not.
    fn fields<V: Visitor<'de>>(
        self,
        written: &'w Struct,
        read: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, GuidedError> {
        let Self { reader, .. } = self;
        let mut left = written.fields.iter();
        let value = if has_names(written, read) {
            visitor.visit_seq(Row { reader, left: &mut left })?
        } else {
            let mut pending = None;
            let value = visitor.visit_map(ByName { reader, left: &mut left, pending: &mut pending, read })?;
            if let Some(shape) = pending {
                reader.skip(shape)?;
            }
            value
        };
        reader.skip_fields(left.as_slice())?;
        Ok(value)
    }

    fn items<V: Visitor<'de>>(self, item: &'w Shape, count: u64, visitor: V) -> Result<V::Value, GuidedError> {
        let Self { reader, .. } = self;
        let mut left = count;
        let value = visitor.visit_seq(Items { reader, item, left: &mut left })?;
        reader.skip_items(item, left)?;
        Ok(value)
    }
}

/// Whether these are all names of its fields, in their order.
fn has_names(written: &Struct, read: &[&str]) -> bool {
    written.fields.iter().flat_map(|field| &field.names).map(String::as_str).eq(read.iter().copied())
}

/// Reads a number of the type that is asked for, from one of that type or of a narrower one.
macro_rules! integers {
    ($($method:ident $shape:ident $visit:ident;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GuidedError> {
            visitor.$visit(self.integer(&Shape::$shape)?)
        })*
    };
}

impl<'de> Deserializer<'de> for Guided<'_, '_, 'de> {
    type Error = GuidedError;

    integers! {
        deserialize_i8 I8 visit_i8;
        deserialize_i16 I16 visit_i16;
        deserialize_i32 I32 visit_i32;
        deserialize_i64 I64 visit_i64;
        deserialize_i128 I128 visit_i128;
        deserialize_u8 U8 visit_u8;
        deserialize_u16 U16 visit_u16;
        deserialize_u32 U32 visit_u32;
        deserialize_u64 U64 visit_u64;
        deserialize_u128 U128 visit_u128;
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GuidedError> {
        visitor.visit_bool(self.leaf(&Shape::Bool)?)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GuidedError> {
        visitor.visit_f32(self.leaf(&Shape::F32)?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GuidedError> {
        visitor.visit_f64(self.double()?)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GuidedError> {
        visitor.visit_char(self.leaf(&Shape::Char)?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GuidedError> {
        visitor.visit_borrowed_str(self.leaf(&Shape::Text)?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GuidedError> {
        visitor.visit_str(self.leaf(&Shape::Text)?)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GuidedError> {
        visitor.visit_borrowed_bytes(self.bytes()?)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GuidedError> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GuidedError> {
        match self.written() {
            Shape::Opaque | Shape::Unit => {}
            // Whoever reads nothing skips what there is.
            written => self.reader.skip(written)?,
        }
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, GuidedError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, GuidedError> {
        let is_index = match (name, self.written()) {
            (PORT | BUFFER | FOREIGN, Shape::Opaque) => true,
            (PORT, Shape::Port) | (BUFFER, Shape::Buffer) | (FOREIGN, Shape::Foreign) => true,
            (PORT, _) => return Err(self.mismatch("`MessagePort`")),
            (BUFFER, _) => return Err(self.mismatch("`Buffer`")),
            (FOREIGN, _) => return Err(self.mismatch("what is not bytes")),
            _ => false,
        };
        if is_index {
            let index: U32Deserializer<GuidedError> = self.reader.plain::<u32>()?.into_deserializer();
            return visitor.visit_newtype_struct(index);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GuidedError> {
        let inner = match self.written() {
            Shape::Opaque => &Shape::Opaque,
            Shape::Optional(inner) => inner,
            // What was always there may be optional now.
            _ => return visitor.visit_some(self),
        };
        match self.reader.plain::<u8>()? {
            0 => visitor.visit_none(),
            1 => visitor.visit_some(Guided { reader: self.reader, shape: inner }),
            _ => Err(GuidedError::new("an `Option` is neither there nor not")),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, GuidedError> {
        let (item, count) = self.list()?;
        self.items(item, count, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, GuidedError> {
        match self.written() {
            Shape::Opaque => self.items(&Shape::Opaque, len as u64, visitor),
            Shape::Array(item, count) if u64::try_from(len) == Ok(*count) => self.items(item, *count, visitor),
            Shape::Tuple(items) => {
                let Self { reader, .. } = self;
                let mut left = items.iter();
                let value = visitor.visit_seq(Row { reader, left: &mut left })?;
                reader.skip_all(left.as_slice())?;
                Ok(value)
            }
            _ => Err(self.mismatch("a tuple")),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, GuidedError> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GuidedError> {
        let (key, value) = self.map()?;
        let Self { reader, .. } = self;
        let mut left = reader.len()?;
        let map = visitor.visit_map(Entries { reader, key, value, left: &mut left })?;
        for _ in 0..left {
            reader.skip(key)?;
            reader.skip(value)?;
        }
        Ok(map)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, GuidedError> {
        if let Shape::Opaque = self.written() {
            return self.items(&Shape::Opaque, fields.len() as u64, visitor);
        }
        let written = self.structure(name)?;
        self.fields(written, fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, GuidedError> {
        visitor.visit_enum(self.choice(name, variants)?)
    }

    /// Refused, as by postcard.
    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, GuidedError> {
        Err(postcard::Error::WontImplement.into())
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GuidedError> {
        self.deserialize_any(visitor)
    }

    /// What the reader does not know.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GuidedError> {
        self.reader.skip(self.shape)?;
        visitor.visit_unit()
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// Whatever the variant is of what is not known.
static OPAQUE: Variant = Variant { name: String::new(), content: Shape::Opaque };

static NO_FIELDS: Struct = Struct { fields: Vec::new(), is_exact: false };

/// What is in a row: the items of a tuple, or the fields of a struct.
trait InARow {
    fn shape(&self) -> &Shape;
}

impl InARow for Shape {
    fn shape(&self) -> &Shape {
        self
    }
}

impl InARow for Field {
    fn shape(&self) -> &Shape {
        &self.shape
    }
}

struct Row<'r, 'w, 'de, T> {
    reader: &'r mut Reader<'w, 'de>,
    left: &'r mut std::slice::Iter<'w, T>,
}

impl<'de, T: InARow> SeqAccess<'de> for Row<'_, '_, 'de, T> {
    type Error = GuidedError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, GuidedError> {
        let Some(next) = self.left.next() else { return Ok(None) };
        seed.deserialize(Guided { reader: self.reader, shape: next.shape() }).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left.len())
    }
}

struct Items<'r, 'w, 'de> {
    reader: &'r mut Reader<'w, 'de>,
    item: &'w Shape,
    left: &'r mut u64,
}

impl<'de> SeqAccess<'de> for Items<'_, '_, 'de> {
    type Error = GuidedError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, GuidedError> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        *self.left = left;
        seed.deserialize(Guided { reader: self.reader, shape: self.item }).map(Some)
    }

    /// Not more than there can be.
    fn size_hint(&self) -> Option<usize> {
        usize::try_from((*self.left).min(self.reader.left / PER_BYTE)).ok()
    }
}

struct Entries<'r, 'w, 'de> {
    reader: &'r mut Reader<'w, 'de>,
    key: &'w Shape,
    value: &'w Shape,
    left: &'r mut usize,
}

impl<'de> MapAccess<'de> for Entries<'_, '_, 'de> {
    type Error = GuidedError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, GuidedError> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        *self.left = left;
        seed.deserialize(Guided { reader: self.reader, shape: self.key }).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, GuidedError> {
        seed.deserialize(Guided { reader: self.reader, shape: self.value })
    }
}

struct ByName<'r, 'w, 'de> {
    reader: &'r mut Reader<'w, 'de>,
    left: &'r mut std::slice::Iter<'w, Field>,
    /// The shape of the value whose name was read.
    pending: &'r mut Option<&'w Shape>,
    read: &'static [&'static str],
}

impl<'de> MapAccess<'de> for ByName<'_, '_, 'de> {
    type Error = GuidedError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, GuidedError> {
        if let Some(shape) = self.pending.take() {
            self.reader.skip(shape)?;
        }
        let Some(field) = self.left.next() else { return Ok(None) };
        *self.pending = Some(&field.shape);
        let known = field.names.iter().find(|name| self.read.contains(&name.as_str()));
        let name = known.or(field.names.first()).map_or("", String::as_str);
        seed.deserialize(StrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, GuidedError> {
        let shape = self.pending.take().ok_or(GuidedError::new("a value is asked for before its name"))?;
        seed.deserialize(Guided { reader: self.reader, shape })
    }
}

struct Choice<'r, 'w, 'de> {
    reader: &'r mut Reader<'w, 'de>,
    variant: &'w Variant,
    /// Its number, if the reader has the same variants.
    number: Option<u32>,
}

impl<'r, 'w, 'de> EnumAccess<'de> for Choice<'r, 'w, 'de> {
    type Error = GuidedError;
    type Variant = Guided<'r, 'w, 'de>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), GuidedError> {
        let chosen = match self.number {
            Some(number) => seed.deserialize(IntoDeserializer::<GuidedError>::into_deserializer(number))?,
            None => seed.deserialize(StrDeserializer::<GuidedError>::new(&self.variant.name))?,
        };
        Ok((chosen, Guided { reader: self.reader, shape: &self.variant.content }))
    }
}

impl<'de> VariantAccess<'de> for Guided<'_, '_, 'de> {
    type Error = GuidedError;

    fn unit_variant(self) -> Result<(), GuidedError> {
        <()>::deserialize(self)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, GuidedError> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, GuidedError> {
        self.deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, GuidedError> {
        self.deserialize_struct("fields", fields, visitor)
    }
}
