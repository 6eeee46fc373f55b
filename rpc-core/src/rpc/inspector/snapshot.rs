//! What was under way at one moment, as a value.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::rpc::{CallSide, MethodId, RightId};

/// What was under way at one moment, as [`Inspector::snapshot`](super::Inspector::snapshot) saw it. It is written for people by
/// `Display`: a line for each thing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// The calls that have begun and have not ended, the eldest first.
    pub calls: Vec<CallState>,
    /// The ports that are watched, in the order in which that began.
    pub ports: Vec<PortState>,
    /// The streams that are watched and have not ended, in the order in which that began.
    pub streams: Vec<StreamState>,
    /// What the services have granted that are watched: the name of the service, and the right.
    pub exports: Vec<(String, ExportState)>,
}

/// A call under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CallState {
    /// [`CallInfo::number`](crate::rpc::CallInfo::number).
    pub number: u64,
    /// At which end it was seen.
    pub side: CallSide,
    /// How the trait is named.
    pub service: String,
    /// How the method is named.
    pub name: String,
    /// Which method.
    pub method: MethodId,
    /// Whether it wants no answer.
    pub is_oneway: bool,
    /// How long ago it was seen first, by the clock of its context. `None` in a context without one.
    pub age: Option<Duration>,
    /// How much of its time is left. `None` if it has no deadline.
    pub left: Option<Duration>,
}

/// A port that is watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PortState {
    /// The name that it was given.
    pub name: String,
    /// How many messages and calls were posted to it and not received yet.
    pub messages: usize,
    /// How many bytes those messages have.
    pub bytes: usize,
    /// Whether either end was closed.
    pub is_closed: bool,
    /// How much its service takes at a time: of a client's port whose service has said so.
    pub window: Option<WindowState>,
}

/// The consumer's end of a stream that is watched, as of its last poll.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StreamState {
    /// The name that it was given.
    pub name: String,
    /// How many items it has received and not yielded.
    pub held: usize,
    /// How many items its producer may send, or has on their way.
    pub granted_items: u32,
    /// How many bytes its producer may send, or has on their way.
    pub granted_bytes: u64,
}

/// A right to call that was granted, and is not over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExportState {
    /// What it is called in a [log](crate::rpc::Audit).
    pub right: RightId,
    /// What its issuer calls it; empty if it has no name.
    pub label: String,
    /// The methods that may be called, sorted; `None` if that is all that the service has.
    pub methods: Option<Vec<MethodId>>,
    /// How many clients there are of it, those counted that were made from it.
    pub holders: u32,
    /// How many calls run that came by its own port.
    pub calls: u32,
    /// How long ago it was made, by the clock of the service. `None` without one.
    pub age: Option<Duration>,
    /// How many calls are left. `None` if they are not limited.
    pub calls_left: Option<u64>,
    /// How many bytes more may be under way. `None` if they are not limited.
    pub bytes_left: Option<u64>,
    /// How much time is left. `None` if it does not expire.
    pub time_left: Option<Duration>,
    /// Whether it was taken back, or its time is up, and its holders were not told yet.
    pub has_ended: bool,
}

/// How much a service takes of one client at a time, and how much of that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WindowState {
    /// How many calls it takes; and, counted by themselves, how many one-way calls.
    pub most_calls: u32,
    /// How many bytes of arguments it takes.
    pub most_bytes: u64,
    /// Calls under way.
    pub calls: u32,
    /// Calls that wait for their turn.
    pub waiting_calls: usize,
    /// One-way calls that were sent and not given back.
    pub tells: u32,
    /// One-way calls that wait for their turn.
    pub waiting_tells: usize,
    /// Bytes of arguments under way.
    pub bytes: u64,
}

impl Snapshot {
    /// The first port of this name.
    pub fn port(&self, name: &str) -> Option<&PortState> {
        self.ports.iter().find(|port| port.name == name)
    }

    /// The first stream of this name.
    pub fn stream(&self, name: &str) -> Option<&StreamState> {
        self.streams.iter().find(|stream| stream.name == name)
    }

    /// The calls that were seen at one end.
    pub fn calls_at(&self, side: CallSide) -> impl Iterator<Item = &CallState> {
        self.calls.iter().filter(move |call| call.side == side)
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} calls under way", self.calls.len())?;
        self.calls.iter().try_for_each(|call| writeln!(f, "  {call}"))?;
        writeln!(f, "{} ports", self.ports.len())?;
        self.ports.iter().try_for_each(|port| writeln!(f, "  {port}"))?;
        writeln!(f, "{} streams", self.streams.len())?;
        self.streams.iter().try_for_each(|stream| writeln!(f, "  {stream}"))?;
        writeln!(f, "{} rights", self.exports.len())?;
        self.exports.iter().try_for_each(|(name, export)| writeln!(f, "  {name} {export}"))
    }
}

impl fmt::Display for CallState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            CallSide::Caller => "to",
            CallSide::Service => "in",
        };
        write!(f, "#{} {side} {}/{}", self.number, self.service, self.name)?;
        if let Some(age) = self.age {
            write!(f, ", for {age:?}")?;
        }
        if let Some(left) = self.left {
            write!(f, ", {left:?} left")?;
        }
        if self.is_oneway { f.write_str(", one-way") } else { Ok(()) }
    }
}

impl fmt::Display for PortState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} messages of {} bytes wait", self.name, self.messages, self.bytes)?;
        if let Some(window) = &self.window {
            write!(f, ", {window}")?;
        }
        if self.is_closed { f.write_str(", closed") } else { Ok(()) }
    }
}

impl fmt::Display for StreamState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, held, granted_items, granted_bytes } = self;
        write!(f, "{name}: {held} items are held, {granted_items} of {granted_bytes} bytes may come")
    }
}

impl fmt::Display for ExportState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { right: _, label, methods, holders, calls, age, calls_left, bytes_left, time_left, has_ended } = self;
        write!(f, "`{label}`: {holders} clients, {calls} calls run")?;
        if let Some(methods) = methods {
            write!(f, ", of {} methods", methods.len())?;
        }
        if let Some(age) = age {
            write!(f, ", for {age:?}")?;
        }
        if let Some(calls) = calls_left {
            write!(f, ", {calls} calls left")?;
        }
        if let Some(bytes) = bytes_left {
            write!(f, ", {bytes} bytes left")?;
        }
        if let Some(time) = time_left {
            write!(f, ", {time:?} left")?;
        }
        if *has_ended { f.write_str(", ended") } else { Ok(()) }
    }
}

impl fmt::Display for WindowState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { most_calls, most_bytes, calls, waiting_calls, tells, waiting_tells, bytes } = self;
        write!(f, "{calls} of {most_calls} calls and {waiting_calls} that wait")?;
        write!(f, ", {tells} of {most_calls} one-way and {waiting_tells} that wait")?;
        if *most_bytes == u64::MAX { Ok(()) } else { write!(f, ", {bytes} of {most_bytes} bytes") }
    }
}
