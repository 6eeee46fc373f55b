//! The deserializer that notes what it is asked for, and answers with made-up values.

use std::{any::type_name, cell::RefCell, fmt};

use serde::{
    Deserializer,
    de::{
        self, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor,
        value::{BorrowedStrDeserializer, U32Deserializer},
    },
};

use super::{
    candidates::{CHARACTERS, LENGTHS, TEXTS, ZEROS},
    memory::{Asked, Key, Leaf, Memory, Mode, Place},
    plan::StructMemory,
};
use crate::message::{BUFFER, FOREIGN, PORT};

/// How deep a type is followed. Deeper it is opaque; types that hold themselves under a name of their own are not that deep.
const DEPTH: usize = 64;

/// The name of a field and of a variant that no type has.
pub(super) const NOBODYS_NAME: &str = "\u{1}";

/// Why a pass failed.
#[derive(Debug)]
pub(super) struct TraceError {
    /// The field that was missing, if that is why.
    pub(super) missing: Option<&'static str>,
}

impl TraceError {
    pub(super) const ANY: Self = Self { missing: None };
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a type does not take a made-up value")
    }
}

impl std::error::Error for TraceError {}

impl de::Error for TraceError {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::ANY
    }

    fn missing_field(field: &'static str) -> Self {
        Self { missing: Some(field) }
    }
}

/// Answers at one place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tracer<'m> {
    pub(super) memory: &'m RefCell<Memory>,
    pub(super) place: Place,
    pub(super) mode: Mode,
    depth: usize,
}

impl<'m> Tracer<'m> {
    pub(super) fn new(memory: &'m RefCell<Memory>, place: Place, mode: Mode) -> Self {
        Self { memory, place, mode, depth: DEPTH }
    }

    /// The same elsewhere.
    pub(super) fn at(self, place: Place, mode: Mode) -> Self {
        Self { place, mode, ..self }
    }

    /// Deserialises a part, if that is not too deep, and sees to it that a failure is accounted for.
    pub(super) fn part<'de, S: DeserializeSeed<'de>>(
        self,
        place: Place,
        mode: Mode,
        seed: S,
    ) -> Result<S::Value, TraceError> {
        let (below, mark) = self.below(place, mode)?;
        let result = seed.deserialize(below);
        if result.is_err() {
            self.memory.borrow_mut().failed(place, mark);
        }
        result
    }

    /// Goes one level down.
    pub(super) fn below(self, place: Place, mode: Mode) -> Result<(Self, usize), TraceError> {
        let mut memory = self.memory.borrow_mut();
        let Some(depth) = self.depth.checked_sub(1) else {
            if *memory.asked(place) == Asked::Nothing {
                memory.give_up(place);
            }
            memory.explain();
            return Err(TraceError::ANY);
        };
        let explores = mode == Mode::Explore && memory.needs(place);
        let mode = if explores { Mode::Explore } else { Mode::Minimal };
        Ok((Self { memory: self.memory, place, mode, depth }, memory.mark()))
    }

    /// Notes what is asked for here.
    fn ask(
        self,
        is_same: impl Fn(&Asked) -> bool,
        make: impl FnOnce(&mut Memory) -> Asked,
    ) -> Result<Place, TraceError> {
        let mut memory = self.memory.borrow_mut();
        if !memory.step() {
            return Err(TraceError::ANY);
        }
        Ok(memory.ask(self.place, is_same, make))
    }

    /// Answers with the made-up value that is in turn.
    fn leaf<T>(self, leaf: Leaf, visit: impl FnOnce(usize) -> Result<T, TraceError>) -> Result<T, TraceError> {
        let place = self.ask(|asked| *asked == Asked::Leaf(leaf), |_| Asked::Leaf(leaf))?;
        let candidate = match leaf {
            Leaf::Unit | Leaf::Port | Leaf::Buffer | Leaf::Foreign => 0,
            _ => self.memory.borrow_mut().choose(place),
        };
        let value = visit(candidate)?;
        self.memory.borrow_mut().took(place);
        Ok(value)
    }

