//! Messages to everyone who listens under a name.
//!
//! A [`BroadcastChannel`] posts to all others of its name, of its origin, in its [`BroadcastGroup`]; never to itself. Who
//! receives is settled when it posts (BC-06). A group may reach beyond its process, by a [`Medium`]. Nobody is kept waiting and nothing is kept for later (BC-14).

mod channel;
mod error;
mod group;
mod medium;

pub use channel::BroadcastChannel;
pub use error::BroadcastError;
pub use group::BroadcastGroup;
pub use medium::Medium;
