//! Workers of a browser: contexts on threads of their own, each with an instance of its own.
//!
//! [`spawn`] starts one and hands back a client of what runs there; [`run`] is what runs there. The two ends find each other whichever
//! is ready first: what is called before the worker has loaded waits on this side, and was not sent if the worker never comes.
//!
//! # End
//! | end | calls in flight | calls that wait for it to load |
//! |---|---|---|
//! | everything that runs in it has ended | `Unknown(Closed)` | |
//! | [`Worker::terminate`], or `close()` in a script | `Unknown(Closed)` | `NotSent(Closed)` |
//! | its script cannot be loaded, or throws before it is ready | | `NotSent(Closed)` |
//! | a panic | `Unknown(Panicked)`, with the worker's name and what the panic said | |
//! | any other end: the browser stops it, it runs out of memory | `Unknown(Closed)` | |
//!
//! Each of them is noticed within two seconds, most within some milliseconds. An error that a script throws in a worker, and that is no
//! panic, ends nothing: [`Worker::next_error`] tells of it.

mod error;
mod inside;
mod script;
mod shared;
mod worker;

pub use error::{ErrorEvent, SpawnError};
pub use inside::run;
pub use script::Script;
pub use shared::connect;
pub use worker::Worker;

use handover_core::MessagePort;

/// Starts a worker, and hands back a client of it: [`Worker::spawn`] without the rest.
///
/// # Errors
/// [`SpawnError`] if the browser refuses the script's address.
///
/// # Examples
/// ```no_run
/// # #[cfg(target_family = "wasm")] fn example() -> Result<(), handover_transports::wasm_worker::SpawnError> {
/// use handover_core::MessagePort;
/// use handover_transports::wasm_worker::{self, Script};
///
/// // `export function echo()` of the module calls `wasm_worker::run`.
/// let echo: MessagePort = wasm_worker::spawn("echo", &Script::export("/pkg/app.js", "echo"))?;
/// # drop(echo);
/// # Ok(()) }
/// ```
pub fn spawn<C: From<MessagePort>>(name: &str, script: &Script) -> Result<C, SpawnError> {
    Worker::spawn(name, script).map(Worker::into_client)
}
