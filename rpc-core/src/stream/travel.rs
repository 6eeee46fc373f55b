//! Handing on: the ends of a stream as serde values.
//!
//! Each travels as its port, with what belongs to the stream and is not in the port's queue. Encoding only looks.

use std::collections::VecDeque;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    Overflow, SendError, StreamSender, Streaming,
    credit::{Credit, Ledger, Window},
    receiver::Receiver,
    sender::Stage,
};
use crate::{MessagePort, rpc::Failure};

/// A consumer's end on its way.
#[derive(Serialize, Deserialize)]
#[serde(rename = "handover::Streaming")]
struct Consumer<Port, Held> {
    port: Port,
    /// What the producer may still send, or has on its way.
    granted: Credit,
    /// How many bytes of credit each of the items has cost.
    cost_of_each: u64,
    /// What was received and not consumed.
    held: Held,
}

/// A producer's end on its way.
#[derive(Serialize, Deserialize)]
#[serde(rename = "handover::StreamSender")]
struct Producer<Port, Waiting> {
    port: Port,
    /// What it may still send; what has come and was not read is in the port's queue.
    credit: Credit,
    is_begun: bool,
    is_stopped: bool,
    overflow: Overflow,
    dropped: u64,
    /// What waits for credit.
    waiting: Waiting,
}

impl<T: Serialize, E: Failure<Service: Serialize>> Serialize for Streaming<T, E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let receiver = &self.receiver;
        let granted = receiver.ledger.granted();
        let value =
            Consumer { port: &receiver.port, granted, cost_of_each: receiver.cost_of_each, held: &receiver.held };
        value.serialize(serializer)
    }
}

impl<'de, T, E> Deserialize<'de> for Streaming<T, E>
where
    T: Deserialize<'de>,
    E: Failure<Service: Deserialize<'de>>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Consumer::<MessagePort, VecDeque<Result<T, E::Service>>>::deserialize(deserializer)?;
        let held_bytes = value.cost_of_each.saturating_mul(value.held.len() as u64);
        let window = Window::of::<Result<T, E::Service>>();
        let ledger = Ledger::taken_over(window, value.granted, value.held.len(), held_bytes);
        Ok(Self::of(Receiver::going_on(value.port, value.held, value.cost_of_each, ledger)))
    }
}

impl<T: Serialize, X: Serialize> Serialize for StreamSender<T, X> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_stopped = self.stage == Stage::Closed(SendError::Stopped);
        let value = Producer {
            port: &self.port,
            credit: self.credit,
            is_begun: self.is_begun,
            is_stopped,
            overflow: self.overflow,
            dropped: self.dropped,
            waiting: &self.waiting,
        };
        value.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>, X: Deserialize<'de>> Deserialize<'de> for StreamSender<T, X> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Producer::<MessagePort, VecDeque<Result<T, X>>>::deserialize(deserializer)?;
        let mut sender = Self::new(value.port);
        sender.credit = value.credit;
        sender.is_begun = value.is_begun;
        sender.overflow = value.overflow;
        sender.dropped = value.dropped;
        sender.waiting = value.waiting;
        if value.is_stopped {
            sender.stage = Stage::Closed(SendError::Stopped);
        }
        Ok(sender)
    }
}
