//! The channels of a connection: what waits at any of them goes out, and what comes goes to the one that it is for.

use std::{
    collections::{BTreeMap, VecDeque},
    mem,
    sync::Arc,
    task::Waker,
};

use handover_core::{Message, MessageChannel, MessagePort, panicking};

use super::{
    ChannelId, ConnectionError,
    account::Account,
    channel::{Channel, Visit},
    frame::{self, Buffers, Frame},
    notices::Notices,
    outbox::Outbox,
    preamble::Limits,
};

/// The channels that are open. They belong to one connection, and nothing of it outlives it (C28).
#[derive(Debug)]
pub(super) struct Channels {
    account: Account,
    open: BTreeMap<ChannelId, Channel>,
    notices: Arc<Notices>,
    /// Those to look at, in order; each is marked.
    due: VecDeque<ChannelId>,
    /// Those that wait until the other side takes anything at all.
    held: Vec<ChannelId>,
    /// Ports that were written and are not joined yet; empty between two calls.
    leaving: Vec<(ChannelId, MessagePort)>,
}

impl Channels {
    /// The first channel of a connection.
    pub(super) fn new(first: MessagePort, ours: Limits) -> Self {
        let mut channels = Self {
            // What the other side takes is learnt before anything is sent.
            account: Account::new(ours, Limits::default()),
            open: BTreeMap::new(),
            notices: Arc::default(),
            due: VecDeque::new(),
            held: Vec::new(),
            leaving: Vec::new(),
        };
        channels.join(ChannelId::FIRST, first);
        channels
    }

    /// Says what the other side takes.
    pub(super) fn greeted(&mut self, theirs: Limits) {
        self.account.theirs = theirs;
    }

    /// The task that is woken when there is something to send.
    pub(super) fn register(&self, waker: &Waker) {
        self.notices.register(waker);
    }

    /// Whether all are closed at both ends.
    pub(super) fn are_over(&self) -> bool {
        self.open.is_empty()
    }

    /// Whether some are to be looked at.
    pub(super) fn are_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// How many are open.
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// Writes what waits, as far as there is room.
    pub(super) fn collect(&mut self, out: &mut Outbox) {
        self.notices.take_into(&mut self.due);
        while out.has_room()
            && let Some(id) = self.due.pop_front()
        {
            self.visit(id, out);
        }
    }

    fn visit(&mut self, id: ChannelId, out: &mut Outbox) {
        let Some(channel) = self.open.get_mut(&id) else { return };
        match channel.visit(&mut self.account, out, &mut self.leaving) {
            Visit::Idle => {}
            Visit::Full => self.mark(id),
            Visit::Held => self.held.push(id),
            Visit::Over => self.forget(id),
        }
        if !self.leaving.is_empty() {
            mem::take(&mut self.leaving).into_iter().for_each(|(id, port)| self.join(id, port));
        }
    }

    /// Takes a frame of the other side's.
    ///
    /// # Errors
    /// [`ConnectionError`] if the other side may not send it. Nothing was set aside for it then (C22).
    pub(super) fn deliver(&mut self, frame: Frame<'_>) -> Result<(), ConnectionError> {
        match frame {
            Frame::Post { channel, ports, buffers, data } => self.post(channel.mirrored(), ports, buffers, data),
            Frame::Close { channel, end } => {
                let id = channel.mirrored();
                if self.named(id)?.other_end_closed(end)? {
                    self.forget(id);
                } else {
                    self.mark(id);
                }
                Ok(())
            }
            Frame::Credit { channel, cost } => {
                let id = channel.mirrored();
                self.named(id)?.given_back(cost)?;
                self.account.remove_sent(cost);
                self.mark(id);
                self.let_go();
                Ok(())
            }
        }
    }

    fn post(&mut self, id: ChannelId, ports: u64, buffers: Buffers<'_>, data: &[u8]) -> Result<(), ConnectionError> {
        let bytes = data.len().saturating_add(buffers.bytes()) as u64;
        self.account.admit(bytes, ports, buffers.count())?;
        let channel = self.open.get_mut(&id).ok_or(ConnectionError::UnknownChannel(id))?;
        let cost = frame::cost(bytes);
        let is_wanted = channel.admit(cost, &self.account)?;
        let message =
            buffers.iter().fold(Message::copied(data), |message, buffer| message.with_buffer(buffer.to_vec()));
        if ports == 0 {
            channel.deliver(message);
        } else {
            let arriving: Vec<_> = (0..ports).map(|_| self.accept()).collect();
            self.named(id)?.deliver(message.with_ports(arriving));
        }
        if is_wanted {
            self.count(id, cost);
        }
        Ok(())
    }

    /// A message was delivered. Gives back what was received, if it is time.
    fn count(&mut self, id: ChannelId, cost: u64) {
        if self.account.add_came(cost) {
            let ids: Vec<_> = self.open.keys().copied().collect();
            ids.into_iter().for_each(|id| self.mark(id));
        }
        let is_due = self.open.get(&id).is_some_and(|channel| channel.is_due(&self.account));
        if is_due {
            self.mark(id);
        }
    }

    /// Makes a port for one that comes.
    fn accept(&mut self) -> MessagePort {
        let id = self.account.name_came();
        let (ours, theirs) = MessageChannel::new().into_ports();
        self.join(id, ours);
        theirs
    }

    /// Joins a port with one of the other side's.
    fn join(&mut self, id: ChannelId, port: MessagePort) {
        let channel = Channel::new(id, port, self.notices.of(id));
        self.open.insert(id, channel);
        self.mark(id);
    }

    fn named(&mut self, id: ChannelId) -> Result<&mut Channel, ConnectionError> {
        self.open.get_mut(&id).ok_or(ConnectionError::UnknownChannel(id))
    }

    /// Notes that a channel is to be looked at.
    fn mark(&mut self, id: ChannelId) {
        if self.open.get(&id).is_some_and(|channel| channel.notice().mark()) {
            self.due.push_back(id);
        }
    }

    /// Looks again at those that waited until the other side takes something, if it does.
    fn let_go(&mut self) {
        if self.account.is_spent() {
            return;
        }
        for id in mem::take(&mut self.held) {
            self.mark(id);
        }
    }

    /// A channel is closed at both ends.
    fn forget(&mut self, id: ChannelId) {
        let Some(channel) = self.open.remove(&id) else { return };
        let (sent, came) = channel.outstanding();
        self.account.forget(id, sent, came);
        self.let_go();
    }

    /// Closes every port, and says why to whoever loses by it.
    pub(super) fn disconnect(&mut self, why: &str) {
        let open = mem::take(&mut self.open);
        panicking::disconnect(why, || drop(open));
    }
}
