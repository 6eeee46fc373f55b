//! One side of a channel: its state, its queue, and who waits for it. Pure: it neither locks nor wakes nor drops.

use std::{collections::VecDeque, fmt, mem, task::Waker};

use super::{
    Bound, ClosedBy, Gone, MessageTarget, Parcel, Queued,
    queue::{Batch, Queue},
    ring::{Carrier, Place},
    state::PortState,
    target::{Announce, Delivery, MakeTarget},
    waiters::{WaiterKey, Waiters, Woken},
};
use crate::{
    sync::{Arc, Encloses},
    waking,
};

/// One side of a channel. A new one has nothing in it (PORT-01).
#[derive(Default)]
pub(super) struct Side {
    pub(super) state: PortState,
    peer_gone: Option<Gone>,
    /// Whether the other side was closed, and nobody only said so.
    peer_has_closed: bool,
    /// Whether the queue was ever lent.
    has_lent: bool,
    /// What waits to be delivered, and is not in the reader's batch.
    queue: Queue,
    pub(super) waiters: Waiters,
    delivery: Delivery,
    pace: Pace,
    /// Nearly always nobody is concerned with how much waits here.
    watch: Option<Box<Watch>>,
}

/// The reader's batch is locked inside the side that lends it.
impl Encloses<Batch> for Side {}

/// How the reader fares who comes for more. Where others post meanwhile, there is more time and again: such a reader who is a
/// little faster would go to sleep and be woken for every few messages.
#[derive(Clone, Copy, Default)]
enum Pace {
    /// There was nothing.
    #[default]
    Idle,
    /// There was something: it may have been posted before the reader came.
    Started,
    /// There was something again, so it was posted while the reader received.
    Running,
}

impl Pace {
    /// There was something.
    #[inline]
    fn faster(self) -> Self {
        match self {
            Self::Idle => Self::Started,
            Self::Started | Self::Running => Self::Running,
        }
    }
}

/// Who is to know how much waits at a side.
#[derive(Default)]
struct Watch {
    /// There is none unless somebody sets one.
    limit: Option<Limit>,
    /// Who waits until less waits here, if anybody does.
    drain: Option<Drain>,
}

/// How much may wait at a side, and who waits to post there.
#[derive(Default)]
struct Limit {
    bound: Bound,
    posters: Waiters,
}

/// Who is woken when no more than that waits at a side.
struct Drain {
    mark: Queued,
    waker: Waker,
}

/// What became of something posted to a side.
#[must_use = "wake, deliver and drop after unlocking"]
pub(super) enum Accepted {
    /// It is in the queue, and nobody is to be told.
    Queued,
    /// It is in the queue, and one task waits for it.
    Wakes(Waker),
    /// It is in the queue.
    QueuedFor(Told),
}

/// Where what is posted to a side goes.
pub(super) enum Destination {
    Queue,
    /// To the side's target.
    Target(Arc<dyn MessageTarget>),
    /// Nowhere (PORT-23): the sender gets it back.
    Nowhere,
}

/// What a side has for its reader.
pub(super) enum Next {
    /// The oldest entry, and who else is to be told that it is out: hardly ever anybody.
    Parcel(Parcel, Told),
    /// Nothing to deliver at this moment, but others post while the reader receives: worth a second look before it waits.
    Soon,
    /// Nothing to deliver yet.
    Nothing,
    /// Nothing will come any more.
    Closed,
}

/// Who is to be told of a change, once no lock is held: nearly always one task, or nobody.
#[must_use = "tell them after unlocking"]
#[derive(Default)]
pub(super) struct Told {
    one: Option<Waker>,
    more: Option<Box<All>>,
}

/// Who is to be told that the channel has ended, and the target that is.
pub(super) type Closing = (Told, Option<Arc<dyn MessageTarget>>);

/// All who may have to be told of a change.
struct All {
    woken: Woken,
    posters: Woken,
    drained: Option<Waker>,
    announce: Option<(Arc<dyn Announce>, usize)>,
}

