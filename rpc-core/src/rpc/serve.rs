//! The callee's side: one future that serves a port.

use std::future::poll_fn;

use super::{
    Answer, Incoming, Method, MethodId, MethodTable, ServeOptions,
    desk::Desk,
    host::Reception,
    running::Running,
    serving::{Over, Serving},
    spent::serve_once,
};
use crate::{MessagePort, shape::StaticDescription};

/// What `#[service]` generates for the server of a service: how calls are opened, and how they are run.
///
/// The object that has the methods is an argument: so the server of a service runs the calls of its super-services too, each
/// by the server of the one that it belongs to.
pub trait Service: Sized {
    /// What it is, for callers who ask.
    const DESCRIPTION: StaticDescription;

    /// The methods that its client calls. That of a service that was written by hand may say nothing.
    const METHODS: MethodTable = MethodTable::NONE;

    /// Whether a future of [`run`](Self::run) runs the call's [`Responder`](super::Responder) when it is first polled, in place, before it waits for
    /// anything. Then a call that came by a right, and was opened by [`Incoming::open_to_run`], costs less; where it is not so, such a call would
    /// not end with the right.
    const RUNS_AT_ONCE: bool = false;

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

/// What is known of a service without its types.
#[derive(Debug)]
pub(super) struct ServiceFacts {
    pub(super) methods: MethodTable,
    pub(super) runs_at_once: bool,
}

impl ServiceFacts {
    /// Of a service that nobody serves.
    pub(super) const NONE: Self = Self { methods: MethodTable::NONE, runs_at_once: false };

    pub(super) const fn of<S: Service>() -> Self {
        Self { methods: S::METHODS, runs_at_once: S::RUNS_AT_ONCE }
    }
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

/// Serves a port until the other end has closed it, and every port that was [attached](crate::wire::Frame::Attach) to it, and every
/// handler that somebody still waits for has ended.
///
/// Calls run concurrently, each from its first `.await` on beside the others; ordered ones one after the other, in the order in
/// which they came. The future is `Send` if the service and what its methods hold are. Dropping it ends all calls.
///
/// A method that takes `self` ends the service: it starts once the calls before it have ended, and every other call is
/// refused as [`Refusal::Spent`](super::Refusal::Spent) from then on.
#[expect(clippy::manual_async_fn, reason = "the future of an `async fn` keeps room for its arguments twice")]
pub fn serve<S: Service>(object: S::Object, port: MessagePort, options: ServeOptions) -> impl Future<Output = ()> {
    async move {
        let first = First::open(port, options, const { &ServiceFacts::of::<S>() });
        let mut others = Reception::default();
        let _over = serve_ports::<S>(object, Some(&first.0), &mut others).await;
    }
}

/// The first port of a service. When it is served no longer, nobody can add others.
struct First(Desk);

impl First {
    fn open(port: MessagePort, options: ServeOptions, facts: &'static ServiceFacts) -> Self {
        let desk = Desk::first(port, options.of_context(), facts);
        desk.open();
        Self(desk)
    }
}

impl Drop for First {
    fn drop(&mut self) {
        if let Some(hub) = self.0.hub_so_far() {
            hub.end();
        }
    }
}

/// Serves all ports of a service. Gives the object back if it is to be served elsewhere.
#[expect(clippy::manual_async_fn, reason = "as of `serve`")]
pub(super) fn serve_ports<S: Service>(
    object: S::Object,
    first: Option<&Desk>,
    others: &mut Reception,
) -> impl Future<Output = Option<S::Object>> {
    async move {
        match serve_shared::<S>(&object, first, others).await {
            (Over::Halted, _) => return Some(object),
            (Over::Once(once), Some(call)) => serve_once::<S>(object, call, once, first, others).await,
            (Over::Alone | Over::Once(_), _) => {}
        }
        None
    }
}

/// Serves methods that take `&self`, until nobody is left who could call one, or until a call of one that takes `self` has come, which is handed
/// out, and the others have ended.
fn serve_shared<'s, S: Service>(
    object: &'s S::Object,
    first: Option<&'s Desk>,
    others: &'s mut Reception,
) -> impl Future<Output = (Over, Option<S::OnceCall>)> + use<'s, S> {
    let mut running = Running::<S, _, _>::new(|call| S::run(object, call));
    let mut serving = Serving::new(first, others);
    poll_fn(move |cx| serving.poll(&mut running, cx).map(|over| (over, running.take_once())))
}
