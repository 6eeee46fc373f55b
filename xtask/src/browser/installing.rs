//! Installing browsers and their drivers where that is possible, and saying what to install where it is not.

use std::fs;
use std::time::Duration;

use super::engine::Engine;
use super::tools::{self, Crate, Tools};
use crate::command_line::CommandLine;
use crate::run::{self, say};

/// How long fetching and unpacking a browser may take: a machine without network must not wait for ever.
const APT_LIMIT: Duration = Duration::from_secs(600);

/// How long building a tool may take: a quarter of an hour on a machine that builds other things as well.
const BUILD_LIMIT: Duration = Duration::from_secs(3600);

/// Makes sure that these engines and what drives them are there. Whatever cannot be installed has a line in the failure.
pub(crate) fn ensure_installed(engines: &[Engine]) -> Result<Tools, String> {
    let packages: Vec<_> =
        engines.iter().filter(|engine| !is_packed(**engine)).map(|engine| engine.packages()).collect();
    if !packages.is_empty() && apt_may_install() {
        install_packages(&packages.join(" "))?;
    }
    let mut missing: Vec<_> = engines.iter().filter_map(|&engine| still_missing(engine)).collect();
    let test_runner = provide(&Crate::test_runner()?).map_err(|line| missing.push(line)).ok();
    if engines.contains(&Engine::Firefox) && tools::driver(Engine::Firefox).is_none() {
        let _ = provide(&Crate::geckodriver()).map_err(|line| missing.push(line));
    }
    match test_runner {
        Some(test_runner) if missing.is_empty() => {
            Ok(Tools { bindgen: test_runner.with_file_name("wasm-bindgen"), test_runner })
        }
        _ => Err(format!("tools are missing:\n{}", missing.join("\n"))),
    }
}

/// Whether all is there that packages provide.
fn is_packed(engine: Engine) -> bool {
    still_missing(engine).is_none()
}

/// One line for what packages should have provided.
fn still_missing(engine: Engine) -> Option<String> {
    let mut programs = Vec::new();
    if !engine.browsers().is_empty() && tools::browser(engine).is_none() {
        programs.push(engine.browsers()[0]);
    }
    // Firefox's driver is built by cargo.
    if engine != Engine::Firefox && tools::driver(engine).is_none() {
        programs.push(engine.driver());
    }
    if engine.needs_a_display() && tools::on_the_path("Xvfb").is_none() {
        programs.push("Xvfb");
    }
    (!programs.is_empty()).then(|| {
        let programs = programs.join(", ");
        format!("{engine}: {programs}; on Debian: apt-get install {}; or leave this engine out", engine.packages())
    })
}

/// Only root may install packages, and only Debian and its relatives have these.
fn apt_may_install() -> bool {
    let is_root = CommandLine::new("id", "-u").to_command().output().is_ok_and(|output| output.stdout == b"0\n");
    is_root && tools::on_the_path("apt-get").is_some()
}

fn install_packages(packages: &str) -> Result<(), String> {
    say(&format!("installing {packages} ..."));
    // An out-of-date list is no reason to stop: the packages may be found all the same.
    let _ = run::stream_within(&CommandLine::new("apt-get", "update -qq"), APT_LIMIT);
    let install = CommandLine::new("apt-get", "install -qq -y --no-install-recommends")
        .args(&packages.split(' ').map(str::to_owned).collect::<Vec<_>>())
        .with_env("DEBIAN_FRONTEND", "noninteractive");
    run::stream_within(&install, APT_LIMIT)
}

/// The program of this package, building it if it is not there.
fn provide(package: &Crate) -> Result<std::path::PathBuf, String> {
    if let Some(path) = package.installed() {
        return Ok(path);
    }
    let install = package.install();
    say(&format!("building {install} ..."));
    let built = run::stream_within(&install, BUILD_LIMIT);
    // What it was built from is large; a folder that cannot be removed is only in the way.
    let _ = fs::remove_dir_all(package.build_folder());
    built?;
    package.installed().ok_or_else(|| install.failed("it ended well and the program is not there"))
}
