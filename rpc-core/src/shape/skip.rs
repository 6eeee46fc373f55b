//! Going past a value that nobody asks for.

use super::{
    Field, Shape,
    guided::{GuidedError, Reader},
    table::DEPTH,
};

impl<'w> Reader<'w, '_> {
    /// Goes past a value of this shape.
    pub(super) fn skip(&mut self, shape: &'w Shape) -> Result<(), GuidedError> {
        self.skip_at(shape, DEPTH)
    }

    /// Goes past so many values of one shape.
    pub(super) fn skip_items(&mut self, item: &'w Shape, count: u64) -> Result<(), GuidedError> {
        self.skip_times(item, count, DEPTH)
    }

    /// Goes past one value after the other.
    pub(super) fn skip_all(&mut self, shapes: &'w [Shape]) -> Result<(), GuidedError> {
        shapes.iter().try_for_each(|shape| self.skip(shape))
    }

    /// Goes past the values of fields.
    pub(super) fn skip_fields(&mut self, fields: &'w [Field]) -> Result<(), GuidedError> {
        fields.iter().try_for_each(|field| self.skip(&field.shape))
    }

    fn skip_at(&mut self, shape: &'w Shape, depth: usize) -> Result<(), GuidedError> {
        self.spend()?;
        let depth = depth.checked_sub(1).ok_or(GuidedError::new("a value that is skipped nests too deep"))?;
        match self.resolve(shape) {
            Shape::Opaque => Err(GuidedError::new("a value is not asked for, and what it is is not known")),
            Shape::Unit => Ok(()),
            Shape::Bool => self.plain::<bool>().map(drop),
            Shape::I8 | Shape::U8 => self.plain::<u8>().map(drop),
            Shape::I16 | Shape::U16 => self.plain::<u16>().map(drop),
            Shape::I32 | Shape::U32 | Shape::Port | Shape::Buffer | Shape::Foreign => self.plain::<u32>().map(drop),
            Shape::I64 | Shape::U64 => self.plain::<u64>().map(drop),
            Shape::I128 | Shape::U128 => self.plain::<u128>().map(drop),
            Shape::F32 => self.plain::<f32>().map(drop),
            Shape::F64 => self.plain::<f64>().map(drop),
            Shape::Char | Shape::Text | Shape::Bytes => self.plain::<&[u8]>().map(drop),
            Shape::Optional(inner) => {
                if self.plain::<bool>()? {
                    self.skip_at(inner, depth)?;
                }
                Ok(())
            }
            Shape::List(item) if *self.resolve(item) == Shape::U8 => self.plain::<&[u8]>().map(drop),
            Shape::List(item) => {
                let count = self.plain::<u64>()?;
                self.skip_times(item, count, depth)
            }
            Shape::Array(item, len) => self.skip_times(item, *len, depth),
            Shape::Map(key, value) => {
                for _ in 0..self.plain::<u64>()? {
                    self.skip_at(key, depth)?;
                    self.skip_at(value, depth)?;
                }
                Ok(())
            }
            Shape::Tuple(items) => items.iter().try_for_each(|item| self.skip_at(item, depth)),
            Shape::Struct(it) => it.fields.iter().try_for_each(|field| self.skip_at(&field.shape, depth)),
            Shape::Enum(it) => {
                let (_, variant) = self.variant(it)?;
                self.skip_at(&variant.content, depth)
            }
            // Not what anything resolves to.
            Shape::Named(..) | Shape::Again(_) => Err(GuidedError::new("a shape refers to itself")),
        }
    }

    /// It ends, whatever the count: each time costs bytes, or what may be spent without.
    fn skip_times(&mut self, item: &'w Shape, count: u64, depth: usize) -> Result<(), GuidedError> {
        for _ in 0..count {
            self.skip_at(item, depth)?;
        }
        Ok(())
    }
}
