//! The caller's future.

use std::{
    fmt,
    ops::Deref,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use super::{
    CallError, Client, ClientStub, Failure, Interruption, Metadatum, NotSent, Outcome,
    cell::{self, Abandoned, PendingCall, Told},
    frame::Frame,
    outgoing::Outgoing,
    pipe::{self, IntoPort, PipedCell},
    waits,
    window::{Kind, Place},
};
use crate::{
    MessageChannel, MessagePort,
    port::{Carried, Parcel},
    sync::Arc,
    waking,
};

/// A call that was made: a future of what the method returns.
///
/// The call is sent when the future is first polled; calls of one client are served in the order in which they were sent.
/// Many may be outstanding; if the service said how many it takes, the others wait here for their turn. Nothing is spawned: the
/// reply is put into the call by whoever posts it, on any executor.
///
/// # Errors
/// `E` is [`CallError`], or [`RpcError`](super::RpcError) where the method has an error of its own. Every call ends: with a
/// value, with the service's error, or with a [`CallError`] that says whether the method may have run.
///
/// # Cancel safety
/// Dropping the call cancels it: the method ends at its next `.await`, or is not begun.
#[must_use = "a call is sent when it is awaited"]
pub struct Call<'c, T, E: Failure> {
    stub: Via<'c>,
    /// Until it has ended.
    cell: Option<Arc<dyn PendingCall<T, E::Service>>>,
    stage: Stage,
    place: Place,
    /// What few calls have: options, a deadline, interceptors.
    outgoing: Option<Box<Outgoing>>,
}

/// The client that the call goes through: a single-use call owns it.
pub(super) enum Via<'c> {
    Shared(&'c ClientStub),
    Owned(ClientStub),
}

impl Deref for Via<'_> {
    type Target = ClientStub;

    fn deref(&self) -> &ClientStub {
        match self {
            Self::Shared(stub) => stub,
            Self::Owned(stub) => stub,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Made,
    /// Its options are settled; it waits until there is room in the window.
    Ready,
    Sent,
    Ended,
}

/// What is to be done once a call was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    /// Nothing: it is woken.
    OnItsWay,
    /// It may have ended already, or is not registered to be woken.
    LookAgain,
}

impl<'c, T, E: Failure> Call<'c, T, E> {
    pub(super) fn new(stub: Via<'c>, cell: Arc<dyn PendingCall<T, E::Service>>) -> Self {
        Self { stub, cell: Some(cell), stage: Stage::Made, place: Place::Outside, outgoing: None }
    }

