//! The heads of shapes, byte by byte: looked at, and written, with no shape made of them.

use serde::Deserialize;

use super::{
    Shape, StaticMethod,
    table::{DEPTH, SIZE},
};

/// The numbers of the heads that bring more than that, or that parts follow; the order of [`wire`](super::wire).
mod head {
    pub(super) const OPTION: u32 = 20;
    pub(super) const LIST: u32 = 21;
    pub(super) const ARRAY: u32 = 22;
    pub(super) const MAP: u32 = 23;
    pub(super) const TUPLE: u32 = 24;
    pub(super) const STRUCT: u32 = 25;
    pub(super) const ENUM: u32 = 26;
    pub(super) const NAMED: u32 = 27;
    pub(super) const AGAIN: u32 = 28;
    pub(super) const FOREIGN: u32 = 29;
}

/// Bytes that were not looked at yet.
pub(super) struct Left<'b>(pub(super) &'b [u8]);

impl<'b> Left<'b> {
    /// Looks at what a method takes and returns.
    pub(super) fn method(&mut self) -> Option<()> {
        let args = self.take::<usize>()?;
        (0..args).try_for_each(|_| self.shape())?;
        self.shape()
    }

    fn shape(&mut self) -> Option<()> {
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
                    let fields = self.many(Self::field)?;
                    self.take::<bool>()?;
                    around.push(fields);
                }
                head::ENUM => {
                    let variants = self.many(Self::text)?;
                    self.take::<bool>()?;
                    around.push(variants);
                }
                head::NAMED => {
                    self.text()?;
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
    fn field(&mut self) -> Option<()> {
        self.many(Self::text)?;
        self.take::<bool>().map(drop)
    }

    fn text(&mut self) -> Option<()> {
        self.take::<&str>().map(drop)
    }

    /// A number, and so many of something.
    fn many(&mut self, of: fn(&mut Self) -> Option<()>) -> Option<u32> {
        let count = self.take::<usize>()?;
        (0..count).try_for_each(|_| of(self))?;
        u32::try_from(count).ok()
    }

    fn take<T: Deserialize<'b>>(&mut self) -> Option<T> {
        let (value, left) = postcard::take_from_bytes(self.0).ok()?;
        self.0 = left;
        Some(value)
    }
}

/// What a method takes and returns, as bytes.
pub(super) fn of_method(StaticMethod { args, ok, err, .. }: &StaticMethod) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_number(&mut bytes, args.len() as u64);
    for (_, arg) in *args {
        let mut heads = Heads::default();
        heads.whole(&arg());
        heads.append_to(&mut bytes);
    }
    let mut heads = Heads::default();
    heads.named("Result");
    heads.variants(&["Ok", "Err"], false);
    heads.whole(&ok());
    match err {
        Some(err) => heads.whole(&err()),
        None => {
            heads.named("Never");
            heads.variants(&[], false);
        }
    }
    heads.append_to(&mut bytes);
    bytes
}

/// Heads that were written.
#[derive(Default)]
struct Heads {
    count: u64,
    /// How many named types there are.
    named: u32,
    bytes: Vec<u8>,
}

impl Heads {
    /// Appends them, after their number.
    fn append_to(&self, bytes: &mut Vec<u8>) {
        put_number(bytes, self.count);
        bytes.extend_from_slice(&self.bytes);
    }

    /// A shape by itself. What refers to its types counts those that came before it as well.
    fn whole(&mut self, shape: &Shape) {
        self.shape(shape, self.named);
    }

