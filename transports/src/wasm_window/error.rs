//! How a window is not connected to, and what was left aside.

use std::{error::Error, fmt, time::Duration};

/// A window was not connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectError {
    /// Nobody of an origin that was asked for has answered from that window in this time. Another page may be there, or one
    /// that accepts nobody, or not from here.
    TimedOut(Duration),
    /// The window was closed, or its frame was removed.
    WindowClosed,
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut(limit) => {
                write!(f, "nobody of an origin that was asked for has answered from the window within {limit:?}")
            }
            Self::WindowClosed => f.write_str("the window was closed"),
        }
    }
}

impl Error for ConnectError {}

/// How many messages came to this window, and were left aside, while somebody was connecting or accepting. A message counts for
/// each who does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ignored {
    /// From a window or of an origin that was not asked for. Nothing was read of them but where they came from.
    pub strangers: u64,
    /// From whoever was asked for, but nothing of handover's, or of another version of it, or about something else.
    pub foreign: u64,
    /// What had been said before, and what came too late or was too much.
    pub repeated: u64,
}
