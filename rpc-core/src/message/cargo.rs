//! What travels beside the bytes of a value: ports and buffers, by index (SER-01).
//!
//! serde has no place for such lists, so they are a local of the thread for as long as one value is encoded or decoded.

use std::{cell::RefCell, fmt, mem};

use serde::{Deserialize, Deserializer, de::Visitor};

use super::buffer::BufferRef;
use crate::{Message, MessageChannel, MessagePort, port::Shipment};

/// What was found in values that are being encoded. The values still own it.
#[derive(Debug, Default)]
pub(super) struct Cargo {
    ports: Shipment,
    buffers: Vec<BufferRef>,
    /// For a message that many receive: nothing is moved.
    copies: bool,
}

impl Cargo {
    /// Refuses ports, and copies buffers (BC-05).
    #[cfg(feature = "windows")]
    pub(super) fn copying() -> Self {
        Self { copies: true, ..Self::default() }
    }

    /// Takes it out of the values, and makes a message of it (SER-04).
    pub(super) fn ship(self, data: Vec<u8>) -> Message {
        if self.ports.is_empty() && self.buffers.is_empty() {
            return Message::new(data);
        }
        let buffers = self.buffers.into_iter().map(BufferRef::take).collect();
        Message::with_all(data, self.ports.ship(), buffers)
    }

    /// The bytes in the buffers.
    pub(super) fn buffer_bytes(&self) -> u64 {
        self.buffers.iter().fold(0, |bytes, buffer| bytes.saturating_add(buffer.len() as u64))
    }

    /// Whether a port is in it.
    pub(super) fn contains(&self, port: &MessagePort) -> bool {
        self.ports.contains(port)
    }

    fn add_port(&mut self, port: &MessagePort) -> Result<u32, &'static str> {
        if self.copies {
            return Err("a port cannot be broadcast");
        }
        self.ports.add(port)
    }

    fn add_buffer(&mut self, buffer: BufferRef) -> Result<u32, &'static str> {
        if buffer.is_detached() {
            return Err(DETACHED_BUFFER);
        }
        if self.buffers.iter().any(|found| found.is_same(&buffer)) {
            return Err("a buffer is in the value twice");
        }
        #[cfg(feature = "windows")]
        let buffer = if self.copies { buffer.copied().ok_or(DETACHED_BUFFER)? } else { buffer };
        let index = u32::try_from(self.buffers.len()).map_err(|_| "too many buffers in one value")?;
        self.buffers.push(buffer);
        Ok(index)
    }
}

/// SER-11
const DETACHED_BUFFER: &str = "a buffer in the value was transferred before";

/// What came beside the bytes, and no value has taken yet.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    ports: Vec<Option<MessagePort>>,
    buffers: Vec<Option<Vec<u8>>>,
}

impl Arrivals {
    pub(super) fn new(ports: Vec<MessagePort>, buffers: Vec<Vec<u8>>) -> Self {
        if ports.is_empty() && buffers.is_empty() {
            return Self::default();
        }
        Self { ports: ports.into_iter().map(Some).collect(), buffers: buffers.into_iter().map(Some).collect() }
    }

    /// The ports that no value took, in list order.
    pub(super) fn into_ports(self) -> Vec<MessagePort> {
        if self.ports.is_empty() { Vec::new() } else { self.ports.into_iter().flatten().collect() }
    }
}

fn take<T>(list: &mut [Option<T>], index: u32, twice: &'static str, missing: &'static str) -> Result<T, &'static str> {
    match usize::try_from(index).ok().and_then(|index| list.get_mut(index)) {
        Some(entry) => entry.take().ok_or(twice),
        None => Err(missing),
    }
}

/// What the value that is being encoded or decoded on this thread travels with.
#[derive(Debug)]
enum Beside {
    /// No value is being encoded or decoded.
    None,
    Out(Cargo),
    In(Arrivals),
    /// A type is being asked for its shape: there is any port and any buffer that it could want.
    Anything,
}

/// That, and what went wrong with it: codecs drop the text of an error.
#[derive(Debug)]
struct Table {
    beside: Beside,
    problem: Option<&'static str>,
}

impl Table {
    const EMPTY: Self = Self { beside: Beside::None, problem: None };