impl Told {
    /// Whether there is nobody to be told.
    pub(super) fn is_nobody(&self) -> bool {
        self.one.is_none() && self.more.is_none()
    }

    /// Tells them.
    #[inline]
    pub(super) fn tell(self) {
        if let Some(waker) = self.one {
            waking::wake(waker);
        }
        if let Some(more) = self.more {
            more.tell();
        }
    }
}

impl All {
    #[cold]
    fn tell(self) {
        self.woken.wake();
        self.posters.wake();
        if let Some(waker) = self.drained {
            waker.wake();
        }
        if let Some((announce, times)) = self.announce {
            (0..times).for_each(|_| announce.announce());
        }
    }
}

impl Side {
    /// Where an entry goes. It is asked first, so that an entry is moved once.
    #[inline(always)]
    pub(super) fn destination(&mut self) -> Destination {
        if !self.state.takes_messages() || self.peer_gone.is_some() {
            return Destination::Nowhere;
        }
        match &self.delivery {
            Delivery::Target(target) => Destination::Target(target.clone()),
            Delivery::Later(make, times_shipped) => Destination::Target(self.make_target(*make, *times_shipped)),
            _ => Destination::Queue,
        }
    }

    /// Adds an entry whose destination is the queue.
    #[inline]
    pub(super) fn accept(&mut self, parcel: Parcel) -> Accepted {
        self.queue.push(parcel);
        if !self.state.delivers() {
            return Accepted::Queued;
        }
        // Nearly always a reader waits and nobody else, or nobody.
        if self.delivery.is_read() {
            if self.waiters.is_empty() {
                return Accepted::Queued;
            }
            if self.watch.is_none()
                && let Some(waker) = self.waiters.take_only()
            {
                return Accepted::Wakes(waker);
            }
        }
        Accepted::QueuedFor(self.told(1))
    }

    /// Adds an entry, also after the other side has gone.
    pub(super) fn put_back(&mut self, parcel: Parcel) -> Told {
        self.queue.push(parcel);
        if self.state.delivers() { self.told(1) } else { Told::default() }
    }

    /// Everyone who waits for what comes, and whoever is to be told of that many things to take.
    fn told(&mut self, things: usize) -> Told {
        if things == 0 {
            return Told::default();
        }
        if !self.is_watched() && self.waiters.are_few() {
            return Told { one: self.waiters.take_only(), more: None };
        }
        let woken = self.waiters.take();
        self.told_of(things, woken)
    }

    /// Everyone who waits, and whoever is to be told that there is the end to take.
    fn told_of_the_end(&mut self) -> Told {
        if self.waiters.is_nobody_for_the_end() {
            return self.told(1);
        }
        let woken = self.waiters.take_all();
        self.told_of(1, woken)
    }

    /// Those, and whoever is to be told of that many things to take.
    fn told_of(&mut self, things: usize, woken: Woken) -> Told {
        let announce = match &self.delivery {
            Delivery::Announced(announce) => Some((announce.clone(), things)),
            Delivery::Queue
            | Delivery::Read(_)
            | Delivery::Target(_)
            | Delivery::Later(..)
            | Delivery::Draining(_)
            | Delivery::Travelling(_) => None,
        };
        self.told_all(woken, announce)
    }

    /// Whether others have to be told than those who wait for what comes.
    fn is_watched(&self) -> bool {
        self.watch.is_some() || matches!(self.delivery, Delivery::Announced(_))
    }

    /// Those, and whoever waits for room or for less to wait here.
    #[cold]
    fn told_all(&mut self, woken: Woken, announce: Option<(Arc<dyn Announce>, usize)>) -> Told {
        let all = All { woken, posters: self.posters_with_room(), drained: self.drained(), announce };
        Told { one: None, more: Some(Box::new(all)) }
    }

    /// How many things there are to take: messages, and the end of the channel.
    fn things(&self) -> usize {
        let messages = if self.state.delivers() { self.queue.len() } else { 0 };
        messages + usize::from(self.state.is_closed() || self.peer_gone.is_some())
    }

