//! Who may be at the other end.

use std::fmt;

use handover_core::Origin;

use super::OriginError;

/// The origins that whoever is at the other end may be of.
///
/// They are compared whole: scheme, host and port. A page of no origin of its own, such as a sandboxed frame, is of none that could be
/// named, and is let in by [`any_whatsoever`](Self::any_whatsoever) alone.
///
/// # Examples
/// ```
/// use handover_transports::wasm_window::Origins;
///
/// let friends = Origins::only("https://b.example")?.and("https://c.example:8443")?;
/// assert!(friends.admit("https://b.example"));
/// assert!(!friends.admit("https://b.example.evil.example"));
/// assert!(!friends.admit("http://b.example"));
/// assert!(!friends.admit("null"));
///
/// assert!(Origins::only("b.example").is_err(), "no absolute URL");
/// assert!(Origins::only("localhost:8080").is_err(), "`localhost` is read as a scheme");
/// # Ok::<(), handover_transports::wasm_window::OriginError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origins(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// As the browser writes them.
    These(Vec<String>),
    Any,
}

impl Origins {
    /// The origin of this absolute URL, and no other.
    ///
    /// # Errors
    /// [`OriginError`] if the text is no absolute URL, as `*` is none; or if it is one of a scheme whose origins are opaque, such as `data:`
    /// and `file:`, for whoever is of such a one could not be told from others.
    pub fn only(url: &str) -> Result<Self, OriginError> {
        Self(Kind::These(Vec::new())).and(url)
    }

    /// The origin of this absolute URL as well.
    ///
    /// # Errors
    /// As [`only`](Self::only).
    pub fn and(mut self, url: &str) -> Result<Self, OriginError> {
        let origin: Origin = url.parse().map_err(OriginError::Syntax)?;
        if origin.is_opaque() {
            return Err(OriginError::Opaque(url.to_owned()));
        }
        if let Kind::These(origins) = &mut self.0 {
            origins.push(origin.to_string());
        }
        Ok(self)
    }

    /// Anybody at all, also those of no origin of their own: the wildcard.
    ///
    /// Whoever is in the window by the time gets the port, and with it every right that is behind it. This is for what the whole
    /// world may call, and for sandboxed frames whose content is known otherwise.
    pub fn any_whatsoever() -> Self {
        Self(Kind::Any)
    }

    /// Whether one of this origin, as the browser writes it, is among them.
    pub fn admit(&self, origin: &str) -> bool {
        match &self.0 {
            Kind::These(origins) => origins.iter().any(|one| one == origin),
            Kind::Any => true,
        }
    }
}

impl fmt::Display for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::These(origins) => f.write_str(&origins.join(" or ")),
            Kind::Any => f.write_str("any origin"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C23
    #[test]
    fn only_the_very_same_origin_is_admitted() {
        let only = Origins::only("https://b.example/some/page?of=it").unwrap();

        assert!(only.admit("https://b.example"));
        for other in [
            "http://b.example",
            "https://b.example:8443",
            "https://a.b.example",
            "https://b.example.evil.example",
            "https://b.example@evil.example",
            "https://evil.example/https://b.example",
            "HTTPS://B.EXAMPLE",
            "null",
            "*",
            "",
        ] {
            assert!(!only.admit(other), "{other}");
        }
    }

    #[test]
    fn a_wildcard_is_no_origin_that_could_be_named() {
        for text in ["*", "/", "null", "", "b.example"] {
            assert!(Origins::only(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_names_no_origin_is_refused_and_it_is_said_what_to_write() {
        for text in ["localhost:8102", "data:text/html,hello", "file:///index.html", "about:blank", "b.example", "null"]
        {
            let refused = Origins::only(text).unwrap_err().to_string();

            assert!(refused.contains(text) && refused.contains("`http://localhost:8080`"), "{refused}");
        }
        assert!(Origins::only("http://localhost:8102").unwrap().admit("http://localhost:8102"));
    }
}
