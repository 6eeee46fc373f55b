//! The producer's end of a stream.

use std::{
    collections::VecDeque,
    fmt,
    task::{Context, Poll},
};

use super::{
    ConsumerEnd, Feed, IntoItem, Overflow, SendError, TrySendError,
    batch::{Added, Batch, Loss},
    credit::Credit,
    frame::{Fault, StreamFrame},
};
use crate::{
    Closed, MessagePort,
    message::Encoder,
    port::{Carried, Parcel},
    rpc::{Never, StreamFault, Wire},
    sync::Arc,
};

/// The producer's end of a stream.
///
/// It sends as long as it has credit, which the consumer grants; what it does then, its [`Overflow`] says: it waits.
///
/// [`finish`](Self::finish) ends the stream. A sender that is dropped without cuts it, and the consumer is told so: an early
/// `return` must not look like an end. Only if the consumer had [asked](super::Streaming::stop) for the end, the drop is one.
/// A sender that is dropped while its thread panics ends the stream as panicked.
///
/// A sender is a value, as a stream is: it may be an argument or a result. Handed on, it takes along its credit and what waits.
pub struct StreamSender<T, X = Never> {
    pub(super) port: MessagePort,
    batch: Arc<Batch<T, X>>,
    pub(super) credit: Credit,
    /// Whether the consumer has granted anything yet: until then it is not slow.
    pub(super) is_begun: bool,
    pub(super) stage: Stage,
    pub(super) overflow: Overflow,
    /// What waits for credit, by the rules of the overflow.
    pub(super) waiting: VecDeque<Result<T, X>>,
    pub(super) dropped: u64,
    /// What a feed has sent, and not handed over yet; always empty outside of it.
    gathered: VecDeque<Result<T, X>>,
    gathered_cost: u64,
    /// How many are gathered before they are handed over.
    gather: usize,
    /// Whether items are turned into bytes where they arrive, so that their bytes count.
    is_measuring: bool,
}

/// Where a stream is in its life, as its producer knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Open,
    /// Nothing more may be sent.
    Closed(SendError),
    /// The end was posted.
    Over,
}

/// How many items a feed gathers at most.
const MOST_GATHERED: usize = 32;

/// Whether an item may be sent.
pub(super) enum Admission {
    /// Now.
    Now,
    /// Once there is credit.
    Later,
    /// No, but no item waits for that: the overflow deals with it.
    Dealt,
}

impl<T, X> StreamSender<T, X> {
    pub(super) fn new(port: MessagePort) -> Self {
        port.start();
        Self {
            port,
            batch: Batch::new(),
            credit: Credit::default(),
            is_begun: false,
            stage: Stage::Open,
            overflow: Overflow::default(),
            waiting: VecDeque::new(),
            dropped: 0,
            gathered: VecDeque::new(),
            gathered_cost: 0,
            gather: 1,
            is_measuring: false,
        }
    }

    /// Sets what becomes of items for which there is no credit.
    #[must_use]
    pub fn with_overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// How many items were dropped because the consumer was too slow.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Ends the stream with a reason, which the consumer gets after what was sent, in place of the end.
    pub fn fail(mut self, fault: Fault) {
        self.waiting.clear();
        self.end(&StreamFrame::Failed { fault });
    }

    /// Ends the stream with a reason in words: the consumer gets [`StreamFault::Failed`].
    pub fn fail_with(self, why: impl fmt::Display) {
        self.fail(StreamFault::Failed(why.to_string()).into());
    }

    pub(super) fn end(&mut self, frame: &StreamFrame<'_>) {
        self.stage = Stage::Over;
        // A consumer that is gone needs no end.
        let _closed = self.port.post(Parcel::Message(frame.to_bytes().into()));
    }

    /// Why nothing more may be sent.
    pub(super) fn is_open(&self) -> Result<(), SendError> {
        match &self.stage {
            Stage::Open => Ok(()),
            Stage::Closed(why) => Err(why.clone()),
            Stage::Over => Err(SendError::Gone),
        }
    }

    fn close(&mut self, why: SendError) -> SendError {
        self.stage = Stage::Closed(why.clone());
        why
    }

