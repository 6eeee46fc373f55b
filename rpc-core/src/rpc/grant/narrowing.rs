//! Making less of a right, by whoever holds it.

use std::{fmt, marker::PhantomData, time::Duration};

use super::{Limits, Rate};
use crate::rpc::{ClientStub, MethodId, ServiceClient, View};

/// A right that is about to be made from one that its holder has: the same, but for what is said here. Made by
/// [`Client::narrow`](crate::rpc::Client::narrow).
///
/// The limits are those of a [`Granting`](super::Granting), but for what would need code of the holder's at the service. They are kept
/// there, by its clock. What is made takes from what the holder's right has left, and ends with it; it outlives the holder's client.
///
/// # Examples
/// With a client that `#[service]` made:
/// `contacts.narrow().only([ContactsMethod::Add]).calls(1).client()`.
#[must_use = "nothing is made until `client` is called"]
pub struct Narrowing<'c, C> {
    stub: &'c ClientStub,
    limits: Limits,
    client: PhantomData<fn() -> C>,
}

impl<'c, C> Narrowing<'c, C> {
    pub(in crate::rpc) fn new(stub: &'c ClientStub) -> Self {
        Self { stub, limits: Limits::default(), client: PhantomData }
    }

    /// Only these methods, as [`Granting::only`](super::Granting::only) says; 4096 at most.
    pub fn only<M: Into<MethodId>>(mut self, methods: impl IntoIterator<Item = M>) -> Self {
        self.limits.name_methods(methods.into_iter().map(Into::into).collect());
        self
    }

    /// Only the methods of that client, which is the one that is made, as [`Granting::view`](super::Granting::view) says.
    pub fn view<V: View<C>>(self) -> Narrowing<'c, V> {
        let Self { stub, limits, client: _ } = self.only(V::METHODS.ids());
        Narrowing { stub, limits, client: PhantomData }
    }

    /// At most so many calls, as [`Granting::calls`](super::Granting::calls) says.
    pub fn calls(mut self, calls: u64) -> Self {
        self.limits.calls = Some(calls);
        self
    }

    /// At most so fast, as [`Granting::rate`](super::Granting::rate) says; the time is rounded up to whole microseconds.
    pub fn rate(mut self, calls: u32, per: Duration) -> Self {
        self.limits.rate = Some(Rate { calls, per });
        self
    }

    /// At most so many bytes under way, as [`Granting::bytes`](super::Granting::bytes) says.
    pub fn bytes(mut self, bytes: u64) -> Self {
        self.limits.bytes = Some(bytes);
        self
    }

    /// For so long from when the service hears of it, as [`Granting::expires`](super::Granting::expires) says; in whole microseconds.
    pub fn expires(mut self, after: Duration) -> Self {
        self.limits.expires = Some(after);
        self
    }

    /// Until it was left unused for so long, as [`Granting::idle`](super::Granting::idle) says; in whole microseconds.
    pub fn idle(mut self, after: Duration) -> Self {
        self.limits.idle = Some(after);
        self
    }

    /// At most so many clients made from it at a time, as [`Granting::clones`](super::Granting::clones) says.
    pub fn clones(mut self, clients: u32) -> Self {
        self.limits.clones = Some(clients);
        self
    }
}

impl<C: ServiceClient> Narrowing<'_, C> {
    /// Makes it: at once, with one message, which nobody answers. Where that fails, the calls of the client say why.
    ///
    /// The options of the holder's client go along, as those of a clone do.
    pub fn client(self) -> C {
        C::from_stub(self.stub.attach(self.limits))
    }
}

impl<C> fmt::Debug for Narrowing<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Narrowing").field("limits", &self.limits).finish_non_exhaustive()
    }
}
