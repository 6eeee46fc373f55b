//! What arrives.

use std::fmt;

use super::{DecodeError, Message, Payload};
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
    /// The sender, where it can be answered: through a window (EVT-05), and where a shared worker is connected to.
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
    /// The port in [`ports`](MessageEvent::ports): a port has one owner, so it is named here and held there.
    Port,
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

impl MessageEvent<String> {
    /// What tells a shared worker of a connection: empty data, and one port, which is the source too (EVT-07).
    pub fn connect(port: MessagePort) -> Self {
        let (data, origin, last_event_id) = Default::default();
        Self { data, origin, last_event_id, source: Some(Source::Port), ports: vec![port] }
    }
}

impl<T: Payload> MessageEvent<T> {
    /// Reads a message into the event that it is fired as, or into the one that says that it cannot be read (PORT-27). Through a
    /// port it has neither origin nor source (EVT-04, EVT-09), through a window both (EVT-05, WIN-08), through a broadcast channel
    /// an origin (EVT-06, BC-12).
    pub(crate) fn read(message: Message, origin: String, source: Option<Source>) -> Result<Self, MessageErrorEvent> {
        match T::read(message) {
            Ok((data, ports)) => Ok(Self { data, origin, last_event_id: String::new(), source, ports }),
            Err(error) => Err(MessageErrorEvent { error, origin, source }),
        }
    }
}

impl fmt::Display for MessageErrorEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a message arrived that cannot be read: {}", self.error)
    }
}