    /// Reads what the consumer has said, and registers for what it will say.
    pub(super) fn poll_consumer(&mut self, cx: &mut Context<'_>) -> Poll<ConsumerEnd> {
        loop {
            match &self.stage {
                Stage::Closed(SendError::Stopped) => return Poll::Ready(ConsumerEnd::Stopped),
                Stage::Closed(SendError::Gone) => return Poll::Ready(ConsumerEnd::Gone),
                Stage::Open | Stage::Closed(_) | Stage::Over => {}
            }
            match self.port.poll_take(cx) {
                Poll::Ready(Ok(parcel)) => self.hear(parcel),
                Poll::Ready(Err(Closed)) => drop(self.close(SendError::Gone)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Reads what the consumer has said.
    pub(super) fn hear_all(&mut self) {
        while self.stage == Stage::Open
            && let Some(parcel) = self.port.try_take()
        {
            self.hear(parcel);
        }
    }

    fn hear(&mut self, parcel: Parcel) {
        let Parcel::Message(message) = parcel else {
            return tracing::warn!("a value came to a stream's producer, which takes none; it was dropped");
        };
        match StreamFrame::parse(message.data()) {
            Ok(StreamFrame::Credit { grant }) => {
                self.credit.add(grant);
                self.is_begun = true;
            }
            Ok(StreamFrame::Stop) if self.stage == Stage::Open => drop(self.close(SendError::Stopped)),
            Ok(StreamFrame::Stop) => {}
            Ok(StreamFrame::Items { .. } | StreamFrame::End | StreamFrame::Failed { .. }) => {
                tracing::warn!("a frame for a stream's consumer came to its producer; it was dropped");
            }
            Err(error) => {
                tracing::warn!(%error, "a message that is no frame of a stream came to its producer; it was dropped");
            }
        }
    }
}

impl<T, X> StreamSender<T, X>
where
    T: Wire + Send + 'static,
    X: Wire + Send + 'static,
{
    /// Sends an item if that can be done at once.
    ///
    /// # Errors
    /// [`TrySendError::Full`] if there is no credit, and the [overflow](Overflow) says to wait.
    /// [`TrySendError::Closed`] if nothing will be sent any more.
    pub fn try_send<I: IntoItem<T, X>>(&mut self, item: I) -> Result<(), TrySendError<I>> {
        match self.offer(item).map_err(TrySendError::Closed)? {
            None => Ok(()),
            Some(item) => Err(TrySendError::Full(item)),
        }
    }

    /// Sends everything that a stream yields, and then finishes. The future is to be polled by somebody; it ends when the
    /// stream has, or when the consumer wants no more.
    pub fn send_all<S>(self, source: S) -> Feed<S, T, X>
    where
        S: futures::Stream<Item: IntoItem<T, X>>,
    {
        Feed::new(source, self)
    }

    /// Sends an item, or deals with it as the overflow says, or hands it back: it has to wait.
    #[inline]
    pub(super) fn offer<I: IntoItem<T, X>>(&mut self, item: I) -> Result<Option<I>, SendError> {
        match self.admit()? {
            Admission::Now => self.put(item.into_item()).map(|()| None),
            Admission::Later => Ok(Some(item)),
            Admission::Dealt => self.overflow(item.into_item()).map(|()| None),
        }
    }

    /// Whether an item may be sent now.
    #[inline]
    pub(super) fn admit(&mut self) -> Result<Admission, SendError> {
        if self.stage == Stage::Open && self.credit.is_left() && self.waiting.is_empty() {
            return Ok(Admission::Now);
        }
        self.admit_slowly()
    }

    #[cold]
    fn admit_slowly(&mut self) -> Result<Admission, SendError> {
        // Before what waits, and before an end is heard.
        self.hand_over()?;
        self.hear_all();
        self.is_open()?;
        self.send_waiting()?;
        if self.credit.is_left() && self.waiting.is_empty() {
            return Ok(Admission::Now);
        }
        let waits = !self.is_begun || self.overflow == Overflow::Wait;
        Ok(if waits { Admission::Later } else { Admission::Dealt })
    }

    /// Deals with an item for which there is no credit.
    fn overflow(&mut self, item: Result<T, X>) -> Result<(), SendError> {
        let room = match self.overflow {
            Overflow::DropOldest { waiting } => usize::try_from(waiting.max(1)).unwrap_or(usize::MAX),
            Overflow::KeepLatest => 1,
            Overflow::Wait | Overflow::DropNewest => 0,
            Overflow::End => {
                self.end(&StreamFrame::Failed { fault: StreamFault::TooSlow.into() });
                return Err(self.close(SendError::TooSlow));
            }
        };
        self.waiting.push_back(item);
        if self.waiting.len() > room {
            self.dropped = self.dropped.saturating_add(1);
            drop(self.waiting.pop_front());
        }
        Ok(())
    }

    /// Sends what waits, as far as there is credit.
    pub(super) fn send_waiting(&mut self) -> Result<(), SendError> {
        while self.credit.is_left()
            && let Some(item) = self.waiting.pop_front()
        {
            self.put(item)?;
        }
        Ok(())
    }

    /// Sends what waits, and registers for credit and for the consumer's end. Ready once nothing waits.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        loop {
            self.send_waiting()?;
            if self.waiting.is_empty() {
                return Poll::Ready(Ok(()));
            }
            if let Poll::Ready(end) = self.poll_consumer(cx) {
                return Poll::Ready(Err(end.into()));
            }
            if !self.credit.is_left() {
                return Poll::Pending;
            }
        }
    }

    /// Sends what waits, and registers for credit and for the consumer's end. Ready at that end.
    pub(super) fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<SendError> {
        loop {
            if let Err(why) = self.send_waiting() {
                return Poll::Ready(why);
            }
            if let Poll::Ready(end) = self.poll_consumer(cx) {
                return Poll::Ready(end.into());
            }
            if self.waiting.is_empty() || !self.credit.is_left() {
                return Poll::Pending;
            }
        }
    }

    /// Waits for credit.
    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        loop {
            match self.admit() {
                Ok(Admission::Later) => {}
                Ok(Admission::Now | Admission::Dealt) => return Poll::Ready(Ok(())),
                Err(why) => return Poll::Ready(Err(why)),
            }
            if let Poll::Ready(end) = self.poll_consumer(cx) {
                return Poll::Ready(Err(end.into()));
            }
            if !self.credit.is_left() {
                return Poll::Pending;
            }
        }
    }

    /// Sends an item for which there is credit.
    #[inline]
    fn put(&mut self, item: Result<T, X>) -> Result<(), SendError> {
        let cost = self.cost_of(&item);
        let added = self.batch.add(item, cost);
        self.credit.spend(1, cost);
        self.added(added)
    }

    /// As [`offer`](Self::offer), for an item that was [admitted](Self::poll_ready), from a feed that will
    /// [hand over](Self::hand_over) before it lets go of the sender: many items then take one lock.
    #[inline]
    pub(super) fn gather<I: IntoItem<T, X>>(&mut self, item: I) -> Result<(), SendError> {
        if !self.credit.is_left() || !self.waiting.is_empty() {
            return self.offer(item).map(drop);
        }
        let item = item.into_item();
        let cost = self.cost_of(&item);
        self.credit.spend(1, cost);
        self.gathered.push_back(item);
        self.gathered_cost = self.gathered_cost.saturating_add(cost);
        if self.gathered.len() < self.gather {
            return Ok(());
        }
        // The first goes at once, for its consumer may wait for it; the more come together, the more are gathered.
        self.gather = (self.gather * 2).min(MOST_GATHERED);
        self.hand_over()
    }

    /// Hands over what was gathered.
    #[inline]
    pub(super) fn hand_over(&mut self) -> Result<(), SendError> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let cost = std::mem::take(&mut self.gathered_cost);
        let added = self.batch.add_all(&mut self.gathered, cost);
        self.added(added)
    }