    /// Takes the oldest entry that may be delivered (LOOP-06).
    #[inline(always)]
    pub(super) fn next(&mut self) -> Next {
        if self.state.delivers()
            && let Some(parcel) = self.queue.pop()
        {
            self.pace = self.pace.faster();
            // Whoever waits for the end of the channel is told after the data (CLOSE-07), and whoever waits for room is told.
            let last = self.queue.is_empty() && self.peer_gone.is_some();
            if !(last || self.watch.is_some()) {
                return Next::Parcel(parcel, Told::default());
            }
            let woken = if last { self.waiters.take_all() } else { Woken::default() };
            return Next::Parcel(parcel, self.told_all(woken, None));
        }
        if self.is_finished() {
            return Next::Closed;
        }
        match mem::take(&mut self.pace) {
            Pace::Idle | Pace::Started => Next::Nothing,
            Pace::Running => Next::Soon,
        }
    }

    /// Takes the oldest entry in some way, if nobody else has to know of it.
    #[inline(always)]
    pub(super) fn next_unwatched<T>(&mut self, take: impl FnOnce(&mut Queue) -> Option<T>) -> Option<T> {
        if self.watch.is_some() || self.peer_gone.is_some() || !self.state.delivers() {
            return None;
        }
        let taken = take(&mut self.queue)?;
        self.pace = self.pace.faster();
        Some(taken)
    }

    /// Lends the queue to the reader, to be received without this side.
    pub(super) fn lend(&mut self, batch: &mut Batch) {
        self.queue.lend(batch);
        self.has_lent = true;
    }

    /// Whether the queue was ever lent.
    pub(super) fn has_lent(&self) -> bool {
        self.has_lent
    }

    /// Whether the queue may be lent: if there is anything in it, and if nobody else needs to know when it is received. Nobody waits
    /// for room or for the end, and nobody is told of each thing that there is to take. Whoever changes that takes the batch back first.
    #[inline]
    pub(super) fn may_lend(&self) -> bool {
        let is_open = self.state == PortState::Enabled && self.peer_gone.is_none();
        !self.queue.is_empty() && is_open && self.watch.is_none() && self.delivery.is_read()
    }

    /// Whether nothing more waits, and the last was not posted while the reader received.
    #[inline]
    pub(super) fn is_slow(&self) -> bool {
        self.queue.is_empty() && self.peer_gone.is_none() && matches!(self.pace, Pace::Started)
    }

    /// Registers a reader that has found nothing more.
    #[inline]
    #[must_use = "drop a replaced waker outside the lock"]
    pub(super) fn wait_for_next(&mut self, key: &mut Option<WaiterKey>, waker: &Waker) -> Option<Waker> {
        self.pace = Pace::Idle;
        self.waiters.register(key, waker)
    }

    /// Puts back what a reader had taken over for good.
    pub(super) fn put_batch_back(&mut self, batch: &mut Batch) -> Told {
        let things = if self.state.delivers() { batch.len() } else { 0 };
        self.queue.prepend(batch);
        self.told(things)
    }

    /// Takes back what is left of a batch that was lent.
    pub(super) fn take_back(&mut self, batch: &mut Batch) {
        self.queue.prepend(batch);
    }

    /// Sets how much may wait here, for those who ask before they post.
    pub(super) fn set_bound(&mut self, bound: Bound) -> Woken {
        self.limit_to_be().bound = bound;
        self.posters_with_room()
    }

    fn limit(&self) -> Option<&Limit> {
        self.watch.as_ref()?.limit.as_ref()
    }

    fn limit_to_be(&mut self) -> &mut Limit {
        self.watch.get_or_insert_default().limit.get_or_insert_default()
    }

    /// Whether another message may be posted, for those who ask. Where there is no destination there is room for all that is
    /// lost anyway.
    pub(super) fn has_room(&self) -> bool {
        let Some(limit) = self.limit() else { return true };
        let is_open = self.state.takes_messages() && self.peer_gone.is_none();
        !is_open || limit.bound.has_room(self.queued())
    }

