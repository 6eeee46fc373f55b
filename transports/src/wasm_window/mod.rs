//! Windows of a browser: pages, frames and popups, of this origin and of others.
//!
//! Two windows that know each other need one port; whatever follows goes over that. One side connects (`Window::connect`) to a window
//! that it holds – a frame's, its parent, its opener –, and the other accepts (`accept`). Which of them is there first makes no
//! difference: both say again and again that they are there, at growing intervals, until they have found each other or the
//! time is over.
//!
//! Either side says whom it means, by [`Origins`]. That somebody is here is called out to whatever page is in the window; it is answered, and
//! a port is sent, by name of the origin that was asked for. Of everything that comes the origin *and* the window are looked at, before
//! anything else of it is read. What strangers send, and what
//! comes again, is counted (`Window::ignored`) and left aside; it costs no more than that.
//!
//! Who is at the other end is known then, for a port says nothing of it: `Window::origin`, and for a service
//! [`CallContext::origin`](handover_core::rpc::CallContext::origin), by `Window::serve_options`.
//!
//! # End
//! A connection leads to a document, and ends with it: calls in flight end as `Unknown(Closed)` when the other window is closed, its
//! frame removed, or navigated to another page. A document that can still speak says goodbye; one that cannot is noticed within two seconds
//! (see [`browser`](crate::browser)). To go on with the next document, connect again.

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod accept;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod connect;
mod error;
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod inbox;
mod origins;
#[cfg(any(test, all(target_family = "wasm", target_os = "unknown")))]
mod steps;

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
pub use accept::{Acceptor, accept, accept_from};
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
pub use connect::Window;
pub use error::{ConnectError, Ignored, OriginError};
pub use origins::Origins;
