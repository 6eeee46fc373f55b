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
}
