//! What belongs to one of the ports at which a service is served.

use std::{borrow::Borrow, fmt, ops::Deref, sync::OnceLock, time::Duration};

use super::{
    Answer, MethodId, Refusal, ServeOptions, ServiceFacts,
    context::Issuer,
    farewell::farewell,
    frame::{CallId, Fault, Frame},
    grant::{Cost, Counting, Ended, GrantKey, ROOT, Terms},
    held::Ending,
    host::{Hub, SeatKey, Whence},
    options::Settings,
    versions::{Version, Versions},
};
use crate::{
    Message, MessagePort,
    message::Receipt,
    port::{Parcel, Queued, Reader},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
};

/// A port where calls arrive, and where their answers go.
pub(super) struct Desk {
    pub(super) port: MessagePort,
    home: Home,
    /// Its place among those. `None` of the first one.
    pub(super) seat: Option<SeatKey>,
    /// Whether what comes there waits at the port, and not in a lane.
    pub(super) is_read: bool,
    /// The right by which calls come here.
    pub(super) grant: GrantKey,
    /// `None` of the first port, by which everything may be called.
    terms: Option<Arc<Terms>>,
    counting: Counting,
    /// Of the first port only if somebody asks.
    ending: OnceLock<Arc<Ending>>,
    /// Whether there is nothing to do for a call that brings no options.
    pub(super) is_plain: bool,
    /// Whether nobody looks at such a call, and nothing is around its method: it only has to be claimed.
    pub(super) is_unwatched: bool,
    /// Whether interceptors see the calls.
    pub(super) is_intercepted: bool,
    /// Whether the caller was told how much is taken at a time.
    pub(super) has_window: bool,
    /// Whether a call may be begun without a handle on this: its method runs at once, and nobody counts its end.
    pub(super) begins_at_once: bool,
    /// Made for the first method that is introduced.
    versions: OnceLock<Box<Versions>>,
    /// The id of the call that is being opened, if it came as a value and was turned into a frame for that.
    turned: AtomicU64,
    /// Whether the call that is being opened is begun without a handle on this, and is to get one if it waits.
    owes_handle: AtomicBool,
    /// One-way calls that were taken, and not given back to the caller's window.
    tells: AtomicU32,
    /// How much was sent since somebody has looked how much of it was read.
    sent: AtomicUsize,
}

/// How a port knows what it shares with the other ports of its service.
enum Home {
    /// It is the first, and makes that when there may be others: most services have the one.
    First {
        options: ServeOptions,
        facts: &'static ServiceFacts,
        hub: OnceLock<Arc<Hub>>,
    },
    Other(Arc<Hub>),
}

impl Home {
    fn settings(&self) -> &Settings {
        match self {
            Self::First { options, .. } => options.settings(),
            Self::Other(hub) => hub.settings(),
        }
    }

    /// Asked of the others only: a call by the first port keeps nothing of that.
    fn runs_at_once(&self) -> bool {
        matches!(self, Self::Other(hub) if hub.facts.runs_at_once)
    }
}

/// What a message counts for beside its bytes where it waits.
const UNREAD_MESSAGE: usize = 64;

/// No call is being opened that was turned into a frame.
const NOT_TURNED: u64 = u64::MAX;

impl Desk {
    /// The first port of a service, by which everything may be called.
    #[inline(always)]
    pub(super) fn first(port: MessagePort, options: ServeOptions, facts: &'static ServiceFacts) -> Self {
        let right = Right { grant: ROOT, terms: None, ending: None, counting: Counting::default() };
        Self::new(port, Home::First { options, facts, hub: OnceLock::new() }, None, right, true)
    }

    /// One of the other ports.
    pub(super) fn other(port: MessagePort, hub: Arc<Hub>, seat: SeatKey, right: Right, is_read: bool) -> Self {
        Self::new(port, Home::Other(hub), Some(seat), right, is_read)
    }

