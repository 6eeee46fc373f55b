//! One port that is joined with one at the other side.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use futures::{FutureExt, Stream};
use handover_core::{
    Message, MessagePort,
    message::Parts,
    panicking,
    port::{Queued, Unreceived},
};

use super::{
    ChannelId, ConnectionError,
    account::Account,
    error::Limit,
    frame::{self, End, Frame, MESSAGE_COST},
    notices::Notice,
    outbox::Outbox,
};
use crate::refusal::Refusal;

/// Why a message is refused with something in it that is neither bytes nor a port.
const FOREIGN: &str = "a stream of bytes cannot carry what is neither bytes nor a port";

/// This side of a channel.
#[derive(Debug)]
pub(super) struct Channel {
    id: ChannelId,
    state: State,
    notice: Arc<Notice>,
    /// The notice, as its port takes it.
    waker: Waker,
    /// What was delivered here and waits to be received.
    unreceived: Unreceived,
    /// What was sent, and what came, and was not given back.
    sent: u64,
    came: u64,
}

/// Where it is in its life. It is over when both ends are closed.
#[derive(Debug)]
enum State {
    /// Both ends are open. What is posted here comes out of the port, and what comes is posted on it.
    Open(MessagePort),
    /// The end here was closed, and the other side will know. What it sends until then is dropped.
    ClosedHere,
    /// The other side's end was closed. It is told that ours is when everything that came was received: so it is known how much waits.
    ClosedThere,
}

/// What became of a look at a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visit {
    /// There is nothing to do until it is woken.
    Idle,
    /// There is no room for what it has.
    Full,
    /// The other side takes nothing more at any channel.
    Held,
    /// Both ends are closed.
    Over,
}

impl Channel {
    pub(super) fn new(id: ChannelId, port: MessagePort, notice: Arc<Notice>) -> Self {
        port.start();
        let unreceived = port.unreceived();
        let waker = Waker::from(notice.clone());
        Self { id, state: State::Open(port), notice, waker, unreceived, sent: 0, came: 0 }
    }

    pub(super) fn notice(&self) -> &Notice {
        &self.notice
    }

    /// What was sent, and what came, and was not given back.
    pub(super) fn outstanding(&self) -> (u64, u64) {
        (self.sent, self.came)
    }

    /// Writes what there is to send, as far as there is room. Ports that are sent go into `leaving`.
    pub(super) fn visit(
        &mut self,
        account: &mut Account,
        out: &mut Outbox,
        leaving: &mut Vec<(ChannelId, MessagePort)>,
    ) -> Visit {
        self.notice.unmark();
        if !out.has_room() {
            return Visit::Full;
        }
        if self.is_due(account) {
            self.give_back(account, out);
        }
        match self.state {
            State::Open(_) => self.send(account, out, leaving),
            State::ClosedHere => Visit::Idle,
            State::ClosedThere => self.confirm(out),
        }
    }

    fn send(&mut self, account: &mut Account, out: &mut Outbox, leaving: &mut Vec<(ChannelId, MessagePort)>) -> Visit {
        loop {
            if !out.has_room() {
                return Visit::Full;
            }
            if account.is_spent() {
                return Visit::Held;
            }
            let State::Open(port) = &mut self.state else { return Visit::Idle };
            // Not polled while the other side takes no more: what is posted waits in the port.
            if self.sent >= account.theirs.window {
                return Visit::Idle;
            }
            match Pin::new(port).poll_next(&mut Context::from_waker(&self.waker)) {
                Poll::Ready(Some(message)) => self.post(message, account, out, leaving),
                Poll::Ready(None) => self.close(out),
                Poll::Pending => return Visit::Idle,
            }
        }
    }

    fn post(
        &mut self,
        message: Message,
        account: &mut Account,
        out: &mut Outbox,
        leaving: &mut Vec<(ChannelId, MessagePort)>,
    ) {
        let bytes = message.buffers().iter().fold(message.data().len(), |bytes, buffer| bytes + buffer.len()) as u64;
        if let Some(limit) = account.excess(&message, bytes) {
            let why = format!("the other side takes no more than {} {limit}", limit.of(&account.theirs));
            return self.refuse(&message, &why, account, out);
        }
        if !message.foreign().is_empty() {
            return self.refuse(&message, FOREIGN, account, out);
        }
        self.count_sent(bytes, account);
        if message.ports().is_empty() && message.buffers().is_empty() {
            out.put(&Frame::post(self.id, message.data()));
            return message.recycle();
        }
        let Parts { data, ports, buffers, .. } = message.into_parts();
        out.put_with(self.id, ports.len() as u64, &buffers, &data);
        for port in ports {
            leaving.push((account.name_sent(), port));
        }
    }

    fn count_sent(&mut self, bytes: u64, account: &mut Account) {
        let cost = frame::cost(bytes);
        self.sent = self.sent.saturating_add(cost);
        account.add_sent(cost);
    }

