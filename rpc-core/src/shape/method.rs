//! The shapes of what one method takes and returns.

use std::sync::Arc;

use super::{
    Agreement, Difference, Enum, Shape, Variant,
    compare::{Compared, Read, compared},
    table::Table,
};
#[cfg(feature = "evolution")]
use crate::message::Decoder;

/// What a method takes and returns.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MethodShape {
    /// The arguments, in their order. What they are called makes no difference.
    pub args: Vec<Shape>,
    /// What travels back: a `Result`, also of a method that cannot fail. The items of a stream are part of what leads to them.
    pub result: Shape,
}

impl MethodShape {
    /// Of a method with these arguments, which returns this, and perhaps an error.
    pub fn new(args: impl IntoIterator<Item = Arc<Shape>>, ok: &Shape, err: Option<&Shape>) -> Self {
        let args = args.into_iter().map(|shape| Shape::clone(&shape)).collect();
        Self { args, result: result_of(ok, err) }
    }

    /// A number that two equal ones share, on every machine and in every version.
    pub fn fingerprint(&self) -> u64 {
        Shape::Tuple(vec![Shape::Tuple(self.args.clone()), self.result.clone()]).fingerprint()
    }

    /// Whether calls of a client that has this shape can be served by a service that has the other, and its results read. The
    /// difference begins with `arguments.` and a number, or with `result`.
    pub fn compare(client: &Self, service: &Self) -> Agreement {
        let args = compared_args(&client.args, &service.args);
        args.and_then(|args| Ok(args.max(compared_result(&service.result, &client.result)?))).into()
    }

    /// Whether arguments that are written in one shape can be read in the other. One that is missing at the end must be an
    /// `Option`; one too many is skipped.
    pub fn compare_args(writer: &[Shape], reader: &[Shape]) -> Agreement {
        compared_args(writer, reader).into()
    }

    /// Whether a result that is written in one shape can be read in the other. An error that the reader does not know of fails
    /// the one call.
    pub fn compare_result(writer: &Shape, reader: &Shape) -> Agreement {
        compared_result(writer, reader).into()
    }

    /// Makes a decoder read arguments that are in this shape: every [`take`](Decoder::take) from now on reads one, as what it
    /// asks for, and those that are not asked for are skipped at the end.
    #[cfg(feature = "evolution")]
    pub fn decode_args_as<'b>(&'b self, decoder: &mut Decoder<'b>) {
        decoder.follow(&self.args);
    }

    /// Makes a decoder read a result that is in this shape.
    #[cfg(feature = "evolution")]
    pub fn decode_result_as<'b>(&'b self, decoder: &mut Decoder<'b>) {
        decoder.follow(std::slice::from_ref(&self.result));
    }
}

fn compared_args(writer: &[Shape], reader: &[Shape]) -> Compared {
    let mut all = if writer.len() > reader.len() { Read::Guided } else { Read::Plainly };
    for (number, read) in reader.iter().enumerate() {
        let one = match writer.get(number) {
            Some(written) => compared(written, read),
            None if Table::of(read).is_option() => Ok(Read::Guided),
            None => Err(Box::new(Difference { path: String::new(), writer: None, reader: Some(read.clone()) })),
        };
        all = all.max(one.map_err(|difference| difference.below(&format!("arguments.{number}")))?);
    }
    Ok(all)
}

fn compared_result(writer: &Shape, reader: &Shape) -> Compared {
    let at = |place: &str, writer: &Shape, reader: &Shape| {
        compared(writer, reader).map_err(|difference| difference.below(place))
    };
    let (Some((ok, err)), Some((read_ok, read_err))) = (parts_of_result(writer), parts_of_result(reader)) else {
        return at("result", writer, reader);
    };
    let result = at("result", &ok, &read_ok)?;
    if is_never(&read_err) && !is_never(&err) {
        return Ok(Read::Guided);
    }
    Ok(result.max(at("error", &err, &read_err)?))
}

