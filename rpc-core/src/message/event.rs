//! What arrives.

use std::fmt;

use super::DecodeError;
use crate::MessagePort;
#[cfg(feature = "windows")]
use crate::window::WindowProxy;

/// A message that has arrived: the standard's [`MessageEvent`](https://html.spec.whatwg.org/multipage/comms.html#messageevent).
///
/// Handlers get it by `&mut`: a client or a port is moved out of `data` by leaving something in its place.
#[derive(Debug)]
#[non_exhaustive]
pub struct MessageEvent<T> {
    /// What was sent.
    pub data: T,
    /// The sender's origin, serialised (EVT-02): through a window or a broadcast channel. Empty through a port (EVT-04, DEC-06).
    pub origin: String,
    /// Empty: nothing here sets it (EVT-01).
    pub last_event_id: String,
    /// The sender, where it can be answered: through a window (EVT-05).
    pub source: Option<Source>,
    /// The ports that were listed for transfer and that no part of `data` took, in list order (PORT-29).
    pub ports: Vec<MessagePort>,
}

/// Who sent a message.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Source {
    /// A window.
    #[cfg(feature = "windows")]
    Window(WindowProxy),
}

/// A message that has arrived and could not be read: the standard's `messageerror` event (EVT-09). The next one is not affected.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MessageErrorEvent {
    /// Why: for logs. The standard gives no reason.
    pub error: DecodeError,
    /// The sender's origin, as in [`MessageEvent::origin`].
    pub origin: String,
    /// The sender, as in [`MessageEvent::source`].
    pub source: Option<Source>,
}

impl<T> MessageEvent<T> {
    /// What a port delivers: no origin, no source (EVT-04).
    pub(crate) fn of_port(data: T, ports: Vec<MessagePort>) -> Self {
        Self { data, origin: String::new(), last_event_id: String::new(), source: None, ports }
    }

    /// What a window delivers: the sender's origin, and its window (EVT-05).
    #[cfg(feature = "windows")]
    pub(crate) fn of_window(data: T, ports: Vec<MessagePort>, origin: String, source: WindowProxy) -> Self {
        Self { origin, source: Some(Source::Window(source)), ..Self::of_port(data, ports) }
    }

    /// What a broadcast channel delivers: the sender's origin, no source, no ports (EVT-06).
    #[cfg(feature = "windows")]
    pub(crate) fn of_broadcast(data: T, origin: String) -> Self {
        Self { origin, ..Self::of_port(data, Vec::new()) }
    }
}

impl MessageErrorEvent {
    /// What a port delivers: no origin, no source (EVT-09).
    pub(crate) fn of_port(error: DecodeError) -> Self {
        Self { error, origin: String::new(), source: None }
    }

    /// What a window delivers: the sender's origin, and its window (WIN-08).
    #[cfg(feature = "windows")]
    pub(crate) fn of_window(error: DecodeError, origin: String, source: WindowProxy) -> Self {
        Self { error, origin, source: Some(Source::Window(source)) }
    }

    /// What a broadcast channel delivers: the sender's origin, no source (BC-12).
    #[cfg(feature = "windows")]
    pub(crate) fn of_broadcast(error: DecodeError, origin: String) -> Self {
        Self { error, origin, source: None }
    }
}

impl fmt::Display for MessageErrorEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a message arrived that cannot be read: {}", self.error)
    }
}