    /// Ends the call after so long, from when it is first polled; at most a year. The method ends at its next `.await`, and so do
    /// the calls that it makes: they inherit what is left.
    ///
    /// A call that is made while a method runs has no more time than that method. The clock is that of the [context](crate::clock).
    #[must_use = "a call is sent when it is awaited"]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.outgoing().set_deadline(deadline);
        self
    }

    /// Sends a value beside the arguments. If it cannot be sent, the call ends as [`NotSent::Unencodable`].
    #[must_use = "a call is sent when it is awaited"]
    pub fn metadata<M: Metadatum>(mut self, value: &M) -> Self {
        self.outgoing().insert(value);
        self
    }

    /// Sends the call at once, and makes a client of what it will return: it may be called without waiting for that, in one turn
    /// with the call, and so on over several levels.
    ///
    /// What is called on it waits until the call has returned, and is then passed on in order, wherever what was returned lives. If the
    /// call fails, that is how everything ends that is called on the client: as its refusal, or as
    /// [`Refusal::NotReturned`](super::Refusal::NotReturned) with what the service's error says.
    ///
    /// The call runs to its end, or to its deadline, also when the client was dropped: for what was called on it. It is not held up
    /// by a service that takes only so many calls at a time; what is too much is refused. Interceptors of the client see it end when
    /// it is sent.
    ///
    /// `let title = shelf.open("Middlemarch").pipelined().title().await?` takes one turn, where `shelf.open("Middlemarch").await?.title().await?`
    /// takes two.
    #[must_use = "nothing is told of how the call ends but what is called on what it returns"]
    pub fn pipelined(mut self) -> T
    where
        T: Client,
    {
        let channel = MessageChannel::counted_from(self.stub.replies().pipeline_number());
        let (ours, theirs) = channel.into_ports();
        let outcome = match self.post_piped(theirs, T::into_port) {
            Ok(()) => Outcome::Returned,
            Err(error) => Outcome::Failed(error),
        };
        self.end(|| outcome);
        T::from(ours)
    }

    fn post_piped(&mut self, port: MessagePort, into_port: IntoPort<T>) -> Result<(), CallError> {
        if self.stage == Stage::Made
            && let Err(error) = self.prepare()
        {
            pipe::fail(&port, error.clone());
            return Err(error);
        }
        let unsent = match &self.cell {
            Some(cell) => match self.stage {
                Stage::Sent => cell.cell().again().map(|again| (again, cell)),
                Stage::Made | Stage::Ready | Stage::Ended => Some((cell.clone().to_cell(), cell)),
            },
            None => None,
        };
        let Some((call, cell)) = unsent else {
            let error = CallError::Unknown(Interruption::Cancelled("it was sent before it was pipelined".to_owned()));
            pipe::fail(&port, error.clone());
            return Err(error);
        };
        let call = PipedCell::new(call, cell.pipe(port, into_port));
        if let Some(window) = self.stub.window() {
            window.enter_at_once();
        }
        if let Some(outgoing) = &mut self.outgoing {
            outgoing.sent();
        }
        self.stub.port().post(Parcel::Value(Carried::new(call.clone()))).map_err(|unsent| {
            let error = self.stub.unsent();
            call.failed(error.clone());
            drop(unsent);
            error
        })
    }

    fn outgoing(&mut self) -> &mut Outgoing {
        self.outgoing.get_or_insert_default()
    }

    /// Settles what is said beside the arguments.
    fn prepare(&mut self) -> Result<(), CallError> {
        let Some(cell) = &self.cell else { return Ok(()) };
        let options = Outgoing::prepare(&mut self.outgoing, &self.stub, || cell.cell().facts().signature, false)?;
        if let Some(options) = options {
            cell::set_options(cell.cell(), options);
        }
        self.stage = Stage::Ready;
        Ok(())
    }

    fn send(&mut self, cx: &Context<'_>) -> Result<Sent, CallError> {
        let Some(cell) = &mut self.cell else { return Ok(Sent::LookAgain) };
        // Nearly always nobody else knows of it yet.
        let is_expected = match Arc::get_mut(cell) {
            Some(cell) => {
                *cell.caller() = Some(waking::clone(cx.waker()));
                true
            }
            None => false,
        };
        let parcel = Parcel::Value(Carried::new(cell.clone().to_cell()));
        self.stub.port().post(parcel).map_err(|_| self.stub.unsent())?;
        self.stage = Stage::Sent;
        if let Some(outgoing) = &mut self.outgoing {
            outgoing.sent();
        }
        let is_with_others = self.cell.as_ref().is_some_and(|cell| Arc::strong_count(cell) > 1);
        Ok(if is_expected && is_with_others { Sent::OnItsWay } else { Sent::LookAgain })
    }

    /// How a call has ended that was sent, that nobody watches, and whose cell nobody else has any more: so nearly every one, the second time
    /// that it is polled.
    #[inline(always)]
    fn told_at_once(&mut self) -> Option<Told<T, E::Service>> {
        if self.stage != Stage::Sent || self.outgoing.is_some() {
            return None;
        }
        let cell = self.cell.take_if(|cell| Arc::strong_count(cell) == 1)?;
        match cell.into_ending() {
            Ok(told) => Some(told),
            Err(kept) => {
                self.cell = Some(kept);
                None
            }
        }
    }

    /// The method has returned.
    #[inline(always)]
    fn returned(&mut self, result: Result<T, E::Service>) -> Result<T, E> {
        self.end(|| Outcome::of_result(&result));
        result.map_err(E::of_service)
    }

    /// There is no result.
    #[cold]
    fn failed(&mut self, error: CallError) -> Result<T, E> {
        let error = match error {
            // It was thrown away on its way, after the service had said why.
            CallError::NotSent(NotSent::Closed) => self.stub.unsent(),
            error => error,
        };
        self.end(|| Outcome::Failed(error.clone()));
        Err(error.into())
    }

    fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Told<T, E::Service>> {
        if self.stage == Stage::Made {
            self.prepare()?;
        }
        if self.stage == Stage::Ready {
            if self.stub.poll_enter(Kind::Call, &mut self.place, cx).is_pending() {
                return self.poll_expiry(cx);
            }
            // Whoever ends it from now on wakes it.
            if self.send(cx)? == Sent::OnItsWay {
                return self.poll_expiry(cx);
            }
        }
        match self.poll_ending(cx) {
            Poll::Ready(told) => Poll::Ready(told),
            Poll::Pending => self.poll_expiry(cx),
        }
    }

    fn poll_ending(&mut self, cx: &mut Context<'_>) -> Poll<Told<T, E::Service>> {
        match &self.cell {
            Some(cell) => cell::poll_ended(cell.cell(), cx).map(|()| cell.ending()),
            None => Poll::Ready(Err(CallError::Unknown(Interruption::Closed))),
        }
    }

    fn poll_expiry<R>(&mut self, cx: &mut Context<'_>) -> Poll<Result<R, CallError>> {
        let Some(outgoing) = &mut self.outgoing else { return Poll::Pending };
        ready!(outgoing.poll_expiry(cx));
        Poll::Ready(Err(match self.abandon() {
            Abandoned::Unsent => CallError::NotSent(NotSent::DeadlineExceeded),
            Abandoned::Running | Abandoned::SentAsBytes(_) | Abandoned::Ended => {
                CallError::Unknown(Interruption::DeadlineExceeded)
            }
        }))
    }

    /// Waits no longer, and tells the other end if it has the call.
    fn abandon(&self) -> Abandoned {
        let abandoned = self.cell.as_ref().map_or(Abandoned::Ended, |cell| cell::abandon(cell.cell()));
        if let Abandoned::SentAsBytes(id) = abandoned {
            self.stub.forget(id);
            // If the port is closed, so is the call.
            let _closed = self.stub.port().post(Parcel::Message(Frame::Cancel { id }.to_bytes().into()));
        }
        abandoned
    }

    /// Notes that it waits, where somebody asks for that.
    #[inline]
    fn note_wait(&self) {
        if waits::is_asked_for()
            && let Some(cell) = &self.cell
        {
            waits::note(cell.cell().facts().signature, self.stub.port(), cell.clone().to_cell());
        }
    }

    /// The call is over: makes room for the next.
    #[inline(always)]
    fn is_over(&mut self) {
        self.stage = Stage::Ended;
        self.stub.leave(Kind::Call, &mut self.place);
    }

    /// The call is over: makes room for the next, and tells the interceptors.
    fn end(&mut self, outcome: impl FnOnce() -> Outcome) {
        self.is_over();
        let cell = self.cell.take();
        if let Some(outgoing) = self.outgoing.take() {
            outgoing.end(&self.stub, cell.as_ref().map(|cell| cell.cell().traffic()), outcome);
        }
        if let Some(cell) = cell {
            cell.retire();
        }
    }
}

