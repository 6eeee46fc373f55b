//! The ports of a service beside its first, as whoever serves it knows them: what moves along when it is served elsewhere.

use std::{
    collections::{BinaryHeap, VecDeque},
    fmt,
    task::{Context, Poll},
    time::Duration,
};

use super::{
    hub::{Hub, News},
    lanes::{SeatKey, Thing},
    slots::Beside,
};
use crate::{
    Closed,
    clock::Sleep,
    port::{Parcel, Reader, Received},
    rpc::{
        arrived::{Unopened, method_of},
        desk::{AtDesk, Desk, DeskReader},
        farewell::{end_unread, farewell},
        frame::{CallId, Fault},
        grant::Ended,
    },
    sync::Arc,
};

/// Everybody who calls a service beside its first port, and the calls that wait for their turn.
#[derive(Default)]
pub(in crate::rpc) struct Reception {
    /// There is none as long as nobody can have added a port.
    pub(in crate::rpc) hub: Option<Arc<Hub>>,
    pub(in crate::rpc) room: WaitingRoom,
    /// Made when somebody can have added a port: most services have the one.
    seats: Option<Box<Seats>>,
}

/// The ports of a service beside its first, and what was taken from them.
#[derive(Default)]
pub(in crate::rpc) struct Seats {
    desks: Beside<Arc<Desk>>,
    /// The readers of the few ports that are read directly.
    pub(in crate::rpc) few: Vec<DeskReader<'static>>,
    /// What was taken out of the lanes, to be looked at one by one.
    taken: VecDeque<(SeatKey, Thing)>,
    /// Ports whose right has ended, to be told so.
    ended: VecDeque<(SeatKey, Ended)>,
    standing: Standing,
    /// Until when nobody's time is up.
    alarm: Option<(Duration, Sleep)>,
}

/// At which port something came. `None`: at the first one.
pub(in crate::rpc) type Whence = Option<Arc<Desk>>;

/// The calls that wait for their turn, unopened: the first comes first. Nearly always none does.
#[derive(Debug, Default)]
pub(in crate::rpc) struct WaitingRoom(Option<Box<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    calls: VecDeque<(Whence, Unopened)>,
    bytes: usize,
}

impl Reception {
    pub(in crate::rpc) fn new(hub: Arc<Hub>) -> Self {
        Self { hub: Some(hub), room: WaitingRoom::default(), seats: None }
    }

    /// Knows from now on who adds ports to a service, if its first port has told anybody how. Whether that is new: then whoever serves is to look
    /// once more, to be woken for those.
    #[inline]
    pub(in crate::rpc) fn join(&mut self, first: Option<&Desk>) -> bool {
        if self.hub.is_none()
            && let Some(hub) = first.and_then(|desk| desk.hub_so_far())
        {
            self.hub = Some(hub.clone());
            return true;
        }
        false
    }

    /// Takes over what came to the ports beside the first, and those that were added, until so much waits here. Pending as long as nobody can have
    /// added one.
    ///
    /// Who was polled with the same waker before is woken for what is new.
    #[inline(always)]
    pub(in crate::rpc) fn poll(&mut self, most: usize, is_same: bool, cx: &mut Context<'_>) -> Poll<Standing> {
        let Self { hub: Some(hub), seats, .. } = self else { return Poll::Pending };
        let is_first = seats.is_none();
        let seats = seats.get_or_insert_default();
        if hub.has_alarms() {
            seats.poll_alarm(hub, cx);
        }
        if is_first || !is_same || hub.has_news() {
            seats.take_news(hub, most, cx);
        }
        Poll::Ready(seats.standing)
    }

    /// The ports beside the first, if there can be any, and the calls that wait.
    #[inline]
    pub(in crate::rpc) fn split(&mut self) -> Option<(&mut Seats, &mut WaitingRoom)> {
        Some((self.seats.as_mut()?, &mut self.room))
    }

    /// The port of that place.
    pub(in crate::rpc) fn desk(&self, seat: SeatKey) -> Option<&Arc<Desk>> {
        self.seats.as_ref()?.desks.get(seat)
    }

    /// Whether somebody can still add ports.
    pub(in crate::rpc) fn has_hosts(&self) -> bool {
        self.seats.as_ref().is_some_and(|seats| seats.standing.has_hosts)
    }

    /// Whether there is a port beside the first, and was taken over.
    #[inline]
    pub(in crate::rpc) fn has_any(&self) -> bool {
        self.seats.as_ref().is_some_and(|seats| !seats.desks.is_empty())
    }

    /// Whether there is no port beside the first, also none that was added just now.
    pub(in crate::rpc) fn is_empty(&self) -> bool {
        !self.has_any() && self.hub.as_ref().is_none_or(|hub| hub.seats() == 0)
    }

