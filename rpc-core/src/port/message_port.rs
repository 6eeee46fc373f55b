//! The handle on one side of a channel.

use std::{
    collections::VecDeque,
    fmt,
    task::{Context, Poll},
};

use super::{
    Announce, Closed, ClosedBy, DataCloneError, DataCloneReason, Gone, MessageChannel, MessageTarget, Parcel, Queued,
    channel::{Channel, End},
    discard::discard,
    queue::{Batch, Queue},
    reader::Received,
    ring::{self, Carrier, Place},
    side::{Accepted, Closing, Destination, Next, Side, Told},
    side_cell::{Left, SideCell},
    target::MakeTarget,
    transfer::PortRef,
    waiters::WaiterKey,
};
use crate::{
    Message,
    live::{Alive, What},
    panicking,
    sync::{Arc, Guard, pause},
    waking,
};

/// One end of a [`MessageChannel`](super::MessageChannel): posts to the other end, and receives what is posted there.
///
/// A port has one owner. It is handed on by moving it, to another thread as it is, or through another port inside a
/// [`Message`]; what was queued for it goes along, and the other end is never told (PORT-50, PORT-52, PORT-55). Dropping a
/// port closes it, so a thread that ends closes the ports that it held (PORT-13).
///
/// Queues have no bound (PORT-07) but the one that [`set_bound`](Self::set_bound) sets for those who ask. A message that would put
/// ports into each other's queues, where nobody could ever reach them, is lost when it is posted, with all of them (DEC-08).
pub struct MessagePort {
    channel: Arc<Channel>,
    /// For the [`Stream`](futures::Stream) that this port is.
    pub(super) stream_key: Option<WaiterKey>,
    shipped: u32,
    end: End,
    _alive: Alive,
}

/// How far it is looked for where something waits.
const MOST_PASSES: usize = 256;

impl MessagePort {
    pub(super) fn new(channel: Arc<Channel>, end: End, shipped: u32) -> Self {
        Self { channel, stream_key: None, shipped, end, _alive: Alive::new(What::Port) }
    }

    /// [Posts](https://html.spec.whatwg.org/multipage/web-messaging.html#dom-messageport-postmessage) a message to the
    /// other end, with the ports in it. Returns at once; the queue has no bound.
    ///
    /// The message is in the other end's queue when this returns (LOOP-03), wherever that end is by then (PORT-21). If there is
    /// no other end any more, the message and its ports are dropped silently (PORT-23, PORT-46). A message that holds the other
    /// end itself is lost, and the channel with it (PORT-24).
    ///
    /// # Errors
    /// [`DataCloneError`] if a port in the message has been closed (PORT-44, PORT-58). Everything comes back inside (PORT-31).
    pub fn post_message(&self, message: impl Into<Message>) -> Result<(), DataCloneError> {
        let mut message = message.into();
        // PORT-22: the port itself cannot be in the message, which would own it; so this is the first check.
        // DEC-05, SER-05: all are checked before any is moved, so nothing is half transferred.
        if let Some(position) = message.ports().iter().position(|port| !port.is_transferable()) {
            return Err(DataCloneError::new(message, DataCloneReason::DetachedPort(position)));
        }
        message.transfer_steps();
        self.post_in_flight(message);
        Ok(())
    }

    /// Posts a message whose ports have been taken from whoever owned them. Where there is no destination it is dropped, with
    /// no lock held.
    #[inline]
    pub(crate) fn post_in_flight(&self, message: Message) {
        let _no_destination = self.post(Parcel::Message(message));
    }

    /// A port whose other end is gone.
    pub(super) fn peerless() -> Self {
        let (port, _gone) = MessageChannel::new().into_ports();
        port
    }

    /// Posts a parcel, or hands it back if there is no destination.
    #[inline]
    pub(crate) fn post(&self, parcel: Parcel) -> Result<(), Parcel> {
        // PORT-26: a port that was transferred away sends nothing. No two sides are locked together, so a post that runs beside
        // the transfer, on another thread that shares the port, may still land.
        if !self.is_current() {
            return Err(parcel);
        }
        // Noticed before queueing, for a queue that held its own port would never be dropped.
        if self.is_doomed(&parcel) {
            tracing::warn!(
                "a message was lost, because nobody could have received it: it held the port that it was posted to, or one in \
                 whose queue that port lies"
            );
            return Ok(());
        }
        let mut side = self.peer().lock_without_batch();
        match side.destination() {
            Destination::Queue => {
                let accepted = side.accept(parcel);
                drop(side);
                match accepted {
                    Accepted::Queued => {}
                    Accepted::Wakes(waker) => waking::wake(waker),
                    Accepted::QueuedFor(told) => told.tell(),
                }
            }
            Destination::Target(target) => {
                drop(side);
                target.deliver(parcel);
            }
            Destination::Nowhere => {
                drop(side);
                return Err(parcel);
            }
        }
        Ok(())
    }

