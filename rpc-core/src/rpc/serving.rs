//! The calls of one service: which run, which wait for their turn, and which are refused.
//!
//! What knows the types of the service is in `running.rs`, behind [`Runs`], so a program has all of this once for all services.

use std::{
    ops::RangeInclusive,
    task::{Context, Poll, Waker},
};

use futures::future::AbortHandle;

use super::{
    Answer, Incoming, Refusal,
    arrived::{Arrived, Unopened, Want},
    describe::{self, Describe},
    desk::{At, AtDesk, Desk, DeskReader},
    frame::{CallId, Fault, Frame},
    grant::Ended,
    handlers::{Begun, Tag},
    host::{Reception, SeatKey, Seats, Standing, Thing, WaitingRoom, Whence, seat_of},
    method::Method,
    running::{Began, Runs},
    same::{self, Same},
    sorted::Sorted,
};
use crate::{
    Closed,
    port::{Carried, Parcel, Reader, Received},
};

/// How many messages are taken before the executor gets a turn, so that a busy peer starves nobody (LOOP-07).
pub(super) const BATCH: usize = 64;

/// How many ports are closed before the executor gets a turn: about a millisecond's worth.
const MOST_ENDED: usize = 1024;

/// A call of a method that takes `self`, which ends the service: where it came in, and by what a frame knows it.
pub(super) type Once = (Whence, Option<CallId>);

/// Why nothing is left to do.
pub(super) enum Over {
    /// Nobody is left who could call.
    Alone,
    /// A method that takes `self` was called.
    Once(Once),
    /// It is to be served elsewhere.
    Halted,
}

/// The ports of a service, and the calls that came by them.
pub(super) struct Serving<'p> {
    first: Option<DeskReader<'p>>,
    others: &'p mut Reception,
    calls: Calls<'p>,
    /// Who was polled last, and is woken when anything comes.
    task: Task,
}

impl<'p> Serving<'p> {
    pub(super) fn new(first: Option<&'p Desk>, others: &'p mut Reception) -> Self {
        let settings = first.map(|desk| desk.settings()).or(others.hub.as_ref().map(|hub| hub.settings()));
        let calls = Calls::new(first, settings.map_or(usize::MAX, |settings| settings.running));
        Self { first: first.map(AtDesk::First).map(Reader::new), others, calls, task: Task::default() }
    }

