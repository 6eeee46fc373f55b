//! What the example `checksum` takes for a folder of files, beside the same by rayon:
//! `cargo bench -p handover-bench-peers --bench checksum`.
//!
//! Both are whole programs, on all cores, which take turns, round after round; only the ratios within a round mean anything. What
//! they read is in the system's memory by then.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

/// How often the two take turns.
const ROUNDS: usize = 30;

/// How many files there are, and in how many folders.
const FILES: usize = 5000;
const FOLDERS: usize = 50;

/// The two programs.
const PROGRAMS: [&str; 2] = [env!("CARGO_BIN_EXE_checksum"), env!("CARGO_BIN_EXE_checksum-rayon")];

fn main() {
    println!("Medians of {ROUNDS} rounds, {FILES} files.\n");
    println!("{:44}{:>14}{:>14}{:>10}", "sizes", "checksum, ms", "rayon, ms", "ratio");
    let folder = tempfile::tempdir().expect("files can be written");
    compare("4 KiB each", folder.path().join("small"), |_| 4 << 10);
    compare("1 byte to 256 KiB, as many of each magnitude", folder.path().join("mixed"), |number| {
        2_f64.powf(18.0 * (number as f64 * 0.618_034).fract()) as usize
    });
}

fn compare(name: &str, folder: PathBuf, size: impl Fn(usize) -> usize) {
    make_files(&folder, size);
    let [ours, theirs] = PROGRAMS.map(|program| output(program, &folder));
    assert!(ours == theirs && ours.len() > 64 * FILES, "the two do not do the same");
    let times: Vec<[f64; 2]> = (0..ROUNDS)
        .map(|round| {
            // Back and forth, so that nobody always has the same neighbour before it.
            if round % 2 == 0 {
                PROGRAMS.map(|program| milliseconds(program, &folder))
            } else {
                let [theirs, ours] = [PROGRAMS[1], PROGRAMS[0]].map(|program| milliseconds(program, &folder));
                [ours, theirs]
            }
        })
        .collect();
    let median = |of: fn(&[f64; 2]) -> f64| {
        let mut values: Vec<_> = times.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let (ours, theirs, ratio) = (median(|time| time[0]), median(|time| time[1]), median(|time| time[0] / time[1]));
    println!("{name:44}{ours:>14.1}{theirs:>14.1}{ratio:>10.2}");
}

fn make_files(folder: &Path, size: impl Fn(usize) -> usize) {
    for number in 0..FILES {
        let folder = folder.join(format!("{:02}", number % FOLDERS));
        fs::create_dir_all(&folder).expect("a folder can be made");
        let bytes: Vec<u8> = (0..size(number)).map(|at| (at ^ number) as u8).collect();
        fs::write(folder.join(format!("{number:04}")), bytes).expect("a file can be written");
    }
}

fn output(program: &str, folder: &Path) -> Vec<u8> {
    let output = Command::new(program).arg(folder).stderr(Stdio::inherit()).output().expect("cargo has built it");
    assert!(output.status.success(), "{program}: {}", output.status);
    output.stdout
}

fn milliseconds(program: &str, folder: &Path) -> f64 {
    let began = Instant::now();
    let status = Command::new(program).arg(folder).stdout(Stdio::null()).status().expect("cargo has built it");
    let took = began.elapsed();
    assert!(status.success(), "{program}: {status}");
    took.as_secs_f64() * 1e3
}
