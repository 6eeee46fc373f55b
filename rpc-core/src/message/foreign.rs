//! What is neither bytes nor a port.

use std::{any::Any, fmt, sync::Arc};

use serde::{Deserializer, Serializer, de, ser};

use super::cargo::{self, IndexVisitor};

/// How it is told from a number by who looks at types and not at bytes; a newtype adds none.
pub(crate) const FOREIGN: &str = "handover::Foreign";

/// A thing that is neither bytes nor a port, and that only some transports can carry: an object of a browser's, for one.
///
/// Like a port it may be anywhere inside a serde value, and travels beside the bytes of the message. Inside the process it simply
/// moves, and nobody looks at it. A transport that knows what it is carries it; any other refuses the message that it is in: a call ends
/// with an error, and the calls beside it go on.
///
/// This is for those who write transports; others meet it as a type of the transport's, which serialises by [`put`](Self::put) and
/// [`take`](Self::take).
///
/// # Examples
/// ```
/// use std::sync::Arc;
///
/// use handover_core::{MessageChannel, message::Foreign};
/// use serde::{Deserialize, Deserializer, Serialize, Serializer};
///
/// /// What no bytes can say.
/// #[derive(Debug)]
/// struct Knot(Arc<u32>);
///
/// impl Serialize for Knot {
///     fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
///         Foreign::put(|| Ok(Foreign::new(self.0.clone())), serializer)
///     }
/// }
///
/// impl<'de> Deserialize<'de> for Knot {
///     fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
///         Foreign::take(deserializer, |foreign| match foreign {
///             Some(foreign) => foreign.downcast().map(Knot).map_err(|_| "it is no knot".to_owned()),
///             None => Ok(Knot(Arc::default())),
///         })
///     }
/// }
///
/// let (ours, theirs) = MessageChannel::new().into_ports();
/// theirs.post_value(vec![Knot(Arc::new(7))])?;
/// ours.start();
/// # futures::executor::block_on(async {
/// assert_eq!(*ours.recv_value::<Vec<Knot>>().await?.data[0].0, 7);
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Foreign(Arc<dyn Any + Send + Sync>);

impl Foreign {
    /// What is to travel. Whoever encodes a value only looks, so the value keeps its handle.
    pub fn new<T: Any + Send + Sync>(thing: Arc<T>) -> Self {
        Self(thing)
    }

    /// Whether it is a `T`.
    pub fn is<T: Any>(&self) -> bool {
        self.0.is::<T>()
    }

    /// The thing, if it is a `T`.
    ///
    /// # Errors
    /// It comes back if it is none.
    pub fn downcast<T: Any + Send + Sync>(self) -> Result<Arc<T>, Self> {
        self.0.downcast().map_err(Self)
    }

    /// Serialises what `make` makes, into a message that is being encoded. Any other serialisation fails, and does not ask for it.
    ///
    /// It may be asked for more than once for one message: it is to be the same `Arc` each time.
    ///
    /// # Errors
    /// The serialiser's; the message is not encoded then, for the reason that `make` gave.
    pub fn put<S: Serializer>(make: impl FnOnce() -> Result<Self, String>, serializer: S) -> Result<S::Ok, S::Error> {
        let index = cargo::note_foreign(make).map_err(ser::Error::custom)?;
        serializer.serialize_newtype_struct(FOREIGN, &index)
    }

    /// Deserialises one out of a message, and makes something of it. `None` is handed to `make` where a type is asked for its
    /// shape, and no value is wanted.
    ///
    /// # Errors
    /// The deserialiser's; the message cannot be read then, for the reason that `make` gave.
    pub fn take<'de, T, D: Deserializer<'de>>(
        deserializer: D,
        make: impl FnOnce(Option<Self>) -> Result<T, String>,
    ) -> Result<T, D::Error> {
        let index = deserializer.deserialize_newtype_struct(FOREIGN, IndexVisitor("what is not bytes"))?;
        cargo::take_foreign(index, make).map_err(de::Error::custom)
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Foreign").finish_non_exhaustive()
    }
}
