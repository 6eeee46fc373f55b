//! Calls without an answer.

use std::{
    any::TypeId,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use super::{
    CallError, Interruption, Metadatum, Method, NotSent, Outcome,
    call::Via,
    call_info::Signature,
    codec::{Codec, Coded},
    frame::{Options, Said, tell_head},
    known,
    outgoing::Outgoing,
    split::reply_table,
    window::{Kind, Place},
};
use crate::{
    Message, MessagePort,
    live::{Alive, What},
    message::Encoder,
    port::{Carried, Parcel, Value},
    sync::{Arc, Mutex},
};

/// A one-way call that was made: a future that ends once it was posted.
///
/// It is posted when the future is first polled; only if the service said how many it takes at a time, it may have to wait for its
/// turn.
///
/// # Errors
/// [`CallError::NotSent`] if the port is closed, or what the service has said as it closed it. What becomes of it later is not told: that is what one-way means.
///
/// # Cancel safety
/// Dropped before its end, it was not posted.
#[must_use = "a call is sent when it is awaited"]
pub struct Tell<'c> {
    stub: Via<'c>,
    value: Option<Arc<dyn Posted>>,
    is_prepared: bool,
    place: Place,
    outgoing: Option<Box<Outgoing>>,
}

impl<'c> Tell<'c> {
    pub(super) fn new<M: Method>(stub: Via<'c>, args: M::Args) -> Self {
        let content = Mutex::new(Some((args, None)));
        let cell = OnewayCell { content, codec: M::CODEC, _alive: Alive::new(What::OnewayCall(M::NAME)) };
        Self { stub, value: Some(Arc::new(cell)), is_prepared: false, place: Place::Outside, outgoing: None }
    }

    /// Waits at most so long for its turn, where the service said how many it takes. Once it is posted it runs to its end.
    #[must_use = "a call is sent when it is awaited"]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.outgoing.get_or_insert_default().set_deadline(deadline);
        self
    }

    /// Sends a value beside the arguments. If it cannot be sent, the call ends as [`NotSent::Unencodable`].
    #[must_use = "a call is sent when it is awaited"]
    pub fn metadata<M: Metadatum>(mut self, value: &M) -> Self {
        self.outgoing.get_or_insert_default().insert(value);
        self
    }

    fn poll_posted(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        let Some(value) = &self.value else { return Poll::Ready(Err(CallError::Unknown(Interruption::Closed))) };
        if !self.is_prepared {
            let options = Outgoing::prepare(&mut self.outgoing, &self.stub, || value.signature(), true)?;
            if let Some(options) = options {
                value.set_options(options);
            }
            self.is_prepared = true;
        }
        if self.stub.poll_enter(Kind::Tell, &mut self.place, cx).is_pending() {
            let Some(outgoing) = &mut self.outgoing else { return Poll::Pending };
            return outgoing.poll_expiry(cx).map(|()| Err(CallError::NotSent(NotSent::DeadlineExceeded)));
        }
        // The service gives the place back.
        self.place = Place::Outside;
        let Some(value) = self.value.take() else { return Poll::Pending };
        if let Some(outgoing) = &mut self.outgoing {
            outgoing.sent();
        }
        let posted = self.stub.port().post(Parcel::Value(Carried::new(value.to_value())));
        Poll::Ready(posted.map_err(|_| self.stub.unsent()))
    }

    fn end(&mut self, outcome: impl FnOnce() -> Outcome) {
        if let Some(outgoing) = self.outgoing.take() {
            outgoing.end(&self.stub, None, outcome);
        }
    }
}

impl Future for Tell<'_> {
    type Output = Result<(), CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let posted = ready!(self.poll_posted(cx));
        self.value = None;
        self.end(|| posted.as_ref().map_or_else(|error| Outcome::Failed(error.clone()), |()| Outcome::Returned));
        Poll::Ready(posted)
    }
}

impl Drop for Tell<'_> {
    fn drop(&mut self) {
        self.stub.leave(Kind::Tell, &mut self.place);
        if self.is_prepared {
            self.end(|| Outcome::Cancelled);
        }
    }
}

impl fmt::Debug for Tell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tell").field("is_sent", &self.value.is_none()).finish_non_exhaustive()
    }
}

/// What the caller's future sees of its cell.
trait Posted: Send + Sync {
    /// The cell as it is posted.
    fn to_value(self: Arc<Self>) -> Arc<dyn Value>;

    /// Says something beside the arguments, before the cell is posted.
    fn set_options(&self, options: Box<Options>);

    /// Which method it calls.
    fn signature(&self) -> Signature;
}

/// What its selector has beside the method's id.
pub(super) const IS_ONEWAY: u64 = 1 << 32;

/// A one-way call on its way.
pub(super) struct OnewayCell<A: 'static, T: 'static, E: 'static> {
    content: Mutex<Option<Content<A>>>,
    codec: &'static Codec<A, T, E>,
    _alive: Alive,
}

/// The arguments, and what is said beside them.
type Content<A> = (A, Option<Box<Options>>);

impl<A: 'static, T: 'static, E: 'static> OnewayCell<A, T, E> {
    /// Hands out the arguments and the options, once.
    pub(super) fn start(&self) -> Option<Content<A>> {
        self.content.lock().take()
    }
}

impl<A: Send + 'static, T: Send + 'static, E: Send + 'static> Posted for OnewayCell<A, T, E> {
    fn to_value(self: Arc<Self>) -> Arc<dyn Value> {
        self
    }

    fn set_options(&self, options: Box<Options>) {
        if let Some((_, place)) = &mut *self.content.lock() {
            *place = Some(options);
        }
    }

    fn signature(&self) -> Signature {
        self.codec.facts.signature
    }
}

impl<A: Send + 'static, T: Send + 'static, E: Send + 'static> Value for OnewayCell<A, T, E> {
    fn selector(&self) -> u64 {
        u64::from(self.codec.facts.signature.method.0) | IS_ONEWAY
    }

    fn is_for(&self, kind: &TypeId) -> bool {
        self.codec.facts.kinds.oneway == *kind
    }

    fn encode(self: Arc<Self>, via: &MessagePort) -> Option<Message> {
        let (args, options) = self.start()?;
        let Codec { facts, encode, .. } = self.codec;
        let Signature { method, name, .. } = facts.signature;
        let is_introduction = reply_table(via).is_some_and(|table| table.is_introduction(method));
        let introduction = is_introduction.then(|| known::shape_of(facts));
        let said = Said { options: options.as_deref(), introduction: introduction.as_ref() };
        let mut encoder = Encoder::after(tell_head(method, said.any()));
        if let Err(error) = encoder.put_all(|encoder| encode(&args, encoder)) {
            tracing::warn!(method = name, %error, "a one-way call could not be encoded; it was dropped");
            return None;
        }
        let message = encoder.finish();
        drop(args);
        message.transfer_receiving_steps();
        Some(message)
    }

    fn discarded(&self) {
        tracing::debug!(method = self.codec.facts.signature.name, "a one-way call was thrown away unread");
    }
}
