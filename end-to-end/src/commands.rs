//! What only Chromium's driver can do.

use axum::http::Method;
use fantoccini::wd::WebDriverCompatibleCommand;
use serde_json::{Value, json};
use url::{ParseError, Url};

/// What the driver is asked for.
#[derive(Debug)]
pub(crate) enum Command {
    /// What the console has shown since it was asked last.
    Console,
    /// A command of the browser's own protocol.
    Protocol { name: &'static str, parameters: Value },
}

impl WebDriverCompatibleCommand for Command {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        let session = session.unwrap_or_default();
        base.join(&match self {
            Self::Console => format!("session/{session}/se/log"),
            Self::Protocol { .. } => format!("session/{session}/goog/cdp/execute"),
        })
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let body = match self {
            Self::Console => json!({ "type": "browser" }),
            Self::Protocol { name, parameters } => json!({ "cmd": name, "params": parameters }),
        };
        (Method::POST, Some(body.to_string()))
    }
}
