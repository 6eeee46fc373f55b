//! Reads what a shape prints.

use std::{error::Error, fmt, str::FromStr};

use super::{
    Enum, Field, Shape, Struct, Variant,
    table::DEPTH,
    text::{WORDS, is_in_a_name},
};

/// Why a text is no shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseShapeError {
    expected: &'static str,
    /// How many bytes before the end of the text.
    left: usize,
}

impl fmt::Display for ParseShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is expected, {} bytes before the end", self.expected, self.left)
    }
}

impl Error for ParseShapeError {}

impl FromStr for Shape {
    type Err = ParseShapeError;

    fn from_str(text: &str) -> Result<Self, ParseShapeError> {
        let mut parser = Parser { rest: text, named: Vec::new(), depth: DEPTH };
        let shape = parser.shape()?;
        match parser.rest.trim_start() {
            "" => Ok(shape),
            _ => parser.fail("the end"),
        }
    }
}

struct Parser<'t> {
    rest: &'t str,
    /// The names of the types that were written so far, in their order.
    named: Vec<String>,
    depth: usize,
}

type Parsed<T> = Result<T, ParseShapeError>;

impl<'t> Parser<'t> {
    fn shape(&mut self) -> Parsed<Shape> {
        let Some(depth) = self.depth.checked_sub(1) else { return self.fail("a shape that nests less") };
        self.depth = depth;
        let shape = self.shape_inside();
        self.depth += 1;
        shape
    }

    fn shape_inside(&mut self) -> Parsed<Shape> {
        if self.eat("(") {
            return self.items().map(|(items, is_tuple)| match items.len() {
                0 if !is_tuple => Shape::Unit,
                _ => Shape::Tuple(items),
            });
        }
        if self.eat("[") {
            let item = self.shape()?;
            self.want(";", "`;`")?;
            let len = self.number()?;
            self.want("]", "`]`")?;
            return Ok(Shape::Array(Box::new(item), len));
        }
        if self.eat("{") {
            return self.fields(false);
        }
        if self.eat("@") {
            return Ok(Shape::Again(self.number()?));
        }
        if self.peek() == Some('"') {
            let name = self.name()?;
            return self.named(name);
        }
        match self.word() {
            "" => self.fail("a shape"),
            "Option" => Ok(Shape::Optional(self.only()?)),
            "Vec" => Ok(Shape::List(self.only()?)),
            "Map" => {
                self.want("<", "`<`")?;
                let key = self.shape()?;
                self.want(",", "`,`")?;
                let value = self.shape()?;
                self.want(">", "`>`")?;
                Ok(Shape::Map(Box::new(key), Box::new(value)))
            }
            "exact" if self.eat("{") => self.fields(true),
            "exact" => {
                let name = self.name()?;
                self.named.push(name.clone());
                self.want("{", "`{`")?;
                Ok(Shape::Named(name, Box::new(self.fields(true)?)))
            }
            "enum" if self.eat("{") => self.variants(),
            "enum" => {
                let name = self.name()?;
                self.named.push(name.clone());
                self.want("{", "`{`")?;
                Ok(Shape::Named(name, Box::new(self.variants()?)))
            }
            word => match WORDS.iter().find(|(known, _)| *known == word) {
                Some((_, shape)) => Ok(shape.clone()),
                None => {
                    let name = word.to_owned();
                    self.named(name)
                }
            },
        }
    }

    /// What follows the name of a type.
    fn named(&mut self, name: String) -> Parsed<Shape> {
        if self.eat("@") {
            return Ok(Shape::Again(self.number()?));
        }
        match self.peek() {
            Some('{') => {
                self.named.push(name.clone());
                self.want("{", "`{`")?;
                Ok(Shape::Named(name, Box::new(self.fields(false)?)))
            }
            Some('(') => {
                self.named.push(name.clone());
                self.want("(", "`(`")?;
                let content = self.content()?;
                Ok(Shape::Named(name, Box::new(content)))
            }
            _ => match self.named.iter().position(|known| *known == name) {
                Some(number) => Ok(Shape::Again(u32::try_from(number).unwrap_or(u32::MAX))),
                None => self.fail("the name of a type that was spelled out before"),
            },
        }
    }

    /// What is between the parentheses after a name.
    fn content(&mut self) -> Parsed<Shape> {
        let (mut items, is_tuple) = self.items()?;
        match items.pop() {
            Some(only) if items.is_empty() && !is_tuple => Ok(only),
            Some(last) => {
                items.push(last);
                Ok(Shape::Tuple(items))
            }
            None => Ok(Shape::Tuple(items)),
        }
    }

    /// Shapes up to a parenthesis, and whether a comma makes one of them a tuple.
    fn items(&mut self) -> Parsed<(Vec<Shape>, bool)> {
        let mut items = Vec::new();
        let mut is_tuple = self.eat(",");
        while !self.eat(")") {
            items.push(self.shape()?);
            if self.eat(",") {
                is_tuple = true;
            } else {
                self.want(")", "`)`")?;
                break;
            }
        }
        Ok((items, is_tuple))
    }

