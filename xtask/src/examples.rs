//! Running the example programs and checking what they print.

mod checksum;

use std::fs;

use crate::command_line::CommandLine;
use crate::run::{self, Captured};
use crate::target_folder;

/// How many example programs there are to check.
pub(crate) const COUNT: usize = 6;

const CONTACTS: &str = "examples/data/contacts.vcf";
const MISSING: &str = "examples/data/no-such-file.vcf";

/// Builds the examples, runs them and checks their output.
pub(crate) fn check() -> Result<(), String> {
    run::stream(&CommandLine::cargo(
        "build --release --locked --features byte-stream --example hello --example contacts --example processes \
         --example checksum --example moved_provider --example one_contact",
    ))?;
    check_one(&example("hello"), check_hello)?;
    check_one(&example("processes").args(&["--features", "byte-stream"].map(str::to_owned)), check_processes)?;
    check_one(&example("contacts").args(&["--", CONTACTS].map(str::to_owned)), check_contacts)?;
    check_one(&example("contacts").args(&["--", MISSING].map(str::to_owned)), |ran| check_missing(ran, MISSING))?;
    let empty = empty_file()?;
    check_one(&example("contacts").arg("--").arg(&empty), check_no_contacts)?;
    check_one(&example("moved_provider"), check_moved_provider)?;
    check_one(&example("one_contact"), check_one_contact)?;
    checksum::check()
}

fn check_one(command: &CommandLine, check: impl FnOnce(&Captured) -> Result<(), String>) -> Result<(), String> {
    check(&run::capture(command)?).map_err(|what| command.failed(what))
}

/// The command that runs an example; quiet, so that standard error is the example's alone.
fn example(name: &str) -> CommandLine {
    CommandLine::cargo("run --release --locked --quiet --example").arg(name)
}

/// Makes an empty file, among what is built so that the command that reads it can be repeated.
fn empty_file() -> Result<String, String> {
    let folder = target_folder().join("xtask");
    let path = folder.join("empty.vcf");
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&path, ""))
        .map_err(|error| format!("could not write {}: {error}; make its folder writable", path.display()))?;
    Ok(path.to_string_lossy().into_owned())
}

fn check_hello(ran: &Captured) -> Result<(), String> {
    check_code(ran, 0)?;
    if ran.stdout.trim().is_empty() { Err("it printed nothing".to_owned()) } else { Ok(()) }
}

/// What the example with the child process prints, from beginning to end.
const PROCESSES: &str = "\
the child is at line 1
the child is at line 2
the child counted 10 words
the call has no answer, and may have run: the connection ended: the other side has gone
the connection has ended: the other side has gone
the child ended with 3
";

fn check_processes(ran: &Captured) -> Result<(), String> {
    check_code(ran, 0)?;
    if ran.stdout == PROCESSES { Ok(()) } else { Err(format!("it printed {:?} instead of {PROCESSES:?}", ran.stdout)) }
}

fn check_moved_provider(ran: &Captured) -> Result<(), String> {
    check_code(ran, 0)?;
    match ran.stdout.lines().last() {
        Some(line) if line.starts_with("40000 contacts are in the book, each once") => Ok(()),
        last => Err(format!("it does not say that all contacts are there: {last:?}")),
    }
}

/// What its lines say is held by a test of whole calls.
fn check_one_contact(ran: &Captured) -> Result<(), String> {
    check_code(ran, 0)?;
    match ran.stdout.lines().last() {
        Some("in the book: Tell") => Ok(()),
        last => Err(format!("it does not say that one contact is in the book: {last:?}")),
    }
}

fn check_contacts(ran: &Captured) -> Result<(), String> {
    check_code(ran, 0)?;
    contacts_loaded(&ran.stdout).map(|_| ())
}

fn check_no_contacts(ran: &Captured) -> Result<(), String> {
    check_code(ran, 0)?;
    match contacts_loaded(&ran.stdout)? {
        0 => Ok(()),
        loaded => Err(format!("it loaded {loaded} contacts from an empty file")),
    }
}

fn check_missing(ran: &Captured, file: &str) -> Result<(), String> {
    check_code(ran, 2)?;
    if !ran.stdout.is_empty() {
        return Err(format!("it printed to standard output although {file} is missing"));
    }
    match ran.stderr.lines().collect::<Vec<_>>().as_slice() {
        [line] if line.contains(file) => Ok(()),
        [line] => Err(format!("its error does not name {file}: {line:?}")),
        lines => Err(format!("it wrote {} lines to standard error instead of one", lines.len())),
    }
}

fn check_code(ran: &Captured, expected: i32) -> Result<(), String> {
    match ran.code {
        Some(code) if code == expected => Ok(()),
        Some(code) => Err(format!("it ended with status {code} instead of {expected}")),
        None => Err(format!("a signal ended it; it should end with status {expected}")),
    }
}

