//! What the two sides of a connection hold of each other, counted for all channels together. Pure.

use handover_core::Message;

use super::{ChannelId, ConnectionError, error::Limit, preamble::Limits};

/// The counts, and what they may come to.
#[derive(Debug)]
pub(super) struct Account {
    /// What this side takes.
    pub(super) ours: Limits,
    /// What the other side takes.
    pub(super) theirs: Limits,
    /// What was sent and not given back.
    sent: u64,
    /// What came and was not given back.
    came: u64,
    /// The numbers that were given last to a port that was sent, and to one that came.
    last_sent: u64,
    last_came: u64,
    /// How many of those ports are open.
    open_sent: u64,
    open_came: u64,
}

impl Account {
    pub(super) fn new(ours: Limits, theirs: Limits) -> Self {
        Self { ours, theirs, sent: 0, came: 0, last_sent: 0, last_came: 0, open_sent: 0, open_came: 0 }
    }

    /// Whether the other side takes nothing more until it gives something back.
    #[inline]
    pub(super) fn is_spent(&self) -> bool {
        self.sent >= self.theirs.waiting
    }

    /// Whether it is time to give back at every channel.
    #[inline]
    pub(super) fn is_due(&self) -> bool {
        self.came >= self.ours.waiting / 2
    }

    /// What there would be too much of if a message were sent.
    #[inline]
    pub(super) fn excess(&self, message: &Message, bytes: u64) -> Option<Limit> {
        let (ports, buffers) = (message.ports().len() as u64, message.buffers().len() as u64);
        let theirs = &self.theirs;
        if bytes > theirs.message {
            Some(Limit::Message)
        } else if ports > theirs.ports {
            Some(Limit::Ports)
        } else if buffers > theirs.buffers {
            Some(Limit::Buffers)
        } else if ports > 0 && self.open_sent.saturating_add(ports) > theirs.channels {
            Some(Limit::Channels)
        } else {
            None
        }
    }

    /// Whether a message may come: asked before anything is made of it (C22).
    pub(super) fn admit(&self, bytes: u64, ports: u64, buffers: u64) -> Result<(), ConnectionError> {
        let ours = &self.ours;
        let open = self.open_came.saturating_add(ports);
        let exceeded = [
            (bytes > ours.message, Limit::Message),
            (ports > ours.ports, Limit::Ports),
            (buffers > ours.buffers, Limit::Buffers),
            (ports > 0 && open > ours.channels, Limit::Channels),
            (self.came >= ours.waiting, Limit::Waiting),
        ];
        match exceeded.into_iter().find(|(is_exceeded, _)| *is_exceeded) {
            Some((_, limit)) => Err(ConnectionError::Exceeded(limit)),
            None => Ok(()),
        }
    }

    /// A message was sent that costs so much.
    pub(super) fn add_sent(&mut self, cost: u64) {
        self.sent = self.sent.saturating_add(cost);
    }

    /// The other side gave so much back.
    pub(super) fn remove_sent(&mut self, cost: u64) {
        self.sent = self.sent.saturating_sub(cost);
    }

    /// A message came that costs so much. Whether from now on it is time to give back everywhere.
    pub(super) fn add_came(&mut self, cost: u64) -> bool {
        let was_due = self.is_due();
        self.came = self.came.saturating_add(cost);
        !was_due && self.is_due()
    }

    /// So much was given back.
    pub(super) fn remove_came(&mut self, cost: u64) {
        self.came = self.came.saturating_sub(cost);
    }

    /// Names a port that is sent. No number is used twice (C27).
    pub(super) fn name_sent(&mut self) -> ChannelId {
        self.last_sent += 1;
        self.open_sent += 1;
        ChannelId::ours(self.last_sent)
    }

    /// Names a port that came.
    pub(super) fn name_came(&mut self) -> ChannelId {
        self.last_came += 1;
        self.open_came += 1;
        ChannelId::theirs(self.last_came)
    }

    /// A channel is closed at both ends, with so much that was not given back.
    pub(super) fn forget(&mut self, id: ChannelId, sent: u64, came: u64) {
        self.remove_sent(sent);
        self.remove_came(came);
        if id.is_ours() {
            self.open_sent = self.open_sent.saturating_sub(1);
        } else if id.is_theirs() {
            self.open_came = self.open_came.saturating_sub(1);
        }
    }
}
