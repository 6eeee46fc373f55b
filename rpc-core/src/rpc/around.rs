//! What is around the methods of a service: nothing, or layers that decide when one begins, and may end it.

use std::{
    any::Any,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::{FutureExt, channel::oneshot};

use super::{CallContext, Interruption, Outcome, Refusal};

/// Makes what is around one call. The one implementation is behind the feature `tower`; where it is off, nobody makes any.
pub(super) trait Around: Send + Sync {
    /// Begins with a call. The layers say on `begun` when its method is to begin, and get its outcome from `outcome`.
    fn begin(&self, context: CallContext, begun: oneshot::Sender<()>, outcome: oneshot::Receiver<Outcome>) -> Layers;
}

/// The layers around one call: done when they let its answer go; or why they do not.
pub(super) type Layers = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// A call with layers around it, seen from its handler.
pub(super) struct Surrounded {
    layers: Layers,
    stage: Stage,
    outcome: Option<oneshot::Sender<Outcome>>,
}

/// What a method has returned, whatever that is: so there is one kind of layers for all methods.
pub(super) type Returned = Box<dyn Any + Send>;

enum Stage {
    /// The layers have not let the method begin.
    Before(oneshot::Receiver<()>),
    /// The method runs.
    Within,
    /// The method has returned this, and the layers have the outcome.
    After(Returned),
    /// It went out, or will not.
    Over,
}

impl fmt::Debug for Surrounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surrounded").field("has_returned", &self.has_returned()).finish_non_exhaustive()
    }
}

/// Why a call ends by its layers.
pub(super) enum Ended {
    /// The method has not begun.
    Refused(Refusal),
    /// It has.
    Interrupted(Interruption),
}

impl Surrounded {
    pub(super) fn new(around: &dyn Around, context: CallContext) -> Self {
        let (begin, begun) = oneshot::channel();
        let (ended, outcome) = oneshot::channel();
        let layers = around.begin(context, begin, outcome);
        Self { layers, stage: Stage::Before(begun), outcome: Some(ended) }
    }

    /// Ready when the method is to be polled.
    ///
    /// # Errors
    /// Why the call ends here.
    pub(super) fn poll_begun(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        match &mut self.stage {
            Stage::Before(begun) => {
                if let Poll::Ready(ended) = self.layers.as_mut().poll(cx) {
                    let why = ended.err().unwrap_or_else(|| "a layer answered in place of the method".to_owned());
                    return Poll::Ready(Err(Ended::Refused(Refusal::Denied(why))));
                }
                // If it was given away unused, the layers will say what that means.
                match begun.poll_unpin(cx) {
                    Poll::Ready(Ok(())) => self.stage = Stage::Within,
                    Poll::Ready(Err(oneshot::Canceled)) | Poll::Pending => return Poll::Pending,
                }
            }
            Stage::Within => {
                if let Poll::Ready(ended) = self.layers.as_mut().poll(cx) {
                    let why = ended.err().unwrap_or_else(|| "a layer answered in place of the method".to_owned());
                    return Poll::Ready(Err(Ended::Interrupted(Interruption::Cancelled(why))));
                }
            }
            Stage::After(_) | Stage::Over => {}
        }
        Poll::Ready(Ok(()))
    }

    /// Whether the method has returned.
    pub(super) fn has_returned(&self) -> bool {
        matches!(self.stage, Stage::After(_))
    }

    /// The method has returned: the layers get the outcome.
    pub(super) fn returned(&mut self, result: Returned, outcome: Outcome) {
        self.stage = Stage::After(result);
        if let Some(sender) = self.outcome.take() {
            // A layer that wants no outcome has dropped its place.
            let _unwanted = sender.send(outcome);
        }
    }

    /// Ready with what the method has returned when the layers let it go.
    ///
    /// # Errors
    /// Why they do not.
    pub(super) fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<Result<Returned, Ended>> {
        let ended = ready!(self.layers.as_mut().poll(cx));
        let result = std::mem::replace(&mut self.stage, Stage::Over);
        let interrupted = |why| Err(Ended::Interrupted(Interruption::Cancelled(why)));
        Poll::Ready(match (ended, result) {
            (Ok(()), Stage::After(result)) => Ok(result),
            (Err(why), _) => interrupted(why),
            (Ok(()), Stage::Before(_) | Stage::Within | Stage::Over) => interrupted("it has ended before".to_owned()),
        })
    }
}
