//! A port as a serde value: an index into the list of ports that travels beside the bytes.
//!
//! serde has no place for such a list, so it is a local of the thread for as long as one value is encoded or decoded.

use std::{cell::RefCell, mem};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use crate::{MessagePort, port::Shipment};

/// The list of ports of the value that is being encoded or decoded on this thread.
#[derive(Debug)]
enum Ports {
    /// No value is: a port cannot be serialised on its own.
    None,
    Found(Shipment),
    Arrived(Vec<Option<MessagePort>>),
}

/// The list, and what went wrong with it: codecs drop the text of an error.
#[derive(Debug)]
struct Table {
    ports: Ports,
    problem: Option<&'static str>,
}

impl Table {
    const EMPTY: Self = Self { ports: Ports::None, problem: None };
}

thread_local! {
    static TABLE: RefCell<Table> = const { RefCell::new(Table::EMPTY) };
}

const NOT_IN_A_MESSAGE: &str = "a port can only be serialised into a message";

/// Puts the former table back, also after a panic in a user's `Serialize`.
struct Restore(Table);

impl Drop for Restore {
    fn drop(&mut self) {
        let former = mem::replace(&mut self.0, Table::EMPTY);
        drop(TABLE.replace(former));
    }
}

/// Runs with a table, and hands back what became of it.
fn with_table<R>(ports: Ports, run: impl FnOnce() -> R) -> (R, Table) {
    let restore = Restore(TABLE.replace(Table { ports, problem: None }));
    let result = run();
    let table = TABLE.replace(Table::EMPTY);
    drop(restore);
    (result, table)
}

/// Encodes a value whose ports are noted in `shipment`; tells also what was wrong with one.
pub(super) fn collecting<R>(shipment: &mut Shipment, encode: impl FnOnce() -> R) -> (R, Option<&'static str>) {
    let (result, table) = with_table(Ports::Found(mem::take(shipment)), encode);
    if let Ports::Found(found) = table.ports {
        *shipment = found;
    }
    (result, table.problem)
}

/// Decodes a value that takes its ports from `arrived`; tells also what was wrong with one.
pub(super) fn handing_out<R>(
    arrived: &mut Vec<Option<MessagePort>>,
    decode: impl FnOnce() -> R,
) -> (R, Option<&'static str>) {
    let (result, table) = with_table(Ports::Arrived(mem::take(arrived)), decode);
    if let Ports::Arrived(left) = table.ports {
        *arrived = left;
    }
    (result, table.problem)
}

fn note_port(table: &mut Table, port: &MessagePort) -> Result<u32, &'static str> {
    let index = match &mut table.ports {
        Ports::Found(shipment) => shipment.add(port),
        Ports::None | Ports::Arrived(_) => Err(NOT_IN_A_MESSAGE),
    };
    index.inspect_err(|problem| table.problem = Some(problem))
}

fn take_port(table: &mut Table, index: u32) -> Result<MessagePort, &'static str> {
    let port = match &mut table.ports {
        Ports::Arrived(ports) => match usize::try_from(index).ok().and_then(|index| ports.get_mut(index)) {
            Some(port) => port.take().ok_or("the value takes one port twice"),
            None => Err("the value speaks of a port that is not in the message"),
        },
        Ports::None | Ports::Found(_) => Err(NOT_IN_A_MESSAGE),
    };
    port.inspect_err(|problem| table.problem = Some(problem))
}

/// Travels inside a message only: any other serialisation fails (PORT-25), and does nothing to the port.
impl Serialize for MessagePort {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let index = TABLE.with_borrow_mut(|table| note_port(table, self)).map_err(ser::Error::custom)?;
        serializer.serialize_u32(index)
    }
}

/// Arrives inside a message only.
impl<'de> Deserialize<'de> for MessagePort {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let index = u32::deserialize(deserializer)?;
        TABLE.with_borrow_mut(|table| take_port(table, index)).map_err(de::Error::custom)
    }
}
