//! What the example that hashes files has to do, whatever the files are.

use std::{
    fs,
    io::{self, BufRead, BufReader},
    process::Stdio,
    time::{Duration, Instant},
};

use super::{check_code, check_one, example};
use crate::{
    command_line::CommandLine,
    run::{self, Captured},
    target_folder,
};

/// Makes the folders to be hashed, inside the one where it runs.
///
/// What lies at the end of a path that is longer than the system takes cannot be read by anybody, not even by root. It is made from
/// halfway there.
const MAKE: &str = r#"set -e
mkdir -p "names/sub folder/deeper" names/special empty interrupted
cd names
: > empty
for size in 5000000 9000000 20000001; do head -c $size /dev/zero > "sub folder/$size"; done
for name in 'with space' ' around ' -dash '*' 'back\slash' '\' "$(printf 'new\nline')" "$(printf 'return\r')" \
    "$(printf 'no text \377\376')" 'sub folder/deeper/one' 'sub.folder'; do
  printf %s "$name" > "$name"
done
mkfifo special/pipe
ln -s .. special/loop
ln -s nowhere special/dangling
cd ..
echo done > interrupted/small
part=$(printf %0250d 0)
half=$part/$part/$part/$part/$part/$part/$part/$part
mkdir -p "unreadable/$half"
echo read > unreadable/readable
cd "unreadable/$half"
mkdir -p "$half"
echo lost > "$half/$(printf %0200d 0)"
"#;

/// What `sha256sum` says of all files in a folder, in the order of their names.
const EXPECTED: &str = r#"find "$0" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum"#;

/// Whether `sha256sum` accepts what the example says of a folder.
const ACCEPTED: &str =
    r#"cargo run --release --locked --quiet --example checksum -- "$0" | sha256sum --check --strict --quiet"#;

/// More than can be read while the test waits, though nothing of it is stored.
const ENDLESS: u64 = 1 << 38;

/// How long it may take to end after Ctrl-C.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Runs the example over folders of all kinds.
pub(super) fn check() -> Result<(), String> {
    let folder = make_folders()?;
    let in_folder = |name: &str| format!("{folder}/{name}");

    let names = in_folder("names");
    let expected = run::capture(&shell(EXPECTED, &names))?;
    check_one(&checksum(&[&names]), |ran| check_sums(ran, &expected.stdout))?;
    check_one(&checksum(&["--workers", "1", &names]), |ran| check_sums(ran, &expected.stdout))?;
    run::stream(&shell(ACCEPTED, &names))?;

    check_one(&checksum(&[&in_folder("empty")]), |ran| check_sums(ran, ""))?;
    let missing = in_folder("missing");
    check_one(&checksum(&[&missing]), |ran| check_unreadable(ran, &missing, 0))?;
    let unreadable = in_folder("unreadable");
    check_one(&checksum(&[&unreadable]), |ran| check_unreadable(ran, &unreadable, 1))?;
    check_interruption(&checksum(&[&in_folder("interrupted")]))
}

fn checksum(args: &[&str]) -> CommandLine {
    args.iter().fold(example("checksum").arg("--"), |command, arg| command.arg(arg))
}

fn shell(script: &str, folder: &str) -> CommandLine {
    CommandLine::new("sh", "-c").arg(script).arg(folder)
}

/// Makes them among what is built, so that the commands that read them can be repeated.
fn make_folders() -> Result<String, String> {
    let folder = target_folder().join("xtask/checksum");
    let not_made = |error| format!("could not make {}: {error}; make its folder writable", folder.display());
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(not_made)?;
    }
    fs::create_dir_all(&folder).map_err(not_made)?;
    let name = folder.to_string_lossy().into_owned();
    run::stream(&shell(&format!("cd \"$0\" && {MAKE}"), &name))?;
    let endless = fs::File::create(folder.join("interrupted/endless"));
    endless.and_then(|file| file.set_len(ENDLESS)).map_err(not_made)?;
    Ok(name)
}

fn check_sums(ran: &Captured, expected: &str) -> Result<(), String> {
    check_code(ran, 0)?;
    if !ran.stderr.is_empty() {
        return Err("it wrote to standard error although nothing was wrong".to_owned());
    }
    if ran.stdout != expected {
        return Err(format!("it printed something else than sha256sum, which says:\n{expected}"));
    }
    Ok(())
}

