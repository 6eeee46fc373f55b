//! What differs between the three engines.

use std::fmt;

use serde_json::{Value, json};

/// A browser engine to test in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Engine {
    /// Chromium, or Chrome
    Chromium,
    /// Firefox
    Firefox,
    /// WebKit, in its GTK port
    Webkit,
}

impl Engine {
    /// Each of them.
    pub(crate) const ALL: [Self; 3] = [Self::Chromium, Self::Firefox, Self::Webkit];

    /// The Debian packages of the browser, its driver and the display they need, if Debian has them.
    pub(crate) fn packages(self) -> &'static str {
        match self {
            Self::Chromium => "chromium chromium-driver",
            Self::Firefox => "firefox-esr",
            Self::Webkit => "webkit2gtk-driver xvfb",
        }
    }

    /// The programs of which one must be there: the browser under each of its names. WebKit's driver knows where its browser is.
    pub(crate) fn browsers(self) -> &'static [&'static str] {
        match self {
            Self::Chromium => &["chromium", "chromium-browser", "google-chrome"],
            Self::Firefox => &["firefox-esr", "firefox"],
            Self::Webkit => &[],
        }
    }

    /// The program that speaks WebDriver.
    pub(crate) fn driver(self) -> &'static str {
        match self {
            Self::Chromium => "chromedriver",
            Self::Firefox => "geckodriver",
            Self::Webkit => "WebKitWebDriver",
        }
    }

    /// Whether the browser has no mode without a display.
    pub(crate) fn needs_a_display(self) -> bool {
        match self {
            Self::Chromium | Self::Firefox => false,
            Self::Webkit => true,
        }
    }

    /// The variable by which wasm-bindgen's test runner is told of a driver. It knows WebKit as Safari, whose driver
    /// understands the same.
    pub(crate) fn driver_variable(self) -> &'static str {
        match self {
            Self::Chromium => "CHROMEDRIVER",
            Self::Firefox => "GECKODRIVER",
            Self::Webkit => "SAFARIDRIVER",
        }
    }

    /// What a session asks its driver for: this browser, if one was found by name, without a window, without a sandbox, as root
    /// has none, and without talking to anybody but the tests.
    pub(crate) fn capabilities(self, browser: Option<&str>) -> Value {
        match self {
            Self::Chromium => json!({ "goog:chromeOptions": { "binary": browser, "args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage",
                "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
            ] }, "goog:loggingPrefs": { "browser": "WARNING" } }),
            Self::Firefox => json!({ "moz:firefoxOptions": { "binary": browser, "args": ["-headless"] } }),
            Self::Webkit => json!({}),
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
            Self::Webkit => "webkit",
        })
    }
}
