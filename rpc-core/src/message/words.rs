//! What an error says.

use std::fmt;

/// The words of an error, as small as can be: what fails rarely hands its error on in a register, with the value that it returns when all
/// is well.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Words(Box<Text>);

#[derive(Clone, PartialEq, Eq)]
struct Text(String);

impl Words {
    #[cold]
    pub(super) fn new(words: String) -> Self {
        Self(Box::new(Text(words)))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0.0
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}
