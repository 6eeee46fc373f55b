//! What contexts say to each other before there is a port: small objects that name this crate, among whatever else is posted there.

#[cfg(feature = "wasm-worker")]
use std::rc::Rc;

use js_sys::Reflect;
use wasm_bindgen::JsValue;

use super::js;
#[cfg(feature = "wasm-worker")]
use super::{
    context,
    packet::ContextId,
    peers::{self, Peer},
};

/// The version of the handshakes.
const VERSION: f64 = 1.0;

/// What is said before there is a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    /// Is anybody ready?
    Hello,
    /// Whoever wants to connect may do so now.
    Ready,
    /// Here is a port.
    Connect,
    /// The port was taken.
    Accepted,
    /// As many wait as may: the port was not taken.
    Full,
    /// To the loader: what to load.
    Load,
}

impl Says {
    const ALL: [Self; 6] = [Self::Hello, Self::Ready, Self::Connect, Self::Accepted, Self::Full, Self::Load];

    fn word(self) -> &'static str {
        match self {
            Self::Hello => "hello",
            Self::Ready => "ready",
            Self::Connect => "connect",
            Self::Accepted => "accepted",
            Self::Full => "full",
            Self::Load => "load",
        }
    }

    /// The object that says so, with further properties.
    pub(crate) fn to_js(self, properties: &[(&str, JsValue)]) -> JsValue {
        let head = [("handover", VERSION.into()), ("says", self.word().into())];
        js::object(&[&head, properties].concat()).into()
    }

    /// What an object says; `None` if it is of somebody else, or of another version.
    pub(crate) fn read(data: &JsValue) -> Option<Self> {
        if property(data, "handover")?.as_f64() != Some(VERSION) {
            return None;
        }
        let word = property(data, "says")?.as_string()?;
        Self::ALL.into_iter().find(|says| says.word() == word)
    }
}

/// Says that a worker is ready, and which context it is.
#[cfg(feature = "wasm-worker")]
pub(crate) fn ready() -> JsValue {
    let (context, has_lock) = context::name_and_lock();
    Says::Ready.to_js(&[("context", context.to_string().into()), ("lock", has_lock.into())])
}

/// The context that is [`ready`], as far as it has said.
#[cfg(feature = "wasm-worker")]
pub(crate) fn who_is_ready(data: &JsValue) -> Option<Rc<Peer>> {
    let context = ContextId::read(&property(data, "context")?.as_string()?)?;
    let has_lock = property(data, "lock")?.as_bool()?;
    Some(peers::peer(context, has_lock))
}

/// A property of something that was received, if it is an object.
pub(crate) fn property(data: &JsValue, name: &str) -> Option<JsValue> {
    if !data.is_object() {
        return None;
    }
    Reflect::get(data, &JsValue::from_str(name)).ok()
}
