//! Receiving: what every kind of consumer does.

use std::{
    any::TypeId,
    collections::VecDeque,
    mem,
    task::{Context, Poll, ready},
};

use super::{
    Gauge, Reading, Window,
    batch::Batch,
    credit::Ledger,
    frame::{Fault, StreamFrame},
};
use crate::{
    CallError, ClosedBy, Interruption, Message, MessagePort,
    message::DecodeError,
    port::{Gone, Parcel},
    rpc::{StreamFault, Wire},
};

/// The consumer's end of a stream: its port, and what was taken out of it.
///
/// It is large, and whoever has a stream moves it: as an argument, as a result, and with the call it is in. So it is in a box.
#[derive(Debug)]
pub(super) struct Receiver<T, X> {
    pub(super) port: MessagePort,
    /// What was received and not consumed yet.
    pub(super) held: VecDeque<Result<T, X>>,
    /// How many bytes of credit each of these has cost.
    pub(super) cost_of_each: u64,
    pub(super) ledger: Ledger,
    /// Where it writes how it is, if somebody watches.
    gauge: Option<Gauge>,
    stage: Stage,
}

/// Where a stream is in its life, as its consumer knows it.
#[derive(Debug)]
enum Stage {
    /// Items may come.
    Open,
    /// The consumer wants no more than is on its way.
    Stopped,
    /// After what is held, this ends it.
    Cut(CallError),
    /// The consumer has been told of its end, or will be, after what is held.
    Over,
}

/// Why items were not read.
enum Unread {
    /// There are more than were granted.
    Overrun,
    Unreadable(DecodeError),
}

impl<T, X> Receiver<T, X> {
    pub(super) fn of(port: MessagePort) -> Box<Self> {
        Self::going_on(port, VecDeque::new(), 0, Ledger::new(Window::of::<Result<T, X>>()))
    }

    /// Goes on where another receiver left off.
    pub(super) fn going_on(
        port: MessagePort,
        held: VecDeque<Result<T, X>>,
        cost_of_each: u64,
        ledger: Ledger,
    ) -> Box<Self> {
        port.start();
        Box::new(Self { port, held, cost_of_each, ledger, gauge: None, stage: Stage::Open })
    }

    /// Lets somebody watch from now on.
    pub(super) fn watch(&mut self) -> Gauge {
        let gauge = self.gauge.get_or_insert_default().clone();
        self.show();
        gauge
    }

    /// Shows those who watch how it is.
    #[inline]
    pub(super) fn show(&self) {
        let Some(gauge) = &self.gauge else { return };
        let (granted_items, granted_bytes) = self.ledger.granted().amounts();
        gauge.write(Reading { held: self.held.len(), granted_items, granted_bytes, is_over: self.is_over() });
    }

    /// Whether nothing will come any more.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over) && self.held.is_empty()
    }

    /// Asks for no more than is on its way.
    pub(super) fn stop(&mut self) {
        if let Stage::Open = self.stage {
            self.stage = Stage::Stopped;
            self.tell(&StreamFrame::Stop);
        }
    }

    fn tell(&self, frame: &StreamFrame<'_>) {
        // Where the port is closed, the stream is about to end.
        let _closed = self.port.post(Parcel::Message(frame.to_bytes().into()));
    }

    fn consumed(&mut self) {
        self.ledger.consumed(1, self.cost_of_each);
        if self.ledger.is_due() {
            self.renew();
        }
    }

    /// Grants what was consumed.
    #[cold]
    fn renew(&mut self) {
        if let Stage::Open = self.stage {
            let grant = self.ledger.grant();
            self.tell(&StreamFrame::Credit { grant });
        }
    }

    /// Nothing more is taken from the producer, who is told by the port.
    fn cut(&mut self, why: CallError) {
        self.stage = Stage::Cut(why);
        self.port.close();
    }

    fn cut_by(&mut self, fault: StreamFault) {
        self.cut(CallError::Unknown(Interruption::Stream(fault)));
    }

    fn unreadable(&mut self, why: impl ToString) {
        self.cut(CallError::Unknown(Interruption::UnreadableReply(why.to_string())));
    }

    /// The port was closed, and the stream had not ended.
    fn closed(&mut self) {
        let gone = match self.port.closed_by() {
            Some(ClosedBy::PeerPanic) => Gone::Panicked,
            Some(ClosedBy::Disconnected) => Gone::Disconnected,
            Some(ClosedBy::Peer | ClosedBy::ThisEnd) | None => Gone::Closed,
        };
        self.stage = Stage::Cut(CallError::Unknown(gone.into()));
    }
}

