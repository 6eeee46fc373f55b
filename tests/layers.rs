//! Layers of tower's around the methods of a service.
#![cfg(feature = "tower")]

mod common;

use std::{
    cell::Cell,
    error::Error,
    fmt,
    pin::Pin,
    rc::Rc,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use common::{Way, settle};
use futures::{channel::oneshot, poll};
use handover::{
    CallInfo, Interceptor, Interruption, Outcome, Refusal, ServeOptions,
    clock::{self, ManualClock, Sleep},
    context,
    prelude::*,
    rpc::tower::{CallRequest, RunMethod},
};
use tower::{Service, ServiceBuilder, layer::layer_fn, limit::ConcurrencyLimitLayer};

const SECOND: Duration = Duration::from_secs(1);

#[service]
trait Kitchen {
    async fn add(&self, a: u32, b: u32) -> u32;
    async fn fail(&self) -> Result<(), u32>;
    async fn hang(&self);
    #[rpc(oneway)]
    async fn note(&self);
}

#[derive(Clone, Default)]
struct Cook {
    begun: Rc<Cell<u32>>,
    running: Rc<Cell<u32>>,
}

struct Running(Rc<Cell<u32>>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Kitchen for Cook {
    async fn add(&self, a: u32, b: u32) -> u32 {
        self.begun.set(self.begun.get() + 1);
        a + b
    }

    async fn fail(&self) -> Result<(), u32> {
        Err(7)
    }

    async fn hang(&self) {
        self.begun.set(self.begun.get() + 1);
        self.running.set(self.running.get() + 1);
        let _running = Running(self.running.clone());
        std::future::pending().await
    }

    async fn note(&self) {
        self.begun.set(self.begun.get() + 1);
    }
}

fn kitchen(way: Way, options: ServeOptions) -> (KitchenClient, Cook) {
    let cook = Cook::default();
    let client = way.spawn_here(|port| KitchenServer::new(cook.clone()).with(options).serve(port));
    (client, cook)
}

/// Runs a test over both ways within a thread, by a clock that is moved by hand.
fn by_hand<Fut: Future<Output = ()>>(test: impl Fn(Way, Arc<ManualClock>) -> Fut) {
    for way in [Way::Direct, Way::Bytes, Way::Stream] {
        println!("way: {way:?}");
        let clock = Arc::new(ManualClock::default());
        let _entered = clock::enter(clock.clone());
        context::block_on(test(way, clock));
    }
}

/// Ends what takes longer than a second.
#[derive(Clone)]
struct Timeout<S>(S);

#[derive(Debug)]
struct TooSlow;

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too slow")
    }
}

impl Error for TooSlow {}

type Boxed = Box<dyn Error + Send + Sync>;

impl<S: Service<CallRequest, Response = Outcome, Error: Into<Boxed>, Future: Send + 'static>> Service<CallRequest>
    for Timeout<S>
{
    type Response = Outcome;
    type Error = Boxed;
    type Future = Pin<Box<dyn Future<Output = Result<Outcome, Boxed>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Boxed>> {
        self.0.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: CallRequest) -> Self::Future {
        let clock = clock::current().unwrap();
        let mut late: Sleep = clock.sleep_until(clock.now() + SECOND);
        let mut call = Box::pin(self.0.call(request));
        Box::pin(std::future::poll_fn(move |cx| match call.as_mut().poll(cx) {
            Poll::Ready(ended) => Poll::Ready(ended.map_err(Into::into)),
            Poll::Pending => late.as_mut().poll(cx).map(|()| Err(TooSlow.into())),
        }))
    }
}

#[test]
fn a_timeout_ends_the_method_and_the_service_lives_on() {
    by_hand(async |way, clock| {
        let (kitchen, cook) = kitchen(way, ServeOptions::default().layer(layer_fn(Timeout)));
        let mut call = kitchen.hang();
        assert!(poll!(&mut call).is_pending());
        settle().await;
        assert_eq!(cook.running.get(), 1);

        clock.advance(SECOND);

        assert_eq!(call.await, Err(CallError::Unknown(Interruption::Cancelled("too slow".into()))));
        settle().await;
        assert_eq!(cook.running.get(), 0);
        assert_eq!(kitchen.add(2, 3).await, Ok(5));
        assert_eq!(clock.sleeping(), 0);
    });
}

