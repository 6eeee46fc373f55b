//! The callee's side: one future that serves a port.

use std::{
    future::poll_fn,
    pin::pin,
    task::{Context, Poll},
};

use super::{
    Answer, MethodId, Refusal,
    frame::CallId,
    handlers::Handlers,
    incoming::{Arrived, Incoming},
};
use crate::{
    Closed, MessagePort,
    port::{Inbox, Parcel},
};

/// How many messages are taken before the executor gets a turn, so that a busy peer starves nobody (LOOP-07).
const BATCH: usize = 64;

/// What `#[service]` generates for the server of a service: how calls are opened, and how they are run.
///
/// The object that has the methods is an argument: so the server of a service runs the calls of its super-services too, each
/// by the server of the one that it belongs to.
pub trait Service: Sized {
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
    Shared(S::SharedCall),
    /// Of a method that takes `self`.
    Once(S::OnceCall),
}

/// Serves a port until the other end has closed it and every handler that somebody still waits for has ended.
///
/// Calls run concurrently, each from its first `.await` on beside the others. The future is `Send` if the service and what
/// its methods hold are. Dropping it ends all calls.
///
/// A method that takes `self` ends the service: it starts once the calls before it have ended, and every other call is
/// refused as [`Refusal::Spent`] from then on.
pub async fn serve<S: Service>(object: S::Object, port: MessagePort) {
    port.start();
    if let Some((call, id)) = serve_shared::<S>(&object, &port).await {
        serve_once::<S>(object, call, id, &port).await;
    }
}

/// Serves methods that take `&self`, until the port is closed, or until a call of one that takes `self` has come and the
/// others have ended: then it hands out that one.
async fn serve_shared<S: Service>(object: &S::Object, port: &MessagePort) -> Option<(S::OnceCall, Option<CallId>)> {
    let mut handlers = Handlers::new();
    let mut inbox = Inbox::new(port);
    let mut once: Option<(S::OnceCall, Option<CallId>)> = None;
    let mut is_closed = false;
    poll_fn(move |cx| {
        let mut left = BATCH;
        while !is_closed && left > 0 {
            let Poll::Ready(arrived) = poll_arrived(&mut inbox, cx) else { break };
            left -= 1;
            match arrived {
                Ok(Arrived::Call(incoming)) if once.is_some() => post(port, incoming.refuse(Refusal::Spent)),
                Ok(Arrived::Call(incoming)) => {
                    let id = incoming.id();
                    if id.is_some_and(|id| handlers.contains(id)) {
                        post(port, incoming.refuse(Refusal::RepeatedCallId));
                        continue;
                    }
                    match S::open(incoming) {
                        Ok(Opened::Shared(call)) => {
                            if let Poll::Ready(answer) = handlers.start(S::run(object, call), id, cx) {
                                post(port, answer);
                            }
                        }
                        Ok(Opened::Once(call)) => once = Some((call, id)),
                        Err(answer) => post(port, answer),
                    }
                }
                Ok(Arrived::Cancel(id)) => {
                    handlers.cancel(id);
                    once.take_if(|(_, once)| *once == Some(id));
                }
                Ok(Arrived::Nothing) => {}
                Err(Closed) => {
                    handlers.cancel_all_remote();
                    is_closed = true;
                }
            }
        }
        while let Poll::Ready(Some(answer)) = handlers.poll_next(cx) {
            post(port, answer);
        }
        if handlers.is_empty() && (is_closed || once.is_some()) {
            return Poll::Ready(once.take());
        }
        if left == 0 {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    })
    .await
}

/// Runs the one call that the service was good for, and refuses every other.
async fn serve_once<S: Service>(object: S::Object, call: S::OnceCall, id: Option<CallId>, port: &MessagePort) {
    let mut refused = false;
    {
        let mut handler = pin!(S::run_once(object, call));
        let mut inbox = Inbox::new(port);
        let mut is_closed = false;
        poll_fn(|cx| {
            while !is_closed {
                match poll_arrived(&mut inbox, cx) {
                    Poll::Ready(Ok(Arrived::Call(incoming))) => {
                        refused = true;
                        post(port, incoming.refuse(Refusal::Spent));
                    }
                    Poll::Ready(Ok(Arrived::Cancel(cancelled))) if id == Some(cancelled) => return Poll::Ready(()),
                    Poll::Ready(Ok(Arrived::Cancel(_) | Arrived::Nothing)) => {}
                    // Nobody is left whom the answer could reach by the port.
                    Poll::Ready(Err(Closed)) if id.is_some() => return Poll::Ready(()),
                    Poll::Ready(Err(Closed)) => is_closed = true,
                    Poll::Pending => break,
                }
            }
            handler.as_mut().poll(cx).map(|answer| post(port, answer))
        })
        .await;
    }
    // A peer that tries again is told, once, and finds the port closed after that.
    if !refused {
        refuse_next(port).await;
    }
}

/// Refuses the next call, or ends with the port.
async fn refuse_next(port: &MessagePort) {
    let mut inbox = Inbox::new(port);
    poll_fn(|cx| {
        loop {
            match poll_arrived(&mut inbox, cx) {
                Poll::Ready(Ok(Arrived::Call(incoming))) => {
                    post(port, incoming.refuse(Refusal::Spent));
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

fn poll_arrived<'p>(inbox: &mut Inbox<'p>, cx: &mut Context<'_>) -> Poll<Result<Arrived<'p>, Closed>> {
    inbox.poll_next(cx).map(|parcel| parcel.map(|parcel| Arrived::read(parcel, inbox.port())))
}

/// Sends an answer. If the port is closed, nobody waits for it.
fn post(port: &MessagePort, answer: Answer) {
    if let Answer(Some(message)) = answer {
        let _closed = port.post(Parcel::Message(message));
    }
}
