//! The callee's side: one future that serves a port.

use std::{future::poll_fn, pin::pin, task::Poll};

use super::{
    Answer, Method, MethodId, Refusal, ServeOptions,
    frame::CallId,
    incoming::{Arrived, Desk, Incoming},
    serving::{Once, Serving, poll_arrived},
};
use crate::{Closed, MessagePort, port::Inbox, shape::StaticDescription};

/// What `#[service]` generates for the server of a service: how calls are opened, and how they are run.
///
/// The object that has the methods is an argument: so the server of a service runs the calls of its super-services too, each
/// by the server of the one that it belongs to.
pub trait Service: Sized {
    /// What it is, for callers who ask.
    const DESCRIPTION: StaticDescription;

    /// What the methods are called on.
    type Object;
    /// A call of a method that takes `&self`, with its arguments.
    type SharedCall;
    /// A call of a method that takes `self`, with its arguments.
    type OnceCall;

    /// Whether there is such a method, here or in a super-service.
    fn serves(method: MethodId) -> bool;

    /// Reads a call.
    ///
    /// # Errors
    /// The answer, if it cannot be run.
    fn open(incoming: Incoming<'_>) -> Result<Opened<Self>, Answer>;

    /// Runs a method that takes `&self`.
    fn run(object: &Self::Object, call: Self::SharedCall) -> impl Future<Output = Answer>;

    /// Runs a method that takes `self`.
    fn run_once(object: Self::Object, call: Self::OnceCall) -> impl Future<Output = Answer>;
}

/// A call that was read and can be run.
#[derive(Debug)]
pub enum Opened<S: Service> {
    /// Of a method that takes `&self`.
    Shared(S::SharedCall, How),
    /// Of a method that takes `self`.
    Once(S::OnceCall),
}

/// How a method that takes `&self` is run.
#[derive(Clone, Copy, Debug)]
pub struct How {
    pub(super) ordered: bool,
    pub(super) cancels: bool,
}

impl<S: Service> Opened<S> {
    /// A call of the method, which takes `&self`.
    pub fn shared<M: Method>(call: S::SharedCall) -> Self {
        Self::Shared(call, How { ordered: M::ORDERED, cancels: M::CANCELS })
    }
}

/// Serves a port until the other end has closed it and every handler that somebody still waits for has ended.
///
/// Calls run concurrently, each from its first `.await` on beside the others; ordered ones one after the other, in the order in
/// which they came. The future is `Send` if the service and what its methods hold are. Dropping it ends all calls.
///
/// A method that takes `self` ends the service: it starts once the calls before it have ended, and every other call is
/// refused as [`Refusal::Spent`] from then on.
pub async fn serve<S: Service>(object: S::Object, port: MessagePort, mut options: ServeOptions) {
    options.interceptors = options.interceptors.of_context();
    port.start();
    let desk = Desk::new(&port, &options);
    if let Some((call, id)) = serve_shared::<S>(&object, &desk).await {
        serve_once::<S>(object, call, id, &desk).await;
    }
}

/// Serves methods that take `&self`, until the port is closed, or until a call of one that takes `self` has come and the
/// others have ended: then it hands out that one.
async fn serve_shared<S: Service>(object: &S::Object, desk: &Desk<'_>) -> Option<Once<S>> {
    let run = |call| S::run(object, call);
    let mut serving = Serving::<S, _>::new(desk);
    poll_fn(move |cx| serving.poll(&run, cx)).await
}

/// Runs the one call that the service was good for, and refuses every other.
async fn serve_once<S: Service>(object: S::Object, call: S::OnceCall, mut id: Option<CallId>, desk: &Desk<'_>) {
    let mut refused = false;
    {
        let mut handler = pin!(S::run_once(object, call));
        let mut inbox = Inbox::new(desk.port);
        let mut is_closed = false;
        poll_fn(|cx| {
            while !is_closed {
                match poll_arrived(&mut inbox, desk, cx) {
                    Poll::Ready(Ok(Arrived::Call(incoming))) => {
                        refused = true;
                        desk.post(incoming.refuse(Refusal::Spent));
                    }
                    Poll::Ready(Ok(Arrived::Cancel(cancelled))) if id == Some(cancelled) => return Poll::Ready(()),
                    Poll::Ready(Ok(Arrived::Cancel(_) | Arrived::Nothing)) => {}
                    // Nobody is left whom the answer could reach by the port.
                    Poll::Ready(Err(Closed)) if id.is_some() => return Poll::Ready(()),
                    Poll::Ready(Err(Closed)) => is_closed = true,
                    Poll::Pending => break,
                }
            }
            let ended = handler.as_mut().poll(cx).map(|answer| desk.post(answer));
            // It goes on for whoever has the stream, and not for this port.
            desk.post_early(|_| id = None);
            ended
        })
        .await;
    }
    // A peer that tries again is told, once, and finds the port closed after that.
    if !refused {
        refuse_next(desk).await;
    }
}

/// Refuses the next call, or ends with the port.
async fn refuse_next(desk: &Desk<'_>) {
    let mut inbox = Inbox::new(desk.port);
    poll_fn(|cx| {
        loop {
            match poll_arrived(&mut inbox, desk, cx) {
                Poll::Ready(Ok(Arrived::Call(incoming))) => {
                    desk.post(incoming.refuse(Refusal::Spent));
                    return Poll::Ready(());
                }
                Poll::Ready(Ok(Arrived::Cancel(_) | Arrived::Nothing)) => {}
                Poll::Ready(Err(Closed)) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await;
}
