//! Writing shapes.

use super::{
    super::{Description, MethodDescription, MethodShape, Shape, StaticMethod},
    head,
};

/// A shape, as bytes.
pub(in super::super) fn shape(shape: &Shape) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_shape(&mut bytes, shape);
    bytes
}

/// What a method takes and returns, as bytes.
pub(in super::super) fn method_shape(MethodShape { args, result }: &MethodShape) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_number(&mut bytes, args.len() as u64);
    for arg in args {
        put_shape(&mut bytes, arg);
    }
    put_shape(&mut bytes, result);
    bytes
}

/// What a method takes and returns, as bytes: those of [`StaticMethod::shape`], which need not be made for that.
pub(in super::super) fn static_method(StaticMethod { args, ok, err, .. }: &StaticMethod) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_number(&mut bytes, args.len() as u64);
    for (_, arg) in *args {
        put_shape(&mut bytes, &arg());
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

/// What a service is, as bytes.
pub(super) fn description(Description { name, docs, methods }: &Description) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_text(&mut bytes, name);
    put_text(&mut bytes, docs);
    put_number(&mut bytes, methods.len() as u64);
    for method in methods {
        put_method(&mut bytes, method);
    }
    bytes
}

fn put_method(bytes: &mut Vec<u8>, method: &MethodDescription) {
    let MethodDescription { id, name, docs, kind, args, ok, err } = method;
    put_number(bytes, (*id).into());
    put_text(bytes, name);
    put_text(bytes, docs);
    put_number(bytes, *kind as u64);
    put_number(bytes, args.len() as u64);
    for (name, arg) in args {
        put_text(bytes, name);
        put_shape(bytes, arg);
    }
    put_shape(bytes, ok);
    put_number(bytes, err.is_some().into());
    if let Some(err) = err {
        put_shape(bytes, err);
    }
}

fn put_shape(bytes: &mut Vec<u8>, shape: &Shape) {
    let mut heads = Heads::default();
    heads.whole(shape);
    heads.append_to(bytes);
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
        let before = self.named;
        let mut left = vec![shape];
        while let Some(shape) = left.pop() {
            self.head(shape, before);
            left.extend(shape.parts().into_iter().rev());
        }
    }

    /// What stands before the parts of a shape.
    fn head(&mut self, shape: &Shape, before: u32) {
        match shape {
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
            Shape::Optional(_) => self.begin(head::OPTION),
            Shape::List(_) => self.begin(head::LIST),
            Shape::Array(_, len) => {
                self.begin(head::ARRAY);
                self.number(*len);
            }
            Shape::Map(..) => self.begin(head::MAP),
            Shape::Tuple(items) => {
                self.begin(head::TUPLE);
                self.number(items.len() as u64);
            }
            Shape::Struct(it) => {
                self.begin(head::STRUCT);
                self.number(it.fields.len() as u64);
                for field in &it.fields {
                    self.number(field.names.len() as u64);
                    field.names.iter().for_each(|name| put_text(&mut self.bytes, name));
                    self.number(field.may_be_missing.into());
                }
                self.number(it.is_exact.into());
            }
            Shape::Enum(it) => {
                let names: Vec<_> = it.variants.iter().map(|variant| &*variant.name).collect();
                self.variants(&names, it.is_open);
            }
            Shape::Named(name, _) => self.named(name),
            Shape::Again(number) => {
                self.begin(head::AGAIN);
                self.number(number.saturating_add(before).into());
            }
        }
    }

    fn named(&mut self, name: &str) {
        self.begin(head::NAMED);
        put_text(&mut self.bytes, name);
        self.named += 1;
    }

    fn variants(&mut self, names: &[&str], is_open: bool) {
        self.begin(head::ENUM);
        self.number(names.len() as u64);
        names.iter().for_each(|name| put_text(&mut self.bytes, name));
        self.number(is_open.into());
    }

    fn begin(&mut self, head: u32) {
        self.count += 1;
        self.number(head.into());
    }

    fn number(&mut self, number: u64) {
        put_number(&mut self.bytes, number);
    }
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put_number(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
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
    fn assert_as_its_shape_is_written(method: &StaticMethod) {
        assert_eq!(static_method(method), method_shape(&method.shape()));
    }

    #[test]
    fn what_a_method_takes_and_returns_is_written_as_its_shape_is() {
        let everything: ShapeOf = || Arc::new(EVERYTHING.parse().unwrap());
        let long: ShapeOf =
            || Arc::new(Shape::Named("n".repeat(300), Box::new(Shape::Tuple(vec![Shape::Again(0); 200]))));
        const MANY: &[(&str, ShapeOf)] = &[("a", Shape::of::<Vec<u8>>), ("b", Shape::of::<Option<(u8, String)>>)];

        assert_as_its_shape_is_written(&method(&[], Shape::of::<()>, None));
        assert_as_its_shape_is_written(&method(&[("a", Shape::of::<String>)], everything, None));
        assert_as_its_shape_is_written(&method(&[("a", Shape::of::<u32>)], everything, Some(everything)));
        assert_as_its_shape_is_written(&method(MANY, everything, Some(long)));
    }
}
