//! The format of `sha256sum`.

use std::{
    ffi::OsString,
    io::{self, BufWriter, Write},
};

use crate::sha::Digest;

/// A file and its digest.
#[derive(Debug)]
pub(crate) struct Line {
    /// Its name, as reached from the directory.
    pub(crate) name: OsString,
    /// Its digest.
    pub(crate) digest: Digest,
}

/// Prints a line for each file, sorted by the bytes of their names.
pub(crate) fn print(lines: &[Line], to: impl Write) -> io::Result<()> {
    let mut sorted: Vec<&Line> = lines.iter().collect();
    sorted.sort_unstable_by_key(|line| line.name.as_encoded_bytes());
    let mut to = BufWriter::new(to);
    for line in sorted {
        line.print(&mut to)?;
    }
    to.flush()
}

impl Line {
    /// Names that would break the line are escaped, and then it begins with a backslash: as `sha256sum` does, and reads.
    fn print(&self, to: &mut impl Write) -> io::Result<()> {
        let name = self.name.as_encoded_bytes();
        if name.iter().any(|byte| escape(*byte).is_some()) {
            to.write_all(b"\\")?;
        }
        for byte in self.digest {
            write!(to, "{byte:02x}")?;
        }
        to.write_all(b"  ")?;
        for byte in name {
            match escape(*byte) {
                Some(escaped) => to.write_all(escaped)?,
                None => to.write_all(&[*byte])?,
            }
        }
        to.write_all(b"\n")
    }
}

fn escape(byte: u8) -> Option<&'static [u8]> {
    match byte {
        b'\\' => Some(b"\\\\"),
        b'\n' => Some(b"\\n"),
        b'\r' => Some(b"\\r"),
        _ => None,
    }
}
