//! A call, as those see it who watch.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{Metadata, Method, MethodId, frame::CallId};
use crate::{clock::Clock, sync::Arc};

/// At which end a call is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CallSide {
    /// At its caller.
    Caller,
    /// At the service.
    Service,
}

/// A call, as interceptors see it.
#[derive(Debug)]
#[non_exhaustive]
pub struct CallInfo {
    /// At which end.
    pub side: CallSide,
    /// Which method.
    pub method: MethodId,
    /// How it is named in the trait.
    pub name: &'static str,
    /// How the trait is named. Empty where the method was not made by `#[service]`.
    pub service: &'static str,
    /// Whether it wants no answer.
    pub is_oneway: bool,
    /// What travels beside the arguments.
    pub metadata: Metadata,
    /// How much time was left when the call was seen.
    pub deadline: Option<Duration>,
    /// Entered whenever the call is polled: disabled, unless an interceptor makes it one.
    pub span: tracing::Span,
    number: u64,
    began: Option<(Arc<dyn Clock>, Duration)>,
    waited: Option<Duration>,
    ahead: Ahead,
    traffic: Traffic,
}

impl CallInfo {
    pub(super) fn new(side: CallSide, signature: Signature) -> Self {
        Self {
            side,
            method: signature.method,
            name: signature.name,
            service: signature.service,
            is_oneway: false,
            metadata: Metadata::default(),
            deadline: None,
            span: tracing::Span::none(),
            number: 0,
            began: None,
            waited: None,
            ahead: Ahead::default(),
            traffic: Traffic::default(),
        }
    }

    /// Gives it a number and takes the time, so that [`elapsed`](Self::elapsed) can tell it later.
    pub(super) fn begin(&mut self) {
        static LAST: AtomicU64 = AtomicU64::new(0);
        self.number = LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        self.began = crate::clock::current().map(|clock| {
            let now = clock.now();
            (clock, now)
        });
    }

    /// Notes, at a service, how it came. After [`begin`](Self::begin).
    pub(super) fn came(&mut self, arrival: &Arrival) {
        self.ahead = arrival.ahead;
        let begun = self.began.as_ref().map(|(_, began)| *began);
        self.waited = begun.zip(arrival.at).map(|(begun, came)| begun.saturating_sub(came));
    }

    /// Notes, at a caller, that it is sent now.
    pub(super) fn sent_now(&mut self) {
        self.waited = self.elapsed();
    }

    /// Notes what of it crosses as bytes.
    pub(super) fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Tells it from every other call that interceptors of this process saw, at either side: a call has one number at its caller,
    /// and another at its service.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// By what the frames know it, if it goes as bytes. At the caller it is known once it was sent.
    pub fn id(&self) -> Option<CallId> {
        self.traffic.id()
    }

    /// How long ago it was seen first: at the caller, when it was made; at the service, when its turn had come. `None` in a context
    /// without a [clock](crate::clock).
    pub fn elapsed(&self) -> Option<Duration> {
        self.began.as_ref().map(|(clock, began)| clock.now().saturating_sub(*began))
    }

    /// How long it waited for its turn: at the caller, until there was room in the service's window, and `None` before that; at the
    /// service, from when it came. `None` in a context without a [clock](crate::clock).
    pub fn waited(&self) -> Option<Duration> {
        self.waited
    }

    /// At the service: what there was before it at the port when it came.
    pub fn ahead(&self) -> Ahead {
        self.ahead
    }

    /// How many bytes of it this end has sent by now: none of what stays a value. At the caller of a one-way call always none, for it
    /// has ended before it is encoded.
    pub fn bytes_sent(&self) -> u64 {
        self.traffic.sent.load(Ordering::Relaxed)
    }

    /// How many bytes of it this end has received by now: none of what stayed a value.
    pub fn bytes_received(&self) -> u64 {
        self.traffic.received.load(Ordering::Relaxed)
    }

    pub(super) fn clock(&self) -> Option<(Arc<dyn Clock>, Duration)> {
        self.began.clone()
    }
}

/// What is before a call at a service's port when it comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Ahead {
    /// Calls that run, and wait for something.
    pub running: usize,
    /// Calls that wait for their turn, because as many run as may.
    pub waiting: usize,
}

/// How a call came to a service: noted only where somebody watches.
#[derive(Debug)]
pub(super) struct Arrival {
    ahead: Ahead,
    /// By the clock of the context.
    at: Option<Duration>,
}

impl Arrival {
    #[cold]
    pub(super) fn now(running: usize, waiting: usize) -> Box<Self> {
        let at = crate::clock::current().map(|clock| clock.now());
        Box::new(Self { ahead: Ahead { running, waiting }, at })
    }
}

/// What of a call crosses as bytes.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    /// The id, and one: zero is none.
    id: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
}

impl Traffic {
    pub(super) fn has_id(&self, CallId(id): CallId) {
        self.id.store(id.wrapping_add(1), Ordering::Relaxed);
    }

    pub(super) fn has_sent(&self, bytes: usize) {
        self.sent.store(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn has_received(&self, bytes: usize) {
        self.received.store(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn has_had(&self, other: &Self) {
        let pairs = [(&self.id, &other.id), (&self.sent, &other.sent), (&self.received, &other.received)];
        pairs.into_iter().for_each(|(to, from)| to.store(from.load(Ordering::Relaxed), Ordering::Relaxed));
    }

    /// Whether the call went as bytes.
    pub(super) fn has_any(&self) -> bool {
        self.id.load(Ordering::Relaxed) != 0
    }

    fn id(&self) -> Option<CallId> {
        self.id.load(Ordering::Relaxed).checked_sub(1).map(CallId)
    }
}

/// What a method is called.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signature {
    pub(super) method: MethodId,
    pub(super) name: &'static str,
    pub(super) service: &'static str,
}

impl Signature {
    pub(super) const fn of<M: Method>() -> Self {
        Self { method: M::ID, name: M::NAME, service: M::SERVICE }
    }
}