#[test]
fn a_limit_lets_methods_begin_one_after_the_other() {
    by_hand(async |way, _| {
        let (kitchen, cook) = kitchen(way, ServeOptions::default().layer(ConcurrencyLimitLayer::new(1)));
        let mut first = kitchen.hang();
        let mut second = kitchen.add(2, 3);
        assert!(poll!(&mut first).is_pending());
        assert!(poll!(&mut second).is_pending());
        settle().await;
        assert_eq!(cook.begun.get(), 1, "only the first has begun");

        drop(first);

        assert_eq!(second.await, Ok(5));
        assert_eq!(cook.begun.get(), 2);
    });
}

#[test]
fn a_call_that_is_given_up_while_it_waits_for_its_turn_never_begins() {
    by_hand(async |way, _| {
        let (kitchen, cook) = kitchen(way, ServeOptions::default().layer(ConcurrencyLimitLayer::new(1)));
        let mut first = kitchen.hang();
        let mut second = kitchen.add(2, 3);
        assert!(poll!(&mut first).is_pending());
        assert!(poll!(&mut second).is_pending());
        settle().await;

        drop(second);
        settle().await;
        drop(first);
        settle().await;

        assert_eq!(cook.begun.get(), 1);
        assert_eq!(kitchen.add(1, 1).await, Ok(2));
    });
}

#[test]
fn a_layer_sees_what_is_called_and_how_it_ends() {
    by_hand(async |way, _| {
        let log = Arc::new(Mutex::new(Vec::<String>::new()));
        let (before, after) = (log.clone(), log.clone());
        let layers = ServiceBuilder::new()
            .map_request(move |request: CallRequest| {
                before.lock().unwrap().push(format!("{}?", request.context().name()));
                request
            })
            .map_response(move |outcome: Outcome| {
                after.lock().unwrap().push(format!("{}!", outcome.label()));
                outcome
            });
        let (kitchen, _) = kitchen(way, ServeOptions::default().layer(layers));

        kitchen.add(2, 3).await.unwrap();
        kitchen.fail().await.unwrap_err();
        kitchen.note().await.unwrap();
        settle().await;

        assert_eq!(*log.lock().unwrap(), ["add?", "returned!", "fail?", "service_error!", "note?", "returned!"]);
    });
}

/// Lets nobody in, or answers itself.
#[derive(Clone)]
struct Wall(Option<Outcome>);

#[derive(Debug)]
struct Closed(TooSlow);

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the kitchen is closed")
    }
}

impl Error for Closed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

impl Service<CallRequest> for Wall {
    type Response = Outcome;
    type Error = Closed;
    type Future = std::future::Ready<Result<Outcome, Closed>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: CallRequest) -> Self::Future {
        std::future::ready(self.0.clone().ok_or(Closed(TooSlow)))
    }
}

#[test]
fn a_layer_that_fails_before_the_method_refuses_the_call_with_its_error_and_the_source() {
    by_hand(async |way, _| {
        let (kitchen, cook) = kitchen(way, ServeOptions::default().layer(layer_fn(|_: RunMethod| Wall(None))));

        let error = kitchen.add(2, 3).await.unwrap_err();

        assert_eq!(error, CallError::Refused(Refusal::Denied("the kitchen is closed: too slow".into())));
        assert_eq!(cook.begun.get(), 0);
    });
}

#[test]
fn a_layer_that_answers_in_place_of_the_method_refuses_the_call() {
    by_hand(async |way, _| {
        let wall = layer_fn(|_: RunMethod| Wall(Some(Outcome::Returned)));
        let (kitchen, cook) = kitchen(way, ServeOptions::default().layer(wall));

        let error = kitchen.add(2, 3).await.unwrap_err();

        assert!(matches!(error, CallError::Refused(Refusal::Denied(_))), "{error}");
        assert_eq!(cook.begun.get(), 0);
    });
}

/// Holds the answer of each call back until it is told how to end.
#[derive(Clone)]
struct Customs<S>(S, Arc<Mutex<Option<Word>>>);

