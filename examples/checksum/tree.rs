//! Who walks through the directory.

use std::ffi::OsString;

use futures::{Stream, stream};
use handover::service;
use serde::{Deserialize, Serialize};
use walkdir::{DirEntry, WalkDir};

use crate::turn::turn;

/// Knows which files there are.
#[service]
pub(crate) trait Tree {
    /// Walks through everything under a directory, as far as the caller reads on.
    fn files(&self, directory: OsString) -> impl Stream<Item = Found>;
    /// Walks through it in one go, and tells how many bytes the files have.
    async fn total(&self, directory: OsString) -> u64;
}

/// What there is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Found {
    /// Some files, as reached from the directory that was asked for. An `OsString` takes along also names that are no text.
    Files(Vec<OsString>),
    /// Something that cannot be looked into, and why.
    Unreadable(OsString, String),
}

/// How many files are told of together: one by one, telling would cost more than hashing small ones.
const TOGETHER: usize = 128;

/// The files of this machine.
#[derive(Debug)]
pub(crate) struct Disk;

impl Tree for Disk {
    /// A worker of its own walks, so reading a directory may block it.
    fn files(&self, directory: OsString) -> impl Stream<Item = Found> {
        let walk = Walk { entries: WalkDir::new(directory).into_iter(), unreadable: None };
        stream::unfold(walk, async |mut walk| {
            // What was found is on its way before more is looked for.
            turn().await;
            walk.next().map(|found| (found, walk))
        })
    }

    async fn total(&self, directory: OsString) -> u64 {
        WalkDir::new(directory).into_iter().flatten().filter(is_file).map(|entry| size(&entry)).sum()
    }
}

struct Walk {
    entries: walkdir::IntoIter,
    /// Found, and told of after the files before it.
    unreadable: Option<Found>,
}

impl Iterator for Walk {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        if let Some(unreadable) = self.unreadable.take() {
            return Some(unreadable);
        }
        let mut files = Vec::new();
        while files.len() < TOGETHER {
            match self.entries.next() {
                Some(Ok(entry)) if is_file(&entry) => files.push(entry.into_path().into_os_string()),
                Some(Ok(_)) => {}
                Some(Err(error)) if files.is_empty() => return Some(unreadable(error)),
                Some(Err(error)) => {
                    self.unreadable = Some(unreadable(error));
                    break;
                }
                None => break,
            }
        }
        (!files.is_empty()).then_some(Found::Files(files))
    }
}

/// Neither links, which may lead in circles, nor pipes and devices, which may have no end.
fn is_file(entry: &DirEntry) -> bool {
    entry.file_type().is_file()
}

/// One that cannot be asked for its size cannot be read either, and is told of then.
fn size(entry: &DirEntry) -> u64 {
    entry.metadata().map_or(0, |metadata| metadata.len())
}

fn unreadable(error: walkdir::Error) -> Found {
    let name = error.path().map(|path| path.as_os_str().to_owned()).unwrap_or_default();
    let why = match error.io_error() {
        Some(why) => why.to_string(),
        None => error.to_string(),
    };
    Found::Unreadable(name, why)
}
