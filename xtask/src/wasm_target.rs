//! Making sure that code can be checked for wasm32.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::command_line::CommandLine;
use crate::run;

/// How long rustup may take: a machine without network must not wait for ever.
const LIMIT: Duration = Duration::from_secs(60);

/// Makes sure that the compiler has the standard library of wasm32-unknown-unknown, asking rustup for it if not.
pub(crate) fn ensure_installed() -> Result<(), String> {
    let folder = library_folder()?;
    if holds_std(&folder) {
        return Ok(());
    }
    let why = match run::stream_within(&CommandLine::new("rustup", "target add wasm32-unknown-unknown"), LIMIT) {
        Ok(()) if holds_std(&folder) => return Ok(()),
        Ok(()) => "rustup added it to another toolchain than the one in use".to_owned(),
        Err(sentence) => format!("rustup could not add it ({sentence})"),
    };
    Err(format!(
        "the compiler has no standard library for wasm32-unknown-unknown and {why}; \
         install that target for the toolchain in use, or leave this step out with --native"
    ))
}

/// Where the compiler in use looks for that library.
fn library_folder() -> Result<PathBuf, String> {
    let command = CommandLine::new("rustc", "--print sysroot");
    let output =
        command.to_command().output().map_err(|error| command.failed(format!("it could not be run: {error}")))?;
    if !output.status.success() {
        return Err(command.failed(format!("it ended with {}", output.status)));
    }
    let sysroot = String::from_utf8_lossy(&output.stdout);
    Ok(Path::new(sysroot.trim_end()).join("lib/rustlib/wasm32-unknown-unknown/lib"))
}

fn holds_std(folder: &Path) -> bool {
    let Ok(mut entries) = fs::read_dir(folder) else {
        return false;
    };
    entries.any(|entry| entry.is_ok_and(|entry| is_std(&entry.file_name().to_string_lossy())))
}

fn is_std(file_name: &str) -> bool {
    file_name.starts_with("libstd-") && file_name.ends_with(".rlib")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_library_is_known_by_its_file_name() {
        assert!(is_std("libstd-0123456789abcdef.rlib"));
        assert!(!is_std("libstd_detect-0123456789abcdef.rlib"));
        assert!(!is_std("libstd-0123456789abcdef.so"));
    }

    #[test]
    fn a_folder_that_does_not_exist_holds_no_library() {
        assert!(!holds_std(Path::new("no/such/folder")));
    }
}
