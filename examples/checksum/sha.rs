//! The digest of a file.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Read},
};

use sha2::{Digest as _, Sha256};

/// The SHA-256 digest of a file.
pub(crate) type Digest = [u8; 32];

/// The size of the pieces in which files are read.
pub(crate) const PIECE: usize = 128 << 10;

/// A file that is being hashed.
#[derive(Debug)]
pub(crate) struct Hashing {
    file: File,
    hash: Sha256,
}

impl Hashing {
    /// Opens a file.
    pub(crate) fn open(name: &OsStr) -> io::Result<Self> {
        Ok(Self { file: File::open(name)?, hash: Sha256::new() })
    }

    /// Reads and hashes the next piece, no longer than the buffer. Tells how many bytes that were: none at the end of the file.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<u64> {
        loop {
            match self.file.read(buffer) {
                Ok(bytes) => {
                    self.hash.update(&buffer[..bytes]);
                    return Ok(bytes as u64);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The digest of what was read.
    pub(crate) fn digest(self) -> Digest {
        self.hash.finalize().into()
    }
}