    fn fields(&mut self, is_exact: bool) -> Parsed<Shape> {
        let mut fields = Vec::new();
        while !self.eat("}") {
            let mut names = vec![self.name()?];
            while self.eat("|") {
                names.push(self.name()?);
            }
            let may_be_missing = self.eat("?");
            self.want(":", "`:`")?;
            fields.push(Field { names, may_be_missing, shape: self.shape()? });
            if !self.eat(",") {
                self.want("}", "`}`")?;
                break;
            }
        }
        Ok(Shape::Struct(Struct { fields, is_exact }))
    }

    fn variants(&mut self) -> Parsed<Shape> {
        let (mut variants, mut is_open) = (Vec::new(), false);
        while !self.eat("}") {
            if self.eat("..") {
                is_open = true;
                self.want("}", "`}`")?;
                break;
            }
            let quoted = self.peek() == Some('"');
            let mut name = self.name()?;
            let is_exact = !quoted && name == "exact";
            if is_exact {
                name = self.name()?;
            }
            let content = if self.eat("{") {
                self.fields(is_exact)?
            } else if self.eat("(") {
                self.content()?
            } else {
                Shape::Unit
            };
            variants.push(Variant { name, content });
            if !self.eat(",") {
                self.want("}", "`}`")?;
                break;
            }
        }
        Ok(Shape::Enum(Enum { variants, is_open }))
    }

    fn only(&mut self) -> Parsed<Box<Shape>> {
        self.want("<", "`<`")?;
        let shape = self.shape()?;
        self.want(">", "`>`")?;
        Ok(Box::new(shape))
    }

    fn number<N: FromStr>(&mut self) -> Parsed<N> {
        match self.word().parse() {
            Ok(number) => Ok(number),
            Err(_) => self.fail("a number"),
        }
    }

    fn name(&mut self) -> Parsed<String> {
        if self.eat("\"") {
            return self.quoted();
        }
        match self.word() {
            "" => self.fail("a name"),
            word => Ok(word.to_owned()),
        }
    }

    /// A name as `{:?}` prints it, after its first quote.
    fn quoted(&mut self) -> Parsed<String> {
        let mut name = String::new();
        let mut characters = self.rest.chars();
        loop {
            let character = match characters.next() {
                Some('"') => {
                    self.rest = characters.as_str();
                    return Ok(name);
                }
                Some('\\') => match characters.next() {
                    Some('n') => Some('\n'),
                    Some('r') => Some('\r'),
                    Some('t') => Some('\t'),
                    Some('0') => Some('\0'),
                    Some('u') => {
                        let hex: String = characters.by_ref().skip(1).take_while(|digit| *digit != '}').collect();
                        u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32)
                    }
                    other => other,
                },
                other => other,
            };
            match character {
                Some(character) => name.push(character),
                None => return self.fail("the end of a name"),
            }
        }
    }

    /// Letters, digits and underscores.
    fn word(&mut self) -> &'t str {
        let text = self.rest.trim_start();
        let end = text.find(|character| !is_in_a_name(character)).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        self.rest = rest;
        word
    }

    fn peek(&self) -> Option<char> {
        self.rest.trim_start().chars().next()
    }

    fn eat(&mut self, text: &str) -> bool {
        match self.rest.trim_start().strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn want(&mut self, text: &str, expected: &'static str) -> Parsed<()> {
        if self.eat(text) { Ok(()) } else { self.fail(expected) }
    }

    fn fail<T>(&self, expected: &'static str) -> Parsed<T> {
        Err(ParseShapeError { expected, left: self.rest.trim_start().len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shape_prints_can_be_parsed() {
        for text in [
            "()",
            "(,)",
            "(u8,)",
            "(u8, [String; 3])",
            "_",
            "Map<String, Vec<Option<bytes>>>",
            "{ }",
            "Id(u32)",
            "Pair(u8, (u8,))",
            "Unit(())",
            "exact Closed { a: u8 }",
            "enum Never { }",
            "enum Any { .. }",
            "enum Expr { Lit(f64), Add(Expr, Expr), Call { name: String, args: Vec<Expr> }, exact E { x: u8 }, End, .. }",
            "\"String\" { \"a b\"|c?: \"String\", \"\\\"\": u8 }",
            "(A { a: u8 }, A { b: A@0, c: A@1 })",
            "enum X { \"exact\", \"\"(MessagePort), \"enum\"(Buffer) }",
        ] {
            let shape: Shape = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            let again = shape.to_string();
            assert_eq!(again.parse(), Ok(shape), "{text} became {again}");
            assert_eq!(again, text);
        }
    }

    #[test]
    fn what_is_no_shape_is_an_error_and_no_panic() {
        for text in
            ["", "(", "[u8]", "[u8; x]", "Vec<", "A", "A {", "A { a }", "enum", "\"a", "\"\\u{\"", "u8 u8", "@", "A@x"]
        {
            assert!(text.parse::<Shape>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_text_that_nests_too_deep_is_refused() {
        let text = format!("{}u8{}", "Vec<".repeat(100_000), ">".repeat(100_000));

        assert!(text.parse::<Shape>().is_err());
    }

    #[test]
    fn an_error_says_where() {
        let error = "A { a: }".parse::<Shape>().unwrap_err();

        assert_eq!(error.to_string(), "a shape is expected, 1 bytes before the end");
    }
}