    /// [Enables](https://html.spec.whatwg.org/multipage/web-messaging.html#dom-messageport-start) delivery of what waits and
    /// of what is still to come (PORT-35, PORT-37). Never fails, also on a closed port (PORT-38).
    pub fn start(&self) {
        let told = self.owned().map(|mut side| side.start());
        told.unwrap_or_default().tell();
    }

    /// [Closes](https://html.spec.whatwg.org/multipage/web-messaging.html#dom-messageport-close) the channel (PORT-40).
    /// Again is nothing (PORT-41).
    ///
    /// What was posted before from here still arrives at the other end (PORT-42), and what waits here can still be received
    /// if this port was started, or is started later (PORT-43). Nothing else arrives in either direction (PORT-45, PORT-46):
    /// it is dropped by whoever posts it, so a closed channel holds nothing new while its ends are still held (GC-06).
    pub fn close(&self) {
        self.close_as(Gone::Closed);
    }

    /// [Disentangles](https://html.spec.whatwg.org/multipage/web-messaging.html#disentangle) the two ends and tells the
    /// other one (PORT-12).
    ///
    /// With [`Gone::Panicked`], as if whoever held this end had.
    pub(crate) fn close_as(&self, gone: Gone) {
        if let Some(mut side) = self.owned() {
            let (closed, is_alone) = (side.close(), side.peer_has_closed());
            drop(side);
            self.tell_of_close(closed, is_alone, gone);
        }
    }

    /// The peer is told before anybody here is woken, and told again by whoever finds this port closed already, while another thread may
    /// just be closing it: nothing that any of them posts afterwards arrives (PORT-46). A peer that has closed itself has nothing to learn.
    fn tell_of_close(&self, closed: Option<Closing>, is_alone: bool, gone: Gone) {
        let tell = |(told, target): Closing| {
            told.tell();
            if let Some(target) = target {
                target.closed(gone);
            }
        };
        if !is_alone {
            let told = self.peer().lock().peer_closes(gone);
            tell(told);
        }
        closed.into_iter().for_each(tell);
    }

    /// Whether either end was closed or dropped, or this port was transferred away: nothing posted here arrives.
    pub fn is_closed(&self) -> bool {
        self.owned().is_none_or(|side| side.state.is_closed() || side.peer_gone().is_some())
    }

    /// How often this side was transferred before this handle got it.
    pub(crate) fn times_shipped(&self) -> u32 {
        self.shipped
    }

    /// Whether this handle is the one that owns the side; false once the side was transferred away from it (PORT-51).
    fn is_current(&self) -> bool {
        self.mine().is_owned_by(self.shipped)
    }

    /// Whether the port may be put into a message (PORT-44, PORT-58).
    pub(crate) fn is_transferable(&self) -> bool {
        self.owned().is_some_and(|side| !side.state.is_closed())
    }

    /// Whether this is a message that nobody could ever receive (PORT-24, DEC-08). A value is not looked into.
    #[inline]
    fn is_doomed(&self, parcel: &Parcel) -> bool {
        match parcel {
            Parcel::Message(message) => message.has_more_than_bytes() && self.would_close_a_ring(message),
            Parcel::Value(_) => false,
        }
    }

    fn would_close_a_ring(&self, message: &Message) -> bool {
        !message.ports().is_empty() && ring::closes_a_ring((self.channel.clone(), self.end.other()), message.ports())
    }

    /// Whether this is a handle on that side.
    pub(super) fn is_at(&self, (channel, end): &Place) -> bool {
        Arc::ptr_eq(&self.channel, channel) && self.end == *end
    }

    /// Notes in whose queue this port travels.
    pub(super) fn set_carrier(&self, carrier: Carrier) {
        let former = self.owned().map(|mut side| side.set_carrier(carrier));
        drop(former);
    }

    /// Names the side without owning it.
    pub(super) fn reference(&self) -> PortRef {
        PortRef { channel: self.channel.clone(), end: self.end, shipped: self.shipped }
    }

    /// Moves a side to a new handle: every older one is detached from here on. `None` if that side has been closed, or moved
    /// since.
    pub(super) fn take_over(from: PortRef) -> Option<Self> {
        let shipped = from.channel.side(from.end).transfer_steps(from.shipped)?;
        Some(Self::new(from.channel, from.end, shipped))
    }

