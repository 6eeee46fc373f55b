//! The rules of ports, as plainly as they can be said: lists, numbers, no sharing, nobody who waits.

use std::fmt;

use handover_core::{Bound, ClosedBy, port::Queued};

/// One end of a channel, wherever it is. The ends of one channel follow each other: 0 and 1, 2 and 3, and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PortId(usize);

impl PortId {
    fn peer(self) -> Self {
        Self(self.0 ^ 1)
    }
}

impl fmt::Display for PortId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.0 / 2, if self.0.is_multiple_of(2) { 'a' } else { 'b' })
    }
}

/// A port as somebody knows it. It is detached as soon as the port has moved on (PORT-51).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Handle {
    pub(crate) port: PortId,
    moves: usize,
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.port, "'".repeat(self.moves))
    }
}

/// Where a port is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Held,
    InMessage,
    Gone,
}

#[derive(Debug)]
struct Port {
    place: Place,
    moves: usize,
    enabled: bool,
    closed: bool,
    queue: Vec<Posted>,
    bound: Bound,
}

#[derive(Debug)]
struct Posted {
    data: Vec<u8>,
    ports: Vec<PortId>,
}

/// What a reader finds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received {
    Message(Vec<u8>, Vec<Handle>),
    Nothing,
    Closed,
}

impl fmt::Display for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(data, ports) => {
                write!(f, "{}", data.escape_ascii())?;
                ports.iter().try_for_each(|port| write!(f, " with {port}"))
            }
            Self::Nothing => f.write_str("nothing"),
            Self::Closed => f.write_str("the end"),
        }
    }
}

/// Why something is not posted. Then nothing at all has changed (PORT-31).
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The port at that place in the message is closed or has moved on (PORT-44, PORT-58).
    Detached(usize),
    /// A value holds a port that is closed, has moved on, or is in it twice.
    Unserializable,
    /// A value holds the port that it is posted on (PORT-22).
    SourcePort,
    /// There is no room at the other end.
    Full,
}

/// All ports that there ever were.
#[derive(Debug, Default)]
pub(crate) struct Model {
    ports: Vec<Port>,
    rings: usize,
}

impl Model {
    pub(crate) fn make_channel(&mut self) -> (Handle, Handle) {
        (self.make_port(), self.make_port())
    }

    fn make_port(&mut self) -> Handle {
        let port =
            Port { place: Place::Held, moves: 0, enabled: false, closed: false, queue: Vec::new(), bound: Bound::NONE };
        self.ports.push(port);
        Handle { port: PortId(self.ports.len() - 1), moves: 0 }
    }

    fn port(&self, id: PortId) -> &Port {
        &self.ports[id.0]
    }

    fn port_mut(&mut self, id: PortId) -> &mut Port {
        &mut self.ports[id.0]
    }

    fn is_detached(&self, handle: Handle) -> bool {
        self.port(handle.port).moves != handle.moves
    }

    /// Whether either end has closed: nothing more is posted.
    fn is_over(&self, id: PortId) -> bool {
        self.port(id).closed || self.port(id.peer()).closed
    }

    fn is_transferable(&self, handle: Handle) -> bool {
        !self.is_detached(handle) && !self.port(handle.port).closed
    }

    /// PORT-22, in a message that owns its ports.
    pub(crate) fn post(&mut self, on: Handle, data: Vec<u8>, with: &[Handle]) -> Result<(), Refused> {
        match with.iter().position(|&port| !self.is_transferable(port)) {
            Some(position) => Err(Refused::Detached(position)),
            None => {
                self.send(on, data, with);
                Ok(())
            }
        }
    }

    pub(crate) fn try_post(&mut self, on: Handle, data: Vec<u8>, with: &[Handle]) -> Result<(), Refused> {
        if self.has_room(on) { self.post(on, data, with) } else { Err(Refused::Full) }
    }

    /// PORT-22, in a value of which the handles are left.
    pub(crate) fn post_value(&mut self, on: Handle, data: Vec<u8>, with: &[Handle]) -> Result<(), Refused> {
        let is_twice = |index: usize| with[..index].iter().any(|earlier| earlier.port == with[index].port);
        if (0..with.len()).any(|index| !self.is_transferable(with[index]) || is_twice(index)) {
            return Err(Refused::Unserializable);
        }
        if with.iter().any(|handle| handle.port == on.port) {
            return Err(Refused::SourcePort);
        }
        self.send(on, data, with);
        Ok(())
    }

