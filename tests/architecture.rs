//! What ARCHITECTURE.md says is deliberately absent, held by reading the sources.
#![cfg(not(target_family = "wasm"))]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The Rust files below a folder of the project.
fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "no sources in {folder}");
    found
}

/// The lines of code, without comments and without the tests at the end of a file.
fn code(path: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(path).unwrap();
    let code = ["#[cfg(test)]", "#[cfg(all(test"]
        .iter()
        .fold(text.as_str(), |code, tests| code.split(tests).next().unwrap_or_default());
    let lines =
        code.lines().enumerate().map(|(number, line)| (number + 1, line.split("//").next().unwrap().to_owned()));
    lines.collect()
}

/// Every line below a folder that holds one of the words.
fn lines_with(folder: &str, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for path in sources(folder) {
        for (number, line) in code(&path) {
            if words.iter().any(|word| line.contains(word)) {
                found.push(format!("{}:{number}: {}", path.display(), line.trim()));
            }
        }
    }
    found
}

#[test]
fn ports_and_messages_never_name_calls() {
    for folder in ["rpc-core/src/port", "rpc-core/src/message"] {
        assert_eq!(lines_with(folder, &["rpc::", "crate::rpc", "wire::"]), [""; 0]);
    }
}

#[test]
fn the_core_spawns_nothing_and_reads_the_time_in_one_place_only() {
    let words = [
        "thread::spawn",
        "thread::Builder",
        "spawn(",
        "thread::sleep",
        "Instant",
        "SystemTime",
        "Delay",
        "tokio",
        "executor",
    ];

    let mut found = lines_with("rpc-core/src", &words);
    // The races are tests, which loom runs; and who waits long for a lock sleeps.
    let may = ["rpc-core/src/clock/system.rs", "/races.rs:", "rpc-core/src/sync/lock.rs"];
    found.retain(|line| !may.iter().any(|place| line.contains(place)));

    assert_eq!(found, [""; 0]);
}

#[test]
fn the_core_is_the_same_code_on_every_target() {
    assert_eq!(lines_with("rpc-core/src", &["cfg(target", "cfg(windows", "cfg(unix", "wasm_bindgen"]), [""; 0]);
}

#[test]
fn nothing_is_unsafe() {
    for folder in ["rpc-core/src", "rpc-macros/src", "transports/src", "src", "xtask/src"] {
        assert_eq!(
            lines_with(folder, &["unsafe {", "unsafe impl", "allow(unsafe_code", "expect(unsafe_code"]),
            [""; 0]
        );
    }
}

#[test]
fn the_face_has_no_logic() {
    assert_eq!(lines_with("src", &["fn ", "impl ", "struct ", "enum "]), [""; 0]);
}

#[test]
fn expanded_code_names_core_and_handover_only() {
    assert_eq!(
        lines_with("rpc-macros/src/expand", &["::std::", "::alloc::", "handover_core", "handover_transports"]),
        [""; 0]
    );
}

/// The table of what there is names the tests that show it.
#[test]
fn every_file_that_the_readme_names_is_there() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let named = readme.split('`').skip(1).step_by(2).filter(|text| text.contains("tests/") && text.ends_with(".rs"));

    let (there, missing): (Vec<_>, Vec<_>) = named.partition(|path| std::path::Path::new(path).is_file());

    assert_eq!(missing, [""; 0]);
    assert!(there.len() > 20, "{there:?}");
}