    /// Registers somebody who waits for room.
    #[must_use = "drop a replaced waker outside the lock"]
    pub(super) fn register_poster(&mut self, key: &mut Option<WaiterKey>, waker: &Waker) -> Option<Waker> {
        self.limit_to_be().posters.register(key, waker)
    }

    /// Those who wait to post, if there is room now.
    fn posters_with_room(&mut self) -> Woken {
        if !self.has_room() {
            return Woken::default();
        }
        let limit = self.watch.as_mut().and_then(|watch| watch.limit.as_mut());
        limit.map(|limit| limit.posters.take()).unwrap_or_default()
    }

    /// Forgets a future that waited for room.
    #[must_use = "drop a waker outside the lock"]
    pub(super) fn forget_poster(&mut self, key: WaiterKey) -> Option<Waker> {
        self.watch.as_mut()?.limit.as_mut()?.posters.remove(key)
    }

    /// Whether no more than that waits here for others. What waits at a side that was closed is its owner's own affair.
    pub(super) fn is_drained(&self, mark: Queued) -> bool {
        let Queued { messages, bytes } = self.queued();
        self.state.is_closed() || (messages <= mark.messages && bytes <= mark.bytes)
    }

    /// Registers the one who waits until no more than that waits here; hands back whom it replaced.
    #[must_use = "drop a replaced waker outside the lock"]
    pub(super) fn watch_drain(&mut self, mark: Queued, waker: &Waker) -> Option<Waker> {
        let drain = &mut self.watch.get_or_insert_default().drain;
        drain.replace(Drain { mark, waker: waker.clone() }).map(|former| former.waker)
    }

    /// Forgets who waited until less waits here.
    #[must_use = "drop a waker outside the lock"]
    pub(super) fn forget_drain(&mut self) -> Option<Waker> {
        let drain = self.watch.as_mut()?.drain.take();
        self.watch.take_if(|watch| watch.limit.is_none());
        drain.map(|drain| drain.waker)
    }

    /// Who waits until less waits here, if that is so now.
    fn drained(&mut self) -> Option<Waker> {
        let mark = self.watch.as_ref()?.drain.as_ref()?.mark;
        if self.is_drained(mark) { self.forget_drain() } else { None }
    }

    /// Whether nothing is left to deliver, and nothing will come any more.
    pub(super) fn is_finished(&self) -> bool {
        let nothing_left = self.queue.is_empty() || self.state.is_silent();
        nothing_left && (self.state.is_closed() || self.peer_gone.is_some())
    }

    /// Enables the queue.
    pub(super) fn start(&mut self) -> Told {
        let delivered = self.state.delivers();
        self.state.start();
        if delivered || !self.state.delivers() { Told::default() } else { self.told(self.things()) }
    }

    /// As [`start`](Self::start), for a reader who has found nothing. Who is to be told, if what waits is delivered only from now on.
    pub(super) fn start_waiting(&mut self) -> Option<Told> {
        let delivered = self.state.delivers();
        let told = self.start();
        let has_begun = !delivered && self.state.delivers() && !self.queue.is_empty();
        has_begun.then_some(told)
    }

    /// Closes this side. `None` if it was closed already.
    #[must_use = "wake after unlocking"]
    pub(super) fn close(&mut self) -> Option<Closing> {
        self.state.close().then(|| (self.told_of_the_end(), self.take_target()))
    }

    /// Notes that the other side was closed.
    pub(super) fn peer_closes(&mut self, gone: Gone) -> Closing {
        self.peer_has_closed = true;
        self.peer_has_gone(gone)
    }

    /// Whether the other side was closed, and nobody only said so.
    pub(super) fn peer_has_closed(&self) -> bool {
        self.peer_has_closed
    }

    /// Notes that the other side has gone, wherever this one is: it is noted here, so it travels along (CLOSE-05, PORT-62).
    pub(super) fn peer_has_gone(&mut self, gone: Gone) -> Closing {
        self.peer_gone.get_or_insert(gone);
        (self.told_of_the_end(), self.target())
    }

