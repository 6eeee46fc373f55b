//! Shapes as text, much like Rust. [`parse`](super::parse) reads it.

use std::fmt::{self, Display, Formatter};

use super::{Enum, Shape, Struct, table::Table};

/// The shapes that have one word.
pub(super) static WORDS: [(&str, Shape); 20] = [
    ("_", Shape::Opaque),
    ("bool", Shape::Bool),
    ("i8", Shape::I8),
    ("i16", Shape::I16),
    ("i32", Shape::I32),
    ("i64", Shape::I64),
    ("i128", Shape::I128),
    ("u8", Shape::U8),
    ("u16", Shape::U16),
    ("u32", Shape::U32),
    ("u64", Shape::U64),
    ("u128", Shape::U128),
    ("f32", Shape::F32),
    ("f64", Shape::F64),
    ("char", Shape::Char),
    ("String", Shape::Text),
    ("bytes", Shape::Bytes),
    ("MessagePort", Shape::Port),
    ("Buffer", Shape::Buffer),
    ("Foreign", Shape::Foreign),
];

/// The other words that are no names.
const RESERVED: [&str; 5] = ["Option", "Vec", "Map", "enum", "exact"];

/// Prints it like a Rust type: `Contact { name: String, age?: Option<u8> }`. What it prints can be parsed.
impl Display for Shape {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        shape(self, &Table::of(self), f)
    }
}

fn shape(it: &Shape, table: &Table<'_>, f: &mut Formatter<'_>) -> fmt::Result {
    match it {
        Shape::Unit => f.write_str("()"),
        Shape::Optional(part) => wrapped("Option<", &[part], table, f),
        Shape::List(part) => wrapped("Vec<", &[part], table, f),
        Shape::Map(key, value) => wrapped("Map<", &[key, value], table, f),
        Shape::Array(part, len) => {
            f.write_str("[")?;
            shape(part, table, f)?;
            write!(f, "; {len}]")
        }
        Shape::Tuple(items) => tuple(items, table, f),
        Shape::Struct(it) => fields(it, None, table, f),
        Shape::Enum(it) => variants(it, None, table, f),
        Shape::Named(name, inner) => match &**inner {
            Shape::Struct(it) => fields(it, Some(name), table, f),
            Shape::Enum(it) => variants(it, Some(name), table, f),
            inner => {
                self::name(name, f)?;
                content(inner, table, f)
            }
        },
        Shape::Again(number) => again(*number, table, f),
        leaf => match WORDS.iter().find(|(_, shape)| shape == leaf) {
            Some((word, _)) => f.write_str(word),
            None => f.write_str("_"),
        },
    }
}

fn wrapped(open: &str, parts: &[&Shape], table: &Table<'_>, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_str(open)?;
    separated(parts, f, |part, f| shape(part, table, f))?;
    f.write_str(">")
}

/// What follows a name that is no struct's and no enum's.
fn content(it: &Shape, table: &Table<'_>, f: &mut Formatter<'_>) -> fmt::Result {
    match it {
        Shape::Tuple(items) => tuple(items, table, f),
        other => {
            f.write_str("(")?;
            shape(other, table, f)?;
            f.write_str(")")
        }
    }
}

fn tuple(items: &[Shape], table: &Table<'_>, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_str("(")?;
    separated(items, f, |item, f| shape(item, table, f))?;
    f.write_str(if items.len() < 2 { ",)" } else { ")" })
}

fn fields(it: &Struct, name: Option<&str>, table: &Table<'_>, f: &mut Formatter<'_>) -> fmt::Result {
    if it.is_exact {
        f.write_str("exact ")?;
    }
    head(name, f)?;
    separated(&it.fields, f, |field, f| {
        for (number, name) in field.names.iter().enumerate() {
            f.write_str(if number == 0 { "" } else { "|" })?;
            self::name(name, f)?;
        }
        f.write_str(if field.may_be_missing { "?: " } else { ": " })?;
        shape(&field.shape, table, f)
    })?;
    f.write_str(if it.fields.is_empty() { "}" } else { " }" })
}

fn variants(it: &Enum, name: Option<&str>, table: &Table<'_>, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_str("enum ")?;
    head(name, f)?;
    separated(&it.variants, f, |variant, f| match &variant.content {
        Shape::Struct(it) => fields(it, Some(&variant.name), table, f),
        Shape::Unit => self::name(&variant.name, f),
        other => {
            self::name(&variant.name, f)?;
            content(other, table, f)
        }
    })?;
    match (it.is_open, it.variants.is_empty()) {
        (true, true) => f.write_str(".. }"),
        (true, false) => f.write_str(", .. }"),
        (false, true) => f.write_str("}"),
        (false, false) => f.write_str(" }"),
    }
}

fn head(name: Option<&str>, f: &mut Formatter<'_>) -> fmt::Result {
    if let Some(name) = name {
        self::name(name, f)?;
        f.write_str(" ")?;
    }
    f.write_str("{ ")
}

fn again(number: u32, table: &Table<'_>, f: &mut Formatter<'_>) -> fmt::Result {
    let Shape::Named(name, _) = table.number(number) else { return write!(f, "@{number}") };
    self::name(name, f)?;
    let same = table.named().iter().filter(|named| matches!(named, Shape::Named(other, _) if other == name));
    if same.count() == 1 { Ok(()) } else { write!(f, "@{number}") }
}

/// A name, in quotes if it would be read as something else.
fn name(name: &str, f: &mut Formatter<'_>) -> fmt::Result {
    let is_word = WORDS.iter().any(|(word, _)| *word == name) || RESERVED.contains(&name);
    if is_identifier(name) && !is_word { f.write_str(name) } else { write!(f, "{name:?}") }
}

fn is_identifier(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit()) && !name.is_empty() && name.chars().all(is_in_a_name)
}

/// Whether a name may hold it without quotes.
pub(super) fn is_in_a_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

fn separated<T>(
    items: &[T],
    f: &mut Formatter<'_>,
    print: impl Fn(&T, &mut Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    for (number, item) in items.iter().enumerate() {
        f.write_str(if number == 0 { "" } else { ", " })?;
        print(item, f)?;
    }
    Ok(())
}
