//! The example with a bundler, which is tested where npm can be had.

use std::path::Path;

use super::tools::Tools;
use crate::command_line::CommandLine;
use crate::run::{self, say};
use crate::target_folder;

/// The file of its tests.
pub(crate) const TEST: &str = "bundled";

const FOLDER: &str = "examples/vite";

/// Installs the bundler, and tells where the example is. If that fails, one line says that the example is not tested.
pub(crate) fn install() -> Option<String> {
    let has_bundler = Path::new(FOLDER).join("node_modules/vite/bin/vite.js").is_file();
    let npm = CommandLine::new("npm", "ci --no-audit --no-fund --prefix").arg(FOLDER);
    match if has_bundler { Ok(()) } else { run::stream(&npm) } {
        Ok(()) => std::path::absolute(FOLDER).ok().map(|folder| folder.to_string_lossy().into_owned()),
        Err(sentence) => {
            say(&format!("the example with a bundler is not tested, for Vite cannot be had: {sentence}"));
            None
        }
    }
}

/// What makes of the example's Rust what the bundler takes.
pub(crate) fn build(tools: &Tools) -> [CommandLine; 2] {
    let built = target_folder().join("wasm32-unknown-unknown/debug/handover_example_vite.wasm");
    [
        CommandLine::cargo("build --target wasm32-unknown-unknown -p handover-example-vite --locked"),
        CommandLine::program(&tools.bindgen, "--target web --out-name app --out-dir")
            .arg(&format!("{FOLDER}/pkg"))
            .arg(&built.to_string_lossy()),
    ]
}

/// What lints it.
pub(crate) fn lint() -> CommandLine {
    CommandLine::cargo("clippy --target wasm32-unknown-unknown -p handover-example-vite --locked -- -D warnings")
}