    /// Goes into a type that has a name, and runs there.
    pub(super) fn named<'de, V: Visitor<'de>, T>(
        self,
        name: &'static str,
        parts: &'static [&'static str],
        run: impl FnOnce(Self) -> Result<T, TraceError>,
    ) -> Result<T, TraceError> {
        let key = Key { visitor: type_name::<V>(), value: type_name::<V::Value>(), name, parts };
        let number = self.memory.borrow_mut().type_of(key);
        self.ask(|asked| *asked == Asked::Type(number), |_| Asked::Type(number))?;
        let (body, mode) = {
            let mut memory = self.memory.borrow_mut();
            (memory.ty(number).body, memory.enter(number, self.mode))
        };
        let result = run(self.at(body, mode));
        self.memory.borrow_mut().leave(number);
        result
    }

    /// Whether to put something into an option, a list or a map.
    fn is_filled(self, place: Place, inner: Place) -> bool {
        let mut memory = self.memory.borrow_mut();
        let is_filled = memory.choose(place) == 1;
        is_filled || self.mode == Mode::Explore && memory.needs(inner)
    }

    pub(super) fn tuple<'de, V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, TraceError> {
        let is_array = type_name::<V::Value>().starts_with('[') && len > 0;
        let is_same = |asked: &Asked| matches!(asked, Asked::Tuple { len: known, .. } if *known == len);
        let place = self.ask(is_same, |memory| Asked::Tuple {
            items: memory.new_items(if is_array { 1 } else { len }),
            len,
            is_array,
        })?;
        let Asked::Tuple { items, .. } = self.memory.borrow().asked(place).clone() else { return Err(TraceError::ANY) };
        visitor.visit_seq(Items { tracer: self, items: &items, next: 0, len })
    }

    pub(super) fn fields<'de, V: Visitor<'de>>(
        self,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TraceError> {
        let is_same = |asked: &Asked| matches!(asked, Asked::Struct(known) if known.fields.iter().map(|field| field.name).eq(names.iter().copied()));
        let place = self.ask(is_same, |memory| {
            let places = memory.new_places(names.len());
            Asked::Struct(StructMemory::new(names, places))
        })?;
        super::structs::visit(self.at(place, self.mode), visitor)
    }
}

/// One item after the other.
struct Items<'m, 'i> {
    tracer: Tracer<'m>,
    /// Their places. The last is the place of all that follow, too.
    items: &'i [Place],
    next: usize,
    len: usize,
}

impl<'de> SeqAccess<'de> for Items<'_, '_> {
    type Error = TraceError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, TraceError> {
        let place = match self.items.get(self.next).or(self.items.last()) {
            Some(place) if self.next < self.len => *place,
            _ => return Ok(None),
        };
        self.next += 1;
        self.tracer.part(place, self.tracer.mode, seed).map(Some)
    }
}

/// One entry.
struct Entry<'m> {
    tracer: Tracer<'m>,
    places: Option<(Place, Place)>,
}

impl<'de> MapAccess<'de> for Entry<'_> {
    type Error = TraceError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, TraceError> {
        match self.places {
            Some((key, _)) => self.tracer.part(key, self.tracer.mode, seed).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, TraceError> {
        let (_, value) = self.places.take().ok_or(TraceError::ANY)?;
        self.tracer.part(value, self.tracer.mode, seed)
    }
}

macro_rules! numbers {
    ($($method:ident $leaf:ident $visit:ident $values:expr;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
            self.leaf(Leaf::$leaf, |candidate| visitor.$visit($values[candidate % $values.len()]))
        })*
    };
}