    /// Ends the call that a message belongs to, which does not get through to the other side. If it is none of a call, the channel ends: a
    /// stream of messages has no gaps.
    #[cold]
    fn refuse(&mut self, message: &Message, why: &str, account: &mut Account, out: &mut Outbox) {
        tracing::warn!(channel = self.id.0, "a message was not sent: {why}");
        let State::Open(port) = &self.state else { return };
        match Refusal::of(message.data(), why) {
            Refusal::Nothing => {}
            Refusal::Answered(answer) => port.post_message(answer).expect("no port is in it"),
            Refusal::Replaced(data) => {
                out.put(&Frame::post(self.id, &data));
                self.count_sent(data.len() as u64, account);
            }
            Refusal::End => {
                out.put(&Frame::Close { channel: self.id, end: End::Disconnected });
                self.leave(State::ClosedHere, |port| panicking::disconnect(why, || drop(port)));
            }
        }
    }

    /// The end here was closed.
    fn close(&mut self, out: &mut Outbox) {
        let State::Open(port) = &self.state else { return };
        let end = port.closed().now_or_never().map_or(End::Closed, End::from);
        out.put(&Frame::Close { channel: self.id, end });
        self.leave(State::ClosedHere, drop);
    }

    /// Closes this end too, if everything that came was received.
    fn confirm(&mut self, out: &mut Outbox) -> Visit {
        let cx = &mut Context::from_waker(&self.waker);
        if self.unreceived.poll_drained(Queued::default(), cx).is_pending() {
            return Visit::Idle;
        }
        out.put(&Frame::Close { channel: self.id, end: End::Closed });
        Visit::Over
    }

    fn leave(&mut self, state: State, end: impl FnOnce(MessagePort)) {
        if let State::Open(port) = std::mem::replace(&mut self.state, state) {
            end(port);
        }
    }

    /// A message comes that costs so much. Whether anybody is there to receive it.
    pub(super) fn admit(&mut self, cost: u64, account: &Account) -> Result<bool, ConnectionError> {
        match self.state {
            State::ClosedThere => Err(ConnectionError::AfterClose(self.id)),
            State::Open(_) if self.came >= account.ours.window => Err(ConnectionError::Exceeded(Limit::Window)),
            State::Open(_) => {
                self.came = self.came.saturating_add(cost);
                Ok(true)
            }
            State::ClosedHere => Ok(false),
        }
    }

    /// Posts what came. Where nobody is there any more, it is dropped.
    pub(super) fn deliver(&self, message: Message) {
        if let State::Open(port) = &self.state {
            port.post_message(message).expect("the ports in it are new");
        }
    }

    /// The other side's end was closed: ours learns of it after what came. Whether this is over.
    pub(super) fn other_end_closed(&mut self, end: End) -> Result<bool, ConnectionError> {
        match self.state {
            State::ClosedThere => return Err(ConnectionError::AfterClose(self.id)),
            State::ClosedHere => return Ok(true),
            State::Open(_) => {}
        }
        self.leave(State::ClosedThere, |port| match end {
            End::Closed => drop(port),
            End::Panicked => panicking::lose("the context at the other end panicked", || drop(port)),
            End::Disconnected => panicking::disconnect("a connection further on has ended", || drop(port)),
        });
        Ok(false)
    }

    /// The other side gives something back.
    pub(super) fn given_back(&mut self, cost: u64) -> Result<(), ConnectionError> {
        if let State::ClosedThere = self.state {
            return Err(ConnectionError::AfterClose(self.id));
        }
        // C27: how much it is stands in the frame, so it does not matter what crosses it.
        self.sent = self.sent.checked_sub(cost).ok_or(ConnectionError::Credit(self.id))?;
        Ok(())
    }

    /// Whether it is time to give back what was received.
    #[inline]
    pub(super) fn is_due(&self, account: &Account) -> bool {
        self.came > 0 && (self.came >= account.ours.window / 2 || account.is_due())
    }

    /// Gives back what was received, and waits for the rest to be.
    #[cold]
    fn give_back(&mut self, account: &mut Account, out: &mut Outbox) {
        let State::Open(_) = self.state else { return };
        let waiting = self.unreceived.queued();
        let messages = u64::try_from(waiting.messages).unwrap_or(u64::MAX);
        let cost = messages.saturating_mul(MESSAGE_COST).saturating_add(waiting.bytes as u64);
        let received = self.came.saturating_sub(cost);
        let is_worth_it = received >= account.ours.window / 4 || account.is_due();
        if received > 0 && is_worth_it {
            self.came -= received;
            account.remove_came(received);
            out.put(&Frame::Credit { channel: self.id, cost: received });
        }
        if self.is_due(account) {
            let half = Queued { messages: waiting.messages / 2, bytes: waiting.bytes / 2 };
            let cx = &mut Context::from_waker(&self.waker);
            if self.unreceived.poll_drained(half, cx).is_ready() {
                // It was received just now.
                self.waker.wake_by_ref();
            }
        }
    }
}
