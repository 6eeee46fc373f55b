//! Calls without an answer.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use super::{CallError, Method, NotSent, call::Via, frame::tell_head};
use crate::{
    Message, MessagePort,
    message::Encoder,
    port::{Carried, Parcel, Value},
    sync::{Arc, Mutex},
};

/// A one-way call that was made: a future that ends once it was posted.
///
/// It is posted when the future is first polled, which never waits.
///
/// # Errors
/// [`CallError::NotSent`] if the port is closed. What becomes of it later is not told: that is what one-way means.
#[must_use = "a call is sent when it is awaited"]
pub struct Tell<'c> {
    stub: Via<'c>,
    value: Option<Arc<dyn Value>>,
}

impl<'c> Tell<'c> {
    pub(super) fn new<M: Method>(stub: Via<'c>, args: M::Args) -> Self {
        Self { stub, value: Some(Arc::new(OnewayCell::<M> { args: Mutex::new(Some(args)) })) }
    }
}

impl Future for Tell<'_> {
    type Output = Result<(), CallError>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(value) = self.value.take() else { return Poll::Ready(Ok(())) };
        let posted = self.stub.port().post(Parcel::Value(Carried::new(value)));
        Poll::Ready(posted.map_err(|_| CallError::NotSent(NotSent::Closed)))
    }
}

impl fmt::Debug for Tell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tell").field("is_sent", &self.value.is_none()).finish_non_exhaustive()
    }
}

/// A one-way call on its way.
pub(super) struct OnewayCell<M: Method> {
    args: Mutex<Option<M::Args>>,
}

impl<M: Method> OnewayCell<M> {
    /// Hands out the arguments, once.
    pub(super) fn start(&self) -> Option<M::Args> {
        self.args.lock().take()
    }
}

impl<M: Method> Value for OnewayCell<M> {
    fn selector(&self) -> u32 {
        M::ID.0
    }

    fn encode(self: Arc<Self>, _: &MessagePort) -> Option<Message> {
        let args = self.start()?;
        let mut encoder = Encoder::after(tell_head(M::ID));
        if let Err(error) = M::encode_args(&args, &mut encoder) {
            tracing::warn!(method = M::NAME, %error, "a one-way call could not be encoded; it was dropped");
            return None;
        }
        let message = encoder.finish();
        drop(args);
        message.transfer_receiving_steps();
        Some(message)
    }

    fn discarded(&self) {
        tracing::debug!(method = M::NAME, "a one-way call was thrown away unread");
    }
}
