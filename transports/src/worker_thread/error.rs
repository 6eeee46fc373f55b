//! How a worker can fail to start, and to end well.

use std::{error::Error, fmt, io};

use serde::{Deserialize, Serialize};

/// A worker's thread could not be started (WRK-10). What its code held was dropped, with the ports in it.
#[derive(Debug)]
pub struct SpawnError {
    name: String,
    error: io::Error,
}

impl SpawnError {
    pub(crate) fn new(name: &str, error: io::Error) -> Self {
        Self { name: name.to_owned(), error }
    }

    /// The name that the worker was to have.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no thread could be started for the worker `{}`", self.name)
    }
}

impl Error for SpawnError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

/// A worker ended without a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerError {
    name: String,
    ending: Ending,
}

/// How a worker ended that has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// It panicked, and the panic said this.
    Panicked(String),
    /// It was terminated.
    Terminated,
    /// It closed itself before its future had ended.
    Closed,
    /// Its executor came back before the worker had ended.
    Abandoned,
}

impl WorkerError {
    pub(super) fn new(name: &str, ending: Ending) -> Self {
        Self { name: name.to_owned(), ending }
    }

    /// The worker's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it ended.
    pub fn ending(&self) -> &Ending {
        &self.ending
    }
}

impl fmt::Display for WorkerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.ending {
            Ending::Panicked(said) => f.write_str(&describe_panic(name, said)),
            Ending::Terminated => write!(f, "the worker `{name}` was terminated"),
            Ending::Closed => write!(f, "the worker `{name}` closed itself"),
            Ending::Abandoned => write!(f, "the executor of the worker `{name}` left it before its end"),
        }
    }
}

impl Error for WorkerError {}

/// Something in a worker panicked: the standard's [`ErrorEvent`](https://html.spec.whatwg.org/multipage/webappapis.html#errorevent),
/// as it comes to the worker's handle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ErrorEvent {
    /// The worker's name.
    pub worker: String,
    /// What the panic said.
    pub message: String,
}

impl fmt::Display for ErrorEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&describe_panic(&self.worker, &self.message))
    }
}

/// What those are told who lose something by the panic.
pub(super) fn describe_panic(name: &str, said: &str) -> String {
    format!("the worker `{name}` panicked: {said}")
}
