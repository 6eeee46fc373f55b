//! `cargo xtask demo`: pages of three origins in a browser, and what goes on between them.

use std::path::PathBuf;

use crate::browser::{self, Tools};
use crate::command_line::CommandLine;
use crate::run;
use crate::target_folder;

/// The package of the pages.
pub(crate) const PACKAGE: &str = "handover-demo";

/// The package of what serves them.
const SITES: &str = "handover-end-to-end";

/// What `cargo xtask demo` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Serves at this port and the three after it, instead of at any that are free
    #[arg(long, value_name = "N", default_value_t = 0)]
    port: u16,
}

/// How it is built.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Profile {
    /// To be looked at.
    Release,
    /// To be tested.
    Dev,
}

/// Builds the demo, and serves it until it is ended.
pub(crate) fn demo(args: &Args) -> Result<(), String> {
    let tools = browser::set_up(&[])?;
    build(Profile::Release, &tools).iter().try_for_each(run::stream)?;
    run::stream(&serve(args.port))
}

/// What builds it: the wasm file, and what a page can load.
pub(crate) fn build(profile: Profile, tools: &Tools) -> [CommandLine; 2] {
    let words = format!("build --target wasm32-unknown-unknown -p {PACKAGE} --locked");
    let words = match profile {
        Profile::Release => words + " --release",
        Profile::Dev => words,
    };
    let wasm = target_folder().join("wasm32-unknown-unknown").join(profile.folder()).join("handover_demo.wasm");
    let bind = CommandLine::program(&tools.bindgen, "--target web --no-typescript --out-name demo --out-dir")
        .arg(&built(profile).to_string_lossy())
        .arg(&wasm.to_string_lossy());
    [CommandLine::cargo(&words), bind]
}

/// Where that is put.
pub(crate) fn built(profile: Profile) -> PathBuf {
    let folder = target_folder().join("demo").join(profile.folder());
    // The tests run in their package's folder.
    std::path::absolute(&folder).unwrap_or(folder)
}

/// What lints the pages.
pub(crate) fn lint() -> CommandLine {
    CommandLine::cargo(&format!("clippy --target wasm32-unknown-unknown -p {PACKAGE} --locked -- -D warnings"))
}

fn serve(port: u16) -> CommandLine {
    CommandLine::cargo(&format!("run --quiet -p {SITES} --bin demo --locked --"))
        .arg(&built(Profile::Release).to_string_lossy())
        .arg(&port.to_string())
}

impl Profile {
    fn folder(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Dev => "debug",
        }
    }
}
