//! The programs that tests in browsers need, and where they were found.

use std::env;
use std::fs;
use std::path::PathBuf;

use super::engine::Engine;
use crate::command_line::CommandLine;
use crate::target_folder;

/// The geckodriver to install where there is none.
const GECKODRIVER: &str = "0.37.1";

/// Where each program is, that is not asked for by its name alone.
#[derive(Debug)]
pub(crate) struct Tools {
    /// wasm-bindgen's test runner, of the version that the code is built with.
    pub(crate) test_runner: PathBuf,
    /// What makes a wasm file fit for a page; of the same package.
    pub(crate) bindgen: PathBuf,
}

/// A program that cargo installs, among what is built, so that it is there as long as that is.
#[derive(Debug)]
pub(crate) struct Crate {
    package: &'static str,
    program: &'static str,
    version: String,
    /// How much it is optimised: no longer than all it is used for would save.
    opt_level: &'static str,
}

impl Crate {
    /// What turns a test into JavaScript and wasm and runs it. It must be of the version that the code is built with.
    pub(crate) fn test_runner() -> Result<Self, String> {
        let lock = fs::read_to_string("Cargo.lock").map_err(|error| format!("could not read Cargo.lock: {error}"))?;
        let version = locked_version(&lock, "wasm-bindgen").ok_or("Cargo.lock names no wasm-bindgen")?.to_owned();
        Ok(Self { package: "wasm-bindgen-cli", program: "wasm-bindgen-test-runner", version, opt_level: "1" })
    }

    /// Firefox's driver, which Debian has not packed.
    pub(crate) fn geckodriver() -> Self {
        Self { package: "geckodriver", program: "geckodriver", version: GECKODRIVER.to_owned(), opt_level: "0" }
    }

    /// Where the program is, if it is there.
    pub(crate) fn installed(&self) -> Option<PathBuf> {
        Some(self.root().join("bin").join(self.program)).filter(|path| path.is_file())
    }

    /// The command that installs it. Not with the lock of the package, which may name what was withdrawn since.
    pub(crate) fn install(&self) -> CommandLine {
        let words = format!("install {} --version ={} --no-default-features --root", self.package, self.version);
        CommandLine::cargo(&words)
            .arg(&self.root().to_string_lossy())
            .arg("--target-dir")
            .arg(&self.build_folder().to_string_lossy())
            .with_env("CARGO_PROFILE_RELEASE_OPT_LEVEL", self.opt_level)
    }

    /// Where it is built; of no use afterwards.
    pub(crate) fn build_folder(&self) -> PathBuf {
        self.root().join("build")
    }

    /// A folder for each version, so that another one is known to be missing.
    fn root(&self) -> PathBuf {
        let folder = target_folder();
        // Cargo runs what it built in another folder.
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        folder.join("tools").join(format!("{}-{}", self.package, self.version))
    }
}

/// Where the program of this name is on the path.
pub(crate) fn on_the_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The browser of this engine, under the first of its names that is on the path.
pub(crate) fn browser(engine: Engine) -> Option<PathBuf> {
    engine.browsers().iter().find_map(|name| on_the_path(name))
}

/// The driver of this engine.
pub(crate) fn driver(engine: Engine) -> Option<PathBuf> {
    on_the_path(engine.driver()).or_else(|| match engine {
        Engine::Firefox => Crate::geckodriver().installed(),
        Engine::Chromium | Engine::Webkit => None,
    })
}

/// The version of a package in the text of a `Cargo.lock`.
fn locked_version<'l>(lock: &'l str, package: &str) -> Option<&'l str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    lines.nth(1)?.strip_prefix("version = \"")?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_package_of_exactly_that_name() {
        let lock = "[[package]]\nname = \"bindgen-macro\"\nversion = \"1.0.0\"\n\n\
                    [[package]]\nname = \"bindgen\"\nversion = \"2.3.4\"\nsource = \"registry\"\n";

        assert_eq!(locked_version(lock, "bindgen"), Some("2.3.4"));
        assert_eq!(locked_version(lock, "bind"), None);
    }

    #[test]
    fn a_program_that_does_not_exist_is_not_on_the_path() {
        assert_eq!(on_the_path("no-such-program-anywhere"), None);
    }
}
