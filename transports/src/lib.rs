//! Contexts, and the ports that lead to them.
//!
//! A context is what the HTML standard calls an event loop: one thread, and the futures that run on it. Each transport starts
//! something in a context and hands back a port, or a client made of it:
//!
//! - [`in_process::spawn`]: in the context that calls it;
//! - [`worker_thread::spawn`]: in a context of its own, on a thread of its own.
//!
//! Both take the same argument, so a service moves from one to the other by a change of that word.
//!
//! The module `testing`, with the feature of that name, has what tests need.

#[cfg(feature = "in-process")]
pub mod context;
#[cfg(feature = "in-process")]
pub mod in_process;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "worker-thread")]
pub mod worker_thread;