impl<T, E: Failure> Future for Call<'_, T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.stage == Stage::Ended {
            return Poll::Ready(Err(CallError::Unknown(Interruption::Closed).into()));
        }
        if let Some(told) = self.told_at_once() {
            return Poll::Ready(match told {
                Ok(result) => {
                    self.is_over();
                    result.map_err(E::of_service)
                }
                Err(error) => self.failed(error),
            });
        }
        let span = self.outgoing.as_ref().map(|outgoing| outgoing.span().clone());
        let _entered = span.as_ref().map(tracing::Span::enter);
        match self.poll_outcome(cx) {
            Poll::Ready(Ok(result)) => Poll::Ready(self.returned(result)),
            Poll::Ready(Err(error)) => Poll::Ready(self.failed(error)),
            Poll::Pending => {
                self.note_wait();
                Poll::Pending
            }
        }
    }
}

impl<T, E: Failure> Drop for Call<'_, T, E> {
    fn drop(&mut self) {
        match self.stage {
            Stage::Made | Stage::Ended => return,
            Stage::Ready => {}
            Stage::Sent => drop(self.abandon()),
        }
        self.end(|| Outcome::Cancelled);
    }
}

impl<T, E: Failure> fmt::Debug for Call<'_, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("stage", &self.stage).finish_non_exhaustive()
    }
}
