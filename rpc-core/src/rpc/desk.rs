//! What belongs to one of the ports at which a service is served.

use std::{fmt, sync::OnceLock};

use super::{
    Answer, ServeOptions,
    frame::{CallId, Frame},
    host::{Hub, SeatKey},
    versions::Versions,
};
use crate::{
    MessagePort,
    port::Parcel,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
};

/// A port where calls arrive, and where their answers go.
pub(super) struct Desk {
    pub(super) port: MessagePort,
    /// What it shares with the other ports of the service.
    pub(super) hub: Arc<Hub>,
    /// Its place among those. `None` of the first one.
    pub(super) seat: Option<SeatKey>,
    /// Made for the first method that is introduced.
    versions: OnceLock<Box<Versions>>,
    /// The id of the call that is being opened, if it came as a value and was turned into a frame for that.
    turned: AtomicU64,
    /// One-way calls that were taken, and not given back to the caller's window.
    tells: AtomicU32,
}

/// No call is being opened that was turned into a frame.
const NOT_TURNED: u64 = u64::MAX;

impl Desk {
    pub(super) fn new(port: MessagePort, hub: Arc<Hub>, seat: Option<SeatKey>) -> Self {
        Self {
            port,
            hub,
            seat,
            versions: OnceLock::new(),
            turned: AtomicU64::new(NOT_TURNED),
            tells: AtomicU32::new(0),
        }
    }

    /// How the service is served.
    #[inline]
    pub(super) fn settings(&self) -> &ServeOptions {
        &self.hub.settings
    }

    /// Tells the other end how much is taken at a time, if that was said.
    pub(super) fn open(&self) {
        if let Some(window) = self.settings().window {
            self.send(&Frame::Hello { window });
        }
    }

    /// Sends an answer. If the port is closed, nobody waits for it.
    pub(super) fn post(&self, answer: Answer) {
        if let Answer(Some(message)) = answer {
            let _closed = self.port.post(Parcel::Message(message));
        }
    }

    pub(super) fn send(&self, frame: &Frame<'_>) {
        self.post(Answer(Some(frame.to_bytes().into())));
    }

    /// What the caller takes the methods for, if it has said so.
    pub(super) fn versions(&self) -> Option<&Versions> {
        self.versions.get().map(Box::as_ref)
    }

    pub(super) fn versions_to_be(&self) -> &Versions {
        self.versions.get_or_init(Box::default)
    }

    /// Notes the id of the call that is being opened.
    pub(super) fn has_turned(&self, CallId(id): CallId) {
        self.turned.store(id, Ordering::Relaxed);
    }

    /// The id under which a call that was just opened can be cancelled by a frame, although it came as a value.
    pub(super) fn take_turned(&self) -> Option<CallId> {
        // Nearly always there is none; and it is one task that opens calls.
        if self.turned.load(Ordering::Relaxed) == NOT_TURNED {
            return None;
        }
        Some(CallId(self.turned.swap(NOT_TURNED, Ordering::Relaxed)))
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

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("port", &self.port).finish_non_exhaustive()
    }
}
