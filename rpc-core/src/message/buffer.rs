//! Bytes that move.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use super::cargo::{self, IndexVisitor};
use crate::sync::{Arc, Mutex};

/// How a buffer is told from a number by who looks at types and not at bytes; a newtype adds none.
pub(crate) const BUFFER: &str = "handover::Buffer";

/// Bytes that are moved with a message, and not copied: the standard's transferred `ArrayBuffer` (SER-07).
///
/// It may be anywhere inside a serde value that is posted. When the value was posted, the bytes are gone from here: a handle
/// that is left is detached, its length 0.
///
/// # Examples
/// ```
/// use handover_core::{Buffer, MessageChannel};
///
/// let (ours, theirs) = MessageChannel::new().into_ports();
/// let picture = vec![7; 1 << 20];
/// let place = picture.as_ptr();
///
/// theirs.post_value(("a picture".to_owned(), Buffer::from(picture)))?;
///
/// ours.start();
/// # futures::executor::block_on(async {
/// let event = ours.recv_value::<(String, Buffer)>().await?;
/// assert_eq!(event.data.1.into_vec().as_ptr(), place, "not copied");
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Buffer(Arc<Mutex<Option<Vec<u8>>>>);

impl Buffer {
    /// The number of bytes; 0 if they were transferred away.
    pub fn len(&self) -> usize {
        self.0.lock().as_ref().map_or(0, Vec::len)
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the bytes were transferred away.
    pub fn is_detached(&self) -> bool {
        self.0.lock().is_none()
    }

    /// Takes the bytes; none if they were transferred away. Nothing is copied.
    pub fn into_vec(self) -> Vec<u8> {
        self.0.lock().take().unwrap_or_default()
    }
}

/// No bytes: an empty buffer, and not a detached one (SER-10).
impl Default for Buffer {
    fn default() -> Self {
        Self::from(Vec::new())
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(Some(bytes))))
    }
}

impl From<Buffer> for Vec<u8> {
    fn from(buffer: Buffer) -> Self {
        buffer.into_vec()
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// Names a buffer in a value that is being encoded.
#[derive(Debug)]
pub(super) struct BufferRef(Arc<Mutex<Option<Vec<u8>>>>);

impl BufferRef {
    pub(super) fn is_detached(&self) -> bool {
        self.0.lock().is_none()
    }

    pub(super) fn len(&self) -> usize {
        self.0.lock().as_ref().map_or(0, Vec::len)
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// A buffer with a copy of the bytes; `None` if they were transferred away.
    #[cfg(feature = "windows")]
    pub(super) fn copied(&self) -> Option<Self> {
        let copy = self.0.lock().clone()?;
        Some(Self(Arc::new(Mutex::new(Some(copy)))))
    }

    /// Takes the bytes out of the value. If somebody took them since, none are left.
    pub(super) fn take(self) -> Vec<u8> {
        self.0.lock().take().unwrap_or_default()
    }
}

/// Travels inside a message only: any other serialisation fails, and does nothing to the buffer.
impl Serialize for Buffer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let index = cargo::note_buffer(BufferRef(self.0.clone())).map_err(ser::Error::custom)?;
        serializer.serialize_newtype_struct(BUFFER, &index)
    }
}

/// Arrives inside a message only.
impl<'de> Deserialize<'de> for Buffer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let index = deserializer.deserialize_newtype_struct(BUFFER, IndexVisitor("a buffer"))?;
        cargo::take_buffer(index).map(Self::from).map_err(de::Error::custom)
    }
}
