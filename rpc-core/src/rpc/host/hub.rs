//! What all ports of one service share, and everybody who adds one.

use std::{
    any::Any,
    collections::VecDeque,
    sync::OnceLock,
    task::{Context, Waker},
    time::Duration,
};

use super::lanes::{Lanes, SeatKey, Thing};
use crate::{
    MessagePort,
    clock::{self, Clock},
    port::{ChannelId, Destination, Gone, MessageTarget, Parcel, PortMark, WaiterKey, Waiters},
    rpc::{
        AuditEntry, Limits, Refusal, RightId, ServeOptions, ServiceFacts,
        desk::{Desk, Right},
        farewell::farewell,
        frame::Fault,
        grant::{Ended, GrantKey, Grants, Narrower, ROOT, Terms, Wanted},
        held::Ending,
        inspector::ExportState,
        membrane::Membrane,
        options::Settings,
        outbox::EarlyReplies,
    },
    sync::{
        Arc, Guard, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

/// How many ports beside the first are read directly, as that is: a call by one of those takes a lock less at either end. With many, each would
/// be looked at in vain whenever something came to another. loom has few clients, and both kinds are to be among them.
const FEW: usize = if cfg!(loom) { 1 } else { 8 };

/// What all ports of one service share. Whoever serves it takes from here what came to the ports beside the first.
pub(in crate::rpc) struct Hub {
    options: ServeOptions,
    pub(in crate::rpc) facts: &'static ServiceFacts,
    pub(in crate::rpc) early: EarlyReplies,
    /// Made for the first that is granted: most services grant nothing.
    grants: OnceLock<Box<Mutex<Grants<Entry>>>>,
    most_clients: u32,
    /// The channel of the first port, which is read directly and has no [`Entrance`].
    first: Option<ChannelId>,
    /// The clock that the context had entered in which this was made: limits of time are by that one, wherever the service is served.
    clock: Option<Arc<dyn Clock>>,
    /// Made for the first port beside the first, or for the first handle.
    state: OnceLock<Box<Mutex<State>>>,
    /// Whether there is anything that whoever serves has not seen. Changed under the lock of the state.
    has_news: AtomicBool,
    /// Whether any right ever ends by itself.
    has_alarms: AtomicBool,
}

#[derive(Default)]
struct State {
    lanes: Lanes,
    /// Ports that were added, and not taken over by whoever serves.
    joined: Vec<Arc<Desk>>,
    /// Ports whose right has ended.
    ended: Vec<(SeatKey, Ended)>,
    /// How many ports are read directly.
    few: usize,
    server: Option<Waker>,
    /// How many handles there are.
    hosts: usize,
    is_halted: bool,
    /// Nobody will serve here any more.
    is_over: bool,
    /// Those who wait until no client is left.
    idle: Waiters,
}

impl State {
    #[must_use = "drop what waits outside the lock"]
    fn remove_lane(&mut self, seat: SeatKey, is_read: bool) -> VecDeque<Parcel> {
        self.few = self.few.saturating_sub(is_read.into());
        self.lanes.remove(seat)
    }
}

/// What is kept beside each grant.
#[derive(Debug)]
pub(in crate::rpc) struct Entry {
    terms: Arc<Terms>,
    ending: Arc<Ending>,
    /// What ends with it, beside what was made from it.
    membrane: Option<Arc<Membrane>>,
    /// When it was made.
    since: Option<Duration>,
}

impl Entry {
    fn export(&self, key: GrantKey, grants: &Grants<Self>, now: Option<Duration>) -> ExportState {
        let Self { terms, ending, since, membrane: _ } = self;
        let left = grants.left(key);
        ExportState {
            right: RightId::of(key),
            label: terms.label().to_owned(),
            methods: terms.methods().map(|methods| methods.to_vec()),
            holders: grants.holders(key),
            calls: ending.running(),
            age: now.zip(*since).map(|(now, since)| now.saturating_sub(since)),
            calls_left: left.calls,
            bytes_left: left.bytes,
            time_left: left.expires.zip(now).map(|(at, now)| at.saturating_sub(now)),
            has_ended: grants.ended(key).is_some(),
        }
    }
}

/// What the hub has to say to whoever serves.
pub(in crate::rpc) struct News {
    /// Ports that were added.
    pub(in crate::rpc) joined: Vec<Arc<Desk>>,
    /// Ports whose right has ended.
    pub(in crate::rpc) ended: Vec<(SeatKey, Ended)>,
    /// Whether somebody can still add some.
    pub(in crate::rpc) has_hosts: bool,
    pub(in crate::rpc) is_halted: bool,
}

impl Hub {
    /// What the ports of a service share, from which clients may get so many others. Whoever has the other end of the first port, where there
    /// is one, may call everything.
    pub(in crate::rpc) fn new(
        options: ServeOptions,
        most_clients: u32,
        facts: &'static ServiceFacts,
        first: Option<&MessagePort>,
    ) -> Arc<Self> {
        Arc::new(Self {
            options,
            facts,
            early: EarlyReplies::default(),
            grants: OnceLock::new(),
            most_clients,
            first: first.map(MessagePort::channel_id),
            clock: clock::entered(),
            state: OnceLock::new(),
            has_news: AtomicBool::new(false),
            has_alarms: AtomicBool::new(false),
        })
    }

    /// Of a service that nobody serves.
    pub(in crate::rpc) fn over() -> Arc<Self> {
        let hub = Self::new(ServeOptions::default(), 0, &ServiceFacts::NONE, None);
        hub.end();
        hub
    }

    /// How the service is served.
    #[inline]
    pub(in crate::rpc) fn settings(&self) -> &Settings {
        self.options.settings()
    }

    /// Whether the other end of a port is one at which calls are served: then nobody can ever call, and it would stay for ever.
    fn is_called_by_a_service(&self, port: &MessagePort) -> bool {
        let Some(Destination { channel, target }) = port.mark().map(|port| port.destination()) else { return false };
        entrance_at(target).is_some() || self.first == Some(channel)
    }

    /// The right that whoever has a port has on this service, if it leads here and the right has not ended: the other end of the port's
    /// channel is one of the service's own. Nothing that anybody says is asked.
    pub(in crate::rpc) fn right_of(&self, port: &PortMark) -> Option<GrantKey> {
        let Destination { channel, target } = port.destination();
        let grant = match entrance_at(target) {
            Some(entrance) => std::ptr::eq(&*entrance.hub, self).then_some(entrance.grant),
            None => (self.first == Some(channel)).then_some(ROOT),
        };
        // Once nothing is served here, the first channel may be gone, and its name be another's.
        let is_over = self.state.get().is_some_and(|state| state.lock().is_over);
        grant.filter(|grant| !is_over && self.ended(*grant).is_none())
    }

    #[inline]
    fn state(&self) -> Guard<'_, State> {
        self.state.get_or_init(Box::default).lock()
    }

    /// There is news for whoever serves: that is whom to wake once the lock is let go of.
    #[must_use = "wake after unlocking"]
    fn tell(&self, state: &mut State) -> Option<Waker> {
        // Nothing else is read because of it: who sets it has woken nobody yet.
        self.has_news.store(true, Ordering::Relaxed);
        state.server.take()
    }

    /// Whether there is anything for whoever serves that was not taken.
    #[inline]
    pub(in crate::rpc) fn has_news(&self) -> bool {
        self.has_news.load(Ordering::Relaxed)
    }

    #[inline]
    pub(in crate::rpc) fn grants(&self) -> Guard<'_, Grants<Entry>> {
        self.grants.get_or_init(|| self.no_grants()).lock()
    }

    fn no_grants(&self) -> Box<Mutex<Grants<Entry>>> {
        // Nobody asks how old the right is that all others are made from.
        let entry = Entry { terms: Arc::default(), ending: Arc::default(), membrane: None, since: None };
        Box::new(Mutex::new(Grants::new(entry, self.most_clients)))
    }

    /// The time, if this service knows it. It is asked with no lock held.
    pub(in crate::rpc) fn now(&self) -> Option<Duration> {
        self.clock().map(|clock| clock.now())
    }

    pub(in crate::rpc) fn clock(&self) -> Option<&Arc<dyn Clock>> {
        clock::of_context(self.clock.as_ref())
    }

    /// Serves one more port, by a right that is made from another: what came to it by now, and what will come. Where there is no such
    /// right, it is closed, and whoever calls by it learns why.
    pub(in crate::rpc) fn grant(
        self: &Arc<Self>,
        port: MessagePort,
        parent: GrantKey,
        limits: &Limits,
        narrower: Narrower,
        is_asked_for: bool,
        membrane: Option<Arc<Membrane>>,
    ) -> Option<GrantKey> {
        let (seat, is_read) = self.add_lane()?;
        match self.make_right(seat, parent, limits, narrower, is_asked_for, membrane.clone()) {
            Ok(right) => {
                let grant = right.grant;
                if let Some(membrane) = membrane {
                    membrane.belongs_to(self, grant);
                }
                self.settings().audit.note(|| granted(&right, parent, limits));
                self.join(port, seat, right, is_read);
                Some(grant)
            }
            Err(refusal) => {
                let nothing = self.state().remove_lane(seat, is_read);
                drop(nothing);
                tracing::warn!(%refusal, "a right to call was not granted");
                let reason = refusal.label();
                self.settings().audit.note(|| AuditEntry::NotGranted { parent: RightId::of(parent), reason });
                farewell(&port, Fault::Refused(refusal));
                None
            }
        }
    }

    /// Adds a lane, for a port that is read directly if there are few of those.
    fn add_lane(&self) -> Option<(SeatKey, bool)> {
        let mut state = self.state();
        if state.is_over {
            return None;
        }
        let seat = state.lanes.add()?;
        let is_read = state.few < FEW;
        state.few += usize::from(is_read);
        Some((seat, is_read))
    }

    fn make_right(
        &self,
        seat: SeatKey,
        parent: GrantKey,
        limits: &Limits,
        narrower: Narrower,
        is_asked_for: bool,
        membrane: Option<Arc<Membrane>>,
    ) -> Result<Right, Refusal> {
        // Nothing of the user's is asked or dropped with the lock held: the clock, and the checks in the terms.
        let now = self.now();
        let from = self.grants().beside(parent).map(|entry| entry.terms.clone()).ok_or(Refusal::Revoked)?;
        let (terms, ending) = (from.narrowed(limits.methods.as_deref(), narrower), Arc::<Ending>::default());
        let entry = Entry { terms: terms.clone(), ending: ending.clone(), membrane, since: now };
        let wanted = Wanted { beside: entry, seat, is_asked_for, most_clients: self.settings().clients };
        let mut grants = self.grants();
        let granted = grants.grant(parent, limits, wanted, now);
        let counting = granted.as_ref().map(|grant| grants.counting(*grant)).unwrap_or_default();
        drop(grants);
        if limits.expires.is_some() || limits.idle.is_some() {
            self.has_alarms.store(true, Ordering::Relaxed);
        }
        Ok(Right { grant: granted?, terms: Some(terms), ending: Some(ending), counting })
    }

    fn join(self: &Arc<Self>, port: MessagePort, seat: SeatKey, right: Right, is_read: bool) {
        let grant = right.grant;
        let desk = Arc::new(Desk::other(port, self.clone(), seat, right, is_read));
        desk.open();
        let mut state = self.state();
        if state.is_over {
            drop(state);
            return;
        }
        state.joined.push(desk.clone());
        let server = self.tell(&mut state);
        drop(state);
        let entrance = Arc::new(Entrance { hub: self.clone(), seat, grant, is_read });
        if is_read {
            desk.port.read_for(entrance);
        } else {
            // After it is among the ports, or what came would belong to nobody.
            desk.port.set_target(entrance);
        }
        wake(server);
        // Asked only now, so of two that do this at once one at least sees the other.
        if self.is_called_by_a_service(&desk.port) {
            tracing::warn!(label = desk.terms().label(), "both ends of a channel were to be served; it was closed");
            desk.port.close();
        }
        // Whoever has ended it before it was among them is not heard.
        if let Some(why) = self.ended(grant) {
            self.tell_ended([seat], why);
        }
    }

    /// Serves a port that a client has attached, by a right that is made from the client's.
    pub(in crate::rpc) fn attach(self: &Arc<Self>, port: MessagePort, desk: &Desk, limits: &Limits) {
        let _granted = self.grant(port, desk.grant, limits, Narrower::default(), true, None);
    }

    /// Ends a right, and all that was made from it.
    pub(in crate::rpc) fn end_grant(&self, grant: GrantKey, why: Ended) {
        let seats = self.grants().end(grant, why);
        self.have_ended(&seats, why);
    }

    /// What there is of each right but the root.
    pub(in crate::rpc) fn exports(&self) -> Vec<(GrantKey, ExportState)> {
        let now = self.now();
        let grants = self.grants();
        grants.iter().map(|(key, entry)| (key, entry.export(key, &grants, now))).collect()
    }

    /// What there is of one right.
    pub(in crate::rpc) fn export(&self, grant: GrantKey) -> Option<ExportState> {
        let now = self.now();
        let grants = self.grants();
        grants.beside(grant).map(|entry| entry.export(grant, &grants, now))
    }

    /// Whether any right ever ends by itself.
    #[inline]
    pub(in crate::rpc) fn has_alarms(&self) -> bool {
        self.has_alarms.load(Ordering::Relaxed)
    }

    /// When somebody is to look whose time is up.
    pub(in crate::rpc) fn next_due(&self) -> Option<Duration> {
        self.grants().next_due()
    }

    /// Ends the rights whose time is up.
    pub(in crate::rpc) fn expire(&self) {
        let Some(now) = self.now() else { return };
        let seats = self.grants().expire(now);
        self.have_ended(&seats, Ended::Expired);
    }

    fn have_ended(&self, rights: &[(GrantKey, Option<SeatKey>)], why: Ended) {
        for (grant, _) in rights {
            let right = || RightId::of(*grant);
            self.settings().audit.note(|| match why {
                Ended::Revoked => AuditEntry::Revoked { right: right() },
                Ended::Expired | Ended::Unread => AuditEntry::Expired { right: right() },
            });
            let membrane = self.grants().beside(*grant).and_then(|entry| entry.membrane.clone());
            if let Some(membrane) = membrane {
                membrane.end(why);
            }
        }
        self.tell_ended(rights.iter().filter_map(|(_, seat)| *seat), why);
    }

    /// Has the ports of rights told that those have ended, by whoever serves.
    pub(in crate::rpc) fn tell_ended(&self, seats: impl IntoIterator<Item = SeatKey>, why: Ended) {
        let mut seats = seats.into_iter().peekable();
        if seats.peek().is_none() {
            return;
        }
        let mut state = self.state();
        state.ended.extend(seats.map(|seat| (seat, why)));
        let server = self.tell(&mut state);
        drop(state);
        wake(server);
    }

    /// Why nothing can be called by a right any more.
    pub(in crate::rpc) fn ended(&self, grant: GrantKey) -> Option<Ended> {
        self.grants().ended(grant)
    }

    /// Takes what there is, at most so much, and registers the task for what comes next.
    pub(in crate::rpc) fn take(&self, most: usize, to: &mut VecDeque<(SeatKey, Thing)>, cx: &Context<'_>) -> News {
        let mut state = self.state();
        let has_more = state.lanes.take(most, to);
        self.has_news.store(has_more, Ordering::Relaxed);
        let replaced = match &state.server {
            Some(waker) if waker.will_wake(cx.waker()) => None,
            _ => state.server.replace(cx.waker().clone()),
        };
        let joined = std::mem::take(&mut state.joined);
        let ended = std::mem::take(&mut state.ended);
        let news = News { joined, ended, has_hosts: state.hosts > 0, is_halted: state.is_halted };
        drop(state);
        drop(replaced);
        news
    }

    /// A port is served no longer, and its right is given back (C6, C19). Hands back what waits there.
    #[must_use = "dropped, it ends as not sent"]
    pub(in crate::rpc) fn leave(&self, desk: &Desk, seat: SeatKey) -> VecDeque<Parcel> {
        let grant = desk.grant;
        let was_held = self.grants().leave(grant);
        if was_held {
            self.settings().audit.note(|| AuditEntry::Released { right: RightId::of(grant) });
        }
        let mut state = self.state();
        let waiting = state.remove_lane(seat, desk.is_read);
        let idle = (state.lanes.len() == 0).then(|| state.idle.take());
        drop(state);
        idle.unwrap_or_default().wake();
        waiting
    }

    /// Nobody will serve here any more: what waits is dropped, and whoever wants to add a port finds it closed.
    pub(in crate::rpc) fn end(&self) {
        let mut state = self.state();
        state.is_over = true;
        let left = (std::mem::take(&mut state.lanes), std::mem::take(&mut state.joined), state.server.take());
        let idle = state.idle.take();
        drop(state);
        drop(left);
        idle.wake();
        drop(self.early.take());
        // Nothing is made for that alone: most services have granted nothing.
        let released = self.grants.get().map(|grants| grants.lock().leave_all()).unwrap_or_default();
        for grant in released {
            self.settings().audit.note(|| AuditEntry::Released { right: RightId::of(grant) });
        }
    }

    /// One handle more.
    pub(in crate::rpc) fn add_host(&self) {
        let mut state = self.state();
        state.hosts += 1;
        let server = self.tell(&mut state);
        drop(state);
        wake(server);
    }

    /// One handle fewer.
    pub(in crate::rpc) fn remove_host(&self) {
        let mut state = self.state();
        state.hosts = state.hosts.saturating_sub(1);
        let server = if state.hosts == 0 { self.tell(&mut state) } else { None };
        drop(state);
        wake(server);
    }

    /// Whoever served has stopped, as was asked.
    pub(in crate::rpc) fn resume(&self) {
        let mut state = self.state();
        state.is_halted = false;
        let server = self.tell(&mut state);
        drop(state);
        wake(server);
    }

    /// Asks whoever serves to stop.
    pub(in crate::rpc) fn halt(&self) {
        let mut state = self.state();
        state.is_halted = true;
        let server = self.tell(&mut state);
        drop(state);
        wake(server);
    }

    /// How many ports there are beside the first.
    pub(in crate::rpc) fn seats(&self) -> usize {
        self.state.get().map_or(0, |state| state.lock().lanes.len())
    }

    /// Whether no client is left; if not, registers to be woken then.
    pub(in crate::rpc) fn is_idle_or_register(&self, key: &mut Option<WaiterKey>, cx: &Context<'_>) -> bool {
        let mut state = self.state();
        if state.is_over || state.lanes.len() == 0 {
            return true;
        }
        let replaced = state.idle.register(key, cx.waker());
        drop(state);
        drop(replaced);
        false
    }

    /// Forgets a task that waits for no client to be left.
    pub(in crate::rpc) fn forget_waiter(&self, key: WaiterKey) {
        let waker = self.state().idle.remove(key);
        drop(waker);
    }
}

