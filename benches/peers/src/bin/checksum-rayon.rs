//! What the example `checksum` does, by rayon: the yardstick of `benches/checksum.rs`. The two share how a file is hashed, and how
//! the sums are printed.

#[path = "../../../../examples/checksum/lines.rs"]
mod lines;
#[path = "../../../../examples/checksum/sha.rs"]
mod sha;

use std::{env, ffi::OsString, io, process::ExitCode};

use rayon::prelude::*;
use walkdir::WalkDir;

use crate::{
    lines::Line,
    sha::{Digest, Hashing, PIECE},
};

fn main() -> ExitCode {
    let Some(directory) = env::args_os().nth(1) else {
        eprintln!("usage: checksum-rayon DIRECTORY");
        return ExitCode::from(2);
    };
    let entries = WalkDir::new(directory).into_iter().filter_map(Result::ok);
    let files: Vec<OsString> =
        entries.filter(|entry| entry.file_type().is_file()).map(|entry| entry.into_path().into()).collect();
    let piece = || vec![0; PIECE];
    let sums = files.into_par_iter().map_init(piece, |piece, name| match hash(&name, piece) {
        Ok(digest) => Some(Line { name, digest }),
        Err(why) => {
            eprintln!("checksum-rayon: cannot read {name:?}: {why}");
            None
        }
    });
    let sums: Vec<Option<Line>> = sums.collect();
    let read: Vec<Line> = sums.into_iter().flatten().collect();
    match lines::print(&read, io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn hash(name: &OsString, piece: &mut [u8]) -> io::Result<Digest> {
    let mut hashing = Hashing::open(name)?;
    while hashing.read(piece)? > 0 {}
    Ok(hashing.digest())
}