/// Whether it has named what it could not read, and only that, and hashed the rest.
fn check_unreadable(ran: &Captured, name: &str, others: usize) -> Result<(), String> {
    check_code(ran, 1)?;
    match ran.stderr.lines().collect::<Vec<_>>().as_slice() {
        [line] if line.contains(name) => {}
        [line] => return Err(format!("its error does not name {name}: {line:?}")),
        lines => return Err(format!("it wrote {} lines to standard error instead of one", lines.len())),
    }
    match ran.stdout.lines().count() {
        hashed if hashed == others => Ok(()),
        hashed => Err(format!("it hashed {hashed} files instead of {others}")),
    }
}

/// Presses Ctrl-C once a file is done, while another is read that has no end.
fn check_interruption(command: &CommandLine) -> Result<(), String> {
    let not_run = |error: io::Error| command.failed(format!("it could not be run: {error}"));
    let spawned = command.to_command().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.map_err(not_run)?;
    let mut stderr = BufReader::new(child.stderr.take().ok_or("its standard error is not piped")?);
    let mut told = String::new();
    while !is_progress(told.lines().last().unwrap_or_default()) {
        if stderr.read_line(&mut told).map_err(not_run)? == 0 {
            return Err(command.failed(format!("it never told of its first file: {told:?}")));
        }
    }
    let interrupted = Instant::now();
    run::stream(&CommandLine::new("kill", "-INT").arg(&child.id().to_string()))?;
    let output = child.wait_with_output().map_err(not_run)?;
    let took = interrupted.elapsed();
    let ran = Captured {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: told,
    };
    check_interrupted(&ran, took).map_err(|what| command.failed(what))
}

/// Whether it says in a pipe that a file is done.
fn is_progress(line: &str) -> bool {
    line.starts_with("checksum: 1 files, ") && line.ends_with("/s")
}

fn check_interrupted(ran: &Captured, took: Duration) -> Result<(), String> {
    check_code(ran, 130)?;
    if took > AT_ONCE {
        return Err(format!("it took {took:?} to end after Ctrl-C"));
    }
    match ran.stdout.lines().collect::<Vec<_>>().as_slice() {
        [line] if line.ends_with("/small") => Ok(()),
        lines => Err(format!("after Ctrl-C it printed {lines:?}, and not what was done")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(code: i32, stdout: &str, stderr: &str) -> Captured {
        Captured { code: Some(code), stdout: stdout.to_owned(), stderr: stderr.to_owned() }
    }

    #[test]
    fn sums_pass_when_they_are_those_of_sha256sum_and_nothing_else_is_said() {
        assert_eq!(check_sums(&ran(0, "abc  a\n", ""), "abc  a\n"), Ok(()));
        assert!(check_sums(&ran(1, "abc  a\n", ""), "abc  a\n").is_err(), "status");
        assert!(check_sums(&ran(0, "abd  a\n", ""), "abc  a\n").is_err(), "another sum");
        assert!(check_sums(&ran(0, "abc  a\n", "warning\n"), "abc  a\n").is_err(), "standard error");
    }

    #[test]
    fn what_cannot_be_read_is_named_in_one_line_and_the_rest_is_hashed() {
        let named = "checksum: cannot read \"f/x\": why\n";
        assert_eq!(check_unreadable(&ran(1, "abc  f/a\n", named), "f/x", 1), Ok(()));
        assert!(check_unreadable(&ran(0, "abc  f/a\n", named), "f/x", 1).is_err(), "status");
        assert!(check_unreadable(&ran(1, "", named), "f/x", 1).is_err(), "the rest");
        assert!(check_unreadable(&ran(1, "abc  f/a\n", "cannot read\n"), "f/x", 1).is_err(), "no name");
        assert!(check_unreadable(&ran(1, "abc  f/a\n", ""), "f/x", 1).is_err(), "silence");
        assert!(check_unreadable(&ran(1, "abc  f/a\n", &named.repeat(2)), "f/x", 1).is_err(), "two lines");
    }

    #[test]
    fn what_is_interrupted_prints_what_was_done_and_ends_soon() {
        let done = "abc  f/small\n";
        assert_eq!(check_interrupted(&ran(130, done, ""), AT_ONCE), Ok(()));
        assert!(check_interrupted(&ran(0, done, ""), AT_ONCE).is_err(), "status");
        assert!(check_interrupted(&ran(130, done, ""), AT_ONCE * 2).is_err(), "late");
        assert!(check_interrupted(&ran(130, "", ""), AT_ONCE).is_err(), "nothing");
    }

    #[test]
    fn a_line_of_progress_names_files_bytes_and_speed() {
        assert!(is_progress("checksum: 1 files, 340.00 MiB, 1.32 GiB/s"));
        assert!(!is_progress("checksum: 0 files, 340.00 MiB, 1.32 GiB/s"));
        assert!(!is_progress(""));
    }
}
