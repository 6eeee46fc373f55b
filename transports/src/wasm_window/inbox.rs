//! What comes to this window.

use std::cell::Cell;

use js_sys::{Array, JsString, Object};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{EventTarget, MessageEvent, MessagePort as JsPort, Window};

use super::{
    Ignored, Origins,
    steps::{Aside, Id},
};
use crate::browser::{self, Says};

/// How long a name may be, in UTF-16 code units: ours have 32.
const LONGEST_ID: u32 = 64;

/// Hears what is posted to this window, until it is dropped.
pub(super) struct Inbox {
    listener: Closure<dyn FnMut(MessageEvent)>,
}

impl Inbox {
    pub(super) fn new(heard: impl FnMut(MessageEvent) + 'static) -> Self {
        let listener = Closure::<dyn FnMut(MessageEvent)>::new(heard);
        let _added = here().add_event_listener_with_callback("message", listener.as_ref().unchecked_ref());
        Self { listener }
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        let _removed = here().remove_event_listener_with_callback("message", self.listener.as_ref().unchecked_ref());
    }
}

fn here() -> EventTarget {
    js_sys::global().unchecked_into()
}

/// Counts what was left aside.
pub(super) fn count(ignored: &Cell<Ignored>, aside: Aside) {
    ignored.set(aside.added_to(ignored.get()));
}

/// Who has posted a message.
pub(super) struct Sender {
    pub(super) window: Window,
    pub(super) origin: String,
}

impl Sender {
    /// Whoever has posted this, if it is one of those who are meant (C23): of such an origin, and from that window if one is. Reads
    /// nothing else of the message.
    pub(super) fn of(event: &MessageEvent, origins: &Origins, from: Option<&Window>) -> Option<Self> {
        // Scripts of this window can make events too, and have them say anything.
        if !event.is_trusted() {
            return None;
        }
        let source = event.source()?;
        if from.is_some_and(|window| !Object::is(window, &source)) {
            return None;
        }
        let origin = event.origin();
        // A window of another origin is an instance of nothing that could be asked for.
        origins.admit(&origin).then(|| Self { window: source.unchecked_into(), origin })
    }

    /// Posts something to this one alone. Whoever has no origin of their own can be named by a wildcard only; they get here if
    /// that was asked for.
    pub(super) fn answer(&self, message: &JsValue, ports: &Array) {
        let target = if self.origin == "null" { "*" } else { &self.origin };
        post(&self.window, message, target, ports);
    }
}

/// Says something to whatever page is in that window by now: that somebody is here, and nothing else.
///
/// A page of another origin than was meant learns by that which origin calls, and that it uses this crate; it could not be kept from it by
/// more than silence, for somebody has to speak first. Named, the origin would have the browser write an error to the console for each
/// time that the page is not the one that was meant, also while that is only being loaded. Whatever else is said names it.
pub(super) fn call_out(window: &Window, message: &JsValue) {
    post(window, message, "*", &Array::new());
}

/// Posts something to a window, for a page of that origin.
fn post(window: &Window, message: &JsValue, target: &str, ports: &Array) {
    if let Err(error) = window.post_message_with_transfer(message, target, ports) {
        tracing::warn!(error = %browser::words(&error), "the browser posted nothing to a window");
    }
}

/// What windows say to each other before there is a port.
#[derive(Debug)]
pub(super) enum Said {
    /// Is anybody ready?
    Hello,
    /// Somebody accepts.
    Ready { acceptor: Id },
    /// Here is a port, for that one.
    Connect { acceptor: Id, connection: Id, port: JsPort },
    /// That port was taken.
    Accepted { connection: Id },
    /// That port was not taken, as there are too many just now.
    Full { connection: Id },
}

impl Said {
    /// What a message says. `None` if it is of somebody else, or misses anything.
    pub(super) fn read(event: &MessageEvent) -> Option<Self> {
        let data = event.data();
        let id = |name| read_id(&data, name);
        match Says::read(&data)? {
            Says::Hello => Some(Self::Hello),
            Says::Ready => Some(Self::Ready { acceptor: id("acceptor")? }),
            Says::Connect => {
                let port = event.ports().get(0).dyn_into().ok()?;
                Some(Self::Connect { acceptor: id("acceptor")?, connection: id("connection")?, port })
            }
            Says::Accepted => Some(Self::Accepted { connection: id("connection")? }),
            Says::Full => Some(Self::Full { connection: id("connection")? }),
            Says::Load => None,
        }
    }

    pub(super) fn hello() -> JsValue {
        Says::Hello.to_js(&[])
    }

    pub(super) fn ready(acceptor: &str) -> JsValue {
        Says::Ready.to_js(&[("acceptor", acceptor.into())])
    }

    pub(super) fn connect(acceptor: &str, connection: &str) -> JsValue {
        Says::Connect.to_js(&[("acceptor", acceptor.into()), ("connection", connection.into())])
    }

    pub(super) fn accepted(connection: &str) -> JsValue {
        Says::Accepted.to_js(&[("connection", connection.into())])
    }

    pub(super) fn full(connection: &str) -> JsValue {
        Says::Full.to_js(&[("connection", connection.into())])
    }
}

fn read_id(data: &JsValue, name: &str) -> Option<Id> {
    let id: JsString = browser::property(data, name)?.dyn_into().ok()?;
    (id.length() <= LONGEST_ID).then(|| id.into())
}
