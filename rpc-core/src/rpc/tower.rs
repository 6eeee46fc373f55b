//! Layers of [tower](https://docs.rs/tower)'s around the methods of a service.
//!
//! A layer is put around a [`RunMethod`], a service of tower's that runs the method of one [`CallRequest`] and tells its [`Outcome`]. It
//! decides when the method begins, as a limit does, and may give it up, as a timeout does. It does not see arguments and results, which
//! stay what they are between the two ends.

use std::{
    convert::Infallible,
    error::Error,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

use futures::{FutureExt, channel::oneshot};
use tower_layer::Layer;
use tower_service::Service;

use super::{
    CallContext, Outcome, ServeOptions,
    around::{Around, Layers},
    report::in_one_line,
};
use crate::sync::Arc;

/// A call whose method is about to run. Dropping it gives the method up.
#[derive(Debug)]
pub struct CallRequest {
    context: CallContext,
    begin: oneshot::Sender<()>,
    outcome: oneshot::Receiver<Outcome>,
}

impl CallRequest {
    /// What is known of the call.
    pub fn context(&self) -> &CallContext {
        &self.context
    }
}

/// The innermost service: lets the method of a call begin, and tells how it ended. Always ready.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct RunMethod;

impl Service<CallRequest> for RunMethod {
    type Response = Outcome;
    type Error = Infallible;
    type Future = MethodFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: CallRequest) -> MethodFuture {
        // Given up already, if nobody hears of it.
        let _heard = request.begin.send(());
        MethodFuture(request.outcome)
    }
}

/// A method that runs. Dropping it gives nothing up by itself: the layer that is around it says so by ending.
#[derive(Debug)]
pub struct MethodFuture(oneshot::Receiver<Outcome>);

impl Future for MethodFuture {
    type Output = Result<Outcome, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // One that was given up tells nothing.
        self.0.poll_unpin(cx).map(|outcome| Ok(outcome.unwrap_or(Outcome::Cancelled)))
    }
}

/// What an error of a service of tower's becomes.
type Whatever = Box<dyn Error + Send + Sync>;

impl ServeOptions {
    /// Puts a layer around the methods, in place of the one that was there. Several are one with tower's `ServiceBuilder`.
    ///
    /// Each call gets a clone of the layer's service. Its method begins when the innermost service is called. A layer that fails before
    /// that refuses the call, as [`Refusal::Denied`](super::Refusal::Denied); one that fails later ends the method, as
    /// [`Interruption::Cancelled`](super::Interruption::Cancelled), at once. Both say the layer's error, with its sources. What the method
    /// returned goes out when the layers have ended well too.
    ///
    /// [Interceptors](super::Interceptor) are outside of it: they see what became of the call in the end.
    #[must_use]
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<RunMethod>,
        L::Service: Service<CallRequest, Response = Outcome> + Clone + Send + Sync + 'static,
        <L::Service as Service<CallRequest>>::Future: Send + 'static,
        <L::Service as Service<CallRequest>>::Error: Into<Whatever>,
    {
        self.change().around = Some(Arc::new(Layered(layer.layer(RunMethod))));
        self
    }
}

struct Layered<S>(S);

impl<S> Around for Layered<S>
where
    S: Service<CallRequest, Response = Outcome> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Whatever>,
{
    fn begin(&self, context: CallContext, begin: oneshot::Sender<()>, outcome: oneshot::Receiver<Outcome>) -> Layers {
        let request = CallRequest { context, begin, outcome };
        let mut service = self.0.clone();
        let say = |error: S::Error| in_one_line(&*error.into());
        Box::pin(async move {
            poll_fn(|cx| service.poll_ready(cx)).await.map_err(say)?;
            service.call(request).await.map(drop).map_err(say)
        })
    }
}
