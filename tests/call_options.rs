//! What is said beside the arguments of a call: deadlines, metadata, who calls; and who watches: interceptors.

mod common;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::{Arc, Mutex},
    time::Duration,
};

use common::{Way, settle};
use futures::{FutureExt, future::pending, poll};
use handover::{
    CallContext, CallInfo, ClientOptions, Interceptor, Interruption, MessageChannel, Metadatum, NotSent, Outcome,
    Refusal, ServeOptions,
    clock::{self, Clock, ManualClock},
    context,
    prelude::*,
    rpc::interceptor,
    wire::{CallId, Frame, MethodId, Options},
};
use serde::{Deserialize, Serialize};

const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Locale(String);

impl Metadatum for Locale {
    const NAME: &'static str = "locale";
}

/// Says of itself that it is a locale.
#[derive(Serialize, Deserialize)]
struct FalseLocale(u8);

impl Metadatum for FalseLocale {
    const NAME: &'static str = "locale";
}

#[service]
trait Office {
    async fn add(&self, a: u32, b: u32) -> u32;
    async fn fail(&self) -> Result<(), u32>;
    async fn hang(&self);
    /// Calls `hang` of another office.
    async fn pass_on(&self, to: OfficeClient) -> Result<(), String>;
    /// What is left of the call's time.
    async fn time_left(&self) -> Option<Duration>;
    /// The same, of a call that the method makes.
    async fn time_left_there(&self, there: OfficeClient) -> Option<Duration>;
    /// Serves another office while it runs.
    async fn host(&self, port: MessagePort);
    async fn locale(&self) -> Result<Option<Locale>, String>;
    async fn caller(&self) -> Option<u32>;
    #[rpc(oneway)]
    async fn note(&self, text: String);
}

#[derive(Clone, Default)]
struct Clerk {
    running: Rc<Cell<usize>>,
    begun: Rc<Cell<usize>>,
    notes: Rc<RefCell<Vec<String>>>,
}

struct Running(Rc<Cell<usize>>);