    /// Moves the port out of this handle, which is detached from here on. `None` if it is closed, or has been moved already.
    pub(crate) fn move_away(&self) -> Option<Self> {
        Self::take_over(self.reference())
    }

    /// How much of what was posted here was not received, wherever it waits by now: whoever only passes on does not receive.
    pub(crate) fn unread(&self) -> Queued {
        let mut target = self.peer_target();
        let mut queued = self.unreceived().queued();
        // Ways may be long, but this one was made by those who wait at its end.
        for _ in 0..MOST_PASSES {
            let Some(way_on) = target.as_deref().and_then(MessageTarget::passes_on_by) else { break };
            queued = way_on.unreceived().queued();
            target = way_on.peer_target();
        }
        queued
    }

    /// [Transfer steps](https://html.spec.whatwg.org/multipage/web-messaging.html#message-ports:transfer-steps), for a handle
    /// that goes along in the message (PORT-50).
    pub(crate) fn transfer_steps(&mut self) {
        if let Some(shipped) = self.mine().transfer_steps(self.shipped) {
            self.shipped = shipped;
            self.stream_key = None;
        }
    }

    /// [Transfer-receiving steps](https://html.spec.whatwg.org/multipage/web-messaging.html#message-ports:transfer-receiving-steps):
    /// the port has arrived, with its queue, disabled (PORT-54).
    pub(crate) fn transfer_receiving_steps(&self) {
        if let Some(mut side) = self.owned() {
            let journey = side.transfer_receiving_steps();
            drop(side);
            drop(journey);
        }
    }

    /// Delivers to a target from now on, what waits first: nothing overtakes it.
    pub(crate) fn set_target(&self, target: Arc<dyn MessageTarget>) {
        let Some(mut side) = self.owned() else { return target.closed(Gone::Closed) };
        // Nearly always nothing waits.
        let target = match side.lead_to(target) {
            Ok(former) => {
                drop(side);
                return drop(former);
            }
            Err(target) => target,
        };
        let former = side.drain_to(target.clone());
        let drained = side.drained_to_target();
        drop(side);
        drop(former);
        if !give(drained, &*target) {
            self.drain(&*target);
        }
    }

    /// Delivers to a target from now on that is made when anything comes for it: most clients never get anything by their port.
    pub(crate) fn set_target_later(&self, make: MakeTarget) {
        let led = self.owned().map(|mut side| {
            let former = side.lead_later(make, self.shipped);
            self.mine().calm(&side);
            former
        });
        match led {
            Some(Some(former)) => drop(former),
            Some(None) => self.set_target(make(self.shipped, None)),
            None => {}
        }
    }

    /// The target of this port, if it was made since anybody has looked. To make it is up to this, or to whoever has something for it.
    pub(crate) fn own_target(&self, is_wanted: bool) -> Option<Arc<dyn MessageTarget>> {
        let mut side = self.owned()?;
        let target = if is_wanted { side.target_for_answers() } else { side.leads_to() };
        if target.is_none() {
            self.mine().calm(&side);
        }
        target
    }

    /// Is read from now on, which starts it, and leads to a target for those who ask where. The target gets nothing that is posted.
    pub(crate) fn read_for(&self, target: Arc<dyn MessageTarget>) {
        if let Some((told, former)) = self.owned().map(|mut side| side.read_for(target)) {
            drop(former);
            told.tell();
        }
    }

    /// Leads to a target from now on, which [`drain`](Self::drain) gives what waits.
    pub(crate) fn drain_to(&self, target: Arc<dyn MessageTarget>) {
        let former = self.owned().map(|mut side| side.drain_to(target));
        drop(former);
    }

    /// Gives a target what waits, until nothing does: from then on whoever posts gives it to the target himself.
    pub(crate) fn drain(&self, target: &dyn MessageTarget) {
        loop {
            let Some(mut side) = self.owned() else { return target.closed(Gone::Closed) };
            let drained = side.drained_to_target();
            drop(side);
            if give(drained, target) {
                return;
            }
        }
    }

    /// Queues what comes from now on.
    pub(crate) fn remove_delivery(&self) {
        let former = self.owned().map(|mut side| side.remove_delivery());
        drop(former);
    }

    /// Queues something here as if it had been posted by the other end, whether that is there or not.
    pub(crate) fn put_back(&self, parcel: Parcel) {
        let told = self.owned().map(|mut side| side.put_back(parcel));
        told.unwrap_or_default().tell();
    }