/// How many contacts were loaded, if the last line fits that number.
fn contacts_loaded(stdout: &str) -> Result<u32, String> {
    let mut lines: Vec<&str> = stdout.lines().collect();
    let last = lines.pop().ok_or("it printed nothing")?;
    let loaded = |line: &&str| line.strip_prefix("provider: loaded ")?.strip_suffix(" contacts")?.parse::<u32>().ok();
    let before = lines.iter().find_map(loaded).ok_or("it printed no line `provider: loaded N contacts`")?;
    let after = u64::from(before) + 2;
    let expected = format!("contacts: {before} before, {after} after; granted 2, used 2, refused 1");
    if last == expected { Ok(before) } else { Err(format!("its last line is {last:?} instead of {expected:?}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "provider: loaded 3 contacts\neditor: added two\n\
                        contacts: 3 before, 5 after; granted 2, used 2, refused 1\n";
    const EMPTY: &str = "provider: loaded 0 contacts\ncontacts: 0 before, 2 after; granted 2, used 2, refused 1\n";

    fn printed(stdout: &str) -> Captured {
        Captured { code: Some(0), stdout: stdout.to_owned(), stderr: String::new() }
    }

    fn refused(stderr: &str) -> Captured {
        Captured { code: Some(2), stdout: String::new(), stderr: stderr.to_owned() }
    }

    #[test]
    fn processes_pass_only_with_every_line_as_it_is() {
        assert_eq!(check_processes(&printed(PROCESSES)), Ok(()));
        for missing in PROCESSES.lines() {
            let without = PROCESSES.replace(&format!("{missing}\n"), "");
            assert!(check_processes(&printed(&without)).is_err(), "without {missing:?}");
        }
    }

    #[test]
    fn contacts_pass_when_the_last_line_adds_two_to_those_loaded() {
        assert_eq!(check_contacts(&printed(GOOD)), Ok(()));
    }

    #[test]
    fn contacts_fail_when_the_last_line_does_not_fit() {
        for wrong in [
            GOOD.replace("5 after", "4 after"),
            GOOD.replace("3 before", "4 before"),
            GOOD.replace("refused 1", "refused 0"),
            GOOD.replace("refused 1", "refused 1."),
            format!("{GOOD}bye\n"),
        ] {
            assert!(check_contacts(&printed(&wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn contacts_fail_without_a_number_that_was_loaded_before() {
        for wrong in [
            "".to_owned(),
            "contacts: 3 before, 5 after; granted 2, used 2, refused 1\n".to_owned(),
            GOOD.replace("loaded 3", "loaded three"),
            GOOD.replace("loaded 3", "loaded 99999999999999999999"),
            GOOD.replace('3', "4294967295"),
            "contacts: 3 before, 5 after; granted 2, used 2, refused 1\nprovider: loaded 3 contacts\n".to_owned(),
        ] {
            assert!(check_contacts(&printed(&wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_example_that_ends_with_another_status_fails() {
        assert!(check_contacts(&Captured { code: Some(101), ..printed(GOOD) }).is_err());
        assert!(check_hello(&Captured { code: None, ..printed("hello\n") }).is_err());
    }

    #[test]
    fn an_empty_file_holds_no_contacts() {
        assert_eq!(check_no_contacts(&printed(EMPTY)), Ok(()));
        assert!(check_no_contacts(&printed(GOOD)).is_err());
    }

    #[test]
    fn hello_passes_when_it_prints_something() {
        assert_eq!(check_hello(&printed("hello\n")), Ok(()));
        assert!(check_hello(&printed("\n")).is_err());
    }

    #[test]
    fn a_missing_file_is_refused_in_one_line_that_names_it() {
        assert_eq!(check_missing(&refused("contacts: cannot read some.vcf: not found\n"), "some.vcf"), Ok(()));
    }

    #[test]
    fn a_missing_file_is_not_refused_in_other_ways() {
        assert!(check_missing(&refused(""), "some.vcf").is_err(), "silence");
        assert!(check_missing(&refused("not found\n"), "some.vcf").is_err(), "no name");
        assert!(check_missing(&refused("some.vcf: not found\nnote: sorry\n"), "some.vcf").is_err(), "two lines");
        let talks = Captured { stdout: "provider: starts\n".to_owned(), ..refused("some.vcf: not found\n") };
        assert!(check_missing(&talks, "some.vcf").is_err(), "standard output");
        let passes = Captured { code: Some(0), ..refused("some.vcf: not found\n") };
        assert!(check_missing(&passes, "some.vcf").is_err(), "status");
    }
}
