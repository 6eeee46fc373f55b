//! Nothing is counted.

use super::What;

/// Nothing.
#[derive(Debug)]
pub(crate) struct Alive;

impl Alive {
    #[inline]
    pub(crate) fn new(_: What) -> Self {
        Self
    }

    /// Of what is not in use.
    #[inline]
    pub(crate) fn none() -> Self {
        Self
    }
}