    /// Tells somebody of what waits, and of what comes from now on.
    pub(crate) fn set_announce(&self, announce: Arc<dyn Announce>) {
        let set = self.owned().map(|mut side| side.set_announce(announce));
        if let Some((told, former)) = set {
            drop(former);
            told.tell();
        }
    }

    /// Takes the next parcel if one may be delivered.
    pub(crate) fn try_take(&self) -> Option<Parcel> {
        let next = self.owned()?.next();
        match next {
            Next::Parcel(parcel, told) => {
                told.tell();
                Some(parcel.received())
            }
            Next::Closed | Next::Soon | Next::Nothing => None,
        }
    }

    /// Who closed the channel, if everything that has to come before that was received.
    pub(crate) fn closed_by(&self) -> Option<ClosedBy> {
        self.owned().map_or(Some(ClosedBy::ThisEnd), |side| side.closed_by())
    }

    /// Whether nothing is left to receive, and nothing will come any more.
    pub(crate) fn is_finished(&self) -> bool {
        self.owned().is_none_or(|side| side.is_finished())
    }

    /// The target of the other end, if there is one.
    pub(crate) fn peer_target(&self) -> Option<Arc<dyn MessageTarget>> {
        self.peer().lock_without_batch().leads_to()
    }

    /// The target of the other end, where answers to what was received here belong: it is made, if it was left for later.
    pub(crate) fn peer_target_for_answers(&self) -> Option<Arc<dyn MessageTarget>> {
        self.peer().lock_without_batch().target_for_answers()
    }

    /// The target of the other end, if what is posted here goes straight to it.
    pub(super) fn peer_past_queue(&self) -> Option<Arc<dyn MessageTarget>> {
        self.peer().lock_without_batch().target()
    }