    /// Takes the next thing that came to a port, one by one; where nothing was left, what has come since.
    pub(in crate::rpc) fn next(&mut self, most: usize, cx: &mut Context<'_>) -> Option<(SeatKey, Thing)> {
        if self.seats.as_ref().is_none_or(|seats| seats.taken.is_empty()) {
            let _standing = self.poll(most, false, cx);
        }
        let Seats { taken, few, .. } = &mut **self.seats.as_mut()?;
        taken.pop_front().or_else(|| {
            few.iter_mut().find_map(|reader| match reader.poll_next(cx) {
                Poll::Ready(Ok(Received { parcel, .. })) => Some((reader.port().desk().seat?, Thing::Parcel(parcel))),
                Poll::Ready(Err(Closed)) => Some((reader.port().desk().seat?, Thing::Closed)),
                Poll::Pending => None,
            })
        })
    }

    /// Serves a port no longer, which closes it. What waits there was not run.
    pub(in crate::rpc) fn leave(&mut self, seat: SeatKey) {
        let left = self.take_out(seat);
        drop(left);
    }

    /// Serves a port no longer, for its right has ended: says so to whoever calls by it, and closes it. The calls that were taken from it
    /// have been answered.
    pub(in crate::rpc) fn dismiss(&mut self, seat: SeatKey, why: Ended) {
        let Some((desk, waiting)) = self.take_out(seat) else { return };
        let fault = Fault::Refused(why.refusal());
        farewell(&desk.port, fault.clone());
        for parcel in waiting {
            if let Some(method) = method_of(&parcel) {
                desk.refused(method, &why.refusal());
            }
            end_unread(parcel.received(), &desk.port, &fault);
        }
    }

    /// Takes a port out, with what waits there.
    fn take_out(&mut self, seat: SeatKey) -> Option<(Arc<Desk>, Vec<Parcel>)> {
        let Self { hub, seats, .. } = self;
        let Seats { desks, few, taken, .. } = &mut **seats.as_mut()?;
        let desk = desks.remove(seat)?;
        let mut waiting = Vec::new();
        if desk.is_read {
            // What its reader has taken over waits at the port again.
            few.retain(|reader| reader.port().desk().seat != Some(seat));
            waiting.extend(std::iter::from_fn(|| desk.port.try_take()));
        }
        if taken.iter().any(|(key, _)| *key == seat) {
            let (own, others): (VecDeque<_>, _) = std::mem::take(taken).into_iter().partition(|(key, _)| *key == seat);
            *taken = others;
            waiting.extend(own.into_iter().filter_map(|(_, thing)| thing.into_parcel()));
        }
        waiting.extend(hub.as_ref()?.leave(&desk, seat));
        Some((desk, waiting))
    }
}

impl Seats {
    fn take_news(&mut self, hub: &Hub, most: usize, cx: &Context<'_>) {
        let News { joined, ended, has_hosts, is_halted } =
            hub.take(most.saturating_sub(self.taken.len()), &mut self.taken, cx);
        if !ended.is_empty() {
            self.ended.extend(ended);
        }
        if !joined.is_empty() {
            self.has_joined(joined);
        }
        self.standing = Standing { has_hosts, is_halted };
    }

    #[cold]
    fn has_joined(&mut self, joined: Vec<Arc<Desk>>) {
        for desk in joined {
            if desk.is_read {
                self.few.push(Reader::new(AtDesk::Other(desk.clone())));
            }
            if let Some(seat) = desk.seat {
                self.desks.insert(seat, desk);
            }
        }
    }

    /// Ends the rights whose time is up, and waits for the next one's.
    fn poll_alarm(&mut self, hub: &Hub, cx: &mut Context<'_>) {
        while let Some(due) = hub.next_due() {
            let Some(clock) = hub.clock() else { return };
            if self.alarm.as_ref().is_none_or(|(at, _)| *at != due) {
                self.alarm = Some((due, clock.sleep_until(due)));
            }
            if let Some((_, sleep)) = &mut self.alarm
                && sleep.as_mut().poll(cx).is_pending()
            {
                return;
            }
            self.alarm = None;
            hub.expire();
            // A clock that wakes too early is asked again, later.
            if hub.next_due() == Some(due) {
                cx.waker().wake_by_ref();
                return;
            }
        }
        self.alarm = None;
    }

    /// Takes what was taken out of the lanes, and the port where it came.
    #[inline]
    pub(in crate::rpc) fn pop(&mut self) -> Option<(Option<&Arc<Desk>>, SeatKey, Thing)> {
        let (seat, thing) = self.taken.pop_front()?;
        Some((self.desks.get(seat), seat, thing))
    }

