//! What is alive, for tests that want nothing to be left at the end.
//!
//! Each channel, port, call and handler holds an `Alive`. With the feature `testing` it notes itself with the `LeakCheck` of the
//! thread that makes it, if there is one; without the feature it is nothing, and costs nothing.

#[cfg(feature = "testing")]
mod counted;
#[cfg(not(feature = "testing"))]
#[path = "uncounted.rs"]
mod counted;
#[cfg(feature = "testing")]
mod leak_check;

pub(crate) use counted::Alive;
#[cfg(feature = "testing")]
pub use leak_check::LeakCheck;

/// What is counted. A call and a handler are known by the name of their method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Channel,
    Port,
    Call(&'static str),
    OnewayCall(&'static str),
    Handler(&'static str),
}
