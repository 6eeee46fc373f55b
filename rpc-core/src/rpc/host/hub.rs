//! What all ports of one service share, and everybody who adds one.

use std::{
    collections::VecDeque,
    task::{Context, Waker},
};

use super::lanes::{Lanes, SeatKey, Thing};
use crate::{
    MessagePort,
    port::{Gone, MessageTarget, Parcel, WaiterKey, Waiters},
    rpc::{Limits, ServeOptions, desk::Desk, outbox::EarlyReplies},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

/// What all ports of one service share. Whoever serves it takes from here what came to the ports beside the first.
pub(in crate::rpc) struct Hub {
    pub(in crate::rpc) settings: ServeOptions,
    pub(in crate::rpc) early: EarlyReplies,
    state: Mutex<State>,
    /// Whether anybody but the first port can have something for the service. Never unset: a service that has the one port looks at
    /// nothing else.
    is_used: AtomicBool,
}

#[derive(Default)]
struct State {
    lanes: Lanes,
    /// Ports that were added, and not taken over by whoever serves.
    joined: Vec<Arc<Desk>>,
    server: Option<Waker>,
    /// How many handles there are.
    hosts: usize,
    is_halted: bool,
    /// Nobody will serve here any more.
    is_over: bool,
    /// Those who wait until no client is left.
    idle: Waiters,
}

/// What the hub has to say to whoever serves.
pub(in crate::rpc) struct News {
    /// Ports that were added.
    pub(in crate::rpc) joined: Vec<Arc<Desk>>,
    /// Whether somebody can still add some.
    pub(in crate::rpc) has_hosts: bool,
    pub(in crate::rpc) is_halted: bool,
}

impl Hub {
    pub(in crate::rpc) fn new(settings: ServeOptions) -> Arc<Self> {
        let (early, state, is_used) = (EarlyReplies::default(), Mutex::default(), AtomicBool::new(false));
        Arc::new(Self { settings, early, state, is_used })
    }

    #[inline]
    pub(in crate::rpc) fn is_used(&self) -> bool {
        // Nothing else is read because of it: who sets it from another thread has woken nobody yet, and does so afterwards.
        self.is_used.load(Ordering::Relaxed)
    }

    /// Somebody can add ports from now on.
    pub(in crate::rpc) fn use_it(&self) {
        self.is_used.store(true, Ordering::Relaxed);
    }

    /// Serves one more port: what came to it by now, and what will come. If nobody serves any more, it is closed.
    pub(in crate::rpc) fn join(self: &Arc<Self>, port: MessagePort) {
        self.use_it();
        let mut state = self.state.lock();
        let seat = if state.is_over { None } else { state.lanes.add() };
        drop(state);
        let Some(seat) = seat else { return };
        let desk = Arc::new(Desk::new(port, self.clone(), Some(seat)));
        desk.open();
        let entrance = Arc::new(Entrance { hub: self.clone(), seat });
        let mut state = self.state.lock();
        if state.is_over {
            drop(state);
            return;
        }
        state.joined.push(desk.clone());
        let server = state.server.take();
        drop(state);
        // After it is among the ports, or what came would belong to nobody.
        desk.port.set_target(entrance);
        wake(server);
    }

    /// Serves a port that a client has attached.
    pub(in crate::rpc) fn attach(self: &Arc<Self>, port: MessagePort, limits: &Limits) {
        if *limits == Limits::default() {
            self.join(port);
        } else {
            tracing::warn!("a client asked for a port with limits, which are not kept here; it was closed");
        }
    }

    /// Takes what there is, at most so much, and registers the task for what comes next.
    pub(in crate::rpc) fn take(&self, most: usize, to: &mut VecDeque<(SeatKey, Thing)>, cx: &Context<'_>) -> News {
        let mut state = self.state.lock();
        state.lanes.take(most, to);
        let replaced = match &state.server {
            Some(waker) if waker.will_wake(cx.waker()) => None,
            _ => state.server.replace(cx.waker().clone()),
        };
        let joined = std::mem::take(&mut state.joined);
        let news = News { joined, has_hosts: state.hosts > 0, is_halted: state.is_halted };
        drop(state);
        drop(replaced);
        news
    }

    /// A port is served no longer. Hands back what waits there.
    #[must_use = "dropped, it ends as not sent"]
    pub(in crate::rpc) fn leave(&self, seat: SeatKey) -> VecDeque<Parcel> {
        let mut state = self.state.lock();
        let waiting = state.lanes.remove(seat);
        let idle = (state.lanes.len() == 0).then(|| state.idle.take());
        drop(state);
        idle.unwrap_or_default().wake();
        waiting
    }

    /// Nobody will serve here any more: what waits is dropped, and whoever wants to add a port finds it closed.
    pub(in crate::rpc) fn end(&self) {
        let mut state = self.state.lock();
        state.is_over = true;
        let left = (std::mem::take(&mut state.lanes), std::mem::take(&mut state.joined), state.server.take());
        let idle = state.idle.take();
        drop(state);
        drop((left, self.early.take()));
        idle.wake();
    }

    /// One handle more.
    pub(in crate::rpc) fn add_host(&self) {
        self.use_it();
        self.state.lock().hosts += 1;
    }

    /// One handle fewer.
    pub(in crate::rpc) fn remove_host(&self) {
        let mut state = self.state.lock();
        state.hosts = state.hosts.saturating_sub(1);
        let server = if state.hosts == 0 { state.server.take() } else { None };
        drop(state);
        wake(server);
    }

    /// Whoever served has stopped, as was asked.
    pub(in crate::rpc) fn resume(&self) {
        self.state.lock().is_halted = false;
    }

    /// Asks whoever serves to stop.
    pub(in crate::rpc) fn halt(&self) {
        let mut state = self.state.lock();
        state.is_halted = true;
        let server = state.server.take();
        drop(state);
        wake(server);
    }

    /// How many ports there are beside the first.
    pub(in crate::rpc) fn seats(&self) -> usize {
        self.state.lock().lanes.len()
    }

    /// Whether no client is left; if not, registers to be woken then.
    pub(in crate::rpc) fn is_idle_or_register(&self, key: &mut Option<WaiterKey>, cx: &Context<'_>) -> bool {
        let mut state = self.state.lock();
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
        let waker = self.state.lock().idle.remove(key);
        drop(waker);
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// The target of a port beside the first: whoever posts puts it into the port's lane.
pub(in crate::rpc) struct Entrance {
    pub(in crate::rpc) hub: Arc<Hub>,
    pub(in crate::rpc) seat: SeatKey,
}

impl MessageTarget for Entrance {
    fn deliver(&self, parcel: Parcel) {
        let mut state = self.hub.state.lock();
        let refused = state.lanes.push(self.seat, parcel);
        let server = state.server.take();
        drop(state);
        drop(refused);
        wake(server);
    }

    fn closed(&self, _: Gone) {
        let mut state = self.hub.state.lock();
        state.lanes.close(self.seat);
        let server = state.server.take();
        drop(state);
        wake(server);
    }
}