impl Running {
    fn new(count: &Rc<Cell<usize>>) -> Self {
        count.set(count.get() + 1);
        Self(count.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Office for Clerk {
    async fn add(&self, a: u32, b: u32) -> u32 {
        self.begun.set(self.begun.get() + 1);
        a + b
    }

    async fn fail(&self) -> Result<(), u32> {
        Err(7)
    }

    async fn hang(&self) {
        self.begun.set(self.begun.get() + 1);
        let _running = Running::new(&self.running);
        pending().await
    }

    async fn pass_on(&self, to: OfficeClient) -> Result<(), String> {
        let _running = Running::new(&self.running);
        to.hang().await.map_err(|error| error.to_string())
    }

    async fn time_left(&self) -> Option<Duration> {
        CallContext::current().and_then(|context| context.remaining())
    }

    async fn time_left_there(&self, there: OfficeClient) -> Option<Duration> {
        there.time_left().await.unwrap()
    }

    async fn host(&self, port: MessagePort) {
        OfficeServer::new(Self::default()).serve(port).await;
    }

    async fn locale(&self) -> Result<Option<Locale>, String> {
        let Some(context) = CallContext::current() else { return Ok(None) };
        context.metadata::<Locale>().map_err(|error| error.to_string())
    }

    async fn caller(&self) -> Option<u32> {
        CallContext::current()?.caller::<u32>().copied()
    }

    async fn note(&self, text: String) {
        let locale = self.locale().await.unwrap().map_or_else(String::new, |locale| locale.0);
        self.notes.borrow_mut().push(text + &locale);
    }
}

const WAYS: [Way; 3] = [Way::Direct, Way::Bytes, Way::Stream];

/// Runs a test over both ways within a thread, by a clock that is moved by hand.
fn by_hand<Fut: Future<Output = ()>>(test: impl Fn(Way, Arc<ManualClock>) -> Fut) {
    for way in WAYS {
        println!("way: {way:?}");
        let clock = Arc::new(ManualClock::default());
        let _entered = clock::enter(clock.clone());
        context::block_on(test(way, clock));
    }
}

fn office_with(way: Way, clerk: &Clerk, options: ServeOptions) -> OfficeClient {
    let clerk = clerk.clone();
    way.spawn_here(move |port| OfficeServer::new(clerk).with(options).serve(port))
}

fn office(way: Way) -> (OfficeClient, Clerk) {
    let clerk = Clerk::default();
    (office_with(way, &clerk, ServeOptions::default()), clerk)
}

#[test]
fn a_call_ends_at_its_deadline_and_its_method_with_it() {
    by_hand(async |way, clock| {
        let (office, clerk) = office(way);
        let mut call = office.hang().deadline(2 * SECOND);
        assert!(poll!(&mut call).is_pending());
        settle().await;
        assert_eq!(clerk.running.get(), 1);

        clock.advance(SECOND);
        assert!(poll!(&mut call).is_pending());
        clock.advance(SECOND);

        let error = call.await.unwrap_err();
        assert_eq!(error, CallError::Unknown(Interruption::DeadlineExceeded));
        assert!(error.is_deadline() && error.may_have_run());
        settle().await;
        assert_eq!(clerk.running.get(), 0);
        assert_eq!(office.add(2, 3).await, Ok(5), "the service lives on");
        assert_eq!(clock.sleeping(), 0);
    });
}

#[test]
fn a_call_that_is_ready_in_time_knows_nothing_of_its_deadline() {
    by_hand(async |way, clock| {
        let (office, _) = office(way);

        assert_eq!(office.add(2, 3).deadline(SECOND).await, Ok(5));

        assert_eq!(clock.sleeping(), 0);
    });
}

#[test]
fn a_call_whose_time_is_up_before_anyone_took_it_was_not_sent() {
    by_hand(async |_, clock| {
        let (ours, theirs) = MessageChannel::new().into_ports();
        let office = OfficeClient::from(ours);
        let mut call = office.add(2, 3).deadline(SECOND);
        assert!(poll!(&mut call).is_pending());

        clock.advance(SECOND);

        assert_eq!(call.await, Err(CallError::NotSent(NotSent::DeadlineExceeded)));
        let clerk = Clerk::default();
        context::spawn_local(OfficeServer::new(clerk.clone()).serve(theirs));
        assert_eq!(office.add(1, 1).await, Ok(2));
        assert_eq!(clerk.begun.get(), 1, "only the second was begun");
    });
}

#[test]
fn calls_that_a_method_makes_inherit_what_is_left_of_its_time() {
    by_hand(async |way, clock| {
        let ((near, near_clerk), (far, far_clerk)) = (office(way), office(way));
        let mut call = near.pass_on(far).deadline(5 * SECOND);
        assert!(poll!(&mut call).is_pending());
        settle().await;
        assert_eq!((near_clerk.running.get(), far_clerk.running.get()), (1, 1));

        clock.advance(5 * SECOND);
        assert!(call.await.is_err());
        settle().await;

        assert_eq!((near_clerk.running.get(), far_clerk.running.get()), (0, 0));
    });
}

#[test]
fn an_inherited_deadline_is_told_by_the_innermost_call_too() {
    by_hand(async |way, clock| {
        let ((near, _), (far, _)) = (office(way), office(way));
        // Longer than what is inherited.
        let far = far.with_options(ClientOptions::default().deadline(60 * SECOND));
        let mut call = near.pass_on(far).deadline(5 * SECOND).boxed_local();
        assert!(poll!(&mut call).is_pending());
        settle().await;

        clock.advance(4 * SECOND);
        settle().await;
        assert!(poll!(&mut call).is_pending());
        clock.advance(SECOND);
        settle().await;

        // Either end may notice first; both say what it was.
        match call.await {
            Err(RpcError::Call(error)) => assert!(error.is_deadline()),
            Err(RpcError::Service(text)) => assert!(text.contains("deadline"), "{text}"),
            Ok(()) => panic!("it hangs"),
        }
    });
}

#[test]
fn a_method_knows_how_much_time_is_left() {
    by_hand(async |way, _| {
        let (office, _) = office(way);

        assert_eq!(office.time_left().await, Ok(None));
        assert_eq!(office.time_left().deadline(3 * SECOND).await, Ok(Some(3 * SECOND)));
        assert_eq!(office.time_left().await, Ok(None), "nothing is left of the call before");
    });
}

#[test]
fn a_call_that_a_method_makes_knows_how_much_time_is_left_of_the_method() {
    by_hand(async |way, _| {
        let ((near, _), (far, _)) = (office(way), office(way));
        let far = far.with_options(ClientOptions::default().deadline(60 * SECOND));

        assert_eq!(near.time_left_there(far).deadline(3 * SECOND).await, Ok(Some(3 * SECOND)));
    });
}

#[test]
fn a_call_that_is_served_inside_a_method_has_nothing_of_that_method_s_context() {
    by_hand(async |way, _| {
        let (office, _) = office(way);
        let (ours, theirs) = MessageChannel::new().into_ports();
        let mut hosting = office.host(theirs).deadline(3 * SECOND);
        assert!(poll!(&mut hosting).is_pending());

        assert_eq!(OfficeClient::from(ours).time_left().await, Ok(None));
    });
}

#[test]
fn a_deadline_of_the_client_and_one_of_the_service_count_and_the_shorter_one_wins() {
    by_hand(async |way, _| {
        let office = office_with(way, &Clerk::default(), ServeOptions::default().deadline(4 * SECOND));
        assert_eq!(office.time_left().await, Ok(Some(4 * SECOND)));

        let office = office.with_options(ClientOptions::default().deadline(2 * SECOND));
        assert_eq!(office.time_left().await, Ok(Some(2 * SECOND)));
        assert_eq!(office.time_left().deadline(SECOND).await, Ok(Some(SECOND)));
        assert_eq!(office.time_left().deadline(9 * SECOND).await, Ok(Some(4 * SECOND)));
    });
}

#[test]
fn a_service_ends_a_method_at_its_own_deadline() {
    by_hand(async |way, clock| {
        let clerk = Clerk::default();
        let office = office_with(way, &clerk, ServeOptions::default().deadline(SECOND));
        let mut call = office.hang();
        assert!(poll!(&mut call).is_pending());
        settle().await;

        clock.advance(SECOND);

        assert_eq!(call.await, Err(CallError::Unknown(Interruption::DeadlineExceeded)));
        assert_eq!(clerk.running.get(), 0);
    });
}

/// Sends a call of `add` by hand, with this deadline, and hands out what comes back.
async fn add_by_hand(deadline: Duration, clerk: &Clerk) -> Vec<u8> {
    let (ours, theirs) = MessageChannel::new().into_ports();
    let options = Options { deadline: Some(deadline), ..Options::default() };
    let frame = Frame::Call { id: CallId(1), method: MethodId::of_name("add"), options, args: &[2, 3] };
    ours.post_message(frame.to_bytes()).unwrap();
    context::spawn_local(OfficeServer::new(clerk.clone()).serve(theirs));
    ours.start();
    ours.recv().await.unwrap().data().to_vec()
}

#[test]
fn the_longest_deadline_there_is_is_only_long() {
    by_hand(async |_, _| {
        let reply = add_by_hand(Duration::from_micros(u64::MAX), &Clerk::default()).await;

        assert_eq!(Frame::parse(&reply), Ok(Frame::Reply { id: CallId(1), result: &[0, 5] }));
    });
}

#[test]
fn a_call_that_comes_too_late_is_refused_and_does_not_run() {
    by_hand(async |_, _| {
        let clerk = Clerk::default();

        let reply = add_by_hand(Duration::ZERO, &clerk).await;

        let fault = handover::wire::Fault::Refused(Refusal::DeadlineExceeded);
        assert_eq!(Frame::parse(&reply), Ok(Frame::Fault { id: CallId(1), fault }));
        assert_eq!(clerk.begun.get(), 0);
    });
}

#[test]
fn metadata_reaches_the_service_and_says_its_type() {
    by_hand(async |way, _| {
        let (office, _) = office(way);

        let german = Locale("de".into());
        assert_eq!(office.locale().metadata(&german).await, Ok(Some(german)));
        assert_eq!(office.locale().await, Ok(None));
        let error = office.locale().metadata(&FalseLocale(200)).await.unwrap_err();
        assert_eq!(error, RpcError::Service("the metadata `locale` is of another type".to_owned()));
    });
}

#[test]
fn metadata_that_is_too_much_ends_the_call_before_it_is_sent() {
    by_hand(async |way, _| {
        let (office, clerk) = office(way);

        let error = office.add(1, 1).metadata(&Locale("x".repeat(20_000))).await.unwrap_err();

        assert!(matches!(error, CallError::NotSent(NotSent::Unencodable(_))), "{error}");
        assert_eq!(clerk.begun.get(), 0);
    });
}

#[test]
fn one_way_calls_carry_metadata_too() {
    by_hand(async |way, _| {
        let (office, clerk) = office(way);

        office.note("guten Tag, ".into()).metadata(&Locale("de".into())).await.unwrap();
        office.add(1, 1).await.unwrap();

        assert_eq!(*clerk.notes.borrow(), ["guten Tag, de"]);
    });
}

#[test]
fn a_service_knows_who_calls_from_whoever_serves_it() {
    by_hand(async |way, _| {
        let office = office_with(way, &Clerk::default(), ServeOptions::default().caller(42_u32));
        let stranger = office_with(way, &Clerk::default(), ServeOptions::default());

        assert_eq!(office.caller().await, Ok(Some(42)));
        assert_eq!(stranger.caller().await, Ok(None));
    });
}

/// Writes down what it sees.
#[derive(Clone, Default)]
struct Scribe {
    name: &'static str,
    log: Arc<Mutex<Vec<String>>>,
}

impl Scribe {
    fn named(&self, name: &'static str) -> Self {
        Self { name, log: self.log.clone() }
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.log.lock().unwrap())
    }
}

impl Interceptor for Scribe {
    fn before(&self, call: &mut CallInfo) -> Result<(), String> {
        self.log.lock().unwrap().push(format!("{} before {}", self.name, call.name));
        Ok(())
    }

    fn after(&self, call: &CallInfo, outcome: &Outcome) {
        self.log.lock().unwrap().push(format!("{} after {}: {outcome:?}", self.name, call.name));
    }
}

/// Lets nobody add.
struct Guard;

impl Interceptor for Guard {
    fn before(&self, call: &mut CallInfo) -> Result<(), String> {
        if call.name == "add" { Err("no sums today".into()) } else { Ok(()) }
    }
}

#[test]
fn interceptors_see_a_call_on_both_sides_from_outside_in_and_back() {
    by_hand(async |way, _| {
        let scribe = Scribe::default();
        let options = ServeOptions::default().interceptor(scribe.named("c")).interceptor(scribe.named("d"));
        let office = office_with(way, &Clerk::default(), options)
            .with_options(ClientOptions::default().interceptor(scribe.named("a")).interceptor(scribe.named("b")));

        office.add(2, 3).await.unwrap();

        let before = ["a before add", "b before add", "c before add", "d before add"];
        let after =
            ["d after add: Returned", "c after add: Returned", "b after add: Returned", "a after add: Returned"];
        assert_eq!(scribe.take(), [before, after].concat());
    });
}

#[test]
fn interceptors_are_told_every_kind_of_ending_once() {
    by_hand(async |way, clock| {
        let scribe = Scribe::default();
        let options = ServeOptions::default().interceptor(scribe.named("service"));
        let office = office_with(way, &Clerk::default(), options);

        office.fail().await.unwrap_err();
        assert_eq!(scribe.take(), ["service before fail", "service after fail: ServiceError"]);

        let mut call = office.hang();
        assert!(poll!(&mut call).is_pending());
        settle().await;
        drop(call);
        settle().await;
        assert_eq!(scribe.take(), ["service before hang", "service after hang: Cancelled"]);

        let mut call = office.hang().deadline(SECOND);
        assert!(poll!(&mut call).is_pending());
        settle().await;
        clock.advance(SECOND);
        settle().await;
        let late = "service after hang: Failed(Unknown(DeadlineExceeded))";
        assert_eq!(scribe.take(), ["service before hang", late]);
        drop(call);

        office.note("text".into()).await.unwrap();
        settle().await;
        assert_eq!(scribe.take(), ["service before note", "service after note: Returned"]);
    });
}

#[test]
fn a_caller_s_interceptors_are_told_of_a_call_that_is_given_up() {
    by_hand(async |way, _| {
        let scribe = Scribe::default();
        let (office, _) = office(way);
        let office = office.with_options(ClientOptions::default().interceptor(scribe.named("caller")));

        drop(office.hang());
        assert!(scribe.take().is_empty(), "it was never polled");
        let mut call = office.hang();
        assert!(poll!(&mut call).is_pending());
        drop(call);

        assert_eq!(scribe.take(), ["caller before hang", "caller after hang: Cancelled"]);
    });
}

#[test]
fn a_call_that_is_denied_at_the_service_does_not_run() {
    by_hand(async |way, _| {
        let (clerk, scribe) = (Clerk::default(), Scribe::default());
        let options = ServeOptions::default().interceptor(scribe.named("s")).interceptor(Guard);
        let office = office_with(way, &clerk, options);

        let denied = CallError::Refused(Refusal::Denied("no sums today".into()));
        assert_eq!(office.add(2, 3).await, Err(denied));

        assert_eq!(clerk.begun.get(), 0);
        let after = "s after add: Failed(Refused(Denied(\"no sums today\")))";
        assert_eq!(scribe.take(), ["s before add", after]);
        assert_eq!(office.locale().await, Ok(None));
    });
}

#[test]
fn a_call_that_is_denied_at_the_caller_is_not_sent() {
    by_hand(async |way, _| {
        let (office, clerk) = office(way);
        let office = office.with_options(ClientOptions::default().interceptor(Guard));

        let denied = CallError::NotSent(NotSent::Denied("no sums today".into()));
        assert_eq!(office.add(2, 3).await, Err(denied));

        assert_eq!(clerk.begun.get(), 0);
    });
}

/// Speaks German for its callers, and has little time.
struct Translator;

impl Interceptor for Translator {
    fn before(&self, call: &mut CallInfo) -> Result<(), String> {
        call.deadline = Some(SECOND);
        call.metadata.insert(&Locale("de".into())).map_err(|error| error.to_string())
    }
}

#[test]
fn an_interceptor_may_add_metadata_and_shorten_the_deadline() {
    by_hand(async |way, _| {
        let (office, _) = office(way);
        let office = office.with_options(ClientOptions::default().interceptor(Translator));

        assert_eq!(office.locale().await, Ok(Some(Locale("de".into()))));
        assert_eq!(office.time_left().deadline(5 * SECOND).await, Ok(Some(SECOND)));
    });
}

struct Clumsy;

impl Interceptor for Clumsy {
    fn before(&self, call: &mut CallInfo) -> Result<(), String> {
        if call.name == "add" { panic!("oops") } else { Ok(()) }
    }

    fn after(&self, _: &CallInfo, _: &Outcome) {
        panic!("again");
    }
}

#[test]
fn an_interceptor_that_panics_at_the_service_harms_one_call_at_most() {
    by_hand(async |way, _| {
        let office = office_with(way, &Clerk::default(), ServeOptions::default().interceptor(Clumsy));

        assert_eq!(office.add(2, 3).await, Err(CallError::Refused(Refusal::Denied("oops".into()))));
        assert_eq!(office.time_left().await, Ok(None));
    });
}

#[test]
fn an_interceptor_can_be_installed_for_all_that_a_thread_makes() {
    by_hand(async |way, _| {
        let scribe = Scribe::default();
        let installed = interceptor::install(Arc::new(scribe.named("all")));
        let (first, _) = office(way);
        settle().await;
        drop(installed);
        let (second, _) = office(way);

        first.add(2, 3).await.unwrap();
        second.add(2, 3).await.unwrap();

        let both = ["all before add", "all before add", "all after add: Returned", "all after add: Returned"];
        assert_eq!(scribe.take(), both);
    });
}

#[test]
fn elapsed_is_by_the_clock_of_the_context() {
    struct Stopwatch(Arc<Mutex<Vec<Option<Duration>>>>);

    impl Interceptor for Stopwatch {
        fn after(&self, call: &CallInfo, _: &Outcome) {
            self.0.lock().unwrap().push(call.elapsed());
        }
    }

    by_hand(async |way, clock| {
        let times = Arc::new(Mutex::default());
        let (office, _) = office(way);
        let office = office.with_options(ClientOptions::default().interceptor(Stopwatch(times.clone())));
        let mut call = office.hang();
        assert!(poll!(&mut call).is_pending());

        clock.advance(3 * SECOND);
        drop(call);

        assert_eq!(*times.lock().unwrap(), [Some(3 * SECOND)]);
        assert_eq!(clock.now(), 3 * SECOND);
    });
}

#[test]
fn options_survive_a_reader_of_bytes_in_the_middle() {
    by_hand(async |_, _| {
        let (office, _) = office(Way::Bytes);

        let left = office.time_left().deadline(Duration::from_micros(1_500_001)).await;

        assert_eq!(left, Ok(Some(Duration::from_micros(1_500_001))));
    });
}

#[test]
fn a_call_that_comes_too_late_is_shown_to_the_interceptors_with_its_ending() {
    by_hand(async |_, _| {
        let scribe = Scribe::default();
        let (ours, theirs) = MessageChannel::new().into_ports();
        let options = Options { deadline: Some(Duration::ZERO), ..Options::default() };
        let frame = Frame::Call { id: CallId(1), method: MethodId::of_name("add"), options, args: &[2, 3] };
        ours.post_message(frame.to_bytes()).unwrap();
        let watched = ServeOptions::default().interceptor(scribe.named("service"));

        context::spawn_local(OfficeServer::new(Clerk::default()).with(watched).serve(theirs));
        settle().await;

        let late = "service after add: Failed(Refused(DeadlineExceeded))";
        assert_eq!(scribe.take(), ["service before add", late]);
    });
}
