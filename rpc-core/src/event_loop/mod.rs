//! Contexts in the standard's sense: an event loop, its tasks, and what events are fired at.
//!
//! An [`EventLoop`] takes one task after the other: a message at a port, at a window, at a broadcast channel. It runs on the
//! thread that made it, as one future ([`EventLoop::run`]) or step by step ([`EventLoop::run_until_idle`]). Handlers run there
//! and nowhere else, and never inside the call that posts (LOOP-02).
//!
//! Nothing here is needed to receive by [`recv`](crate::MessagePort::recv); that is the other way.

mod listeners;
mod port_target;
mod runner;
mod tasks;

pub use listeners::ListenerId;
pub use port_target::PortTarget;
pub use runner::{EventLoop, Run};

pub(crate) use tasks::Remote;
#[cfg(feature = "windows")]
pub(crate) use {
    listeners::MessageListeners,
    runner::{Target, TargetKey, WeakEventLoop},
    tasks::Task,
};
