//! Running a command: streaming its output, adding up its tests, capturing it, or not waiting too long for it.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::command_line::CommandLine;
use crate::tally::Tally;

/// How often a command with a time limit is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Captured {
    /// Its exit status; none if a signal ended it.
    pub(crate) code: Option<i32>,
    /// What it wrote to standard output.
    pub(crate) stdout: String,
    /// What it wrote to standard error.
    pub(crate) stderr: String,
}

/// Prints a line to standard output.
pub(crate) fn say(line: &str) {
    // `println!` would panic when the reader, say `head`, has gone; the exit status still tells the outcome.
    let _ = writeln!(io::stdout(), "{line}");
}

/// Runs a command with our own output, and says if it failed.
pub(crate) fn stream(command: &CommandLine) -> Result<(), String> {
    let status = command.to_command().status().map_err(|error| not_started(command, &error))?;
    success(command, status)
}

/// Runs a command like [`stream`], and adds the tests that its standard output reports to `tally`, also if it fails.
pub(crate) fn stream_tests(command: &CommandLine, tally: &mut Tally) -> Result<(), String> {
    let child = start(command)?;
    read_tests(command, child, tally)
}

fn start(command: &CommandLine) -> Result<Child, String> {
    command.to_command().stdout(Stdio::piped()).spawn().map_err(|error| not_started(command, &error))
}

fn read_tests(command: &CommandLine, mut child: Child, tally: &mut Tally) -> Result<(), String> {
    if let Some(stdout) = child.stdout.take() {
        let copied = copy_lines(BufReader::new(stdout), io::stdout(), tally);
        copied.map_err(|error| command.failed(format!("its output could not be read: {error}")))?;
    }
    let status = child.wait().map_err(|error| not_started(command, &error))?;
    success(command, status)?;
    match tally.failed {
        0 => Ok(()),
        failed => Err(command.failed(format!("it ended well although {failed} tests failed"))),
    }
}

/// Runs a command like [`stream_tests`], but ends it at the deadline: `end_all` ends it and whatever it has started, which
/// could otherwise keep its output open.
pub(crate) fn stream_tests_until(
    command: &CommandLine,
    deadline: Instant,
    tally: &mut Tally,
    end_all: impl FnOnce() + Send,
) -> Result<(), String> {
    let (ended, is_ended) = mpsc::channel::<()>();
    // Before the deadline is looked at, which may have passed: what has not started cannot be ended.
    let child = start(command)?;
    thread::scope(|scope| {
        let watch = scope.spawn(move || {
            let is_late = is_ended.recv_timeout(deadline.saturating_duration_since(Instant::now()))
                == Err(mpsc::RecvTimeoutError::Timeout);
            if is_late {
                end_all();
            }
            is_late
        });
        let outcome = read_tests(command, child, tally);
        drop(ended);
        match watch.join() {
            Ok(true) => Err(command.failed("it took too long and was ended")),
            _ => outcome,
        }
    })
}

/// Runs a command to its end, then passes on what it wrote and returns it.
pub(crate) fn capture(command: &CommandLine) -> Result<Captured, String> {
    let ran = command.to_command().stdin(Stdio::null()).output();
    let output = ran.map_err(|error| not_started(command, &error))?;
    // As in `say`: nobody may be reading any more.
    let _ = io::stdout().write_all(&output.stdout);
    let _ = io::stderr().write_all(&output.stderr);
    Ok(Captured {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Runs a command like [`stream`], but ends it if it takes longer than `limit`.
pub(crate) fn stream_within(command: &CommandLine, limit: Duration) -> Result<(), String> {
    let spawned = command.to_command().stdin(Stdio::null()).spawn();
    let mut child = spawned.map_err(|error| not_started(command, &error))?;
    let started = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return success(command, status),
            Ok(None) if started.elapsed() < limit => thread::sleep(LOOK_EVERY),
            Ok(None) => {
                // If it ended by itself just now, killing fails, and waiting succeeds all the same.
                let _ = child.kill();
                let _ = child.wait();
                return Err(command.failed(format!("it took longer than {} seconds", limit.as_secs())));
            }
            Err(error) => {
                return Err(command.failed(format!("it could not be waited for: {error}")));
            }
        }
    }
}

/// Copies line by line, as soon as each line is there, and adds up the results of tests among them.
fn copy_lines(mut from: impl BufRead, mut to: impl Write, tally: &mut Tally) -> io::Result<()> {
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line)? > 0 {
        tally.add_line(&String::from_utf8_lossy(&line));
        // As in `say`; and the command must not be stopped halfway because its output is read no more.
        let _ = to.write_all(&line);
        line.clear();
    }
    Ok(())
}

fn success(command: &CommandLine, status: ExitStatus) -> Result<(), String> {
    if status.success() { Ok(()) } else { Err(command.failed(format!("it ended with {status}"))) }
}

fn not_started(command: &CommandLine, error: &io::Error) -> String {
    command.failed(format!("it could not be run: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_passed_on_and_every_result_counted() {
        let output = b"\xff\xfe\ntest result: ok. 3 passed; 0 failed; 0 ignored\nno newline".as_slice();
        let mut copy = Vec::new();
        let mut tally = Tally::default();

        copy_lines(output, &mut copy, &mut tally).unwrap();

        assert_eq!(copy, output);
        assert_eq!(tally, Tally { passed: 3, ..Tally::default() });
    }

    #[test]
    fn a_command_that_does_not_exist_is_a_sentence() {
        let command = CommandLine::new("no-such-program-anywhere", "--fast");

        let sentence = stream(&command).unwrap_err();

        assert!(sentence.starts_with("it could not be run: "), "{sentence}");
        assert!(sentence.ends_with("; repeat it with: no-such-program-anywhere --fast"), "{sentence}");
    }

    #[cfg(unix)]
    #[test]
    fn a_command_over_its_time_limit_is_ended() {
        let command = CommandLine::new("sleep", "600");

        let sentence = stream_within(&command, Duration::ZERO).unwrap_err();

        assert_eq!(sentence, "it took longer than 0 seconds; repeat it with: sleep 600");
    }
}