    #[inline(always)]
    fn new(port: MessagePort, home: Home, seat: Option<SeatKey>, right: Right, is_read: bool) -> Self {
        let Right { grant, terms, ending, counting } = right;
        let settings = home.settings();
        let is_unwatched = settings.is_plain() && terms.as_ref().is_none_or(|terms| terms.is_unchecked());
        let begins_at_once = home.runs_at_once() && !counting.counts_ends;
        let (is_intercepted, has_window) = (!settings.interceptors.is_empty(), settings.window.is_some());
        Self {
            port,
            home,
            seat,
            is_read,
            grant,
            terms,
            counting,
            is_plain: seat.is_none() && is_unwatched,
            ending: ending.map(OnceLock::from).unwrap_or_default(),
            is_unwatched,
            is_intercepted,
            has_window,
            begins_at_once,
            versions: OnceLock::new(),
            turned: AtomicU64::new(NOT_TURNED),
            owes_handle: AtomicBool::new(false),
            tells: AtomicU32::new(0),
            sent: AtomicUsize::new(0),
        }
    }

    /// How the service is served.
    #[inline]
    pub(super) fn settings(&self) -> &Settings {
        self.home.settings()
    }

    /// What it shares with the other ports of the service, and with whoever makes one. It is made here where nobody has asked before.
    pub(super) fn hub(&self) -> &Arc<Hub> {
        match &self.home {
            Home::First { options, facts, hub } => hub.get_or_init(|| {
                // One client has the first port.
                let most_clients = options.settings().clients.min(options.settings().all_clients);
                Hub::new(options.clone(), most_clients, facts, Some(&self.port))
            }),
            Home::Other(hub) => hub,
        }
    }

    /// The same, if there is any.
    #[inline]
    pub(super) fn hub_so_far(&self) -> Option<&Arc<Hub>> {
        match &self.home {
            Home::First { hub, .. } => hub.get(),
            Home::Other(hub) => Some(hub),
        }
    }

    /// What whoever calls here may do.
    pub(super) fn terms(&self) -> &Terms {
        Terms::of(self.terms.as_ref())
    }

    /// What the calls have to do with the end of the right that they came by.
    #[inline]
    pub(super) fn ending(&self) -> &Ending {
        self.ending.get_or_init(Arc::default)
    }

    /// Whether the right has anything left that calls take from, or one has that it was made from.
    pub(super) fn counts(&self) -> bool {
        self.counting.counts
    }