    /// Takes what came, and runs what runs. Ready when nothing is left to do here.
    pub(super) fn poll(&mut self, runs: &mut dyn Runs, cx: &mut Context<'_>) -> Poll<Over> {
        let task = Task::of(cx.waker());
        let is_same = self.task == task;
        if !is_same {
            self.task = task;
        }
        // First of all: what begins from now on has been polled.
        if self.calls.running > 0 {
            self.calls.poll_alone(&mut self.others.room, runs, cx);
        }
        let mut has_more = self.poll_first(is_same, runs, cx);
        if self.others.hub.is_some() {
            has_more |= self.poll_others(is_same, runs, cx);
        }
        if !self.others.room.is_empty() {
            self.calls.begin_held(&mut self.others.room, runs, cx);
        }
        if self.calls.running > 0 {
            self.calls.poll_handlers(&mut self.others.room, runs, cx);
        }
        has_more |= self.others.join(self.calls.first);
        if let Some(hub) = &self.others.hub {
            // A port that was added by what ran here is looked at in the next turn.
            has_more |= hub.has_news();
            if hub.early.has_been_used() {
                self.post_early();
            }
        }
        if self.may_be_over()
            && let Some(over) = self.over()
        {
            return Poll::Ready(over);
        }
        if has_more {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Posts what handlers have replied that go on running.
    #[cold]
    fn post_early(&mut self) {
        let early = self.others.hub.as_ref().and_then(|hub| hub.early.take());
        for (whence, id, answer) in early.into_iter().flatten() {
            if let Some(desk) = self.calls.desk(&whence) {
                desk.post(answer);
                self.calls.forget(&desk, Some(id));
            }
        }
    }

    /// Takes what came to the first port. Whether there may be more.
    fn poll_first(&mut self, is_same: bool, runs: &mut dyn Runs, cx: &mut Context<'_>) -> bool {
        let Some(reader) = &mut self.first else { return false };
        if is_same && reader.is_quiet() {
            return false;
        }
        match self.calls.read(reader, BATCH, &mut self.others.room, runs, cx) {
            Ok(has_more) => has_more,
            Err(Closed) => {
                self.is_closed(None, runs);
                false
            }
        }
    }

    /// Takes what came to those of the other ports that are read directly. Whether there may be more.
    fn poll_few(&mut self, is_same: bool, runs: &mut dyn Runs, cx: &mut Context<'_>) -> bool {
        let (mut has_more, mut closed) = (false, None);
        let Some((Seats { few, .. }, room)) = self.others.split() else { return false };
        // From all of them together not many more than from one.
        let most = BATCH >> few.len().checked_ilog2().unwrap_or_default();
        for reader in few.iter_mut().filter(|reader| !is_same || !reader.is_quiet()) {
            match self.calls.read(reader, most, room, runs, cx) {
                Ok(more) => has_more |= more,
                Err(Closed) => closed = reader.port().desk().seat,
            }
        }
        if closed.is_some() {
            self.is_closed(closed, runs);
            // Others may be closed as well.
            has_more = true;
        }
        has_more
    }

    /// A port is closed.
    #[cold]
    fn is_closed(&mut self, seat: Option<SeatKey>, runs: &mut dyn Runs) {
        self.calls.closed(seat, &mut self.others.room, runs);
        match seat {
            Some(seat) => self.others.leave(seat),
            None => self.first = None,
        }
    }

    /// Takes what came to the other ports. Whether there may be more.
    fn poll_others(&mut self, is_same: bool, runs: &mut dyn Runs, cx: &mut Context<'_>) -> bool {
        let Poll::Ready(Standing { is_halted, .. }) = self.others.poll(BATCH, is_same, cx) else { return false };
        self.calls.is_halted = is_halted;
        if self.others.split().is_some_and(|(seats, _)| seats.has_ended()) {
            self.dismiss_some(runs);
        }
        let has_more = self.others.split().is_some_and(|(seats, _)| seats.len() >= BATCH || seats.has_ended());
        while let Some((seats, room)) = self.others.split()
            && let Some((desk, seat, thing)) = seats.pop()
        {
            // It may have left meanwhile.
            let Some(desk) = desk else { continue };
            match thing {
                Thing::Parcel(parcel) => self.calls.dispatch(parcel.received(), At::other(desk), room, runs, cx),
                Thing::Closed => self.is_closed(Some(seat), runs),
            }
        }
        has_more | self.poll_few(is_same, runs, cx)
    }

    /// Rights have ended by which calls came: a part of those, so that very many starve nobody. What waits there was not run, and what runs
    /// is woken to end. Where calls of all ports lie together is gone through once for all of the part.
    #[cold]
    fn dismiss_some(&mut self, runs: &mut dyn Runs) {
        let Some((seats, room)) = self.others.split() else { return };
        let ended = seats.take_ended(MOST_ENDED);
        let is_at = |whence: &Whence| ended.of(whence).is_some();
        let waiting = room.take_out(is_at);
        self.calls.forget_ordered(runs, &|tag| is_at(&tag.whence));
        for (whence, call) in waiting {
            if let Some((desk, why)) = whence.as_ref().zip(ended.of(&whence)) {
                refuse(call.at(At::other(desk)), why.refusal());
            }
        }
        for (seat, why) in ended.all() {
            if let Some(desk) = self.others.desk(seat) {
                self.calls.dismiss(desk, why, runs);
                self.others.dismiss(seat, why);
            }
        }
    }

    /// Whether there can be nothing left to do: not as long as a port is open, and nobody has ended the service.
    #[inline(always)]
    fn may_be_over(&self) -> bool {
        (self.first.is_none() && !self.others.has_any()) || self.calls.is_halted || self.calls.once.is_some()
    }

    /// Whether nothing is left to do.
    fn over(&mut self) -> Option<Over> {
        if !self.calls.is_idle() {
            return None;
        }
        if self.calls.is_halted && self.calls.once.is_none() {
            return Some(Over::Halted);
        }
        if !self.others.room.is_empty() {
            return None;
        }
        if let Some(once) = self.calls.once.take() {
            return Some(Over::Once(once));
        }
        let is_alone = self.first.is_none() && !self.others.has_hosts() && self.others.is_empty();
        is_alone.then_some(Over::Alone)
    }
}

/// A task, to be known again by its waker; at first none. Another may have the same address once the waker is gone; but what is not looked at
/// again for the same task has a clone of it, and where that was taken, it was to wake the task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Task(usize, usize);

impl Task {
    fn of(waker: &Waker) -> Self {
        Self(waker.data().addr(), std::ptr::from_ref(waker.vtable()).addr())
    }
}

/// The calls of methods that take `&self`.
///
/// A call that came is begun at once if there is room; else it is held, unopened, until an earlier one has ended. An ordered one
/// waits, opened, until the one before it has ended.
struct Calls<'p> {
    first: Option<&'p Desk>,
    /// How many handlers may run at a time, and how many do.
    most_running: usize,
    running: usize,
    /// How many ordered calls wait for the one that runs.
    ordered: usize,
    is_ordered_running: bool,
    /// The calls that came as frames and have not ended.
    open: Sorted<FrameId, Progress>,
    once: Option<Once>,
    is_halted: bool,
}

/// At which port a call came, and what a frame calls it.
type FrameId = (Option<SeatKey>, CallId);

/// All calls of a port: they lie beside each other.
fn all_at(seat: Option<SeatKey>) -> RangeInclusive<FrameId> {
    (seat, CallId(0))..=(seat, CallId(u64::MAX))
}

/// How far a call has come.
enum Progress {
    Held,
    WaitsForOrder,
    /// It runs. Nothing ends it from outside, if there is no handle.
    Runs(Option<AbortHandle>),
}

impl<'p> Calls<'p> {
    fn new(first: Option<&'p Desk>, most_running: usize) -> Self {
        Self {
            first,
            most_running,
            running: 0,
            ordered: 0,
            is_ordered_running: false,
            open: Sorted::new(),
            once: None,
            is_halted: false,
        }
    }

