//! The calls of methods that take `self`: the client is used up, and comes back where nothing was sent.

use std::{
    error::Error,
    fmt,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use super::{Call, CallError, Client, ClientStub, Failure, Interruption, Metadatum, ServiceClient, Tell, View};

/// The call of a method that takes `self`: the future `F` of what the call returns, by the client `C`, which is good for nothing else from
/// now on – unless [`or_client`](Self::or_client) brings it back, because nothing was sent.
///
/// # Cancel safety
/// Dropping it cancels the call, as dropping a [`Call`] does; the use is gone then.
#[must_use = "a call is sent when it is awaited"]
pub struct OnceCall<C, F> {
    call: F,
    /// That of the call.
    stub: ClientStub,
    client: PhantomData<fn() -> C>,
}

impl<C, F> OnceCall<C, F> {
    /// Makes the call by the stub of the client.
    #[doc(hidden)]
    #[inline]
    pub fn new(stub: ClientStub, call: impl FnOnce(ClientStub) -> F) -> Self {
        let shared = stub.into_shared();
        Self { stub: shared.stub(), call: call(shared.stub()), client: PhantomData }
    }

    /// Gives the client back in the error, where the call was [not sent](CallError::NotSent): then nobody has begun the method, nobody
    /// will, and the use can still be made. A client whose port is closed comes back as well, and is as useless as it was.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use handover_core::{CallError, rpc::OnceCallback};
    ///
    /// # futures::executor::block_on(async {
    /// let (greet, serving) = OnceCallback::new(async |name: String| format!("hello, {name}"));
    /// // Its time is up before anybody has taken it.
    /// let call = greet.call("Ada".to_owned()).deadline(Duration::ZERO);
    /// let failed = call.or_client().await.unwrap_err();
    /// assert!(matches!(failed.error, CallError::NotSent(_)));
    ///
    /// let greet = failed.into_client().unwrap();
    /// let (greeting, ()) = futures::join!(greet.call("Ada".to_owned()), serving);
    /// assert_eq!(greeting.as_deref(), Ok("hello, Ada"));
    /// # });
    /// ```
    pub fn or_client(self) -> OrClient<C, F> {
        OrClient(Some(self))
    }

    /// The same call, by a client with fewer methods of the same service.
    #[doc(hidden)]
    pub fn by_view<V: View<C>>(self) -> OnceCall<V, F> {
        let Self { call, stub, client: _ } = self;
        OnceCall { call, stub, client: PhantomData }
    }

    fn map(self, change: impl FnOnce(F) -> F) -> Self {
        let Self { call, stub, client } = self;
        Self { call: change(call), stub, client }
    }
}

impl<C, T, E: Failure> OnceCall<C, Call<'static, T, E>> {
    /// Ends the call after so long, as [`Call::deadline`] says.
    pub fn deadline(self, deadline: Duration) -> Self {
        self.map(|call| call.deadline(deadline))
    }

    /// Sends a value beside the arguments, as [`Call::metadata`] says.
    pub fn metadata<M: Metadatum>(self, value: &M) -> Self {
        self.map(|call| call.metadata(value))
    }

    /// Sends the call at once, and makes a client of what it will return, as [`Call::pipelined`] says.
    #[must_use = "nothing is told of how the call ends but what is called on what it returns"]
    pub fn pipelined(self) -> T
    where
        T: Client,
    {
        self.call.pipelined()
    }
}

impl<C> OnceCall<C, Tell<'static>> {
    /// Waits at most so long for its turn, as [`Tell::deadline`] says.
    pub fn deadline(self, deadline: Duration) -> Self {
        self.map(|call| call.deadline(deadline))
    }

    /// Sends a value beside the arguments, as [`Tell::metadata`] says.
    pub fn metadata<M: Metadatum>(self, value: &M) -> Self {
        self.map(|call| call.metadata(value))
    }
}

impl<C, F: Future + Unpin> Future for OnceCall<C, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        Pin::new(&mut self.call).poll(cx)
    }
}

impl<C, F> fmt::Debug for OnceCall<C, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnceCall").finish_non_exhaustive()
    }
}

/// A single-use call whose client comes back where nothing was sent. Made by [`OnceCall::or_client`].
#[must_use = "a call is sent when it is awaited"]
pub struct OrClient<C, F>(Option<OnceCall<C, F>>);

impl<C, T, E, F> Future for OrClient<C, F>
where
    C: ServiceClient,
    E: Failure,
    F: Future<Output = Result<T, E>> + Unpin,
{
    type Output = Result<T, FailedUse<C, E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(once) = &mut self.0 else {
            let error = CallError::Unknown(Interruption::Closed).into();
            return Poll::Ready(Err(FailedUse { error, client: None }));
        };
        let outcome = ready!(Pin::new(once).poll(cx));
        let stub = self.0.take().map(|OnceCall { stub, call: _the_other_part_of_it, client: _ }| stub);
        Poll::Ready(outcome.map_err(|error| {
            let is_not_sent = matches!(error.as_call_error(), Some(CallError::NotSent(_)));
            FailedUse { client: stub.filter(|_| is_not_sent).map(C::from_stub), error }
        }))
    }
}

impl<C, F> fmt::Debug for OrClient<C, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OrClient").field(&self.0).finish()
    }
}

/// Why a single use has no value, and the client, where it was not used.
#[derive(Debug)]
#[non_exhaustive]
pub struct FailedUse<C, E> {
    /// The error of the call.
    pub error: E,
    /// The client, if the call was [not sent](CallError::NotSent).
    pub client: Option<C>,
}

impl<C, E> FailedUse<C, E> {
    /// The client, if the call was [not sent](CallError::NotSent).
    pub fn into_client(self) -> Option<C> {
        self.client
    }
}

impl<C, E: fmt::Display> fmt::Display for FailedUse<C, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<C: fmt::Debug, E: Error + 'static> Error for FailedUse<C, E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}
