//! What can go wrong with a browser's worker.

use std::{error::Error, fmt};

/// A worker could not be started: the browser refused its script's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpawnError {
    name: String,
    why: String,
}

impl SpawnError {
    pub(super) fn new(name: &str, why: String) -> Self {
        Self { name: name.to_owned(), why }
    }

    /// The name that the worker was to have.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the worker `{}` could not be started: {}", self.name, self.why)
    }
}

impl Error for SpawnError {}

/// Something went wrong in a worker, as its maker is told: the standard's `error` event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorEvent {
    /// What the error said; or that the worker has not started, and why.
    pub message: String,
    /// Where it was thrown; empty if that is not known.
    pub filename: String,
    /// The line there, or 0.
    pub line: u32,
}

impl ErrorEvent {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), filename: String::new(), line: 0 }
    }
}

impl fmt::Display for ErrorEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if self.filename.is_empty() { Ok(()) } else { write!(f, " ({}:{})", self.filename, self.line) }
    }
}