    /// How much was taken out of the lanes.
    #[inline]
    pub(in crate::rpc) fn len(&self) -> usize {
        self.taken.len()
    }

    /// Whether a right has ended by which calls came.
    #[inline]
    pub(in crate::rpc) fn has_ended(&self) -> bool {
        !self.ended.is_empty()
    }

    /// Takes out the first of the rights that have ended, at most so many, and wakes what runs by them, to end.
    pub(in crate::rpc) fn take_ended(&mut self, most: usize) -> EndedRights {
        let some = self.ended.len().min(most);
        let mut ended: Vec<_> = self.ended.drain(..some).collect();
        // Nearly always it is one.
        if some > 1 {
            // Sorted by a heap, which is less code than `sort`: whoever grants nothing has it in the program, too.
            ended = BinaryHeap::from(ended).into_sorted_vec();
            ended.dedup_by_key(|(seat, _)| *seat);
        }
        for (seat, why) in &ended {
            if let Some(desk) = self.desks.get(*seat) {
                desk.ending().end(*why);
            }
        }
        EndedRights(ended)
    }
}

/// Rights that have ended, by the seats of their ports: sorted, each once.
pub(in crate::rpc) struct EndedRights(Vec<(SeatKey, Ended)>);

impl EndedRights {
    /// Why the right has ended by which something came there, if it has.
    pub(in crate::rpc) fn of(&self, whence: &Whence) -> Option<Ended> {
        let seat = seat_of(whence)?;
        let index = self.0.binary_search_by_key(&seat, |(seat, _)| *seat).ok()?;
        self.0.get(index).map(|(_, why)| *why)
    }

    /// All of them.
    pub(in crate::rpc) fn all(self) -> impl Iterator<Item = (SeatKey, Ended)> {
        self.0.into_iter()
    }
}

/// What whoever serves is to know.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::rpc) struct Standing {
    /// Whether somebody can still add ports.
    pub(in crate::rpc) has_hosts: bool,
    /// Whether somebody wants to serve elsewhere.
    pub(in crate::rpc) is_halted: bool,
}

impl Drop for Reception {
    fn drop(&mut self) {
        if let Some(hub) = &self.hub {
            hub.end();
        }
    }
}

impl fmt::Debug for Reception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reception").field("waiting", &self.room.len()).finish_non_exhaustive()
    }
}

impl WaitingRoom {
    pub(in crate::rpc) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |waiting| waiting.calls.len())
    }

    #[inline]
    pub(in crate::rpc) fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|waiting| waiting.calls.is_empty())
    }

    /// Whether there is room for one more call, of so many bytes.
    pub(in crate::rpc) fn has_room(&self, bytes: usize, most_calls: usize, most_bytes: usize) -> bool {
        let waiting = self.0.as_ref().map_or(0, |waiting| waiting.bytes);
        self.len() < most_calls && waiting.saturating_add(bytes) <= most_bytes
    }

    pub(in crate::rpc) fn push(&mut self, whence: Whence, call: Unopened) {
        let waiting = self.0.get_or_insert_default();
        waiting.bytes = waiting.bytes.saturating_add(call.size());
        waiting.calls.push_back((whence, call));
    }

    /// Takes out the first.
    pub(in crate::rpc) fn pop(&mut self) -> Option<(Whence, Unopened)> {
        let waiting = self.0.as_mut()?;
        let (whence, call) = waiting.calls.pop_front()?;
        waiting.bytes = waiting.bytes.saturating_sub(call.size());
        Some((whence, call))
    }

    /// Takes out the calls that came where it says.
    pub(in crate::rpc) fn take_out(&mut self, is_there: impl Fn(&Whence) -> bool) -> VecDeque<(Whence, Unopened)> {
        let Some(waiting) = self.0.as_mut().filter(|waiting| !waiting.calls.is_empty()) else { return VecDeque::new() };
        let (own, others) = std::mem::take(&mut waiting.calls).into_iter().partition(|(whence, _)| is_there(whence));
        waiting.calls = others;
        waiting.count_bytes();
        own
    }

    /// Forgets the call of this id, from that port.
    pub(in crate::rpc) fn forget(&mut self, seat: Option<SeatKey>, id: CallId) {
        if let Some(waiting) = &mut self.0 {
            waiting.calls.retain(|(whence, call)| !(seat_of(whence) == seat && call.id() == Some(id)));
            waiting.count_bytes();
        }
    }
}

impl Waiting {
    fn count_bytes(&mut self) {
        self.bytes = self.calls.iter().map(|(_, call)| call.size()).sum();
    }
}

/// The place of a port among those beside the first.
pub(in crate::rpc) fn seat_of(whence: &Whence) -> Option<SeatKey> {
    whence.as_ref().and_then(|desk| desk.seat)
}