/// The `Result` that travels back. References inside the parts are counted anew.
fn result_of(ok: &Shape, err: Option<&Shape>) -> Shape {
    let never = Shape::Named("Never".to_owned(), Box::new(Shape::Enum(Enum { variants: Vec::new(), is_open: false })));
    let before_ok = 1;
    let before_err = before_ok + ok.count_named();
    let content = [("Ok", ok.shifted(before_ok)), ("Err", err.unwrap_or(&never).shifted(before_err))];
    let variants = content.map(|(name, content)| Variant { name: name.to_owned(), content });
    Shape::Named("Result".to_owned(), Box::new(Shape::Enum(Enum { variants: variants.into(), is_open: false })))
}

/// What a `Result` holds, each by itself.
fn parts_of_result(shape: &Shape) -> Option<(Shape, Shape)> {
    let table = Table::of(shape);
    match table.resolve(shape) {
        Shape::Enum(it) => match &it.variants[..] {
            [ok, err] if ok.name == "Ok" && err.name == "Err" => {
                Some((table.extract(&ok.content), table.extract(&err.content)))
            }
            _ => None,
        },
        _ => None,
    }
}

fn is_never(shape: &Shape) -> bool {
    let table = Table::of(shape);
    matches!(table.resolve(shape), Shape::Enum(it) if it.variants.is_empty() && !it.is_open)
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::{super::compare, *};

    fn shape(text: &str) -> Shape {
        text.parse().unwrap()
    }

    fn method(args: &[&str], ok: &str, err: Option<&str>) -> MethodShape {
        MethodShape::new(args.iter().map(|text| Arc::new(shape(text))), &shape(ok), err.map(shape).as_ref())
    }

    #[track_caller]
    fn assert_differs(client: &MethodShape, service: &MethodShape, expected: &str) {
        match MethodShape::compare(client, service) {
            Agreement::Differs(difference) => assert_eq!(difference.to_string(), expected),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_result_is_put_together_as_it_is_found() {
        #[derive(Serialize, Deserialize)]
        struct Tree(Vec<Tree>);

        let made = MethodShape::new([], &Shape::of::<Tree>(), Some(&Shape::of::<Option<Tree>>()));

        assert_eq!(made.result.to_string(), "enum Result { Ok(Tree(Vec<Tree@1>)), Err(Option<Tree(Vec<Tree@2>)>) }");
        assert!(compare(&made.result, &Shape::of::<Result<Tree, Option<Tree>>>()) == Agreement::Same);
    }

    #[test]
    fn arguments_may_be_left_out_and_optional_ones_added_at_the_end() {
        let (one, two) = (method(&["u8"], "()", None), method(&["u8", "Option<String>"], "()", None));
        let three = method(&["u8", "String"], "()", None);

        assert_eq!(MethodShape::compare(&one, &two), Agreement::Evolved);
        assert_eq!(MethodShape::compare(&two, &one), Agreement::Evolved);
        assert_eq!(MethodShape::compare(&three, &one), Agreement::Evolved);
        assert_differs(&one, &three, "arguments.1: `String` is read and not written, and there is no default for it");
    }

    #[test]
    fn the_difference_says_in_which_argument_it_is() {
        let old = method(&["u8", "C { a: A { street: String } }"], "()", None);
        let new = method(&["u8", "C { a: A { street: u8 } }"], "()", None);

        assert_differs(&old, &new, "arguments.1.a.street: `String` is written and `u8` is read");
    }

    #[test]
    fn a_method_may_get_an_error_and_return_more() {
        let (old, new) = (method(&[], "()", None), method(&[], "u32", Some("enum E { A }")));

        assert_eq!(MethodShape::compare(&old, &new), Agreement::Evolved);
        assert_differs(&new, &old, "result: `()` is written and `u32` is read");
    }

    #[test]
    fn an_error_of_another_kind_is_a_difference() {
        let (old, new) = (method(&[], "()", Some("String")), method(&[], "()", Some("enum E { A }")));

        assert_differs(&old, &new, "error: `enum E { A }` is written and `String` is read");
    }
}
