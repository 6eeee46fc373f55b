//! Ports that lead to a browser's other contexts: pages, frames and workers.
//!
//! A *bridge* joins a port of this context to a `MessagePort` of the browser's, and another bridge joins the other end of that to a
//! port over there. What goes through is a [packet]: everything that was posted to one port within a turn of the event loop, in
//! one `postMessage`. A port that travels is on the transfer list as a real `MessagePort`, and becomes a port with a bridge at the
//! other side; one that came from the browser is handed on itself, and the context that it came through may go.
//!
//! Most programs need none of this by name: `wasm_worker` and `wasm_window` begin with a port. `port` and `into_js` are
//! for those who have a `MessagePort` from elsewhere.
//!
//! # Values of JavaScript's
//! What is no serde value can be an argument or a result as it is, at any depth: `StructuredClone<JsValue>` for whatever the browser can
//! clone, `Transfer<ImageBitmap>` for what it can transfer. They are types of this target alone, so a service that has them does
//! not compile for another, and rustc says so; on the target, a link that cannot carry them – a
//! [stream of bytes](crate::byte_stream) – refuses the call that they are in.
//!
//! # Endings
//! A browser does not tell a `MessagePort` that its other end is gone. So a bridge says goodbye when its port is closed or dropped,
//! when its page is left, when its instance panics, and when it gives up: what came could not be read, or an answer not be posted. What
//! dies without a word is noticed by the lock of the Web Locks API that every context holds as long as it lives, and lets go of when
//! its stack has overflowed; where that cannot be seen, because the other end is of another origin, it is asked about twice a second
//! whether it is there, and taken for dead when it has not come to its event loop for one and a half to two. Then every port that leads
//! there is closed, and its calls end. A context that is told so and lives finds them closed, too.
//!
//! A port that is on its way in a message is closed when nobody has said for half a minute to have it, while whoever the message went
//! to was there and not busy.

pub mod packet;

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod bridge;
#[cfg(all(feature = "wasm-broadcast", target_family = "wasm", target_os = "unknown"))]
mod broadcast;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod context;
#[cfg(all(any(feature = "wasm-worker", feature = "wasm-window"), target_family = "wasm", target_os = "unknown"))]
mod handshake;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod js;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod locks;
#[cfg(any(test, all(target_family = "wasm", target_os = "unknown")))]
mod pack;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod peers;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod turns;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod value;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod wrappers;

#[cfg(all(feature = "wasm-broadcast", target_family = "wasm", target_os = "unknown"))]
pub use broadcast::{broadcast_group, origin};
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
pub use {
    bridge::{bridges, into_js, port},
    wrappers::{StructuredClone, Transfer},
};

#[cfg(all(feature = "wasm-window", target_family = "wasm", target_os = "unknown"))]
pub(crate) use handshake::property;
#[cfg(all(feature = "wasm-worker", target_family = "wasm", target_os = "unknown"))]
pub(crate) use {
    bridge::{into_js_for, leave},
    context::{at_the_end, can_be_seen},
    handshake::{ready, who_is_ready},
    peers::Peer,
    turns::{Pace, spawn},
};
#[cfg(all(any(feature = "wasm-worker", feature = "wasm-window"), target_family = "wasm", target_os = "unknown"))]
pub(crate) use {
    context::is_over,
    handshake::Says,
    js::{milliseconds, words},
};

/// A name that nobody else has.
#[cfg(all(feature = "wasm-window", target_family = "wasm", target_os = "unknown"))]
pub(crate) fn new_id() -> String {
    packet::ContextId(js::random()).to_string()
}
