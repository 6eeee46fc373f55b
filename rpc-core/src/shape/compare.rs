//! Whether what one end writes can be read by the other.

use std::{error::Error, fmt};

use rustc_hash::FxHashSet;

use super::{Enum, Field, Shape, Struct, table::Table};

/// How deep two shapes are followed side by side.
const DEPTH: usize = 256;

/// How a reader gets on with what a writer writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// The bytes are the reader's own: it needs no guidance.
    Same,
    /// Another version: the reader can read it [with the writer's shape](crate::message::Decoder::take_as).
    Evolved,
    /// It cannot be read.
    Differs(Difference),
}

/// The first place at which a writer and a reader do not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where, in names of fields and variants and numbers of items: `address.street`. Empty for the whole.
    pub path: String,
    /// What is written there; `None` if nothing is, which the reader cannot do without.
    pub writer: Option<Shape>,
    /// What is read there; `None` if nothing is, and the reader does not skip it.
    pub reader: Option<Shape>,
}

impl Difference {
    /// The same, below a place.
    pub(super) fn below(mut self: Box<Self>, place: &str) -> Box<Self> {
        let dot = if self.path.is_empty() { "" } else { "." };
        self.path = format!("{place}{dot}{}", self.path);
        self
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        match (&self.writer, &self.reader) {
            (Some(writer), Some(reader)) => write!(f, "`{writer}` is written and `{reader}` is read"),
            (Some(writer), None) => {
                write!(f, "`{writer}` is written, which the reader does not know and does not ignore")
            }
            (None, Some(reader)) => write!(f, "`{reader}` is read and not written, and there is no default for it"),
            (None, None) => f.write_str("they differ"),
        }
    }
}

impl Error for Difference {}

impl Agreement {
    /// Whether the reader can read what is written, at least mostly: a variant that it does not know fails the one value.
    pub fn is_compatible(&self) -> bool {
        !matches!(self, Self::Differs(_))
    }

    /// Both at once.
    #[must_use]
    pub fn and(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Same => other(),
            Self::Evolved => match other() {
                Self::Same => Self::Evolved,
                other => other,
            },
            Self::Differs(_) => self,
        }
    }
}

/// Compares what is written with what is read.
///
/// Names of types make no difference; fields and variants are found by their names, wherever they stand. The table in `WIRE.md`,
/// under "Evolution", says what is compatible.
///
/// # Examples
/// ```
/// use handover_core::shape::{Agreement, Shape, compare};
///
/// let old: Shape = "Contact { name: String }".parse()?;
/// let new: Shape = "Contact { name: String, address?: Address { street: String } }".parse()?;
/// let other: Shape = "Contact { name: String, address?: Address { street: u8 } }".parse()?;
///
/// assert_eq!(compare(&old, &new), Agreement::Evolved);
/// assert_eq!(compare(&new, &old), Agreement::Evolved);
/// let Agreement::Differs(difference) = compare(&new, &other) else { panic!() };
/// assert_eq!(difference.to_string(), "address.street: `String` is written and `u8` is read");
/// # Ok::<(), handover_core::shape::ParseShapeError>(())
/// ```
pub fn compare(writer: &Shape, reader: &Shape) -> Agreement {
    compared(writer, reader).into()
}

/// As [`compare`], for what is compared with more.
pub(super) fn compared(writer: &Shape, reader: &Shape) -> Compared {
    let (writer_table, reader_table) = (Table::of(writer), Table::of(reader));
    let mut comparison = Comparison {
        writer: writer_table,
        reader: reader_table,
        path: Vec::new(),
        depth: 0,
        seen: FxHashSet::default(),
    };
    comparison.compare(writer, reader)
}

/// How a reader gets on with what it can read, or why it cannot. Of two that belong together the greater counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Read {
    Plainly,
    Guided,
}

pub(super) type Compared = Result<Read, Box<Difference>>;

impl From<Compared> for Agreement {
    fn from(compared: Compared) -> Self {
        match compared {
            Ok(Read::Plainly) => Self::Same,
            Ok(Read::Guided) => Self::Evolved,
            Err(difference) => Self::Differs(*difference),
        }
    }
}

