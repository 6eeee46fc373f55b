//! Who holds the other ends, and whether they live.

use std::{
    cell::{Cell, RefCell},
    fmt,
    rc::{Rc, Weak},
};

use gloo_timers::future::TimeoutFuture;
use wasm_bindgen_futures::spawn_local;
use web_sys::{AbortController, AbortSignal};

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

/// How many times in a row a port may be asked in vain that leads to somebody who is heard by others. Much may lie in front of the question.
const LONE_SILENT_BEATS: u32 = 2 * SILENT_BEATS;

/// How long a packet may be on its way after the death of its sender, in milliseconds.
const LATE: u32 = 50;

/// How long a port may be on its way to nobody knows whom, in beats of [`SWEEP`].
const IN_FLIGHT: u32 = 6;

/// How often those on their way are looked at, in milliseconds.
const SWEEP: u32 = 5_000;

thread_local! {
    /// Those that live: a page has some workers and frames.
    static PEERS: RefCell<Vec<Weak<Peer>>> = const { RefCell::new(Vec::new()) };
    static IS_SWEEPING: Cell<bool> = const { Cell::new(false) };
}

/// Another context, as long as a bridge leads there; or this one, by way of the browser.
#[derive(Debug)]
pub(crate) struct Peer {
    context: ContextId,
    was_heard: Cell<bool>,
    /// Whose turn it is to be asked, of the bridges that lead there.
    turn: Cell<usize>,
    /// What ends the wait for its lock.
    watching: AbortController,
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

impl Drop for Peer {
    fn drop(&mut self) {
        self.watching.abort();
        let _torn_down = PEERS.try_with(|peers| {
            peers.borrow_mut().retain(|peer| peer.strong_count() > 0);
        });
    }
}

/// Who holds the other end of a bridge.
#[derive(Debug)]
pub(super) enum Holder {
    /// Nobody, as far as is known: it is on its way.
    InFlight {
        flight: Flight,
        /// Whether somebody had it before, and was told who holds this end: whoever gets it was not.
        was_held: bool,
    },
    /// That peer.
    Peer(Rc<Peer>),
}

/// How the other end of a bridge travels.
pub(super) struct Flight {
    /// To that peer.
    to: Option<Rc<Peer>>,
    /// With a message of this bridge's, which may itself be handed on before that is read.
    by: Weak<Bridge>,
    /// How often it was found so.
    found: Cell<u32>,
    /// How many packets had come by that bridge then.
    heard: Cell<u64>,
}

impl Flight {
    /// By a way of its own.
    pub(super) fn to(to: Option<Rc<Peer>>) -> Self {
        Self { to, by: Weak::new(), found: Cell::default(), heard: Cell::default() }
    }

    /// With a message that a bridge sends.
    pub(super) fn by(bridge: &Rc<Bridge>) -> Self {
        let heard = Cell::new(bridge.heard());
        Self { to: bridge.destination(), by: Rc::downgrade(bridge), found: Cell::default(), heard }
    }

    /// Whether that peer is the first to get it, and waits for it.
    fn is_straight_to(&self, peer: &Rc<Peer>) -> bool {
        self.by.ptr_eq(&Weak::new()) && self.to.as_ref().is_some_and(|to| Rc::ptr_eq(to, peer))
    }

    /// How often it was found to be still on its way. As long as what took it along leads to somebody who is not heard, it is not counted:
    /// they may be busy. They are asked.
    fn look(&self) -> u32 {
        let is_heard = match self.by.upgrade() {
            Some(by) => {
                by.say(Entry::Ping);
                self.heard.replace(by.heard()) != by.heard()
            }
            None => true,
        };
        self.found.set(self.found.get() + u32::from(is_heard));
        self.found.get()
    }
}

impl fmt::Debug for Flight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flight").field("to", &self.to).field("found", &self.found).finish_non_exhaustive()
    }
}

impl Holder {
    /// Somebody gets it for the first time, or this end was just taken over: whoever holds the other one says so.
    pub(super) fn in_flight(flight: Flight) -> Self {
        Self::on_its_way(flight, false)
    }

    /// Whoever had it hands it on.
    pub(super) fn moving(to: Option<Rc<Peer>>) -> Self {
        Self::on_its_way(Flight::to(to), true)
    }

    fn on_its_way(flight: Flight, was_held: bool) -> Self {
        if !IS_SWEEPING.replace(true) {
            spawn_local(sweep());
        }
        Self::InFlight { flight, was_held }
    }

    /// Whether whoever gets the other end has not been told who holds this one.
    pub(super) fn is_moving(&self) -> bool {
        matches!(self, Self::InFlight { was_held: true, .. })
    }

    /// The context that has said so.
    pub(super) fn of(context: ContextId, has_lock: bool) -> Self {
        Self::Peer(peer(context, has_lock))
    }

    /// The peer that holds it.
    pub(super) fn peer(&self) -> Option<Rc<Peer>> {
        match self {
            Self::Peer(peer) => Some(peer.clone()),
            Self::InFlight { .. } => None,
        }
    }