/// What is told of a new right.
fn granted(right: &Right, parent: GrantKey, limits: &Limits) -> AuditEntry {
    let terms = Terms::of(right.terms.as_ref());
    let methods = terms.methods().map(|methods| methods.to_vec());
    let limits = Box::new(Limits { methods, ..limits.clone() });
    AuditEntry::Granted {
        right: RightId::of(right.grant),
        parent: RightId::of(parent),
        label: terms.label().into(),
        limits,
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// The target of a port beside the first: whoever posts puts it into the port's lane, if the port is not read directly.
pub(in crate::rpc) struct Entrance {
    pub(in crate::rpc) hub: Arc<Hub>,
    pub(in crate::rpc) seat: SeatKey,
    /// The right by which calls come here.
    grant: GrantKey,
    /// Whether the port is read directly.
    is_read: bool,
}

fn entrance_at(target: Option<Arc<dyn MessageTarget>>) -> Option<Arc<Entrance>> {
    let target: Arc<dyn Any + Send + Sync> = target?;
    target.downcast().ok()
}

impl MessageTarget for Entrance {
    fn deliver(&self, parcel: Parcel) {
        let mut state = self.hub.state();
        let refused = state.lanes.push(self.seat, parcel);
        let server = self.hub.tell(&mut state);
        drop(state);
        drop(refused);
        wake(server);
    }

    fn closed(&self, _: Gone) {
        // Whoever reads it learns of that by itself, after what was posted before.
        if self.is_read {
            return;
        }
        let mut state = self.hub.state();
        state.lanes.close(self.seat);
        let server = self.hub.tell(&mut state);
        drop(state);
        wake(server);
    }
}