    /// Who closed the channel. The other side's end is told once everything that it posted before was received (CLOSE-07). A
    /// queue that is not enabled delivers nothing, so it holds nothing up (CLOSE-08).
    pub(super) fn closed_by(&self) -> Option<ClosedBy> {
        if self.state.is_closed() {
            return Some(ClosedBy::ThisEnd);
        }
        let told = self.queue.is_empty() || !self.state.delivers();
        self.peer_gone.filter(|_| told).map(ClosedBy::from)
    }

    /// How the other side went, whatever still waits.
    pub(super) fn peer_gone(&self) -> Option<Gone> {
        self.peer_gone
    }

    /// Puts this side into a message. `None` if it is closed.
    ///
    /// The queue goes along; who waits, and the target, belong to the old place (PORT-61).
    #[must_use = "wake after unlocking"]
    pub(super) fn transfer_steps(&mut self) -> Option<(Woken, Delivery)> {
        self.state.transfer_steps().then(|| (self.waiters.take_all(), self.remove_delivery()))
    }

    /// Gives what waits, and what comes from now on, to a target. Until [`drained_to_target`](Self::drained_to_target) finds nothing left, it queues up.
    #[must_use = "drop outside the lock"]
    pub(super) fn drain_to(&mut self, target: Arc<dyn MessageTarget>) -> Delivery {
        self.state.start();
        mem::replace(&mut self.delivery, Delivery::Draining(target))
    }

    /// Is read from now on, and leads to a target for those who ask where.
    #[must_use = "drop outside the lock"]
    pub(super) fn read_for(&mut self, target: Arc<dyn MessageTarget>) -> (Told, Delivery) {
        let former = mem::replace(&mut self.delivery, Delivery::Read(target));
        (self.start(), former)
    }

    /// Gives what comes from now on to a target, where nothing waits, nobody else has to know, and the channel has not ended. It is handed back
    /// where that is not so.
    pub(super) fn lead_to(&mut self, target: Arc<dyn MessageTarget>) -> Result<Delivery, Arc<dyn MessageTarget>> {
        if !self.is_as_new() {
            return Err(target);
        }
        self.state.start();
        Ok(mem::replace(&mut self.delivery, Delivery::Target(target)))
    }

    /// As [`lead_to`](Self::lead_to), where the target is made later. `None` where it cannot.
    #[must_use = "drop outside the lock"]
    pub(super) fn lead_later(&mut self, make: MakeTarget, times_shipped: u32) -> Option<Delivery> {
        if !self.is_as_new() {
            return None;
        }
        self.state.start();
        Some(mem::replace(&mut self.delivery, Delivery::Later(make, times_shipped)))
    }

    /// Whether nothing waits, nobody has to know of what comes, and the channel has not ended.
    fn is_as_new(&self) -> bool {
        self.watch.is_none() && self.queue.is_empty() && !self.state.is_closed() && self.peer_gone.is_none()
    }

    /// Makes the target that was to be made later.
    #[cold]
    fn make_target(&mut self, make: MakeTarget, times_shipped: u32) -> Arc<dyn MessageTarget> {
        let target = make(times_shipped, self.peer_gone);
        self.delivery = Delivery::Target(target.clone());
        target
    }

    /// What waits for the target. If nothing does, all that comes from now on goes straight to it: then tells who waits for that, and
    /// how the channel has ended, if it has.
    #[must_use = "deliver, drop and wake after unlocking"]
    pub(super) fn drained_to_target(&mut self) -> Result<(Told, Option<Gone>), VecDeque<Parcel>> {
        if !self.queue.is_empty() {
            return Err(self.take_queue());
        }
        self.delivery = match mem::take(&mut self.delivery) {
            Delivery::Draining(target) => Delivery::Target(target),
            other => other,
        };
        // Nothing queues up any more, so whoever waits for room has it.
        let gone = self.peer_gone.or(self.state.is_closed().then_some(Gone::Closed));
        Ok((if self.watch.is_some() { self.told_all(Woken::default(), None) } else { Told::default() }, gone))
    }