struct Comparison<'s> {
    writer: Table<'s>,
    reader: Table<'s>,
    path: Vec<String>,
    depth: usize,
    /// Pairs that are being compared, or that were and do not differ, by their addresses.
    seen: FxHashSet<(*const Shape, *const Shape)>,
}

/// What a variant without content has.
static NO_FIELDS: Struct = Struct { fields: Vec::new(), is_exact: false };

impl<'s> Comparison<'s> {
    fn compare(&mut self, writer: &'s Shape, reader: &'s Shape) -> Compared {
        let (written, read) = (self.writer.resolve(writer), self.reader.resolve(reader));
        if !self.seen.insert((written, read)) {
            return Ok(Read::Plainly);
        }
        if self.depth == DEPTH {
            return self.differs(Some(writer), Some(reader));
        }
        self.depth += 1;
        let compared = self.compare_inside(writer, reader);
        self.depth -= 1;
        match compared {
            // Its items come later, by a port of their own, and are read as this end has them.
            Ok(Read::Guided) if is_stream(writer) && is_stream(reader) => self.differs(Some(writer), Some(reader)),
            compared => compared,
        }
    }

    fn compare_inside(&mut self, writer: &'s Shape, reader: &'s Shape) -> Compared {
        match (self.writer.resolve(writer), self.reader.resolve(reader)) {
            (Shape::Opaque, _) | (_, Shape::Opaque) => Ok(Read::Plainly),
            (Shape::Optional(written), Shape::Optional(read)) => self.compare(written, read),
            (Shape::List(written), Shape::List(read)) => self.at("item", written, read),
            (Shape::Map(key, value), Shape::Map(read_key, read_value)) => {
                Ok(self.at("key", key, read_key)?.max(self.at("value", value, read_value)?))
            }
            (Shape::Array(written, len), Shape::Array(read, read_len)) if len == read_len => {
                self.at("item", written, read)
            }
            (Shape::Array(written, len), Shape::Tuple(read)) if is_len(*len, read) => {
                self.items(&mut read.iter().map(|read| (&**written, read)))
            }
            (Shape::Tuple(written), Shape::Array(read, len)) if is_len(*len, written) => {
                self.items(&mut written.iter().map(|written| (written, &**read)))
            }
            (Shape::Tuple(written), Shape::Tuple(read)) => self.tuples(written, read),
            (Shape::Struct(written), Shape::Struct(read)) => self.structs(written, read),
            (Shape::Unit, Shape::Struct(read)) => self.structs(&NO_FIELDS, read).map(|_| Read::Guided),
            (Shape::Enum(written), Shape::Enum(read)) => self.enums(written, read, writer, reader),
            // It has no values, so none is ever written.
            (Shape::Enum(written), _) if written.variants.is_empty() => Ok(Read::Guided),
            (Shape::Bytes, Shape::List(item)) if *self.reader.resolve(item) == Shape::U8 => Ok(Read::Plainly),
            (Shape::List(item), Shape::Bytes) if *self.writer.resolve(item) == Shape::U8 => Ok(Read::Plainly),
            (written, read) if written == read && written.parts().is_empty() => Ok(Read::Plainly),
            (written, read) if widens(written, read) => Ok(Read::Guided),
            // What was always there may be optional now.
            (_, Shape::Optional(inner)) => match self.compare(writer, inner) {
                Ok(_) => Ok(Read::Guided),
                Err(_) => self.differs(Some(writer), Some(reader)),
            },
            // Whoever reads nothing skips what there is.
            (_, Shape::Unit) => Ok(Read::Guided),
            _ => self.differs(Some(writer), Some(reader)),
        }
    }

    fn at(&mut self, place: &str, writer: &'s Shape, reader: &'s Shape) -> Compared {
        self.path.push(place.to_owned());
        let compared = self.compare(writer, reader);
        self.path.pop();
        compared
    }

    fn items(&mut self, pairs: &mut dyn Iterator<Item = (&'s Shape, &'s Shape)>) -> Compared {
        let mut all = Read::Plainly;
        for (number, (written, read)) in pairs.enumerate() {
            all = all.max(self.at(&number.to_string(), written, read)?);
        }
        Ok(all)
    }

