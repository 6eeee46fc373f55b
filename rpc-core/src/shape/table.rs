//! What `Again` refers to.

use super::Shape;

/// How deep shapes may nest. Those that are found here nest less; a deeper one from a peer is refused.
pub(super) const DEPTH: usize = 128;

/// How many parts a shape may have.
pub(super) const SIZE: usize = 8192;

/// A shape, and the named types in it.
#[derive(Debug)]
pub(super) struct Table<'s> {
    pub(super) root: &'s Shape,
    named: Vec<&'s Shape>,
}

impl<'s> Table<'s> {
    pub(super) fn of(root: &'s Shape) -> Self {
        let mut named = Vec::new();
        let mut left = vec![root];
        while let Some(shape) = left.pop() {
            if let Shape::Named(..) = shape {
                named.push(shape);
            }
            left.extend(shape.parts().into_iter().rev());
        }
        Self { root, named }
    }

    /// The named types, by number.
    pub(super) fn named(&self) -> &[&'s Shape] {
        &self.named
    }

    /// What a shape is, behind names and references. One that refers to itself and to nothing else is opaque.
    pub(super) fn resolve(&self, shape: &'s Shape) -> &'s Shape {
        let mut shape = shape;
        for _ in 0..=self.named.len() * 2 {
            shape = match shape {
                Shape::Named(_, inner) => inner,
                Shape::Again(number) => self.number(*number),
                _ => return shape,
            };
        }
        &Shape::Opaque
    }

    /// Whether the whole is an `Option`.
    pub(super) fn is_option(&self) -> bool {
        matches!(self.resolve(self.root), Shape::Optional(_))
    }

    /// The type that `Again` refers to. A number that is none is opaque.
    pub(super) fn number(&self, number: u32) -> &'s Shape {
        usize::try_from(number).ok().and_then(|number| self.named.get(number)).copied().unwrap_or(&Shape::Opaque)
    }

    /// A part of the shape as a shape of its own: references that lead out of it are written out.
    pub(super) fn extract(&self, part: &'s Shape) -> Shape {
        let mut taken = Vec::new();
        let mut size = SIZE;
        self.copy(part, &mut taken, &mut size, DEPTH)
    }

    fn copy(&self, part: &'s Shape, taken: &mut Vec<&'s Shape>, size: &mut usize, depth: usize) -> Shape {
        let (Some(left), Some(depth)) = (size.checked_sub(1), depth.checked_sub(1)) else { return Shape::Opaque };
        *size = left;
        let target = if let Shape::Again(number) = part { self.number(*number) } else { part };
        if let Shape::Named(..) = target {
            if let Some(number) = taken.iter().position(|known| std::ptr::eq(*known, target)) {
                return Shape::Again(u32::try_from(number).unwrap_or(u32::MAX));
            }
            taken.push(target);
        }
        target.with_parts(&mut |part| self.copy(part, taken, size, depth))
    }
}

impl Shape {
    /// How many named types it holds.
    pub(super) fn count_named(&self) -> u32 {
        u32::try_from(Table::of(self).named.len()).unwrap_or(u32::MAX)
    }

    /// The same as a part of a shape in which so many named types come before.
    pub(super) fn shifted(&self, by: u32) -> Shape {
        match self {
            Self::Again(number) => Self::Again(number.saturating_add(by)),
            other => other.with_parts(&mut |part| part.shifted(by)),
        }
    }

    /// The same with other parts.
    fn with_parts<'s>(&'s self, part: &mut dyn FnMut(&'s Shape) -> Shape) -> Shape {
        match self {
            Self::Optional(inner) => Self::Optional(Box::new(part(inner))),
            Self::List(inner) => Self::List(Box::new(part(inner))),
            Self::Array(inner, len) => Self::Array(Box::new(part(inner)), *len),
            Self::Named(name, inner) => Self::Named(name.clone(), Box::new(part(inner))),
            Self::Map(key, value) => Self::Map(Box::new(part(key)), Box::new(part(value))),
            Self::Tuple(items) => Self::Tuple(items.iter().map(part).collect()),
            Self::Struct(it) => {
                let fields = it.fields.iter();
                let fields = fields.map(|field| super::Field { shape: part(&field.shape), ..without_shape(field) });
                Self::Struct(super::Struct { fields: fields.collect(), is_exact: it.is_exact })
            }
            Self::Enum(it) => {
                let variants = it.variants.iter();
                let variants = variants
                    .map(|variant| super::Variant { name: variant.name.clone(), content: part(&variant.content) });
                Self::Enum(super::Enum { variants: variants.collect(), is_open: it.is_open })
            }
            leaf => leaf.clone(),
        }
    }
}

fn without_shape(field: &super::Field) -> super::Field {
    super::Field { names: field.names.clone(), may_be_missing: field.may_be_missing, shape: Shape::Unit }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_shape_stands_by_itself() {
        let whole: Shape = "A { b: B { x: u8 }, c: C { b: B, c: Option<C> } }".parse().unwrap();
        let table = Table::of(&whole);

        let part = table.extract(table.named()[2]);

        assert_eq!(part.to_string(), "C { b: B { x: u8 }, c: Option<C> }");
    }

    #[test]
    fn what_refers_to_itself_only_is_opaque() {
        let shape = Shape::Named("A".to_owned(), Box::new(Shape::Again(0)));

        assert_eq!(Table::of(&shape).resolve(&shape), &Shape::Opaque);
    }

    #[test]
    fn a_reference_to_nothing_is_opaque() {
        let shape = Shape::Again(7);

        assert_eq!(Table::of(&shape).resolve(&shape), &Shape::Opaque);
    }
}