    /// Tells somebody of everything that waits, and of what comes from now on.
    pub(super) fn set_announce(&mut self, announce: Arc<dyn Announce>) -> (Told, Delivery) {
        let former = mem::replace(&mut self.delivery, Delivery::Announced(announce));
        (self.told(self.things()), former)
    }

    /// The target, if what is posted goes straight to it.
    pub(super) fn target(&self) -> Option<Arc<dyn MessageTarget>> {
        match &self.delivery {
            Delivery::Target(target) => Some(target.clone()),
            Delivery::Queue
            | Delivery::Read(_)
            | Delivery::Announced(_)
            | Delivery::Later(..)
            | Delivery::Draining(_)
            | Delivery::Travelling(_) => None,
        }
    }

    /// The target, also if what waits has to be given to it first, or is read for it; not if it has to be made.
    pub(super) fn leads_to(&self) -> Option<Arc<dyn MessageTarget>> {
        match &self.delivery {
            Delivery::Target(target) | Delivery::Draining(target) | Delivery::Read(target) => Some(target.clone()),
            Delivery::Queue | Delivery::Announced(_) | Delivery::Later(..) | Delivery::Travelling(_) => None,
        }
    }

    /// The target that answers belong to: as [`leads_to`](Self::leads_to), and it is made, if it was left for later.
    pub(super) fn target_for_answers(&mut self) -> Option<Arc<dyn MessageTarget>> {
        if let Delivery::Later(make, times_shipped) = self.delivery {
            return Some(self.make_target(make, times_shipped));
        }
        self.leads_to()
    }

    /// Takes the target, which gets nothing any more.
    pub(super) fn take_target(&mut self) -> Option<Arc<dyn MessageTarget>> {
        let target = self.leads_to();
        if target.is_some() || matches!(self.delivery, Delivery::Later(..)) {
            self.delivery = Delivery::Queue;
        }
        target
    }

    /// Lets what comes from now on queue up, and tells nobody but those who wait.
    #[must_use = "drop outside the lock"]
    pub(super) fn remove_delivery(&mut self) -> Delivery {
        mem::take(&mut self.delivery)
    }

    /// Notes in whose queue this side's port travels.
    #[must_use = "drop outside the lock"]
    pub(super) fn set_carrier(&mut self, carrier: Carrier) -> Delivery {
        mem::replace(&mut self.delivery, Delivery::Travelling(carrier))
    }

    /// The side in whose queue this side's port travels.
    pub(super) fn carrier(&self) -> Option<Place> {
        match &self.delivery {
            Delivery::Travelling(carrier) => carrier.place(),
            Delivery::Queue
            | Delivery::Read(_)
            | Delivery::Announced(_)
            | Delivery::Target(_)
            | Delivery::Later(..)
            | Delivery::Draining(_) => None,
        }
    }

    /// [Transfer-receiving steps](https://html.spec.whatwg.org/multipage/web-messaging.html#message-ports:transfer-receiving-steps):
    /// the port has arrived, with its queue, disabled (PORT-54), and lies in no queue any more.
    #[must_use = "drop outside the lock"]
    pub(super) fn transfer_receiving_steps(&mut self) -> Delivery {
        self.state.transfer_receiving_steps();
        match &self.delivery {
            Delivery::Travelling(_) => self.remove_delivery(),
            Delivery::Queue
            | Delivery::Read(_)
            | Delivery::Announced(_)
            | Delivery::Target(_)
            | Delivery::Later(..)
            | Delivery::Draining(_) => Delivery::Queue,
        }
    }

    /// How much waits.
    pub(super) fn queued(&self) -> Queued {
        self.queue.queued()
    }

    /// Takes everything that waits.
    #[must_use = "drop messages outside the lock"]
    pub(super) fn take_queue(&mut self) -> VecDeque<Parcel> {
        self.queue.take()
    }
}

impl fmt::Debug for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Side")
            .field("state", &self.state)
            .field("queued", &self.queue.len())
            .field("peer_gone", &self.peer_gone)
            .finish_non_exhaustive()
    }
}