    /// The ports leave, and the message arrives or is lost with them.
    fn send(&mut self, on: Handle, data: Vec<u8>, with: &[Handle]) {
        let ports: Vec<PortId> = with.iter().map(|handle| handle.port).collect();
        for &id in &ports {
            let port = self.port_mut(id);
            port.place = Place::InMessage;
            port.moves += 1;
            port.enabled = false;
        }
        let message = Posted { data, ports };
        let has_destination = !self.is_detached(on) && !self.is_over(on.port);
        if has_destination && !self.is_out_of_reach(on.port.peer(), &message) {
            self.port_mut(on.port.peer()).queue.push(message);
        } else {
            self.lose(message);
        }
    }

    /// Whether nobody could ever receive this message at that port: the port is in it (PORT-24), or the port lies in the queue
    /// of one that is in it, and so on (DEC-08).
    fn is_out_of_reach(&mut self, destination: PortId, message: &Posted) -> bool {
        let mut place = Some(destination);
        while let Some(port) = place {
            if message.ports.contains(&port) {
                self.rings += usize::from(port != destination);
                return true;
            }
            place = self.whose_queue_holds(port);
        }
        false
    }

    fn whose_queue_holds(&self, port: PortId) -> Option<PortId> {
        let holds = |other: &Port| other.queue.iter().any(|message| message.ports.contains(&port));
        self.ports.iter().position(holds).map(PortId)
    }

    /// PORT-59
    fn lose(&mut self, message: Posted) {
        for id in message.ports {
            self.collect(id);
        }
    }

    /// GC-04, DEC-07
    fn collect(&mut self, id: PortId) {
        let port = self.port_mut(id);
        port.closed = true;
        port.place = Place::Gone;
        for message in std::mem::take(&mut port.queue) {
            self.lose(message);
        }
    }

    pub(crate) fn drop(&mut self, handle: Handle) {
        if !self.is_detached(handle) {
            self.collect(handle.port);
        }
    }

    pub(crate) fn start(&mut self, handle: Handle) {
        if !self.is_detached(handle) {
            self.port_mut(handle.port).enabled = true;
        }
    }

    pub(crate) fn close(&mut self, handle: Handle) {
        if !self.is_detached(handle) {
            self.port_mut(handle.port).closed = true;
        }
    }

    pub(crate) fn set_bound(&mut self, handle: Handle, bound: Bound) {
        if !self.is_detached(handle) {
            self.port_mut(handle.port).bound = bound;
        }
    }

    pub(crate) fn receive(&mut self, handle: Handle) -> Received {
        if self.is_detached(handle) {
            return Received::Closed;
        }
        let is_over = self.is_over(handle.port);
        let port = self.port_mut(handle.port);
        if port.queue.is_empty() {
            return if is_over { Received::Closed } else { Received::Nothing };
        }
        if !port.enabled {
            return Received::Nothing;
        }
        let message = port.queue.remove(0);
        let ports = message.ports.into_iter().map(|id| self.arrive(id)).collect();
        Received::Message(message.data, ports)
    }

    fn arrive(&mut self, id: PortId) -> Handle {
        let port = self.port_mut(id);
        port.place = Place::Held;
        Handle { port: id, moves: port.moves }
    }

    pub(crate) fn is_closed(&self, handle: Handle) -> bool {
        self.is_detached(handle) || self.is_over(handle.port)
    }

    /// CLOSE-02, CLOSE-07, CLOSE-08
    pub(crate) fn closed_by(&self, handle: Handle) -> Option<ClosedBy> {
        let port = self.port(handle.port);
        let holds_data_back = port.enabled && !port.queue.is_empty();
        if self.is_detached(handle) || port.closed {
            Some(ClosedBy::ThisEnd)
        } else if self.port(handle.port.peer()).closed && !holds_data_back {
            Some(ClosedBy::Peer)
        } else {
            None
        }
    }

    pub(crate) fn queued(&self, handle: Handle) -> Queued {
        if self.is_detached(handle) { Queued::default() } else { self.waiting(handle.port) }
    }

    fn waiting(&self, id: PortId) -> Queued {
        let queue = &self.port(id).queue;
        Queued { messages: queue.len(), bytes: queue.iter().map(|message| message.data.len()).sum() }
    }

    /// Whether there is room at the other end.
    pub(crate) fn has_room(&self, handle: Handle) -> bool {
        let peer = handle.port.peer();
        let (waiting, bound) = (self.waiting(peer), self.port(peer).bound);
        let fits = waiting.messages < bound.messages && waiting.bytes < bound.bytes;
        self.is_over(peer) || waiting.messages == 0 || fits
    }

    /// How many messages would have closed a ring of several queues (DEC-08).
    pub(crate) fn rings(&self) -> usize {
        self.rings
    }
}
