//! What a client must be able to do to take part in a row, and how the row is run. A file for each kind of work.

pub mod calls;
pub mod connections;
pub mod echoes;
pub mod lending;
pub mod people;
pub mod streams;

pub use calls::Adds;
pub use echoes::{Echoes, EchoesMoved};
pub use lending::Lends;
pub use people::{EchoesPeople, Person};
pub use streams::Streams;