    /// What takes calls out of what the right has left. `None` of the first port: nobody counts those.
    #[inline]
    pub(super) fn claim(&self) -> Option<Claim<'_>> {
        self.seat.is_some().then_some(Claim(self))
    }

    /// What a method that runs for this port can make grants with.
    pub(super) fn issuer(&self) -> Issuer {
        Issuer { hub: self.hub().clone(), grant: self.grant, terms: self.terms.clone() }
    }

    /// Tells the other end how much is taken at a time, if that was said.
    pub(super) fn open(&self) {
        if let Some(window) = self.settings().window {
            self.send(&Frame::Hello { window });
        }
    }

    /// Sends an answer. If the port is closed, nobody waits for it.
    pub(super) fn post(&self, answer: Answer) {
        if let Some(message) = answer.into_message() {
            self.post_message(message);
        }
    }

    fn post_message(&self, message: Message) {
        self.sends(message.size());
        let _closed = self.port.post(Parcel::Message(message));
    }

    /// Notes that so many bytes are sent. Where it may have become too much for one who does not read, looks how much waits.
    #[inline]
    fn sends(&self, bytes: usize) {
        let sent = self.sent.load(Ordering::Relaxed).saturating_add(bytes.saturating_add(UNREAD_MESSAGE));
        // What waits is what was sent, at the most.
        let is_due = sent >= self.settings().unread / 8;
        self.sent.store(if is_due { 0 } else { sent }, Ordering::Relaxed);
        if is_due {
            self.look_what_waits();
        }
    }

    #[cold]
    fn look_what_waits(&self) {
        let Queued { messages, bytes } = self.port.unread();
        if bytes.saturating_add(messages.saturating_mul(UNREAD_MESSAGE)) < self.settings().unread || messages == 0 {
            return;
        }
        tracing::warn!(
            label = self.terms().label(),
            messages,
            bytes,
            "a client that does not read its answers was closed"
        );
        match self.seat {
            Some(seat) => self.hub().tell_ended([seat], Ended::Unread),
            None => farewell(&self.port, Fault::Refused(Ended::Unread.refusal())),
        }
    }

    /// Counts the bytes of an answer, and of the call that it is for, until it is delivered.
    pub(super) fn hold(self: &Arc<Self>, answer: Message, bytes: u32) -> Message {
        if !self.counting.counts_bytes {
            return answer;
        }
        let bytes = u64::from(bytes).saturating_add(answer.size() as u64);
        self.hub().grants().hold(self.grant, bytes);
        answer.with_receipt(OnItsWay { desk: self.clone(), bytes, is_over: AtomicBool::new(false) })
    }

    pub(super) fn send(&self, frame: &Frame<'_>) {
        self.post_message(frame.to_bytes().into());
    }

    /// What the caller takes the method for, if it has said so. Asked when a call comes, not when it is opened: by then the port may have another
    /// holder, who takes it for something else.
    #[inline]
    pub(super) fn version_of(&self, method: MethodId) -> Option<Arc<Version>> {
        self.versions.get()?.of(method)
    }

    pub(super) fn versions_to_be(&self) -> &Versions {
        self.versions.get_or_init(Box::default)
    }

    /// Notes the id of the call that is being opened.
    pub(super) fn has_turned(&self, CallId(id): CallId) {
        self.turned.store(id, Ordering::Relaxed);
    }

    /// Tells those who watch of a call that is refused.
    pub(super) fn refused(&self, method: MethodId, refusal: &Refusal) {
        self.settings().interceptors.refused(method, refusal);
        self.settings().audit.refused(self.grant, method, refusal);
        if self.seat.is_some() {
            tracing::warn!(label = self.terms().label(), %method, %refusal, "a call was refused");
        }
    }

    /// The id under which a call that was just opened can be cancelled by a frame, although it came as a value.
    #[inline]
    pub(super) fn turned(&self) -> Option<CallId> {
        // Nearly always there is none; and it is one task that opens calls.
        let id = self.turned.load(Ordering::Relaxed);
        (id != NOT_TURNED).then_some(CallId(id))
    }

    /// As [`turned`](Self::turned), for the last time.
    #[inline]
    pub(super) fn take_turned(&self) -> Option<CallId> {
        let turned = self.turned();
        if turned.is_some() {
            self.turned.store(NOT_TURNED, Ordering::Relaxed);
        }
        turned
    }

    /// Notes whether the call that is being opened is begun without a handle on this; none is owed to it once it has ended.
    #[inline]
    pub(super) fn set_owes_handle(&self, is_so: bool) {
        // As with those that were turned, it is one task that opens calls.
        self.owes_handle.store(is_so, Ordering::Relaxed);
    }

    /// Whether the call that was just opened is to get a handle on this, since it waits. For the last time.
    #[inline]
    pub(super) fn take_owes_handle(&self) -> bool {
        let owes = self.owes_handle.load(Ordering::Relaxed);
        self.set_owes_handle(false);
        owes
    }

    /// A call was taken out of the caller's window. One-way calls are given back, half a window at a time.
    pub(super) fn took_tell(&self) {
        let Some(window) = self.settings().window else { return };
        let tells = self.tells.load(Ordering::Relaxed).saturating_add(1);
        let is_due = tells >= window.calls.div_ceil(2);
        self.tells.store(if is_due { 0 } else { tells }, Ordering::Relaxed);
        if is_due {
            self.send(&Frame::Credit { tells });
        }
    }
}

