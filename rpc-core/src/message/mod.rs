//! What a port carries.
//!
//! Messages and ports know each other, as in the standard: a message holds ports, and a port's queue holds messages.

mod buffer;
mod cargo;
mod decoder;
mod depth;
mod encoder;
mod event;
mod foreign;
mod plain_bytes;
#[cfg(all(test, not(loom)))]
mod round_trips;
mod serde_port;
mod spare;
mod value;
mod words;

pub use buffer::Buffer;
pub use decoder::{DecodeError, Decoder};
pub use encoder::{EncodeError, Encoder};
pub use event::{MessageErrorEvent, MessageEvent, Source};
pub use foreign::Foreign;
pub use value::{Payload, RecvError, RecvValue};

pub(crate) use buffer::BUFFER;
pub(crate) use cargo::handing_out_anything;
pub(crate) use foreign::FOREIGN;
pub(crate) use serde_port::PORT;
pub(crate) use spare::take as spare_buffer;
#[cfg(feature = "windows")]
pub(crate) use value::unserializable;

use std::fmt;

use crate::MessagePort;

/// Bytes, and the ports that travel with them.
///
/// Posting a message transfers its ports. Dropping one that was never delivered closes them (PORT-59).
#[derive(Debug, Default)]
pub struct Message {
    data: Vec<u8>,
    /// Most messages have nothing beside their bytes, and are the smaller for it.
    beside: Option<Box<Beside>>,
}

/// What travels beside the bytes.
#[derive(Debug, Default)]
struct Beside {
    ports: Vec<MessagePort>,
    buffers: Vec<Vec<u8>>,
    foreign: Vec<Foreign>,
    receipt: Option<Box<dyn Receipt>>,
}

/// Learns that a message was delivered: that its receiver has it, or that nobody ever will. Dropped, it has been too.
pub(crate) trait Receipt: Send + Sync {
    /// Its receiver has it. May be told more than once.
    fn delivered(&self);
}

impl fmt::Debug for dyn Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receipt")
    }
}

/// What a message is made of.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Parts {
    /// The bytes.
    pub data: Vec<u8>,
    /// The ports, in the order in which they were listed.
    pub ports: Vec<MessagePort>,
    /// The buffers, in the order in which they were listed.
    pub buffers: Vec<Vec<u8>>,
    /// What only some transports can carry, in the order in which it was listed.
    pub foreign: Vec<Foreign>,
}

impl Message {
    /// A message of these bytes, without ports.
    pub fn new(data: impl Into<Vec<u8>>) -> Self {
        Self { data: data.into(), beside: None }
    }

    /// A message of a copy of these bytes, without ports. It is made in a buffer that this thread has [kept](Self::recycle), if there is
    /// one with room for them.
    pub fn copied(data: &[u8]) -> Self {
        match spare::kept(data.len()) {
            Some(mut buffer) => {
                buffer.extend_from_slice(data);
                Self::new(buffer)
            }
            None => Self::new(data),
        }
    }

    /// Adds a port to be transferred. The message owns it: it cannot be used, listed again, or be the port that the message
    /// is posted on.
    #[must_use]
    pub fn with_port(mut self, port: MessagePort) -> Self {
        self.beside.get_or_insert_default().ports.push(port);
        self
    }

    /// Adds ports to be transferred, in this order.
    #[must_use]
    pub fn with_ports(mut self, ports: impl IntoIterator<Item = MessagePort>) -> Self {
        self.beside.get_or_insert_default().ports.extend(ports);
        self
    }

    /// Adds a buffer, which travels beside the bytes and is not copied.
    #[must_use]
    pub fn with_buffer(mut self, buffer: Vec<u8>) -> Self {
        self.beside.get_or_insert_default().buffers.push(buffer);
        self
    }

    /// Adds what only some transports can carry.
    #[must_use]
    pub fn with_foreign(mut self, foreign: Foreign) -> Self {
        self.beside.get_or_insert_default().foreign.push(foreign);
        self
    }

    /// The bytes.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The ports, in the order in which they were listed (PORT-29).
    pub fn ports(&self) -> &[MessagePort] {
        self.beside.as_ref().map_or(&[], |beside| &beside.ports)
    }

    /// The buffers, in the order in which they were listed.
    pub fn buffers(&self) -> &[Vec<u8>] {
        self.beside.as_ref().map_or(&[], |beside| &beside.buffers)
    }