/// How a call is to end.
type Word = oneshot::Receiver<Result<(), TooSlow>>;

impl<S: Service<CallRequest, Response = Outcome, Error: fmt::Debug, Future: Send + 'static>> Service<CallRequest>
    for Customs<S>
{
    type Response = Outcome;
    type Error = TooSlow;
    type Future = Pin<Box<dyn Future<Output = Result<Outcome, TooSlow>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TooSlow>> {
        self.0.poll_ready(cx).map_err(|_| TooSlow)
    }

    fn call(&mut self, request: CallRequest) -> Self::Future {
        let call = self.0.call(request);
        let word = self.1.lock().unwrap().take().unwrap();
        Box::pin(async move {
            let outcome = call.await.unwrap();
            word.await.unwrap().map(|()| outcome)
        })
    }
}

#[test]
fn what_a_method_returned_goes_out_when_the_layers_let_it() {
    by_hand(async |way, _| {
        for word in [Ok(()), Err(TooSlow)] {
            let (say, hear) = oneshot::channel();
            let place = Arc::new(Mutex::new(Some(hear)));
            let customs = layer_fn(move |inner: RunMethod| Customs(inner, place.clone()));
            let (kitchen, cook) = kitchen(way, ServeOptions::default().layer(customs));
            let mut call = kitchen.add(2, 3);
            assert!(poll!(&mut call).is_pending());
            settle().await;
            assert_eq!(cook.begun.get(), 1);
            assert!(poll!(&mut call).is_pending(), "it is held back");

            let expected = match &word {
                Ok(()) => Ok(5),
                Err(TooSlow) => Err(CallError::Unknown(Interruption::Cancelled("too slow".into()))),
            };
            say.send(word).unwrap();

            assert_eq!(call.await, expected);
            assert_eq!(cook.begun.get(), 1, "it has run once");
        }
    });
}

#[test]
fn a_layer_that_panics_ends_one_call() {
    by_hand(async |way, _| {
        let layers = ServiceBuilder::new().map_request(|request: CallRequest| {
            assert_ne!(request.context().name(), "fail", "not this one");
            request
        });
        let (kitchen, _) = kitchen(way, ServeOptions::default().layer(layers));

        let error = kitchen.fail().await.unwrap_err();

        let panicked = |error: &RpcError<u32>| matches!(error, RpcError::Call(CallError::Unknown(Interruption::Panicked(text))) if text.contains("not this one"));
        assert!(panicked(&error), "{error}");
        assert_eq!(kitchen.add(2, 3).await, Ok(5));
    });
}

#[test]
fn interceptors_see_what_became_of_the_call_in_the_end() {
    #[derive(Clone, Default)]
    struct Outcomes(Arc<Mutex<Vec<Outcome>>>);

    impl Interceptor for Outcomes {
        fn after(&self, _: &CallInfo, outcome: &Outcome) {
            self.0.lock().unwrap().push(outcome.clone());
        }
    }

    by_hand(async |way, _| {
        let outcomes = Outcomes::default();
        let wall = layer_fn(|_: RunMethod| Wall(None));
        let (kitchen, _) = kitchen(way, ServeOptions::default().layer(wall).interceptor(outcomes.clone()));

        kitchen.add(2, 3).await.unwrap_err();
        settle().await;

        let [Outcome::Failed(CallError::Refused(Refusal::Denied(_)))] = &outcomes.0.lock().unwrap()[..] else {
            panic!("{outcomes:?}", outcomes = outcomes.0)
        };
    });
}

#[test]
fn a_service_that_may_move_between_threads_may_do_so_with_layers() {
    fn is_send(future: impl Future<Output = ()> + Send) {
        drop(future);
    }
    struct Adder;
    impl Sums for Adder {
        async fn add(&self, a: u32, b: u32) -> u32 {
            a + b
        }
    }

    let (_ours, theirs) = handover::MessageChannel::new().into_ports();

    is_send(SumsServer::new(Adder).with(ServeOptions::default().layer(ConcurrencyLimitLayer::new(1))).serve(theirs));
}

#[service]
trait Sums {
    async fn add(&self, a: u32, b: u32) -> u32;
}
