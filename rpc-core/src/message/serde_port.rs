//! A port as a serde value: an index into the list of ports that travels beside the bytes.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use super::cargo::{self, IndexVisitor};
use crate::MessagePort;

/// How a port is told from a number by who looks at types and not at bytes; a newtype adds none.
pub(crate) const PORT: &str = "handover::MessagePort";

/// Travels inside a message only: any other serialisation fails, and does nothing to the port.
impl Serialize for MessagePort {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let index = cargo::note_port(self).map_err(ser::Error::custom)?;
        serializer.serialize_newtype_struct(PORT, &index)
    }
}

/// Arrives inside a message only.
impl<'de> Deserialize<'de> for MessagePort {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let index = deserializer.deserialize_newtype_struct(PORT, IndexVisitor("a port"))?;
        cargo::take_port(index).map_err(de::Error::custom)
    }
}
