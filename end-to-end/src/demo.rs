//! The sites of the demo.

use std::{fs, io, path::Path};

use axum::{Json, Router, response::Html, routing::get};
use serde_json::json;
use tower_http::services::ServeDir;

use crate::{driver::variable, sites::Sites};

/// The pages of the demo, and what they load, but for what is built.
const PAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../demo/site");

/// Put in front of every page in tests: remembers what it complains of.
const COMPLAINTS: &str = "<script>
    const complaints = globalThis.complaints = [];
    for (const kind of ['error', 'warn']) console[kind] = (...words) => complaints.push(words.join(' '));
    addEventListener('error', (event) => complaints.push(event.message));
    addEventListener('unhandledrejection', (event) => complaints.push(event.reason));
</script>";

/// The three origins of the story, and that of the stage, which embeds them. All of them serve the same files.
#[derive(Debug)]
pub struct Demo(Sites<4>);

impl Demo {
    /// Serves, until the runtime ends, what was built into that folder: at this port and the three after it, or at any that are free if it
    /// is 0.
    ///
    /// # Errors
    /// If a port is taken.
    pub async fn start(first_port: u16, built: &Path) -> io::Result<Self> {
        Sites::start(first_port, |sites| router(sites, built)).await.map(Self)
    }

    /// Serves what `cargo xtask browser` has built. The pages have what they complain of in `complaints`.
    ///
    /// # Panics
    /// If it has not, or no port is free.
    pub async fn of_tests() -> Self {
        let built = variable("HANDOVER_DEMO");
        let sites = Sites::start(0, |sites| {
            let pages =
                [("/", "index"), ("/contacts.html", "contacts"), ("/social.html", "social"), ("/game.html", "game")];
            pages.into_iter().fold(router(sites, Path::new(&built)), |router, (path, name)| {
                let page = fs::read_to_string(format!("{PAGES}/{name}.html")).expect("the demo has this page");
                let page = page.replacen("<title>", &format!("{COMPLAINTS}<title>"), 1);
                router.route(path, get(async || Html(page)))
            })
        });
        Self(sites.await.expect("loopback has free ports"))
    }

    /// The address of the stage.
    pub fn address(&self) -> String {
        let [stage, ..] = self.0.origins();
        format!("{stage}/")
    }
}

/// Where the pages are, and what they are told of each other.
fn router(sites: &Sites<4>, built: &Path) -> Router {
    let [stage, contacts, social, game] = sites.origins();
    let origins = json!({ "stage": stage, "contacts": contacts, "social": social, "game": game });
    let files = ServeDir::new(PAGES).fallback(ServeDir::new(built));
    Router::new().route("/sites.json", get(async || Json(origins))).fallback_service(files)
}