impl<T, X> Receiver<T, X>
where
    T: Wire + Send + 'static,
    X: Wire + Send + 'static,
{
    /// The next item, or why there are no more: nothing if the stream has ended in order.
    #[inline]
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Result<T, X>, CallError>>> {
        if self.held.is_empty()
            && let Some(end) = ready!(self.poll_more(cx))
        {
            return Poll::Ready(end.err().map(Err));
        }
        let item = self.held.pop_front();
        self.consumed();
        Poll::Ready(item.map(Ok))
    }

    /// Waits until something is held, or for the end.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<(), CallError>>> {
        if self.ledger.is_due() {
            self.renew();
        }
        while self.held.is_empty() {
            match mem::replace(&mut self.stage, Stage::Over) {
                Stage::Over => return Poll::Ready(Some(Ok(()))),
                Stage::Cut(why) => return Poll::Ready(Some(Err(why))),
                open @ (Stage::Open | Stage::Stopped) => self.stage = open,
            }
            match ready!(self.port.poll_take(cx)) {
                Ok(parcel) => self.take(parcel),
                Err(crate::Closed) => self.closed(),
            }
        }
        Poll::Ready(None)
    }

    fn take(&mut self, parcel: Parcel) {
        match parcel {
            Parcel::Message(message) => self.take_frame(message),
            Parcel::Value(value) => match value.downcast::<Batch<T, X>>(&TypeId::of::<Batch<T, X>>()) {
                Ok(batch) => {
                    let cost = batch.take(&mut self.held);
                    self.hold(cost);
                }
                // The batch of a stream of other items, or something that belongs elsewhere.
                Err(other) => {
                    if let Some(message) = other.encode(&self.port) {
                        self.take_frame(message);
                    }
                }
            },
        }
    }

    fn take_frame(&mut self, message: Message) {
        match StreamFrame::parse(message.data()) {
            Ok(StreamFrame::Items { cost, items }) => {
                let items_at = message.data().len() - items.len();
                self.read_items(message, items_at, cost);
            }
            Ok(StreamFrame::End) => {
                self.stage = Stage::Over;
                self.port.close();
            }
            Ok(StreamFrame::Failed { fault }) => self.cut(fault.into()),
            Ok(StreamFrame::Credit { .. } | StreamFrame::Stop) => {
                self.unreadable("a frame for the producer came to the consumer");
            }
            // What it is cannot be known, and it may have been items: a stream with a gap looks like one that is whole.
            Err(error) => self.unreadable(error),
        }
    }

    /// Reads items up to the first that cannot be read, or that was not granted.
    fn read_items(&mut self, mut message: Message, at: usize, cost: u64) {
        let expected = usize::try_from(self.ledger.expected()).unwrap_or(usize::MAX);
        let mut decoder = message.decoder(at);
        // A frame of nothing costs its sender no credit.
        if decoder.is_at_end() {
            return self.unreadable("a frame of items has none");
        }
        let read = decoder.take_all(|decoder| {
            while !decoder.is_at_end() {
                if self.held.len() == expected {
                    return Err(Unread::Overrun);
                }
                self.held.push_back(decoder.take_result().map_err(Unread::Unreadable)?);
            }
            Ok(())
        });
        let read = read.and_then(|()| decoder.close().map_err(Unread::Unreadable));
        if let Err(Unread::Overrun) = read {
            return self.cut_by(StreamFault::Overrun);
        }
        self.hold(cost);
        if let Err(Unread::Unreadable(problem)) = read {
            self.unreadable(problem);
        }
    }

    /// Accounts for what has come.
    fn hold(&mut self, cost: u64) {
        let items = self.held.len();
        if self.ledger.received(items, cost).is_err() {
            self.held.clear();
            return self.cut_by(StreamFault::Overrun);
        }
        let each = u64::try_from(items).ok().and_then(|items| cost.checked_div(items)).unwrap_or(0);
        let rest = cost - each * items as u64;
        self.cost_of_each = each;
        self.ledger.consumed(0, rest);
    }
}

impl From<StreamFault> for Fault {
    fn from(fault: StreamFault) -> Self {
        Self::Interrupted(Interruption::Stream(fault))
    }
}
