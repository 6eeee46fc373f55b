//! What is known, as a shape.

use std::collections::HashMap;

use super::{
    super::{
        Enum, Field, Shape, Struct, Variant,
        table::{DEPTH, SIZE},
    },
    memory::{Asked, Leaf, Memory, Place},
    plan::{EnumMemory, StructMemory},
};

/// The shape of the type that was asked.
pub(super) fn shape(memory: &Memory) -> Shape {
    Writer { memory, named: HashMap::new(), left: SIZE }.shape(Place::ROOT, DEPTH)
}

struct Writer<'m> {
    memory: &'m Memory,
    /// The numbers of the types that were written already.
    named: HashMap<usize, u32>,
    left: usize,
}

impl Writer<'_> {
    fn shape(&mut self, place: Place, depth: usize) -> Shape {
        // Two, because a type with a name is written as two.
        let (Some(left), Some(depth)) = (self.left.checked_sub(2), depth.checked_sub(2)) else { return Shape::Opaque };
        self.left = left;
        let memory = self.memory;
        match memory.asked(place) {
            Asked::Nothing | Asked::Unknowable => Shape::Opaque,
            Asked::Leaf(it) => leaf(*it),
            Asked::Option(inner) => Shape::Optional(Box::new(self.shape(*inner, depth))),
            Asked::List(item) => Shape::List(Box::new(self.shape(*item, depth))),
            Asked::Map(key, value) => {
                Shape::Map(Box::new(self.shape(*key, depth)), Box::new(self.shape(*value, depth)))
            }
            Asked::Tuple { items, len, is_array } => self.tuple(items, *len, *is_array, depth),
            Asked::Struct(it) => self.structure(it, depth),
            Asked::Enum(it) => self.enumeration(it, depth),
            Asked::Type(number) => self.named(*number, depth),
        }
    }

    fn named(&mut self, number: usize, depth: usize) -> Shape {
        if let Some(known) = self.named.get(&number) {
            return Shape::Again(*known);
        }
        let name = self.memory.ty(number).name.to_owned();
        self.named.insert(number, u32::try_from(self.named.len()).unwrap_or(u32::MAX));
        // The body takes the two levels that were counted for the name.
        Shape::Named(name, Box::new(self.shape(self.memory.ty(number).body, depth + 1)))
    }

    fn tuple(&mut self, items: &[Place], len: usize, is_array: bool, depth: usize) -> Shape {
        match (items, u64::try_from(len)) {
            ([.., item], Ok(count)) if is_array || items.len() < len => {
                Shape::Array(Box::new(self.shape(*item, depth)), count)
            }
            _ => Shape::Tuple(items.iter().map(|item| self.shape(*item, depth)).collect()),
        }
    }

    fn structure(&mut self, it: &StructMemory, depth: usize) -> Shape {
        let mut fields: Vec<Field> = Vec::new();
        for field in &it.fields {
            match fields.last_mut() {
                Some(last) if field.is_alias => {
                    last.names.push(field.name.to_owned());
                    // Only one of its names is ever reported as missing.
                    last.may_be_missing &= field.may_be_missing;
                }
                _ => fields.push(Field {
                    names: vec![field.name.to_owned()],
                    may_be_missing: field.may_be_missing,
                    shape: self.shape(field.place, depth),
                }),
            }
        }
        Shape::Struct(Struct { fields, is_exact: it.is_exact.unwrap_or(true) })
    }

    fn enumeration(&mut self, it: &EnumMemory, depth: usize) -> Shape {
        let has_aliases = it.variants.iter().any(|variant| variant.is_refused);
        let known = it.variants.iter().filter(|variant| !variant.is_refused);
        let variants = known.map(|variant| Variant {
            name: if has_aliases { String::new() } else { variant.name.to_owned() },
            content: self.shape(variant.content, depth),
        });
        Shape::Enum(Enum { variants: variants.collect(), is_open: it.is_open.unwrap_or(false) })
    }
}

fn leaf(leaf: Leaf) -> Shape {
    match leaf {
        Leaf::Unit => Shape::Unit,
        Leaf::Bool => Shape::Bool,
        Leaf::I8 => Shape::I8,
        Leaf::I16 => Shape::I16,
        Leaf::I32 => Shape::I32,
        Leaf::I64 => Shape::I64,
        Leaf::I128 => Shape::I128,
        Leaf::U8 => Shape::U8,
        Leaf::U16 => Shape::U16,
        Leaf::U32 => Shape::U32,
        Leaf::U64 => Shape::U64,
        Leaf::U128 => Shape::U128,
        Leaf::F32 => Shape::F32,
        Leaf::F64 => Shape::F64,
        Leaf::Char => Shape::Char,
        Leaf::String => Shape::Text,
        Leaf::Bytes => Shape::Bytes,
        Leaf::Port => Shape::Port,
        Leaf::Buffer => Shape::Buffer,
        Leaf::Foreign => Shape::Foreign,
    }
}
