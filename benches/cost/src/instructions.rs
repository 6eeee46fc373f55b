//! Counting instructions, by callgrind: exact but for what is random, such as the order in a hash map.
//!
//! The C library copies and compares memory in ways that it picks by the processor. It is told to pick one that every processor has, so
//! that two machines count the same.

use std::{
    ffi::OsStr,
    fs,
    hint::black_box,
    path::Path,
    process::{Command, Stdio},
};

/// Ends one stretch of a program that callgrind watches, and begins the next. Elsewhere it does nothing.
///
/// A gauge like those of [`allocations`](crate::allocations), which reads nothing: what it measures is in the files that
/// [`between_marks`] reads.
#[inline(never)]
pub fn mark() -> u64 {
    black_box(0)
}

/// Whether there is a callgrind on this machine.
pub fn can_be_counted() -> bool {
    let version = Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

/// Runs a program under callgrind, and tells the instructions from each [`mark`] to the next.
///
/// # Errors
/// A sentence, if the program fails, or writes what callgrind does not.
pub fn between_marks<A: AsRef<OsStr>>(program: &Path, args: impl IntoIterator<Item = A>) -> Result<Vec<u64>, String> {
    let folder = tempfile::tempdir().map_err(|error| format!("there is no place for callgrind's files: {error}"))?;
    let dumps = folder.path().join("dump");
    let mut command = Command::new("valgrind");
    command.env("GLIBC_TUNABLES", PLAIN_PROCESSOR).args([
        "--tool=callgrind",
        "--quiet",
        "--dump-before=*instructions::mark*",
    ]);
    command.arg(format!("--callgrind-out-file={}", dumps.display())).arg(program).args(args);
    let output = command.output().map_err(|error| format!("valgrind could not be run: {error}"))?;
    if !output.status.success() {
        return Err(format!("under callgrind: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)));
    }
    // The first dump is what was before the first mark; what is after the last one has no number.
    (2..).map(|number| dumps.with_extension(number.to_string())).take_while(|dump| dump.exists()).map(total).collect()
}

/// What the C library is to believe that the processor has not.
const PLAIN_PROCESSOR: &str =
    "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-EVEX,-AVX2,-AVX,-SSE4_2,-SSE4_1,-SSSE3,-BMI2,-RTM,-ERMS,-FSRM";

fn total(dump: impl AsRef<Path>) -> Result<u64, String> {
    let text = fs::read_to_string(&dump).map_err(|error| format!("a dump of callgrind's cannot be read: {error}"))?;
    total_of(&text).ok_or_else(|| "a dump of callgrind's has no totals".to_owned())
}

fn total_of(dump: &str) -> Option<u64> {
    dump.lines().find_map(|line| line.strip_prefix("totals: "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_of_a_dump_is_its_own_line() {
        assert_eq!(total_of("part: 2\nevents: Ir\nsummary: 17\n\nfn=(1) totals: 3\ntotals: 204053\n"), Some(204_053));
        assert_eq!(total_of("part: 2\ntotals: many\n"), None);
    }
}