/// Reads a port at which calls arrive.
pub(super) type DeskReader<'p> = Reader<AtDesk<'p>>;

/// A port, with all that belongs to it.
pub(super) enum AtDesk<'p> {
    /// The first, which is there for as long as the service is served.
    First(&'p Desk),
    Other(Arc<Desk>),
}

impl AtDesk<'_> {
    #[inline]
    pub(super) fn desk(&self) -> At<'_> {
        match self {
            Self::First(desk) => At::first(desk),
            Self::Other(desk) => At::other(desk),
        }
    }
}

impl Borrow<MessagePort> for AtDesk<'_> {
    #[inline]
    fn borrow(&self) -> &MessagePort {
        match self {
            Self::First(desk) => &desk.port,
            Self::Other(desk) => &desk.port,
        }
    }
}

/// A port where something came, for those who may have to keep it: of the first nothing is kept, for that is known anyway.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<'d> {
    desk: &'d Desk,
    other: Option<&'d Arc<Desk>>,
}

impl<'d> At<'d> {
    #[inline]
    pub(super) fn first(desk: &'d Desk) -> Self {
        Self { desk, other: None }
    }

    #[inline]
    pub(super) fn other(desk: &'d Arc<Desk>) -> Self {
        Self { desk, other: Some(desk) }
    }

    /// The port, if it is not the first.
    #[inline]
    pub(super) fn beside_first(self) -> Option<&'d Arc<Desk>> {
        self.other
    }

    /// Where it is, to be kept.
    #[inline]
    pub(super) fn whence(self) -> Whence {
        self.other.cloned()
    }
}

impl Deref for At<'_> {
    type Target = Desk;

    #[inline]
    fn deref(&self) -> &Desk {
        self.desk
    }
}

/// By what right calls come to a port.
pub(super) struct Right {
    pub(super) grant: GrantKey,
    /// `None` of the first port, by which everything may be called.
    pub(super) terms: Option<Arc<Terms>>,
    /// `None` of the first port, whose right never ends.
    pub(super) ending: Option<Arc<Ending>>,
    pub(super) counting: Counting,
}

/// Takes calls out of what a right has left.
pub(super) struct Claim<'d>(&'d Desk);

impl Claim<'_> {
    /// Takes one call.
    ///
    /// # Errors
    /// What has run out.
    #[inline]
    pub(super) fn take(&self, cost: Cost) -> Result<(), Refusal> {
        let Desk { grant, counting, .. } = self.0;
        let hub = self.0.hub();
        // The clock is the user's: asked with no lock held, and only if somebody wants to know.
        let now = self.now();
        let claimed = hub.grants().claim(*grant, cost, now);
        match claimed {
            Ok(()) => Ok(()),
            Err(Refusal::TooFast) if counting.has_rate && now.is_none() => {
                let now = hub.now();
                hub.grants().claim(*grant, cost, now)
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// A call that was taken did not run.
    pub(super) fn give_back(&self) {
        self.0.hub().grants().give_back(self.0.grant);
    }

    /// A call that was taken has ended.
    #[inline]
    pub(super) fn release(&self, cost: Cost) {
        if self.0.counting.counts_ends {
            self.release_now(cost);
        }
    }

    fn release_now(&self, cost: Cost) {
        let now = self.now();
        self.0.hub().grants().release(self.0.grant, cost, now);
    }

    fn now(&self) -> Option<Duration> {
        if self.0.counting.is_timed { self.0.hub().now() } else { None }
    }
}

/// An answer on its way, whose bytes count until it is delivered (C21).
#[derive(Debug)]
struct OnItsWay {
    desk: Arc<Desk>,
    bytes: u64,
    is_over: AtomicBool,
}

impl Receipt for OnItsWay {
    fn delivered(&self) {
        if !self.is_over.swap(true, Ordering::Relaxed) {
            self.desk.hub().grants().let_go(self.desk.grant, self.bytes);
        }
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.delivered();
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("port", &self.port).finish_non_exhaustive()
    }
}
