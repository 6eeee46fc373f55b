//! Who holds the other ends, and whether they live.

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};

use gloo_timers::future::TimeoutFuture;
use wasm_bindgen_futures::spawn_local;

use super::{
    bridge::{self, Bridge},
    context, locks,
    packet::{ContextId, Entry},
};

/// How often those are asked who have no lock that could be seen, in milliseconds. One that dies right after an answer is
/// noticed a beat later than those that may go unanswered, which has to be within two seconds.
const BEAT: u32 = 450;

/// How many beats in a row may go unanswered.
const SILENT_BEATS: u32 = 3;

/// How long a packet may be on its way after the death of its sender, in milliseconds.
const LATE: u32 = 50;

/// How long a port may be on its way to nobody knows whom, in beats of [`SWEEP`].
const IN_FLIGHT: u32 = 6;

/// How often those on their way are looked at, in milliseconds.
const SWEEP: u32 = 5_000;

thread_local! {
    /// Few: a page has some workers and frames.
    static PEERS: RefCell<Vec<Weak<Peer>>> = const { RefCell::new(Vec::new()) };
    static IS_SWEEPING: Cell<bool> = const { Cell::new(false) };
}

/// Another context, as long as a bridge leads there.
#[derive(Debug)]
pub(super) struct Peer {
    context: ContextId,
    was_heard: Cell<bool>,
}

impl Peer {
    pub(super) fn context(&self) -> ContextId {
        self.context
    }

    /// Something came from there.
    pub(super) fn was_heard(&self) {
        self.was_heard.set(true);
    }
}

/// Who holds the other end of a bridge.
#[derive(Debug)]
pub(super) enum Holder {
    /// Nobody, as far as is known: it is on its way, with a message to that peer.
    InFlight {
        to: Option<Rc<Peer>>,
        /// Whether somebody had it before, and was told who holds this end: whoever gets it was not.
        was_held: bool,
        /// How often it was found so.
        found: Cell<u32>,
    },
    /// That peer.
    Peer(Rc<Peer>),
    /// This context itself.
    Here,
}

impl Holder {
    /// Somebody gets it for the first time, or this end was just taken over: whoever holds the other one says so.
    pub(super) fn in_flight(to: Option<Rc<Peer>>) -> Self {
        Self::on_its_way(to, false)
    }

    /// Whoever had it hands it on.
    pub(super) fn moving(to: Option<Rc<Peer>>) -> Self {
        Self::on_its_way(to, true)
    }

    fn on_its_way(to: Option<Rc<Peer>>, was_held: bool) -> Self {
        if !IS_SWEEPING.replace(true) {
            spawn_local(sweep());
        }
        Self::InFlight { to, was_held, found: Cell::new(0) }
    }

    /// Whether whoever gets the other end has not been told who holds this one.
    pub(super) fn is_moving(&self) -> bool {
        matches!(self, Self::InFlight { was_held: true, .. })
    }

    /// The context that has said so.
    pub(super) fn of(context: ContextId, has_lock: bool) -> Self {
        peer(context, has_lock).map_or(Self::Here, Self::Peer)
    }

    /// The peer that holds it.
    pub(super) fn peer(&self) -> Option<Rc<Peer>> {
        match self {
            Self::Peer(peer) => Some(peer.clone()),
            Self::InFlight { .. } | Self::Here => None,
        }
    }

    /// Whether it goes with that peer.
    fn goes_with(&self, dead: &Rc<Peer>) -> bool {
        match self {
            Self::Peer(peer) | Self::InFlight { to: Some(peer), .. } => Rc::ptr_eq(peer, dead),
            Self::InFlight { to: None, .. } | Self::Here => false,
        }
    }
}

/// A context of that name, which is watched from now on. `None` if it is this one.
pub(super) fn peer(context: ContextId, has_lock: bool) -> Option<Rc<Peer>> {
    if context::is_here(context) {
        return None;
    }
    let is_it = |peer: &Rc<Peer>| peer.context == context;
    let known = PEERS.with_borrow(|peers| peers.iter().filter_map(Weak::upgrade).find(is_it));
    Some(known.unwrap_or_else(|| {
        let peer = Rc::new(Peer { context, was_heard: Cell::new(true) });
        PEERS.with_borrow_mut(|peers| peers.push(Rc::downgrade(&peer)));
        spawn_local(watch(Rc::downgrade(&peer), context, has_lock));
        peer
    }))
}

/// Waits for the death of a peer, and ends everything that leads there. Ends when nothing does any more.
async fn watch(peer: Weak<Peer>, context: ContextId, has_lock: bool) {
    let mut silent = 0;
    // The holder asked for its lock before it told of it, but the two may have taken different ways.
    let mut looks = if has_lock { SILENT_BEATS } else { 0 };
    while silent < SILENT_BEATS {
        if looks > 0 && locks::is_held(context).await && locks::released(context).await {
            TimeoutFuture::new(LATE).await;
            break;
        }
        looks = looks.saturating_sub(1);
        if !ask(&peer) {
            return forget(&peer);
        }
        TimeoutFuture::new(BEAT).await;
        silent = if peer.upgrade().is_some_and(|peer| !peer.was_heard.get()) { silent + 1 } else { 0 };
    }
    let Some(dead) = peer.upgrade() else { return forget(&peer) };
    tracing::debug!(%context, "a context that ports led to has gone");
    for bridge in bridge::all() {
        let goes = bridge.holder().goes_with(&dead);
        if goes {
            bridge.end(None);
        }
    }
    forget(&Rc::downgrade(&dead));
}

/// Asks a peer whether it is there, by any port that leads there. False if it need not be known any more.
fn ask(peer: &Weak<Peer>) -> bool {
    let Some(peer) = peer.upgrade() else { return false };
    let leads_there = |bridge: &Rc<Bridge>| bridge.holder().peer().is_some_and(|other| Rc::ptr_eq(&other, &peer));
    if let Some(bridge) = bridge::all().iter().find(|bridge| leads_there(bridge)) {
        peer.was_heard.set(false);
        bridge.say(Entry::Ping);
    }
    true
}

fn forget(peer: &Weak<Peer>) {
    PEERS.with_borrow_mut(|peers| peers.retain(|known| !known.ptr_eq(peer)));
}

/// Ends bridges whose other end has been on its way for too long: nobody would ever tell of its end.
async fn sweep() {
    loop {
        TimeoutFuture::new(SWEEP).await;
        let mut is_any = false;
        for bridge in bridge::all() {
            let found = match &*bridge.holder() {
                Holder::InFlight { found, .. } => found.replace(found.get() + 1) + 1,
                Holder::Peer(_) | Holder::Here => continue,
            };
            is_any = true;
            if found > IN_FLIGHT {
                tracing::debug!("a port was on its way for too long");
                bridge.give_up();
            }
        }
        if !is_any {
            IS_SWEEPING.set(false);
            return;
        }
    }
}
