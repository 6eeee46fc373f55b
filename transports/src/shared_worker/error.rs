//! Why nobody was connected.

use std::{error::Error, fmt};

use crate::worker_thread::SpawnError;

/// Why there is no connection to a shared worker.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The worker of that name runs with other settings (SHW-02).
    Mismatch {
        /// The worker's name.
        name: String,
    },
    /// It was to be started, and the system starts no more threads.
    Spawn(SpawnError),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mismatch { name } => write!(f, "the shared worker `{name}` runs with other settings"),
            Self::Spawn(error) => error.fmt(f),
        }
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Mismatch { .. } => None,
            Self::Spawn(error) => error.source(),
        }
    }
}
