//! Contexts, and the ports that lead to them.
//!
//! A context is what the HTML standard calls an event loop: one thread, and the futures that run on it. Each transport starts
//! something in a context and hands back a port, or a client made of it:
//!
//! - [`in_process::spawn`]: in the context that calls it;
//! - [`worker_thread::spawn`]: in a context of its own, on a thread of its own. [`worker_thread::Worker`] gives more of the worker:
//!   its end, its result, its errors;
//! - [`shared_worker::SharedWorker::connect`]: in a worker of that name, which others may be connected to;
//! - [`worker_pool::WorkerPool`]: in several workers, each call in the one that has the fewest.
//!
//! [`byte_stream::connect`] leads to a context in another process, over a stream.
//!
//! The first two take the same argument, so a service moves from one to the other by a change of that word.
//!
//! A context that blocks on an answer is warned of: see [`stall`].
//!
//! The module `testing`, with the feature of that name, has what tests need.
//!
//! Nothing depends on an executor: a worker brings a small one unless it is [given](worker_thread::executor) another, and
//! [`context::run`] makes a task of any executor a context.

#[cfg(feature = "blocking")]
pub mod blocking;
#[cfg(feature = "browser")]
pub mod browser;
#[cfg(feature = "byte-stream")]
pub mod byte_stream;
#[cfg(feature = "in-process")]
pub mod context;
#[cfg(feature = "in-process")]
pub mod in_process;
#[cfg(feature = "in-process")]
mod patience;
#[cfg(any(feature = "byte-stream", all(feature = "browser", target_family = "wasm", target_os = "unknown")))]
mod refusal;
#[cfg(feature = "worker-thread")]
pub mod shared_worker;
#[cfg(feature = "in-process")]
pub mod stall;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "wasm-window")]
pub mod wasm_window;
#[cfg(all(feature = "wasm-worker", target_family = "wasm", target_os = "unknown"))]
pub mod wasm_worker;
#[cfg(feature = "worker-thread")]
pub mod worker_pool;
#[cfg(feature = "worker-thread")]
pub mod worker_thread;
