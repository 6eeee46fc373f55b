//! Who reads and hashes files.
//!
//! Reading blocks the worker's thread, which is what that thread is there for: it stalls nobody but the batch that waits for it,
//! and a hop to another thread for each piece of a file would cost more than the piece. So that its context goes on – takes what
//! was called meanwhile, passes on what is done, and notices that nobody wants the rest – it works in slices.

use std::{
    cell::RefCell,
    collections::VecDeque,
    ffi::OsString,
    io,
    rc::Rc,
    time::{Duration, Instant},
};

use futures::{Stream, stream};
use handover::service;
use serde::{Deserialize, Serialize};

use crate::{
    sha::{Digest, Hashing, PIECE},
    turn::turn,
};

/// Hashes files.
#[service]
pub(crate) trait Sums {
    /// Reads some files, one after the other, and tells bit by bit how that goes. Files that it does not come to soon are left to
    /// others: what is not done when the stream ends was not begun.
    fn hash(&self, files: Vec<OsString>) -> impl Stream<Item = Report>;
}

/// What was done since the last report.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    /// How many bytes were read.
    pub(crate) bytes: u64,
    /// The files that are done, in the order in which they were asked for: their digests, or why they cannot be read.
    pub(crate) ended: Vec<Result<Digest, String>>,
    /// Whether the first that is not done is being read. The others are left to others from now on.
    pub(crate) reads_on: bool,
}

/// How many bytes are read before the context gets a turn, about, and how long that may take.
const SLICE: (u64, Duration) = (4 << 20, Duration::from_millis(20));

/// Hashes with SHA-256.
#[derive(Debug)]
pub(crate) struct Sha256Sums {
    /// Where what is read lies, one piece at a time.
    piece: Rc<RefCell<Vec<u8>>>,
}

impl Default for Sha256Sums {
    fn default() -> Self {
        Self { piece: Rc::new(RefCell::new(vec![0; PIECE])) }
    }
}

impl Sums for Sha256Sums {
    fn hash(&self, files: Vec<OsString>) -> impl Stream<Item = Report> {
        let work = Work { files: files.into(), current: None, piece: self.piece.clone() };
        stream::unfold(work, async |mut work| {
            if work.is_done() {
                return None;
            }
            turn().await;
            Some((work.slice(), work))
        })
    }
}

/// Files that are to be hashed.
struct Work {
    files: VecDeque<OsString>,
    current: Option<Hashing>,
    piece: Rc<RefCell<Vec<u8>>>,
}

impl Work {
    fn is_done(&self) -> bool {
        self.files.is_empty() && self.current.is_none()
    }

    /// Does some of it, and then keeps only what it has begun.
    fn slice(&mut self) -> Report {
        let began = Instant::now();
        let mut report = Report::default();
        while report.bytes < SLICE.0 && began.elapsed() < SLICE.1 {
            let Some(read) = self.read() else { break };
            match read {
                Ok(Read::Piece(bytes)) => report.bytes += bytes,
                Ok(Read::Whole(digest)) => report.ended.push(Ok(digest)),
                Err(why) => report.ended.push(Err(why.to_string())),
            }
        }
        self.files.clear();
        report.reads_on = self.current.is_some();
        report
    }

    /// Reads a piece of the current file, or of the next one. `None` if there is none.
    fn read(&mut self) -> Option<io::Result<Read>> {
        let current = match self.current.take() {
            Some(current) => Ok(current),
            None => Hashing::open(&self.files.pop_front()?),
        };
        Some(current.and_then(|mut current| {
            let bytes = current.read(&mut self.piece.borrow_mut())?;
            if bytes == 0 {
                return Ok(Read::Whole(current.digest()));
            }
            self.current = Some(current);
            Ok(Read::Piece(bytes))
        }))
    }
}

/// What was read of a file.
enum Read {
    Piece(u64),
    /// It has ended.
    Whole(Digest),
}
