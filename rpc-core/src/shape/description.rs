//! A service, described.

use std::sync::Arc;

use super::{MethodShape, Shape};

/// What a service is: its methods, with what they take and return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The name of the trait.
    pub name: String,
    /// Its documentation; empty if it has none.
    pub docs: String,
    /// Its methods, in the order of the trait.
    pub methods: Vec<MethodDescription>,
}

/// What a method is.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