    /// Takes the next parcel, or registers to be woken for it. Where others post at this moment, it looks once
    /// more before it waits.
    #[inline]
    pub(super) fn poll_parcel(
        &self,
        key: &mut Option<WaiterKey>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Parcel, Closed>> {
        if let Some(parcel) = self.mine().next_of_batch(self.shipped) {
            return Poll::Ready(Ok(parcel.received()));
        }
        let Some(mut side) = self.owned() else { return Poll::Ready(Err(Closed)) };
        match side.next() {
            Next::Parcel(parcel, told) => {
                self.mine().lend(&mut side);
                drop(side);
                told.tell();
                Poll::Ready(Ok(parcel.received()))
            }
            Next::Closed => Poll::Ready(Err(Closed)),
            Next::Soon => {
                drop(side);
                pause();
                self.poll_parcel(key, cx)
            }
            Next::Nothing => wait_at(side, key, cx),
        }
    }

    /// As [`poll_parcel`](Self::poll_parcel), for one who reads all that comes: enables delivery, takes over what else waits, and where nothing
    /// does, registers at once.
    pub(super) fn poll_batch(
        &self,
        batch: &mut Batch,
        key: &mut Option<WaiterKey>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Received, Closed>> {
        let Some(mut side) = self.owned() else { return Poll::Ready(Err(Closed)) };
        loop {
            if let Some(value) = side.next_unwatched(Queue::pop_value) {
                let is_last = self.took(side, batch, key, cx);
                return Poll::Ready(Ok(Received { parcel: Parcel::Value(value), is_last }));
            }
            if let Some(parcel) = side.next_unwatched(Queue::pop) {
                let is_last = self.took(side, batch, key, cx);
                return Poll::Ready(Ok(Received { parcel: parcel.received(), is_last }));
            }
            match side.next() {
                Next::Parcel(parcel, told) => {
                    drop(side);
                    told.tell();
                    return Poll::Ready(Ok(Received { parcel: parcel.received(), is_last: false }));
                }
                Next::Closed => return Poll::Ready(Err(Closed)),
                Next::Soon => {
                    drop(side);
                    pause();
                    return self.poll_batch(batch, key, cx);
                }
                Next::Nothing => match side.start_waiting() {
                    Some(told) if told.is_nobody() => {}
                    Some(told) => {
                        drop(side);
                        told.tell();
                        return self.poll_batch(batch, key, cx);
                    }
                    None => {
                        self.mine().calm(&side);
                        return wait_at(side, key, cx);
                    }
                },
            }
        }
    }

    /// Takes over what else waits, for one who has taken the oldest entry. Where nothing does, registers, and says so.
    #[inline(always)]
    fn took(
        &self,
        mut side: Guard<'_, Side>,
        batch: &mut Batch,
        key: &mut Option<WaiterKey>,
        cx: &Context<'_>,
    ) -> bool {
        let is_last = side.is_slow();
        let replaced = if is_last { side.wait_for_next(key, cx.waker()) } else { None };
        if side.may_lend() {
            side.lend(batch);
        }
        if is_last {
            self.mine().calm(&side);
        }
        drop(side);
        drop(replaced);
        is_last
    }

    /// Whether nothing has happened here since a reader has found nothing more.
    #[inline]
    pub(super) fn is_quiet(&self) -> bool {
        self.mine().is_quiet() && self.is_current()
    }

    /// Whether nobody can have made the target of this port since it was not there.
    #[inline]
    pub(crate) fn has_no_target_yet(&self) -> bool {
        self.mine().is_quiet()
    }

    /// Puts back what a reader had taken over: it is older than what waits.
    pub(super) fn put_batch_back(&self, batch: &mut Batch) {
        let told = self.mine().lock().put_batch_back(batch);
        told.tell();
    }

    /// Who closed the channel, or registers to be woken when somebody does.
    pub(super) fn poll_closed(&self, key: &mut Option<WaiterKey>, cx: &mut Context<'_>) -> Poll<ClosedBy> {
        let Some(mut side) = self.owned() else { return Poll::Ready(ClosedBy::ThisEnd) };
        if let Some(closed_by) = side.closed_by() {
            return Poll::Ready(closed_by);
        }
        let replaced = side.waiters.register_for_the_end(key, cx.waker());
        drop(side);
        drop(replaced);
        Poll::Pending
    }

    /// Forgets a future that waited here.
    pub(super) fn forget_waiter(&self, key: WaiterKey) {
        let waker = self.mine().lock_without_batch().waiters.remove(key);
        drop(waker);
    }

    /// Locks this port's side. `None` if the side was transferred away (PORT-51): asked under the lock, for another thread
    /// that shares this port may be doing so.
    #[inline]
    pub(super) fn owned(&self) -> Option<Guard<'_, Side>> {
        let side = self.mine().lock();
        self.is_current().then_some(side)
    }

    fn mine(&self) -> &SideCell {
        self.channel.side(self.end)
    }

    pub(super) fn channel(&self) -> &Arc<Channel> {
        &self.channel
    }

    pub(super) fn end(&self) -> End {
        self.end
    }

    /// The other side (PORT-02): the same one for ever, wherever its port is by now.
    pub(super) fn peer(&self) -> &SideCell {
        self.channel.side(self.end.other())
    }
}

/// Gives a target what waited for it. Whether that was all, and it gets at once what comes.
fn give(drained: Result<(Told, Option<Gone>), VecDeque<Parcel>>, target: &dyn MessageTarget) -> bool {
    match drained {
        Err(waiting) => {
            waiting.into_iter().for_each(|parcel| target.deliver(parcel));
            false
        }
        Ok((told, gone)) => {
            told.tell();
            gone.into_iter().for_each(|gone| target.closed(gone));
            true
        }
    }
}

/// Registers the task of a future that found nothing at a side.
fn wait_at<T>(mut side: Guard<'_, Side>, key: &mut Option<WaiterKey>, cx: &Context<'_>) -> Poll<T> {
    let replaced = side.waiters.register(key, cx.waker());
    drop(side);
    drop(replaced);
    Poll::Pending
}

impl Drop for MessagePort {
    /// Collection: closes the port (PORT-13, GC-04, DEC-07), and drops what nobody can receive any more, with the ports in it.
    fn drop(&mut self) {
        let same = || Self::new(self.channel.clone(), self.end, self.shipped);
        if panicking::keep(same) {
            return;
        }
        let gone = panicking::how_it_goes();
        // Nobody else can have anything to do with either side, once the other end has gone.
        if Arc::strong_count(&self.channel) == 1
            && let Some(channel) = Arc::get_mut(&mut self.channel)
        {
            if let Some(Left { target, queue }) = channel.side_mut(self.end).end(self.shipped) {
                target.into_iter().for_each(|target| target.closed(gone));
                discard(queue);
            }
            return;
        }
        let Some(mut side) = self.owned() else { return };
        let (closed, is_alone) = (side.close(), side.peer_has_closed());
        let queue = self.mine().take_queue(side);
        self.tell_of_close(closed, is_alone, gone);
        discard(queue);
    }
}

impl fmt::Debug for MessagePort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessagePort")
            .field("id", &format_args!("{}", self.id()))
            .field("is_closed", &self.is_closed())
            .field("has_been_shipped", &self.channel.has_been_shipped())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
