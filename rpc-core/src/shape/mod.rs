//! Shapes: what types are on the wire, whether two of them agree, and reading what another version of a type has written.
//!
//! - [`Shape`]: the shape of a type, found from its `Deserialize`;
//! - [`WrittenShape`]: that of a method, as bytes;
//! - [`compare`]: whether what one end writes can be read by the other, and where not;
//! - [`Decoder::take_as`](crate::message::Decoder::take_as): reads a value with the shape that its writer had;
//! - [`Description`]: all methods of a service, with [what changed](Description::compare) between two of them.
//!
//! - `check_against_file`, with the feature `api-check`: holds a service to a description that is committed beside it.
//!
//! Nothing here knows how shapes are exchanged.

mod by_type;
mod changes;
#[cfg(feature = "api-check")]
mod committed;
mod compare;
mod description;
mod guided;
mod method;
mod missing;
mod of;
mod parse;
mod plain;
mod skip;
mod structure;
mod table;
mod text;
mod trace;
mod wire;
mod written;

pub use changes::{Change, Direction};
#[cfg(feature = "api-check")]
pub use committed::{ACCEPT, CheckError, check_against_file};
pub use compare::{Agreement, Difference, compare};
pub use description::{Description, MethodDescription, MethodKind, ShapeOf, StaticDescription, StaticMethod};
pub use method::MethodShape;
pub use parse::ParseShapeError;
pub use structure::{Enum, Field, Shape, Struct, Variant};
pub use written::WrittenShape;

pub(crate) use by_type::ByType;
pub(crate) use guided::{GuidedError, Reader};
pub(crate) use missing::Missing;
