//! Which trace a call belongs to, as the W3C writes it.

use std::{error::Error, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::rpc::Metadatum;

/// Which trace a call belongs to, and which span of it has made the call: the value of a
/// [`traceparent`](https://www.w3.org/TR/trace-context/#traceparent-header) header, and written as one.
///
/// It says what its caller likes. A service may log it, and must not trust it.
///
/// # Examples
/// ```
/// use handover_core::rpc::trace::TraceParent;
///
/// let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// let parent: TraceParent = text.parse()?;
/// assert!(parent.is_sampled());
/// assert_eq!(parent.to_string(), text);
/// # Ok::<(), handover_core::rpc::trace::TraceParentError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TraceParent {
    /// The trace; never zero.
    pub trace_id: u128,
    /// The span that is the parent; never zero.
    pub parent_id: u64,
    /// Flags; see [`is_sampled`](Self::is_sampled).
    pub flags: u8,
}

impl Metadatum for TraceParent {
    const NAME: &'static str = "traceparent";
}

/// A text is no `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParentError;

impl TraceParent {
    /// Whether the caller records this trace.
    pub const fn is_sampled(&self) -> bool {
        self.flags & 1 != 0
    }
}

impl FromStr for TraceParent {
    type Err = TraceParentError;

    /// Reads every version but 255: of a later one, the fields that this one has.
    fn from_str(text: &str) -> Result<Self, TraceParentError> {
        let mut fields = text.split('-');
        let mut next = || fields.next().ok_or(TraceParentError);
        let version = hex(next()?, 2)?;
        let (trace_id, parent_id, flags) = (hex(next()?, 32)?, hex(next()?, 16)?, hex(next()?, 2)?);
        let has_more = fields.next().is_some();
        if version == 0xff || (version == 0 && has_more) || trace_id == 0 || parent_id == 0 {
            return Err(TraceParentError);
        }
        let narrow = |_| TraceParentError;
        Ok(Self {
            trace_id,
            parent_id: parent_id.try_into().map_err(narrow)?,
            flags: flags.try_into().map_err(narrow)?,
        })
    }
}

/// Reads so many digits, lower-case.
fn hex(text: &str, digits: usize) -> Result<u128, TraceParentError> {
    let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !is_hex || text.len() != digits {
        return Err(TraceParentError);
    }
    u128::from_str_radix(text, 16).map_err(|_| TraceParentError)
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.parent_id, self.flags)
    }
}

impl TryFrom<String> for TraceParent {
    type Error = TraceParentError;

    fn try_from(text: String) -> Result<Self, TraceParentError> {
        text.parse()
    }
}

impl From<TraceParent> for String {
    fn from(parent: TraceParent) -> Self {
        parent.to_string()
    }
}

impl fmt::Display for TraceParentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text is no `traceparent` of the W3C")
    }
}

impl Error for TraceParentError {}

/// What tracing systems add to a [`TraceParent`]: the value of a
/// [`tracestate`](https://www.w3.org/TR/trace-context/#tracestate-header) header. It was not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TraceState(pub String);

impl Metadatum for TraceState {
    const NAME: &'static str = "tracestate";
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_traceparent_travels_as_its_text() {
        let parent: TraceParent = TEXT.parse().unwrap();

        let bytes = postcard::to_allocvec(&parent).unwrap();

        assert_eq!(bytes, postcard::to_allocvec(TEXT).unwrap());
        assert_eq!(postcard::from_bytes(&bytes), Ok(parent));
    }

    #[test]
    fn of_a_later_version_the_known_fields_are_read() {
        let later = format!("cc-{}-what-else", &TEXT[3..]);

        assert_eq!(later.parse(), TEXT.parse::<TraceParent>());
    }

    #[test]
    fn what_is_not_quite_a_traceparent_is_none() {
        let not_quite = [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333é-01",
        ];
        for text in not_quite {
            assert_eq!(text.parse::<TraceParent>(), Err(TraceParentError), "{text}");
        }
    }
}