    fn tuples(&mut self, written: &'s [Shape], read: &'s [Shape]) -> Compared {
        let common = self.items(&mut written.iter().zip(read))?;
        match read.get(written.len()) {
            Some(missing) => self.differs_at(&written.len().to_string(), None, Some(missing)),
            None if written.len() > read.len() => Ok(Read::Guided),
            None => Ok(common),
        }
    }

    fn structs(&mut self, written: &'s Struct, read: &'s Struct) -> Compared {
        let mut all = Read::Plainly;
        for (number, field) in read.fields.iter().enumerate() {
            let name = first_name(field);
            match written.fields.iter().position(|written| written.is_called(field)) {
                Some(place) => {
                    let moved = if place == number { Read::Plainly } else { Read::Guided };
                    all = all.max(moved).max(self.at(name, &written.fields[place].shape, &field.shape)?);
                }
                None if field.may_be_missing => all = Read::Guided,
                None => return self.differs_at(name, None, Some(&field.shape)),
            }
        }
        for field in &written.fields {
            if !read.fields.iter().any(|read| read.is_called(field)) {
                if read.is_exact {
                    return self.differs_at(first_name(field), Some(&field.shape), None);
                }
                all = Read::Guided;
            }
        }
        Ok(all)
    }

    fn enums(&mut self, written: &'s Enum, read: &'s Enum, writer: &'s Shape, reader: &'s Shape) -> Compared {
        let names = |it: &'s Enum| it.variants.iter().map(|variant| variant.name.as_str());
        let mut all = if names(written).eq(names(read)) { Read::Plainly } else { Read::Guided };
        let mut known = 0;
        for (number, variant) in written.variants.iter().enumerate() {
            let found = if variant.name.is_empty() {
                read.variants.get(number).filter(|read| read.name.is_empty())
            } else {
                read.variants.iter().find(|read| read.name == variant.name)
            };
            let Some(found) = found else { continue };
            known += 1;
            all = all.max(self.at(&variant.name, &variant.content, &found.content)?);
        }
        // Two enums that have no variant in common are two different things, but for one that has no values.
        if known == 0 && !written.variants.is_empty() && !read.is_open {
            return self.differs(Some(writer), Some(reader));
        }
        Ok(all)
    }

    fn differs_at(&mut self, place: &str, writer: Option<&'s Shape>, reader: Option<&'s Shape>) -> Compared {
        self.path.push(place.to_owned());
        let difference = self.differs(writer, reader);
        self.path.pop();
        difference
    }

    fn differs(&self, writer: Option<&'s Shape>, reader: Option<&'s Shape>) -> Compared {
        Err(Box::new(Difference {
            path: self.path.join("."),
            writer: writer.map(|shape| self.writer.extract(shape)),
            reader: reader.map(|shape| self.reader.extract(shape)),
        }))
    }
}

/// What a field is called in the path to it.
fn first_name(field: &Field) -> &str {
    field.names.first().map_or("", String::as_str)
}

/// Whether it is an end of a stream.
fn is_stream(shape: &Shape) -> bool {
    matches!(shape, Shape::Named(name, _) if name == "handover::Streaming" || name == "handover::StreamSender")
}

fn is_len(len: u64, items: &[Shape]) -> bool {
    u64::try_from(items.len()) == Ok(len)
}

/// Whether every number of the one is a number of the other.
pub(super) fn widens(written: &Shape, read: &Shape) -> bool {
    use Shape::{F32, F64, I8, I16, I32, I64, I128, U8, U16, U32, U64, U128};
    match written {
        U8 => matches!(read, U16 | U32 | U64 | U128 | I16 | I32 | I64 | I128),
        U16 => matches!(read, U32 | U64 | U128 | I32 | I64 | I128),
        U32 => matches!(read, U64 | U128 | I64 | I128),
        U64 => matches!(read, U128 | I128),
        I8 => matches!(read, I16 | I32 | I64 | I128),
        I16 => matches!(read, I32 | I64 | I128),
        I32 => matches!(read, I64 | I128),
        I64 => matches!(read, I128),
        F32 => matches!(read, F64),
        _ => false,
    }
}
