//! Reading shapes.
//!
//! It has two steps: to look whether the bytes are a shape, and where it ends, and to make the shape. All limits are in the first, and for most
//! shapes there is no second.

use serde::Deserialize;

use super::{
    super::{
        Description, Enum, Field, MethodDescription, MethodShape, Shape, Struct, Variant,
        table::{DEPTH, SIZE},
    },
    KINDS, head,
};

/// Bytes that were not read yet. What fails leaves them anywhere.
#[derive(Clone, Copy)]
pub(in super::super) struct Left<'b>(pub(in super::super) &'b [u8]);

impl<'b> Left<'b> {
    /// Looks at what a method takes and returns.
    pub(in super::super) fn look_at_method(&mut self) -> Option<()> {
        let args = self.take::<usize>()?;
        (0..args).try_for_each(|_| self.look_at_shape())?;
        self.look_at_shape()
    }

    fn look_at_shape(&mut self) -> Option<()> {
        let heads = self.take::<usize>().filter(|heads| *heads <= SIZE)?;
        let (mut named, mut highest) = (0, None);
        // How many parts are still to come of each that the next one is in.
        let mut around = vec![1];
        for _ in 0..heads {
            while let Some(0) = around.last() {
                around.pop();
            }
            let depth = around.len();
            let left = around.last_mut().filter(|_| depth <= DEPTH)?;
            *left -= 1;
            match self.take()? {
                head::OPTION | head::LIST => around.push(1),
                head::ARRAY => {
                    self.take::<u64>()?;
                    around.push(1);
                }
                head::MAP => around.push(2),
                head::TUPLE => around.push(self.take()?),
                head::STRUCT => {
                    let fields = self.look_at_many(Self::look_at_field)?;
                    self.take::<bool>()?;
                    around.push(fields);
                }
                head::ENUM => {
                    let variants = self.look_at_many(Self::look_at_text)?;
                    self.take::<bool>()?;
                    around.push(variants);
                }
                head::NAMED => {
                    self.look_at_text()?;
                    named += 1;
                    around.push(1);
                }
                head::AGAIN => highest = highest.max(Some(self.take::<u32>()?)),
                0..=head::FOREIGN => {}
                _ => return None,
            }
        }
        let is_whole = around.iter().all(|left| *left == 0) && highest.is_none_or(|highest| highest < named);
        is_whole.then_some(())
    }

    /// Names, and whether it may be missing.
    fn look_at_field(&mut self) -> Option<()> {
        self.look_at_many(Self::look_at_text)?;
        self.take::<bool>().map(drop)
    }

    fn look_at_text(&mut self) -> Option<()> {
        self.take::<&str>().map(drop)
    }

    /// A number, and so many of something.
    fn look_at_many(&mut self, of: fn(&mut Self) -> Option<()>) -> Option<u32> {
        let count = self.take::<usize>()?;
        (0..count).try_for_each(|_| of(self))?;
        u32::try_from(count).ok()
    }

    /// Reads what a service is.
    pub(super) fn description(&mut self) -> Option<Description> {
        let (name, docs) = (self.text()?, self.text()?);
        Some(Description { name, docs, methods: self.many(Self::method)? })
    }

    fn method(&mut self) -> Option<MethodDescription> {
        Some(MethodDescription {
            id: self.take()?,
            name: self.text()?,
            docs: self.text()?,
            kind: *KINDS.get(self.take::<usize>()?)?,
            args: self.many(|left| Some((left.text()?, left.shape()?)))?,
            ok: self.shape()?,
            err: if self.take()? { Some(self.shape()?) } else { None },
        })
    }

    /// Reads what a method takes and returns.
    pub(in super::super) fn method_shape(&mut self) -> Option<MethodShape> {
        Some(MethodShape { args: self.many(Self::shape)?, result: self.shape()? })
    }

    /// Reads a shape.
    pub(super) fn shape(&mut self) -> Option<Shape> {
        let mut seen = *self;
        seen.look_at_shape()?;
        // How many heads there are makes no difference to what they say.
        self.take::<usize>()?;
        self.make()
    }

    /// Makes a shape of heads that were looked at, so they nest no deeper than they may.
    fn make(&mut self) -> Option<Shape> {
        Some(match self.take()? {
            0 => Shape::Opaque,
            1 => Shape::Unit,
            2 => Shape::Bool,
            3 => Shape::I8,
            4 => Shape::I16,
            5 => Shape::I32,
            6 => Shape::I64,
            7 => Shape::I128,
            8 => Shape::U8,
            9 => Shape::U16,
            10 => Shape::U32,
            11 => Shape::U64,
            12 => Shape::U128,
            13 => Shape::F32,
            14 => Shape::F64,
            15 => Shape::Char,
            16 => Shape::Text,
            17 => Shape::Bytes,
            18 => Shape::Port,
            19 => Shape::Buffer,
            head::FOREIGN => Shape::Foreign,
            head::OPTION => Shape::Optional(self.part()?),
            head::LIST => Shape::List(self.part()?),
            head::ARRAY => {
                let len = self.take()?;
                Shape::Array(self.part()?, len)
            }
            head::MAP => Shape::Map(self.part()?, self.part()?),
            head::TUPLE => Shape::Tuple(self.many(Self::make)?),
            head::STRUCT => {
                let mut fields = self.many(Self::field)?;
                let is_exact = self.take()?;
                for field in &mut fields {
                    field.shape = self.make()?;
                }
                Shape::Struct(Struct { fields, is_exact })
            }
            head::ENUM => {
                let mut variants = self.many(|left| Some(Variant { name: left.text()?, content: Shape::Unit }))?;
                let is_open = self.take()?;
                for variant in &mut variants {
                    variant.content = self.make()?;
                }
                Shape::Enum(Enum { variants, is_open })
            }
            head::NAMED => Shape::Named(self.text()?, self.part()?),
            head::AGAIN => Shape::Again(self.take()?),
            _ => return None,
        })
    }

    fn part(&mut self) -> Option<Box<Shape>> {
        self.make().map(Box::new)
    }

    /// A field whose shape comes later.
    fn field(&mut self) -> Option<Field> {
        Some(Field { names: self.many(Self::text)?, may_be_missing: self.take()?, shape: Shape::Unit })
    }

    fn text(&mut self) -> Option<String> {
        self.take::<&str>().map(str::to_owned)
    }

    /// A number, and so many of something. Grows with what is there, and not with what the number says.
    fn many<T>(&mut self, of: fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut many = Vec::new();
        for _ in 0..self.take::<usize>()? {
            many.push(of(self)?);
        }
        Some(many)
    }

    fn take<T: Deserialize<'b>>(&mut self) -> Option<T> {
        let (value, left) = postcard::take_from_bytes(self.0).ok()?;
        self.0 = left;
        Some(value)
    }
}