    fn note<T>(&mut self, result: Result<T, &'static str>) -> Result<T, &'static str> {
        result.inspect_err(|problem| self.problem = Some(problem))
    }
}

thread_local! {
    static TABLE: RefCell<Table> = const { RefCell::new(Table::EMPTY) };
}

/// Puts the former table back, also after a panic in a user's `Serialize`.
struct Restore(Table);

impl Drop for Restore {
    fn drop(&mut self) {
        let former = mem::replace(&mut self.0, Table::EMPTY);
        drop(TABLE.replace(former));
    }
}

/// Runs with a table, and hands back what became of it.
fn with_table<R>(beside: Beside, run: impl FnOnce() -> R) -> (R, Table) {
    let restore = Restore(TABLE.replace(Table { beside, problem: None }));
    let result = run();
    let table = TABLE.replace(Table::EMPTY);
    drop(restore);
    (result, table)
}

/// Encodes values whose ports and buffers are noted in `cargo`.
pub(super) fn collecting<R>(cargo: &mut Cargo, encode: impl FnOnce() -> R) -> R {
    let (result, table) = with_table(Beside::Out(mem::take(cargo)), encode);
    if let Beside::Out(found) = table.beside {
        *cargo = found;
    }
    result
}

/// Decodes values that take their ports and buffers from `arrivals`.
pub(super) fn handing_out<R>(arrivals: &mut Arrivals, decode: impl FnOnce() -> R) -> R {
    let (result, table) = with_table(Beside::In(mem::take(arrivals)), decode);
    if let Beside::In(left) = table.beside {
        *arrivals = left;
    }
    result
}

/// What was wrong with a port or a buffer in the value that just failed, if that was the reason. Asked before the table is left.
pub(super) fn problem() -> Option<&'static str> {
    TABLE.with_borrow_mut(|table| table.problem.take())
}

/// Deserialises types that are asked for their shape: they get ports that lead nowhere, and empty buffers.
pub(crate) fn handing_out_anything<R>(run: impl FnOnce() -> R) -> R {
    with_table(Beside::Anything, run).0
}

/// Reads the index that stands for a port or a buffer.
#[derive(Debug)]
pub(super) struct IndexVisitor(pub(super) &'static str);

impl<'de> Visitor<'de> for IndexVisitor {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<u32, D::Error> {
        u32::deserialize(deserializer)
    }
}

const PORT_ON_ITS_OWN: &str = "a port can only be serialised into a message";
const BUFFER_ON_ITS_OWN: &str = "a buffer can only be serialised into a message";

/// Notes a port in the value that is being encoded. Anywhere else it cannot be serialised (PORT-25, C30).
pub(super) fn note_port(port: &MessagePort) -> Result<u32, &'static str> {
    TABLE.with_borrow_mut(|table| {
        let index = match &mut table.beside {
            Beside::Out(cargo) => cargo.add_port(port),
            Beside::None | Beside::In(_) | Beside::Anything => Err(PORT_ON_ITS_OWN),
        };
        table.note(index)
    })
}

/// Takes a port for the value that is being decoded.
pub(super) fn take_port(index: u32) -> Result<MessagePort, &'static str> {
    TABLE.with_borrow_mut(|table| {
        let port = match &mut table.beside {
            Beside::In(arrivals) => take(
                &mut arrivals.ports,
                index,
                "the value takes one port twice",
                "the value speaks of a port that is not in the message",
            ),
            Beside::Anything => Ok(MessageChannel::new().into_ports().0),
            Beside::None | Beside::Out(_) => Err(PORT_ON_ITS_OWN),
        };
        table.note(port)
    })
}

/// Notes a buffer in the value that is being encoded.
pub(super) fn note_buffer(buffer: BufferRef) -> Result<u32, &'static str> {
    TABLE.with_borrow_mut(|table| {
        let index = match &mut table.beside {
            Beside::Out(cargo) => cargo.add_buffer(buffer),
            Beside::None | Beside::In(_) | Beside::Anything => Err(BUFFER_ON_ITS_OWN),
        };
        table.note(index)
    })
}

/// Takes a buffer for the value that is being decoded.
pub(super) fn take_buffer(index: u32) -> Result<Vec<u8>, &'static str> {
    TABLE.with_borrow_mut(|table| {
        let buffer = match &mut table.beside {
            Beside::In(arrivals) => take(
                &mut arrivals.buffers,
                index,
                "the value takes one buffer twice",
                "the value speaks of a buffer that is not in the message",
            ),
            Beside::Anything => Ok(Vec::new()),
            Beside::None | Beside::Out(_) => Err(BUFFER_ON_ITS_OWN),
        };
        table.note(buffer)
    })
}