    /// The peer that holds it, or that it is on its way to: where what takes it along leads by now.
    pub(super) fn destination(&self) -> Option<Rc<Peer>> {
        let (mut to, mut by) = match self {
            Self::Peer(peer) => return Some(peer.clone()),
            Self::InFlight { flight: Flight { to, by, .. }, .. } => (to.clone(), by.upgrade()),
        };
        // What takes it along was there before it was.
        while let Some(bridge) = by {
            match &*bridge.holder() {
                Self::Peer(peer) => return Some(peer.clone()),
                Self::InFlight { flight, .. } => {
                    to.clone_from(&flight.to);
                    by = flight.by.upgrade();
                }
            }
        }
        to
    }

    /// Whether it goes with that peer.
    fn goes_with(&self, dead: &Rc<Peer>) -> bool {
        self.destination().is_some_and(|peer| Rc::ptr_eq(&peer, dead))
    }
}

/// A context of that name, which is watched from now on. This one is asked as others are whose lock cannot be seen: whoever says to be this
/// context may be anybody.
pub(super) fn peer(context: ContextId, has_lock: bool) -> Rc<Peer> {
    let is_it = |peer: &Rc<Peer>| peer.context == context;
    let known = PEERS.with_borrow(|peers| peers.iter().filter_map(Weak::upgrade).find(is_it));
    known.unwrap_or_else(|| {
        let watching = AbortController::new().expect("there is one wherever there are ports");
        let signal = watching.signal();
        let peer = Rc::new(Peer { context, was_heard: Cell::new(true), turn: Cell::default(), watching });
        PEERS.with_borrow_mut(|peers| peers.push(Rc::downgrade(&peer)));
        let has_lock = has_lock && !context::is_here(context);
        spawn_local(watch(Rc::downgrade(&peer), context, has_lock, signal));
        peer
    })
}

/// Waits for the death of a peer, and ends everything that leads there. Ends when nothing does any more.
async fn watch(peer: Weak<Peer>, context: ContextId, has_lock: bool, signal: AbortSignal) {
    let mut silent = 0;
    // The holder asked for its lock before it told of it, but the two may have taken different ways.
    let mut looks = if has_lock { SILENT_BEATS } else { 0 };
    while silent < SILENT_BEATS {
        if looks > 0 && locks::is_held(context).await && locks::released(context, &signal).await {
            TimeoutFuture::new(LATE).await;
            break;
        }
        looks = looks.saturating_sub(1);
        if !ask(&peer, silent > 0) {
            return;
        }
        TimeoutFuture::new(BEAT).await;
        let Some(peer) = peer.upgrade() else { return };
        if peer.was_heard.get() {
            silent = 0;
            // It may not be that one which has these.
            end_those(|bridge| bridge.asked() >= LONE_SILENT_BEATS && leads_to(bridge, &peer));
        } else {
            silent += 1;
        }
    }
    let Some(dead) = peer.upgrade() else { return };
    // Nobody watches it any more: if it lives after all, it is another.
    PEERS.with_borrow_mut(|peers| peers.retain(|known| !known.ptr_eq(&peer)));
    tracing::debug!(%context, "a context that ports led to has gone");
    end_those(|bridge| bridge.holder().goes_with(&dead));
}

/// Whether a peer can be asked by a bridge: it holds the other end, or was the one to take it.
fn leads_to(bridge: &Bridge, peer: &Rc<Peer>) -> bool {
    match &*bridge.holder() {
        Holder::Peer(other) => Rc::ptr_eq(other, peer),
        Holder::InFlight { flight, was_held } => !was_held && flight.is_straight_to(peer),
    }
}

/// Gives up the bridges that are so before any of them is given up. Whoever lives after all hears of it.
fn end_those(is_one: impl Fn(&Bridge) -> bool) {
    let those: Vec<_> = bridge::all().into_iter().filter(|bridge| is_one(bridge)).collect();
    those.iter().for_each(|bridge| bridge.give_up());
}

/// Asks a peer whether it is there, by one of the ports that lead there, or by all, and again by those that have not answered. False if
/// it need not be known any more.
fn ask(peer: &Weak<Peer>, by_all: bool) -> bool {
    let Some(peer) = peer.upgrade() else { return false };
    let bridges: Vec<_> = bridge::all().into_iter().filter(|bridge| leads_to(bridge, &peer)).collect();
    let turn = peer.turn.get().checked_rem(bridges.len());
    peer.turn.set(peer.turn.get().wrapping_add(1));
    if turn.is_some() {
        peer.was_heard.set(false);
    }
    for (place, bridge) in bridges.iter().enumerate() {
        if by_all || turn == Some(place) || bridge.asked() > 0 {
            bridge.ask();
        }
    }
    true
}

/// Ends bridges whose other end has been on its way for too long: nobody would ever tell of its end.
async fn sweep() {
    loop {
        TimeoutFuture::new(SWEEP).await;
        let mut is_any = false;
        for bridge in bridge::all() {
            let found = match &*bridge.holder() {
                Holder::InFlight { flight, .. } => flight.look(),
                Holder::Peer(_) => continue,
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
