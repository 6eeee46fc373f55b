//! What `WIRE.md` says of shapes, as serde would have it: slow and obvious, to hold the reader and the writer to.

use serde::{Deserialize, Serialize};

use super::super::table::{DEPTH, SIZE};

#[derive(Serialize, Deserialize)]
enum Head {
    Opaque,
    Unit,
    Bool,
    I8,
    I16,
    I32,
    I64,
    I128,
    U8,
    U16,
    U32,
    U64,
    U128,
    F32,
    F64,
    Char,
    String,
    Bytes,
    Port,
    Buffer,
    Option,
    List,
    Array(u64),
    Map,
    Tuple(u32),
    Struct { fields: Vec<(Vec<String>, bool)>, is_exact: bool },
    Enum { variants: Vec<String>, is_open: bool },
    Named(String),
    Again(u32),
    Foreign,
}

impl Head {
    fn parts(&self) -> usize {
        match self {
            Self::Option | Self::List | Self::Array(_) | Self::Named(_) => 1,
            Self::Map => 2,
            Self::Tuple(len) => usize::try_from(*len).unwrap(),
            Self::Struct { fields, .. } => fields.len(),
            Self::Enum { variants, .. } => variants.len(),
            _ => 0,
        }
    }
}

/// Reads a shape from the front of some bytes. Hands out what a writer makes of it, and what follows.
pub(in super::super) fn take_shape(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (heads, left) = postcard::take_from_bytes::<Vec<Head>>(bytes).ok()?;
    let named = heads.iter().filter(|head| matches!(head, Head::Named(_))).count();
    let is_there = |head: &Head| !matches!(head, Head::Again(number) if usize::try_from(*number).unwrap() >= named);
    let mut rest = heads.iter();
    let is_shape = heads.len() <= SIZE && heads.iter().all(is_there) && is_whole(&mut rest, DEPTH);
    (is_shape && rest.next().is_none()).then(|| (postcard::to_allocvec(&heads).unwrap(), left))
}

fn is_whole(heads: &mut std::slice::Iter<'_, Head>, depth: usize) -> bool {
    let Some(head) = heads.next().filter(|_| depth > 0) else { return false };
    (0..head.parts()).all(|_| is_whole(heads, depth - 1))
}

/// As [`take_shape`], of what a method takes and returns.
pub(in super::super) fn take_method(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (args, mut left) = postcard::take_from_bytes::<usize>(bytes).ok()?;
    let mut written = postcard::to_allocvec(&args).unwrap();
    for _ in 0..=args {
        let (shape, rest) = take_shape(left)?;
        written.extend(shape);
        left = rest;
    }
    Some((written, left))
}