    /// Hands over what was gathered, and begins again with few.
    pub(super) fn rest(&mut self) -> Result<(), SendError> {
        self.gather = 1;
        self.hand_over()
    }

    /// Posts the batch if it is at home.
    #[inline]
    fn added(&mut self, added: Result<Added, Loss>) -> Result<(), SendError> {
        let added = added.map_err(|loss| {
            self.close(match loss {
                Loss::Discarded => SendError::Gone,
                Loss::Unencodable(why) => SendError::Unencodable(why),
            })
        })?;
        self.is_measuring = added.is_encoded;
        if added.is_to_post { self.post() } else { Ok(()) }
    }

    fn post(&mut self) -> Result<(), SendError> {
        if self.port.post(Parcel::Value(Carried::new(self.batch.clone()))).is_err() {
            return Err(self.close(SendError::Gone));
        }
        Ok(())
    }

    /// How many bytes an item counts.
    #[inline]
    pub(super) fn cost_of(&self, item: &Result<T, X>) -> u64 {
        if self.is_measuring { Encoder::size_of_result(item) } else { size_of::<T>().max(1) as u64 }
    }
}

/// The producer's end of a stream whose consumer is at the other end of the port.
impl<T, X> From<MessagePort> for StreamSender<T, X> {
    fn from(port: MessagePort) -> Self {
        Self::new(port)
    }
}

impl<T, X> Drop for StreamSender<T, X> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        self.hear_all();
        if self.stage == Stage::Closed(SendError::Stopped) {
            self.end(&StreamFrame::End);
        }
    }
}

impl<T, X> fmt::Debug for StreamSender<T, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamSender")
            .field("port", &self.port)
            .field("credit", &self.credit)
            .field("stage", &self.stage)
            .field("waiting", &self.waiting.len())
            .field("dropped", &self.dropped)
            .finish_non_exhaustive()
    }
}
