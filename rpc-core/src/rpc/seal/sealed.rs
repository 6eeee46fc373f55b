//! What was sealed, for those who carry it.

use std::{fmt, marker::PhantomData};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{MessagePort, rpc::ClientStub};

/// A value that only its [`Sealer`](super::Sealer) gets at. Whoever has it can keep it, hand it on – as an argument or a result, anywhere
/// inside one – or bring it back; what is in it does not travel. Dropping it tells the sealer, which drops the value.
///
/// Nobody can tell two of them apart but their sealer.
pub struct Sealed<T> {
    stub: ClientStub,
    content: PhantomData<fn() -> T>,
}

impl<T> Sealed<T> {
    pub(super) fn new(port: MessagePort) -> Self {
        Self { stub: ClientStub::new(port), content: PhantomData }
    }

    pub(super) fn stub(&self) -> &ClientStub {
        &self.stub
    }
}

/// It travels as its port.
impl<T> Serialize for Sealed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.stub.serialize(serializer)
    }
}

/// Any port is taken for one; its sealer does not open it.
impl<'de, T> Deserialize<'de> for Sealed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ClientStub::deserialize(deserializer).map(|stub| Self { stub, content: PhantomData })
    }
}

/// C30: nothing of what is in it, nor of its port.
impl<T> fmt::Debug for Sealed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed")
    }
}