impl<'de> Deserializer<'de> for Tracer<'_> {
    type Error = TraceError;

    numbers! {
        deserialize_bool Bool visit_bool [false, true];
        deserialize_i8 I8 visit_i8 [0, 1, i8::MAX];
        deserialize_i16 I16 visit_i16 [0, 1, i16::MAX];
        deserialize_i32 I32 visit_i32 [0, 1, i32::MAX];
        deserialize_i64 I64 visit_i64 [0, 1, i64::MAX];
        deserialize_i128 I128 visit_i128 [0, 1, i128::MAX];
        deserialize_u8 U8 visit_u8 [0, 1, u8::MAX];
        deserialize_u16 U16 visit_u16 [0, 1, u16::MAX];
        deserialize_u32 U32 visit_u32 [0, 1, u32::MAX];
        deserialize_u64 U64 visit_u64 [0, 1, u64::MAX];
        deserialize_u128 U128 visit_u128 [0, 1, u128::MAX];
        deserialize_f32 F32 visit_f32 [0.0, 1.0];
        deserialize_f64 F64 visit_f64 [0.0, 1.0];
        deserialize_char Char visit_char CHARACTERS;
        deserialize_str String visit_borrowed_str TEXTS;
        deserialize_string String visit_str TEXTS;
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        self.leaf(Leaf::Bytes, |candidate| visitor.visit_borrowed_bytes(&ZEROS[..LENGTHS[candidate % LENGTHS.len()]]))
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        self.leaf(Leaf::Bytes, |candidate| visitor.visit_bytes(&ZEROS[..LENGTHS[candidate % LENGTHS.len()]]))
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        self.leaf(Leaf::Unit, |_| visitor.visit_unit())
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, TraceError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, TraceError> {
        let index = || -> U32Deserializer<TraceError> { 0_u32.into_deserializer() };
        match name {
            PORT => self.leaf(Leaf::Port, |_| visitor.visit_newtype_struct(index())),
            BUFFER => self.leaf(Leaf::Buffer, |_| visitor.visit_newtype_struct(index())),
            FOREIGN => self.leaf(Leaf::Foreign, |_| visitor.visit_newtype_struct(index())),
            _ => self.named::<V, _>(name, &[], |body| {
                let (body, _) = body.below(body.place, body.mode)?;
                visitor.visit_newtype_struct(body)
            }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        let is_same = |asked: &Asked| matches!(asked, Asked::Option(_));
        let place = self.ask(is_same, |memory| Asked::Option(memory.new_place()))?;
        let Asked::Option(inner) = *self.memory.borrow().asked(place) else { return Err(TraceError::ANY) };
        if !self.is_filled(place, inner) {
            return visitor.visit_none();
        }
        let (below, mark) = self.below(inner, self.mode)?;
        let result = visitor.visit_some(below);
        if result.is_err() {
            self.memory.borrow_mut().failed(inner, mark);
        }
        result
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        let is_same = |asked: &Asked| matches!(asked, Asked::List(_));
        let place = self.ask(is_same, |memory| Asked::List(memory.new_place()))?;
        let Asked::List(item) = *self.memory.borrow().asked(place) else { return Err(TraceError::ANY) };
        let len = usize::from(self.is_filled(place, item));
        visitor.visit_seq(Items { tracer: self, items: &[item], next: 0, len })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        let is_same = |asked: &Asked| matches!(asked, Asked::Map(..));
        let place = self.ask(is_same, |memory| Asked::Map(memory.new_place(), memory.new_place()))?;
        let Asked::Map(key, value) = *self.memory.borrow().asked(place) else { return Err(TraceError::ANY) };
        let is_filled = self.is_filled(place, key) || self.mode == Mode::Explore && self.memory.borrow().needs(value);
        visitor.visit_map(Entry { tracer: self, places: is_filled.then_some((key, value)) })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, TraceError> {
        self.tuple(len, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, TraceError> {
        self.named::<V, _>(name, &[], |body| body.tuple(len, visitor))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TraceError> {
        self.named::<V, _>(name, fields, |body| body.fields(fields, visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TraceError> {
        self.named::<V, _>(name, variants, |body| {
            let is_same = |asked: &Asked| matches!(asked, Asked::Enum(_));
            let place = body.ask(is_same, |memory| {
                let places = memory.new_places(variants.len());
                Asked::Enum(super::plan::EnumMemory::new(variants, places))
            })?;
            super::enums::visit(body.at(place, body.mode), visitor)
        })
    }

    /// Postcard cannot answer this, so no value of such a type travels.
    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, TraceError> {
        self.ask(|asked| *asked == Asked::Unknowable, |_| Asked::Unknowable)?;
        Err(TraceError::ANY)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        self.deserialize_any(visitor)
    }

    /// Asked for what has a name that the type does not know.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceError> {
        self.ask(|asked| *asked == Asked::Unknowable, |_| Asked::Unknowable)?;
        visitor.visit_unit()
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// The name of a field or a variant, as a deserializer.
pub(super) fn name<'de>(name: &'static str) -> BorrowedStrDeserializer<'de, TraceError> {
    BorrowedStrDeserializer::new(name)
}