    fn shape(&mut self, shape: &Shape, before: u32) {
        match shape {
            Shape::Optional(inner) => self.around(head::OPTION, inner, before),
            Shape::List(inner) => self.around(head::LIST, inner, before),
            Shape::Array(inner, len) => {
                self.begin(head::ARRAY);
                self.number(*len);
                self.shape(inner, before);
            }
            Shape::Map(key, value) => {
                self.around(head::MAP, key, before);
                self.shape(value, before);
            }
            Shape::Tuple(items) => {
                self.begin(head::TUPLE);
                self.number(items.len() as u64);
                items.iter().for_each(|item| self.shape(item, before));
            }
            Shape::Struct(it) => {
                self.begin(head::STRUCT);
                self.number(it.fields.len() as u64);
                for field in &it.fields {
                    self.number(field.names.len() as u64);
                    field.names.iter().for_each(|name| self.text(name));
                    self.number(field.may_be_missing.into());
                }
                self.number(it.is_exact.into());
                it.fields.iter().for_each(|field| self.shape(&field.shape, before));
            }
            Shape::Enum(it) => {
                let names: Vec<_> = it.variants.iter().map(|variant| &*variant.name).collect();
                self.variants(&names, it.is_open);
                it.variants.iter().for_each(|variant| self.shape(&variant.content, before));
            }
            Shape::Named(name, inner) => {
                self.named(name);
                self.shape(inner, before);
            }
            Shape::Again(number) => {
                self.begin(head::AGAIN);
                self.number(number.saturating_add(before).into());
            }
            Shape::Opaque => self.begin(0),
            Shape::Unit => self.begin(1),
            Shape::Bool => self.begin(2),
            Shape::I8 => self.begin(3),
            Shape::I16 => self.begin(4),
            Shape::I32 => self.begin(5),
            Shape::I64 => self.begin(6),
            Shape::I128 => self.begin(7),
            Shape::U8 => self.begin(8),
            Shape::U16 => self.begin(9),
            Shape::U32 => self.begin(10),
            Shape::U64 => self.begin(11),
            Shape::U128 => self.begin(12),
            Shape::F32 => self.begin(13),
            Shape::F64 => self.begin(14),
            Shape::Char => self.begin(15),
            Shape::Text => self.begin(16),
            Shape::Bytes => self.begin(17),
            Shape::Port => self.begin(18),
            Shape::Buffer => self.begin(19),
            Shape::Foreign => self.begin(head::FOREIGN),
        }
    }

    fn around(&mut self, head: u32, inner: &Shape, before: u32) {
        self.begin(head);
        self.shape(inner, before);
    }

    fn named(&mut self, name: &str) {
        self.begin(head::NAMED);
        self.text(name);
        self.named += 1;
    }

    fn variants(&mut self, names: &[&str], is_open: bool) {
        self.begin(head::ENUM);
        self.number(names.len() as u64);
        names.iter().for_each(|name| self.text(name));
        self.number(is_open.into());
    }

    fn begin(&mut self, head: u32) {
        self.count += 1;
        self.number(head.into());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn number(&mut self, number: u64) {
        put_number(&mut self.bytes, number);
    }
}

/// Writes a varint; one of fewer bits is the same, and so is a `bool`.
fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        // Truncated on purpose: seven bits at a time.
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::shape::{MethodKind, ShapeOf};

    const EVERYTHING: &str =
        "T { a: A { b: Vec<u8>, c?: Option<B(u8, enum C { X, Y(A), Z { q: Map<String, [f32; 300]> }, .. })> }, d: T }";

    fn method(args: &'static [(&'static str, ShapeOf)], ok: ShapeOf, err: Option<ShapeOf>) -> StaticMethod {
        StaticMethod { id: 7, name: "m", docs: "", kind: MethodKind::Call, args, ok, err }
    }

    #[track_caller]
    fn assert_as_it_is_written(method: &StaticMethod) {
        assert_eq!(of_method(method), postcard::to_allocvec(&method.shape()).unwrap());
    }

    #[test]
    fn what_a_method_takes_and_returns_is_written_as_its_shape_is() {
        let everything: ShapeOf = || Arc::new(EVERYTHING.parse().unwrap());
        let leaves: ShapeOf = || {
            let leaves = "(bool, i8, i16, i32, i64, i128, u8, u16, u32, u64, u128, f32, f64, char, String, bytes, ())";
            let Ok(Shape::Tuple(mut leaves)) = leaves.parse() else { panic!("it is a tuple") };
            leaves.extend([Shape::Opaque, Shape::Port, Shape::Buffer, Shape::Foreign]);
            Arc::new(Shape::Tuple(leaves))
        };
        let long: ShapeOf =
            || Arc::new(Shape::Named("n".repeat(300), Box::new(Shape::Tuple(vec![Shape::Again(0); 200]))));

        assert_as_it_is_written(&method(&[], Shape::of::<()>, None));
        assert_as_it_is_written(&method(&[("a", Shape::of::<String>)], everything, None));
        assert_as_it_is_written(&method(&[("a", Shape::of::<u32>)], everything, Some(everything)));
        const MANY: &[(&str, ShapeOf)] = &[("a", Shape::of::<Vec<u8>>), ("b", Shape::of::<Option<(u8, String)>>)];
        assert_as_it_is_written(&method(MANY, leaves, Some(long)));
    }
}
