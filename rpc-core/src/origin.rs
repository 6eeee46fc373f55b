//! Who a window or a worker is, for those who must decide whom they talk to.

use std::{
    error::Error,
    fmt,
    str::FromStr,
    sync::atomic::{AtomicU64, Ordering},
};

use url::Url;

/// An [origin](https://html.spec.whatwg.org/multipage/browsers.html#concept-origin): a scheme, a host and a port; or opaque, the
/// same as nothing but itself.
///
/// [`Display`](fmt::Display) serialises it as the standard does: hosts in ASCII, a scheme's default port left out, `null` for an
/// opaque origin (WIN-07).
///
/// # Examples
/// ```
/// use handover_core::Origin;
///
/// let origin: Origin = "HTTPS://Bücher.example:443/shelf?page=1".parse()?;
/// assert_eq!(origin.to_string(), "https://xn--bcher-kva.example");
/// assert_eq!(origin, "https://bücher.example".parse()?);
///
/// let sandboxed = Origin::opaque();
/// assert_eq!(sandboxed.to_string(), "null");
/// assert_ne!(sandboxed, Origin::opaque());
/// assert_eq!(sandboxed, sandboxed.clone());
///
/// assert!("example.org".parse::<Origin>().is_err(), "no absolute URL");
/// # Ok::<(), handover_core::SyntaxError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin(Kind);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Kind {
    /// Serialised once: two tuple origins are the same if their serialisations are (WIN-06).
    Tuple(String),
    Opaque(u64),
}

impl Origin {
    /// A new opaque origin: that of a sandboxed frame, or of a `data:` page.
    pub fn opaque() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(Kind::Opaque(LAST.fetch_add(1, Ordering::Relaxed)))
    }

    /// Whether this is an opaque origin.
    pub fn is_opaque(&self) -> bool {
        matches!(self.0, Kind::Opaque(_))
    }
}

/// Reads an absolute URL and takes its origin: path, query, fragment and letter case make no difference (WIN-02). A URL whose
/// origin is opaque gives one that is the same as no other (WIN-03).
impl FromStr for Origin {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        let url = Url::parse(text).map_err(|error| SyntaxError { text: text.to_owned(), why: error.to_string() })?;
        let origin = origin_of(&url);
        Ok(if origin.is_tuple() { Self(Kind::Tuple(origin.ascii_serialization())) } else { Self::opaque() })
    }
}

/// [`Url::origin`], but of a `blob:` URL it takes the origin of a web page only, as the standard does. A `blob:` inside a
/// `blob:` is opaque, so a long text of them is not followed.
fn origin_of(url: &Url) -> url::Origin {
    if url.scheme() != "blob" {
        return url.origin();
    }
    match Url::parse(url.path()) {
        Ok(inner) if matches!(inner.scheme(), "http" | "https") => inner.origin(),
        Ok(_) | Err(_) => url::Origin::new_opaque(),
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Kind::Tuple(text) => text,
            Kind::Opaque(_) => "null",
        })
    }
}

/// Which window a message is meant for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TargetOrigin {
    /// `/`: one of the sender's own origin.
    #[default]
    Same,
    /// `*`: any. Whoever is there gets the message, so put no secret in it (WIN-12).
    Any,
    /// One of this origin.
    Only(Origin),
}

/// Reads `/`, `*`, or an absolute URL (WIN-02).
impl FromStr for TargetOrigin {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        match text {
            "/" => Ok(Self::Same),
            "*" => Ok(Self::Any),
            url => url.parse().map(Self::Only),
        }
    }
}

/// A text that is no origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    text: String,
    why: String,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no absolute URL, so it names no origin: {}", self.text, self.why)
    }
}

impl Error for SyntaxError {}