    fn poll_alone(&mut self, room: &mut WaitingRoom, runs: &mut dyn Runs, cx: &mut Context<'_>) {
        if let Poll::Ready((tag, answer)) = runs.poll_alone(cx) {
            self.ended(tag, answer, room, runs, cx);
        }
    }

    fn poll_handlers(&mut self, room: &mut WaitingRoom, runs: &mut dyn Runs, cx: &mut Context<'_>) {
        while let Poll::Ready(Some((tag, answer))) = runs.poll_next(cx) {
            self.ended(tag, answer, room, runs, cx);
        }
    }

    /// Takes what came to a port that is read directly, and does what it asks for. Whether there may be more.
    #[inline(always)]
    fn read(
        &mut self,
        reader: &mut DeskReader<'_>,
        most: usize,
        room: &mut WaitingRoom,
        runs: &mut dyn Runs,
        cx: &mut Context<'_>,
    ) -> Result<bool, Closed> {
        for _ in 0..most {
            // Apart, so that a value is moved by itself.
            let is_last = match reader.poll_next(cx) {
                Poll::Ready(Ok(Received { parcel: Parcel::Value(value), is_last })) => {
                    self.arrived_as_value(value, reader.port().desk(), room, runs, cx);
                    is_last
                }
                Poll::Ready(Ok(Received { parcel: message, is_last })) => {
                    self.dispatch(message, reader.port().desk(), room, runs, cx);
                    is_last
                }
                Poll::Ready(Err(closed)) => return Err(closed),
                Poll::Pending => return Ok(false),
            };
            if is_last {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Does what a parcel asks for.
    #[inline(never)]
    fn dispatch(
        &mut self,
        parcel: Parcel,
        desk: At<'_>,
        room: &mut WaitingRoom,
        runs: &mut dyn Runs,
        cx: &mut Context<'_>,
    ) {
        match Arrived::read(parcel, &desk) {
            Arrived::Call(call) => self.arrived(call, desk, room, runs, cx),
            Arrived::Cancel(id) => self.cancel(desk.seat, id, room, runs),
            Arrived::Attach(port, limits) => desk.hub().attach(port, &desk, &limits),
            Arrived::Nothing => {}
        }
    }

    /// A call has come that stayed a value. Nearly always it is begun, and it is put together with what is known of it only then: what is
    /// written to memory and handed on from there costs more than what is done with it.
    #[inline(always)]
    fn arrived_as_value(
        &mut self,
        value: Carried,
        desk: At<'_>,
        room: &mut WaitingRoom,
        runs: &mut dyn Runs,
        cx: &mut Context<'_>,
    ) {
        let want = Want::of_value(&value);
        if self.once.is_none() && self.has_room() && room.is_empty() && !desk.is_intercepted {
            return self.begin(want, desk, move || Unopened::of_value(value, want), runs, cx);
        }
        self.arrived(Unopened::of_value(value, want), desk, room, runs, cx);
    }

    /// A call has come.
    #[inline(never)]
    fn arrived(
        &mut self,
        mut call: Unopened,
        desk: At<'_>,
        room: &mut WaitingRoom,
        runs: &mut dyn Runs,
        cx: &mut Context<'_>,
    ) {
        if self.once.is_some() {
            return refuse(call.at(desk), Refusal::Spent);
        }
        if call.id().is_some_and(|id| self.open.contains(&(desk.seat, id))) {
            return refuse(call.at(desk), Refusal::RepeatedCallId);
        }
        call.note(&desk, self.running, room.len().saturating_add(self.ordered));
        if self.has_room() && room.is_empty() {
            return self.begin(call.want(), desk, move || call, runs, cx);
        }
        self.hold(call.at(desk), room);
    }

    /// Lets a call wait until there is room for it.
    fn hold(&mut self, call: Incoming<'_>, room: &mut WaitingRoom) {
        let desk = call.desk();
        let settings = desk.settings();
        // Whoever asks whether a client is one of its own may be a method of this service, which waits for the answer.
        if call.method() == Same::ID {
            return desk.post(same::answer(call));
        }
        let call = call.unopened();
        if !room.has_room(call.size(), settings.waiting, settings.waiting_bytes) {
            return refuse(call.at(desk), Refusal::Overloaded);
        }
        if let Some(id) = call.id() {
            self.open.insert((desk.seat, id), Progress::Held);
        }
        room.push(desk.whence(), call);
    }

    /// Whether a call that was held may go on: to be begun, or to be refused.
    fn may_begin(&self) -> bool {
        self.once.is_some() || self.has_room()
    }

    /// Whether one more call may run.
    #[inline]
    fn has_room(&self) -> bool {
        self.running < self.most_running && !self.is_halted
    }

    /// Opens a call and begins its handler, or lets it wait for the ordered call before it. The call is put together where it is needed.
    #[inline(always)]
    fn begin(
        &mut self,
        want: Want,
        desk: At<'_>,
        call: impl FnOnce() -> Unopened,
        runs: &mut dyn Runs,
        cx: &mut Context<'_>,
    ) {
        want.was_taken_at(&desk);
        let Want { id, method, .. } = want;
        if cfg!(feature = "evolution") && method == Describe::ID {
            self.forget(&desk, id);
            return desk.post(describe::answer(call().at(desk), desk.terms(), runs.description()));
        }
        // C13: as if it was not served at all. By the first port everything may be called.
        if desk.seat.is_some() && !desk.terms().allows(method) {
            self.forget(&desk, id);
            return desk.post(call().at(desk).unknown_method());
        }
        let began = runs.begin(call().at(desk), self.is_ordered_running, cx);
        let id = id.or_else(|| desk.take_turned());
        match began {
            Began::Ended => self.forget(&desk, id),
            Began::Waits { is_ordered, abort } => self.waits(desk, id, is_ordered, abort),
            Began::WaitsForOrder => {
                self.ordered += 1;
                self.note(&desk, id, || Progress::WaitsForOrder);
            }
            // C4: whoever comes first has it, at whatever port; nobody else gets past this.
            Began::IsOnce => self.once = Some((desk.whence(), id)),
        }
    }

    /// A handler has begun and waits.
    fn waits(&mut self, desk: At<'_>, id: Option<CallId>, is_ordered: bool, abort: Option<AbortHandle>) {
        self.running += 1;
        self.is_ordered_running |= is_ordered;
        if desk.seat.is_some() {
            desk.ending().runs();
        }
        self.note(&desk, id, || Progress::Runs(abort));
    }

    /// A handler that waited has ended: its answer goes out, and whoever waited for that is begun.
    fn ended(&mut self, tag: Tag, answer: Answer, room: &mut WaitingRoom, runs: &mut dyn Runs, cx: &mut Context<'_>) {
        self.running = self.running.saturating_sub(1);
        if let Some(desk) = &tag.whence {
            desk.ending().ran();
        }
        if let Some(desk) = self.desk(&tag.whence) {
            self.forget(&desk, tag.id);
            desk.post(answer);
        }
        if tag.how.ordered {
            self.is_ordered_running = false;
            while !self.is_ordered_running
                && let Some((Tag { whence, id, .. }, begun)) = runs.begin_ordered(cx)
            {
                self.ordered = self.ordered.saturating_sub(1);
                let Some(desk) = self.desk(&whence) else { continue };
                match begun {
                    Begun::Ended(answer) => {
                        self.forget(&desk, id);
                        desk.post(answer);
                    }
                    Begun::Waits(abort) => self.waits(desk, id, true, abort),
                }
            }
        }
        self.begin_held(room, runs, cx);
    }

    /// Begins the calls that are held, as long as there is room.
    fn begin_held(&mut self, room: &mut WaitingRoom, runs: &mut dyn Runs, cx: &mut Context<'_>) {
        while self.may_begin()
            && let Some((whence, call)) = room.pop()
        {
            let Some(desk) = self.desk(&whence) else { continue };
            if self.once.is_some() {
                self.forget(&desk, call.id());
                refuse(call.at(desk), Refusal::Spent);
            } else {
                self.begin(call.want(), desk, move || call, runs, cx);
            }
        }
    }

    /// Ends a call at its next `.await`, or before it is begun. An id that is not known, or no longer, is ignored.
    fn cancel(&mut self, seat: Option<SeatKey>, id: CallId, room: &mut WaitingRoom, runs: &mut dyn Runs) {
        if let Some((whence, once)) = &self.once
            && *once == Some(id)
            && seat_of(whence) == seat
        {
            self.once = None;
            runs.forget_once();
        }
        match self.open.remove(&(seat, id)) {
            None => {}
            Some(Progress::Held) => room.forget(seat, id),
            Some(Progress::WaitsForOrder) => {
                self.forget_ordered(runs, &|tag| tag.id == Some(id) && seat_of(&tag.whence) == seat);
            }
            Some(Progress::Runs(Some(abort))) => abort.abort(),
            // It runs to its end, and keeps its id until then.
            Some(Progress::Runs(None)) => self.open.insert((seat, id), Progress::Runs(None)),
        }
    }

    /// The right has ended by which calls came to a port (C10). Those that came as bytes are answered here, while the port is open; the others
    /// know the port, and end by themselves.
    fn dismiss(&mut self, desk: &Desk, why: Ended, runs: &mut dyn Runs) {
        for (seat, id) in self.open.keys_in(all_at(desk.seat)) {
            let fault = match self.open.remove(&(seat, id)) {
                Some(Progress::Runs(_)) => Fault::Interrupted(why.interruption()),
                // What is held is refused with the others that are.
                Some(Progress::Held) | None => continue,
                Some(Progress::WaitsForOrder) => Fault::Refused(why.refusal()),
            };
            desk.send(&Frame::Fault { id, fault });
        }
        if self.once.take_if(|(whence, _)| seat_of(whence) == desk.seat).is_some() {
            runs.forget_once();
        }
    }

    /// A port is closed: every handler ends whose answer could only go out by it.
    fn closed(&mut self, seat: Option<SeatKey>, room: &mut WaitingRoom, runs: &mut dyn Runs) {
        let open = self.open.keys_in(all_at(seat));
        open.into_iter().for_each(|(_, id)| self.cancel(seat, id, room, runs));
    }

    /// Lets go of ordered calls that wait for the one that runs.
    fn forget_ordered(&mut self, runs: &mut dyn Runs, is_that: &dyn Fn(&Tag) -> bool) {
        if self.ordered > 0 {
            self.ordered = self.ordered.saturating_sub(runs.forget_ordered(is_that));
        }
    }

    /// Where something came in.
    fn desk<'w>(&self, whence: &'w Whence) -> Option<At<'w>>
    where
        'p: 'w,
    {
        whence.as_ref().map(At::other).or(self.first.map(At::first))
    }

    fn is_idle(&self) -> bool {
        self.running == 0 && self.ordered == 0
    }

    fn note(&mut self, desk: &Desk, id: Option<CallId>, progress: impl FnOnce() -> Progress) {
        if let Some(id) = id {
            self.open.insert((desk.seat, id), progress());
        }
    }

    #[inline(always)]
    fn forget(&mut self, desk: &Desk, id: Option<CallId>) {
        // Nearly always it is empty: what is ready at once is never noted.
        if let Some(id) = id
            && !self.open.is_empty()
        {
            self.open.remove(&(desk.seat, id));
        }
    }
}

fn refuse(call: Incoming<'_>, refusal: Refusal) {
    let desk = call.desk();
    call.want().was_taken_at(&desk);
    desk.post(call.refuse(refusal));
}