    /// What only some transports can carry, in the order in which it was listed.
    pub fn foreign(&self) -> &[Foreign] {
        self.beside.as_ref().map_or(&[], |beside| &beside.foreign)
    }

    /// A message of these bytes, with what travels beside them.
    fn with_all(data: Vec<u8>, ports: Vec<MessagePort>, buffers: Vec<Vec<u8>>, foreign: Vec<Foreign>) -> Self {
        let is_plain = ports.is_empty() && buffers.is_empty() && foreign.is_empty();
        Self { data, beside: (!is_plain).then(|| Box::new(Beside { ports, buffers, foreign, receipt: None })) }
    }

    /// Tells somebody when it is delivered.
    pub(crate) fn with_receipt(mut self, receipt: impl Receipt + 'static) -> Self {
        self.beside.get_or_insert_default().receipt = Some(Box::new(receipt));
        self
    }

    /// Takes it apart.
    pub fn into_parts(self) -> Parts {
        let Beside { ports, buffers, foreign, receipt: _ } = self.beside.map(|beside| *beside).unwrap_or_default();
        Parts { data: self.data, ports, buffers, foreign }
    }

    /// Whether anything may be beside the bytes.
    #[inline]
    pub(crate) fn has_more_than_bytes(&self) -> bool {
        self.beside.is_some()
    }

    /// Takes out the last port of the list.
    pub(crate) fn pop_port(&mut self) -> Option<MessagePort> {
        self.beside.as_mut()?.ports.pop()
    }

    /// Reads values out of the data, from there on. What travels beside them is the reader's from now on.
    #[inline]
    pub(crate) fn decoder(&mut self, at: usize) -> Decoder<'_> {
        let bytes = self.data.get(at..).unwrap_or_default();
        match self.beside.take() {
            None => Decoder::new(bytes),
            Some(beside) => Decoder::beside(bytes, *beside),
        }
    }

    /// Drops the message, and keeps its buffer for another one of this thread, if it has a usual size. For those who have copied what was in
    /// it, as transports do: calls are written into such buffers.
    #[inline]
    pub fn recycle(self) {
        let Self { data, beside } = self;
        if let Some(beside) = beside {
            drop(beside);
        }
        spare::give(data);
    }

    /// In a box, for who hands it on and it is seldom there: it takes one that another message has left.
    #[inline]
    pub(crate) fn boxed(self) -> Box<Self> {
        spare::boxed(self)
    }

    /// Out of its box.
    #[inline]
    pub(crate) fn unboxed(boxed: Box<Self>) -> Self {
        spare::unboxed(boxed)
    }

    /// All the bytes in it.
    #[inline]
    pub(crate) fn size(&self) -> usize {
        let Some(beside) = &self.beside else { return self.data.len() };
        beside.buffers.iter().fold(self.data.len(), |size, buffer| size.saturating_add(buffer.len()))
    }

    /// The message leaves: its ports are in flight.
    #[inline]
    pub(crate) fn transfer_steps(&mut self) {
        let Some(beside) = &mut self.beside else { return };
        beside.ports.iter_mut().for_each(MessagePort::transfer_steps);
    }

    /// Puts other ports in the places of its ports. It is on its way still: nobody has received it.
    pub(crate) fn replace_ports(&mut self, replace: impl FnMut(MessagePort) -> MessagePort) {
        if let Some(beside) = &mut self.beside {
            beside.ports = std::mem::take(&mut beside.ports).into_iter().map(replace).collect();
        }
    }

    /// Its ports are somebody's who passes it on.
    pub(crate) fn ports_arrived(&self) {
        for port in self.ports() {
            port.transfer_receiving_steps();
        }
    }

    /// The message has arrived: its ports are the receiver's.
    #[inline]
    pub(crate) fn transfer_receiving_steps(&self) {
        if let Some(beside) = &self.beside {
            self.beside_arrived(beside);
        }
    }

    fn beside_arrived(&self, beside: &Beside) {
        self.ports_arrived();
        if let Some(receipt) = &beside.receipt {
            receipt.delivered();
        }
    }
}

impl From<Vec<u8>> for Message {
    fn from(data: Vec<u8>) -> Self {
        Self::new(data)
    }
}

impl From<&[u8]> for Message {
    fn from(data: &[u8]) -> Self {
        Self::new(data)
    }
}

impl<const N: usize> From<&[u8; N]> for Message {
    fn from(data: &[u8; N]) -> Self {
        Self::new(*data)
    }
}

impl From<&str> for Message {
    fn from(data: &str) -> Self {
        Self::new(data)
    }
}
