//! How a window is not connected to, and what was left aside.

use std::{error::Error, fmt, time::Duration};

use handover_core::SyntaxError;

use super::Origins;

/// A window was not connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectError {
    /// Nobody of an origin that was asked for has answered from that window in time. Another page may be there, or one
    /// that accepts nobody, or not from here.
    TimedOut {
        /// How long that was.
        limit: Duration,
        /// Who was asked for.
        origins: Origins,
        /// What came meanwhile, and was left aside.
        ignored: Ignored,
    },
    /// The window was closed, or its frame was removed.
    WindowClosed,
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut { limit, origins, ignored } => {
                write!(f, "nobody of {origins} has accepted within {limit:?}")?;
                if *ignored == Ignored::default() { Ok(()) } else { write!(f, "; messages left aside: {ignored}") }
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

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { strangers, foreign, repeated } = self;
        write!(
            f,
            "{strangers} of other windows or origins, {foreign} about something else, {repeated} again or too late"
        )
    }
}

/// A text that names no origin that could be told from others.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OriginError {
    /// It is no absolute URL.
    Syntax(SyntaxError),
    /// It is one of a scheme whose origins are opaque, such as `data:`. In `localhost:8080` the host is read as a scheme.
    Opaque(String),
}

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(error) => error.fmt(f)?,
            Self::Opaque(text) => {
                let (scheme, _) = text.split_once(':').unwrap_or((text, ""));
                write!(f, "`{text}` names no origin: it is read as a URL of the scheme `{scheme}`, which has none")?;
            }
        }
        f.write_str("; write scheme, host and port, as in `https://b.example` or `http://localhost:8080`")
    }
}

impl Error for OriginError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Syntax(error) => Some(error),
            Self::Opaque(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timed_out(ignored: Ignored) -> String {
        let origins = Origins::only("https://b.example").unwrap().and("https://c.example").unwrap();
        ConnectError::TimedOut { limit: Duration::from_secs(30), origins, ignored }.to_string()
    }

    #[test]
    fn who_was_asked_for_in_vain_is_said() {
        assert_eq!(
            timed_out(Ignored::default()),
            "nobody of https://b.example or https://c.example has accepted within 30s"
        );
    }

    #[test]
    fn what_came_from_others_meanwhile_is_said() {
        let said = timed_out(Ignored { strangers: 3, foreign: 1, repeated: 0 });

        let aside = "; messages left aside: 3 of other windows or origins, 1 about something else, 0 again or too late";
        assert!(said.ends_with(aside), "{said}");
    }
}
