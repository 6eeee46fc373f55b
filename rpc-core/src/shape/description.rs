//! A service, described.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{MethodShape, Shape};

/// What a service is: its methods, with what they take and return.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// The name of the trait.
    pub name: String,
    /// Its documentation; empty if it has none.
    pub docs: String,
    /// Its methods, in the order of the trait.
    pub methods: Vec<MethodDescription>,
}

/// What a method is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodDescription {
    /// How it is named on the wire.
    pub id: u32,
    /// Its name in the trait.
    pub name: String,
    /// Its documentation; empty if it has none.
    pub docs: String,
    /// What a call of it is.
    pub kind: MethodKind,
    /// Its arguments: their names and shapes.
    pub args: Vec<(String, Shape)>,
    /// What it returns when all is well; of a stream, what it ends with.
    pub ok: Shape,
    /// Its error, if it has one.
    pub err: Option<Shape>,
}

/// What a call of a method is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum MethodKind {
    /// A request and a reply.
    Call,
    /// A request that is not answered.
    OneWay,
    /// A request and a reply; the service is used up by it.
    Once,
    /// A request that is not answered; the service is used up by it.
    OneWayOnce,
    /// The service answers with many items.
    ServerStream,
    /// The client sends many items.
    ClientStream,
    /// Both send many items.
    TwoWayStream,
}

/// Finds a shape when it is called: [`Shape::of`] some type.
pub type ShapeOf = fn() -> Arc<Shape>;

/// A [`Description`] that costs nothing until it is asked for: what generated code writes into a constant.
///
/// # Examples
/// ```
/// use handover_core::shape::{MethodKind, Shape, StaticDescription, StaticMethod};
///
/// const CLOCK: StaticDescription = StaticDescription {
///     name: "Clock",
///     docs: "Tells the time.",
///     methods: &[StaticMethod {
///         id: 7,
///         name: "now",
///         docs: "",
///         kind: MethodKind::Call,
///         args: &[("zone", Shape::of::<String>)],
///         ok: Shape::of::<u64>,
///         err: None,
///     }],
///     supers: &[],
/// };
///
/// assert_eq!(CLOCK.describe().methods[0].to_string(), "now(zone: String) -> u64");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct StaticDescription {
    /// See [`Description::name`].
    pub name: &'static str,
    /// See [`Description::docs`].
    pub docs: &'static str,
    /// See [`Description::methods`].
    pub methods: &'static [StaticMethod],
    /// The super-services, whose methods the service has too.
    pub supers: &'static [StaticDescription],
}

/// A [`MethodDescription`] that costs nothing until it is asked for.
#[derive(Clone, Copy, Debug)]
pub struct StaticMethod {
    /// See [`MethodDescription::id`].
    pub id: u32,
    /// See [`MethodDescription::name`].
    pub name: &'static str,
    /// See [`MethodDescription::docs`].
    pub docs: &'static str,
    /// See [`MethodDescription::kind`].
    pub kind: MethodKind,
    /// See [`MethodDescription::args`].
    pub args: &'static [(&'static str, ShapeOf)],
    /// See [`MethodDescription::ok`].
    pub ok: ShapeOf,
    /// See [`MethodDescription::err`].
    pub err: Option<ShapeOf>,
}

impl StaticDescription {
    /// Finds the shapes.
    pub fn describe(&self) -> Description {
        Description {
            name: self.name.to_owned(),
            docs: self.docs.to_owned(),
            methods: self.all_methods().iter().map(StaticMethod::describe).collect(),
        }
    }

    /// Its own methods, and those of its super-services, each once.
    fn all_methods(&self) -> Vec<StaticMethod> {
        let mut all = self.methods.to_vec();
        for method in self.supers.iter().flat_map(Self::all_methods) {
            if all.iter().all(|known| known.id != method.id) {
                all.push(method);
            }
        }
        all
    }
}

impl StaticMethod {
    /// Finds the shapes.
    pub fn describe(&self) -> MethodDescription {
        MethodDescription {
            id: self.id,
            name: self.name.to_owned(),
            docs: self.docs.to_owned(),
            kind: self.kind,
            args: self.args.iter().map(|(name, shape)| ((*name).to_owned(), Shape::clone(&shape()))).collect(),
            ok: Shape::clone(&(self.ok)()),
            err: self.err.map(|shape| Shape::clone(&shape())),
        }
    }

    /// What it takes and returns.
    pub fn shape(&self) -> MethodShape {
        let err = self.err.map(|shape| shape());
        MethodShape::new(self.args.iter().map(|(_, shape)| shape()), &(self.ok)(), err.as_deref())
    }
}

impl MethodDescription {
    /// What it takes and returns.
    pub fn shape(&self) -> MethodShape {
        let args = self.args.iter().map(|(_, shape)| Arc::new(shape.clone()));
        MethodShape::new(args, &self.ok, self.err.as_ref())
    }
}

/// Prints it like the method in the trait: `add(contact: Contact { name: String }) -> Result<u32, String>`.
/// The shape of a [`Description`], as bytes: every service tells it, and tracing it would bring more code into a program than all of its
/// other types.
const OF_A_DESCRIPTION: &[u8] = b"E\x1b\x0bDescription\x19\x03\x01\x04name\x00\x01\x04docs\x00\x01\x07methods\x00\x00\x10\x10\x15\x1b\x11MethodDescription\x19\x07\
\x01\x02id\x00\x01\x04name\x00\x01\x04docs\x00\x01\x04kind\x00\x01\x04args\x00\x01\x02ok\x00\x01\x03err\x00\x00\n\x10\x10\x1b\nM\
ethodKind\x1a\x07\x04Call\x06OneWay\x04Once\nOneWayOnce\x0cServerStream\x0cClientStream\x0cTwoWayStream\x00\x01\x01\x01\x01\x01\
\x01\x01\x15\x18\x02\x10\x15\x1b\x04Head\x1a\x1e\x06Opaque\x04Unit\x04Bool\x02I8\x03I16\x03I32\x03I64\x04I128\x02U8\x03U16\x03U3\
2\x03U64\x04U128\x03F32\x03F64\x04Char\x06String\x05Bytes\x04Port\x06Buffer\x06Option\x04List\x05Array\x03Map\x05Tuple\x06Struct\
\x04Enum\x05Named\x05Again\x07Foreign\x00\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\
\x01\x0b\x01\n\x19\x02\x01\x06fields\x00\x01\x08is_exact\x00\x00\x15\x18\x02\x15\x10\x02\x02\x19\x02\x01\x08variants\x00\x01\x07\
is_open\x00\x00\x15\x10\x02\x10\n\x01\x15\x1c\x03\x14\x15\x1c\x03";

impl Description {
    /// The shape of a description.
    pub(crate) fn shape() -> Arc<Shape> {
        Arc::new(postcard::from_bytes(OF_A_DESCRIPTION).unwrap_or(Shape::Opaque))
    }
}

impl std::fmt::Display for MethodDescription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}(", self.name)?;
        for (number, (name, shape)) in self.args.iter().enumerate() {
            write!(f, "{}{name}: {shape}", if number == 0 { "" } else { ", " })?;
        }
        match &self.err {
            Some(err) => write!(f, ") -> Result<{}, {err}>", self.ok),
            None => write!(f, ") -> {}", self.ok),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_of_a_description_is_what_tracing_it_finds() {
        let traced = Shape::of::<Description>();

        assert_eq!(Description::shape(), traced, "now: {}", postcard::to_allocvec(&*traced).unwrap().escape_ascii());
    }
}
