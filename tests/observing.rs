//! Seeing what happens: spans, metrics, and what is under way.

mod common;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use common::{Way, settle};
use futures::{FutureExt, StreamExt, channel::oneshot, poll};
use handover::{
    CallInfo, CallSide, ClientOptions, Inspector, Interceptor, MessageChannel, Outcome, Refusal, Report, ServeOptions,
    Snapshot, Streaming,
    clock::{self, ManualClock},
    context,
    prelude::*,
    rpc::{
        OrReport, Wire, interceptor,
        trace::{Spans, TARGET},
    },
    stream,
    wire::{CallId, Frame, MethodId},
};
use tracing::{
    Level, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer, Registry,
    layer::{Context as LayerContext, SubscriberExt},
    registry::LookupSpan,
};

const SECOND: Duration = Duration::from_secs(1);

#[service]
trait Desk {
    async fn add(&self, a: u32, b: u32) -> u32;
    async fn fail(&self) -> Result<(), Report>;
    async fn hang(&self);
    /// The name of the span that it runs in.
    async fn span(&self) -> Option<String>;
    #[rpc(oneway)]
    async fn note(&self, text: String);
}

struct Clerk;

impl Desk for Clerk {
    async fn add(&self, a: u32, b: u32) -> u32 {
        a + b
    }

    async fn fail(&self) -> Result<(), Report> {
        "x".parse::<u32>().or_report_as("no number on the form")?;
        Ok(())
    }

    async fn hang(&self) {
        std::future::pending().await
    }

    async fn span(&self) -> Option<String> {
        tracing::Span::current().metadata().map(|metadata| metadata.target().to_owned())
    }

    async fn note(&self, _: String) {}
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

fn desk(way: Way, options: ServeOptions) -> DeskClient {
    way.spawn_here(|port| DeskServer::new(Clerk).with(options).serve(port))
}

/// The spans that have closed: their fields, as text.
#[derive(Clone, Default)]
struct Closed(Arc<Mutex<Vec<Fields>>>);

#[derive(Clone, Debug, Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

impl Fields {
    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Closed {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: LayerContext<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        fields.0.insert("level", attributes.metadata().level().to_string());
        context.span(id).unwrap().extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: LayerContext<'_, S>) {
        let span = context.span(id).unwrap();
        values.record(span.extensions_mut().get_mut::<Fields>().unwrap());
    }

    fn on_close(&self, id: Id, context: LayerContext<'_, S>) {
        let fields = context.span(&id).unwrap().extensions_mut().remove::<Fields>().unwrap();
        self.0.lock().unwrap().push(fields);
    }
}

impl Closed {
    /// The spans of one side, in the order in which they closed.
    fn at(&self, side: &str) -> Vec<Fields> {
        self.0.lock().unwrap().iter().filter(|fields| fields.get("side") == side).cloned().collect()
    }
}

/// Keeps the spans of this thread.
fn keep_spans() -> (Closed, tracing::subscriber::DefaultGuard) {
    let closed = Closed::default();
    let guard = tracing::subscriber::set_default(Registry::default().with(closed.clone()));
    (closed, guard)
}

#[test]
fn a_span_at_each_side_says_what_was_called_and_how_it_ended() {
    by_hand(async |way, clock| {
        let (closed, _guard) = keep_spans();
        let _installed = interceptor::install(Arc::new(Spans::default()));
        let desk = desk(way, ServeOptions::default());
        settle().await;

        desk.add(2, 3).await.unwrap();
        desk.fail().await.unwrap_err();
        let mut hung = desk.hang().deadline(2 * SECOND);
        assert!(poll!(&mut hung).is_pending());
        settle().await;
        clock.advance(2 * SECOND);
        // The service notices first: the caller's own clock would only cancel it there.
        settle().await;
        hung.await.unwrap_err();
        desk.note("text".into()).await.unwrap();
        settle().await;

        for side in ["caller", "service"] {
            let said: Vec<_> = closed
                .at(side)
                .iter()
                .map(|it| {
                    ["service", "method", "outcome", "elapsed_us", "oneway", "level"]
                        .map(|name| it.get(name).to_owned())
                })
                .collect();
            let expected = [
                ["Desk", "add", "returned", "0", "false", "INFO"],
                ["Desk", "fail", "service_error", "0", "false", "INFO"],
                ["Desk", "hang", "unknown", "2000000", "false", "INFO"],
                ["Desk", "note", "returned", "0", "true", "INFO"],
            ];
            assert_eq!(said, expected, "{side}");
            assert!(closed.at(side)[2].get("error").contains("deadline"));
        }
        let ids: Vec<_> =
            closed.at("caller").iter().chain(&closed.at("service")).map(|it| it.get("id").to_owned()).collect();
        let by_bytes = ["0", "1", "2", "", "0", "1", "2", ""];
        assert_eq!(ids, if way.is_bytes() { by_bytes } else { [""; 8] });
    });
}

#[test]
fn a_method_runs_in_its_span_and_only_if_there_is_one() {
    by_hand(async |way, _| {
        let (closed, _guard) = keep_spans();
        let plain = desk(way, ServeOptions::default());
        let watched = desk(way, ServeOptions::default().interceptor(Spans::at(Level::DEBUG)));

        assert_eq!(plain.span().await, Ok(None));
        assert_eq!(watched.span().await, Ok(Some(TARGET.to_owned())));

        settle().await;
        assert_eq!(closed.0.lock().unwrap().len(), 1, "the plain one made no span");
        assert_eq!(closed.at("service")[0].get("level"), "DEBUG");
    });
}

#[test]
fn an_error_of_a_service_keeps_what_caused_it_on_its_way() {
    by_hand(async |way, _| {
        let desk = desk(way, ServeOptions::default());

        let error = desk.fail().await.unwrap_err();

        assert_eq!(error.to_string(), "no number on the form");
        let source = std::error::Error::source(&error).unwrap();
        assert_eq!(source.to_string(), "invalid digit found in string");
    });
}

/// What a crate for metrics would keep: counters with labels, gauges, histograms.
#[derive(Clone, Default)]
struct Meter(Arc<Mutex<Counts>>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Counts {
    /// By method and outcome.
    ended: BTreeMap<(&'static str, &'static str), u32>,
    refused: Vec<Refusal>,
    under_way: i32,
    most_ahead: usize,
    bytes_in: u64,
    bytes_out: u64,
    latencies: Vec<Duration>,
    waits: Vec<Duration>,
}

impl Interceptor for Meter {
    fn before(&self, call: &mut CallInfo) -> Result<(), String> {
        let mut counts = self.0.lock().unwrap();
        counts.under_way += 1;
        counts.most_ahead = counts.most_ahead.max(call.ahead().running + call.ahead().waiting);
        Ok(())
    }

    fn after(&self, call: &CallInfo, outcome: &Outcome) {
        let mut counts = self.0.lock().unwrap();
        counts.under_way -= 1;
        *counts.ended.entry((call.name, outcome.label())).or_default() += 1;
        counts.bytes_in += call.bytes_received();
        counts.bytes_out += call.bytes_sent();
        counts.latencies.extend(call.elapsed());
        counts.waits.extend(call.waited());
    }

    fn refused(&self, _: MethodId, refusal: &Refusal) {
        self.0.lock().unwrap().refused.push(refusal.clone());
    }
}

impl Meter {
    fn counts(&self) -> Counts {
        self.0.lock().unwrap().clone()
    }
}

#[test]
fn a_meter_counts_calls_by_outcome_at_either_side() {
    by_hand(async |way, _| {
        let (near, far) = (Meter::default(), Meter::default());
        let desk = desk(way, ServeOptions::default().interceptor(far.clone()))
            .with_options(ClientOptions::default().interceptor(near.clone()));

        for _ in 0..3 {
            desk.add(2, 3).await.unwrap();
        }
        desk.fail().await.unwrap_err();
        let mut hung = desk.hang();
        assert!(poll!(&mut hung).is_pending());
        settle().await;
        assert_eq!((near.counts().under_way, far.counts().under_way), (1, 1));
        drop(hung);
        settle().await;

        let ended =
            BTreeMap::from([(("add", "returned"), 3), (("fail", "service_error"), 1), (("hang", "cancelled"), 1)]);
        for meter in [near, far] {
            assert_eq!(meter.counts().ended, ended);
            assert_eq!(meter.counts().under_way, 0);
        }
    });
}

#[test]
fn bytes_are_counted_where_a_call_goes_as_bytes_and_both_ends_agree() {
    by_hand(async |way, _| {
        let (near, far) = (Meter::default(), Meter::default());
        let desk = desk(way, ServeOptions::default().interceptor(far.clone()))
            .with_options(ClientOptions::default().interceptor(near.clone()));

        // With the first call of a method its caller says what it takes it for.
        desk.add(2, 3).await.unwrap();
        settle().await;
        let (near_before, far_before) = (near.counts(), far.counts());
        desk.add(2, 3).await.unwrap();
        settle().await;

        let (near, far) = (near.counts(), far.counts());
        let (call, reply) = if way.is_bytes() {
            let call = Frame::call(CallId(0), MethodId::of_name("add"), &[2, 3]).to_bytes().len();
            (call as u64, Frame::Reply { id: CallId(0), result: &[0, 5] }.to_bytes().len() as u64)
        } else {
            (0, 0)
        };
        assert_eq!((near.bytes_out - near_before.bytes_out, near.bytes_in - near_before.bytes_in), (call, reply));
        assert_eq!((far.bytes_in - far_before.bytes_in, far.bytes_out - far_before.bytes_out), (call, reply));
    });
}

#[test]
fn how_long_a_call_waited_for_its_turn_is_told_apart_from_how_long_it_took() {
    by_hand(async |way, clock| {
        // The client does not know of the limit when it sends the first two, so the second waits at the service; and the third in
        // the client's window.
        let (near, far) = (Meter::default(), Meter::default());
        let desk = desk(way, ServeOptions::default().max_calls(1).interceptor(far.clone()))
            .with_options(ClientOptions::default().interceptor(near.clone()));
        let (mut first, mut second) = (desk.hang(), desk.add(2, 3));
        assert!(poll!(&mut first).is_pending());
        assert!(poll!(&mut second).is_pending());
        settle().await;
        clock.advance(SECOND);
        drop(first);
        assert_eq!(second.await, Ok(5));
        let mut first = desk.hang();
        assert!(poll!(&mut first).is_pending());
        settle().await;
        let mut third = desk.add(1, 1);
        assert!(poll!(&mut third).is_pending());
        settle().await;
        clock.advance(3 * SECOND);
        drop(first);
        assert_eq!(third.await, Ok(2));
        settle().await;

        let none = Duration::ZERO;
        assert_eq!(far.counts().waits, [none, SECOND, none, none]);
        assert_eq!(near.counts().waits, [none, none, none, 3 * SECOND]);
        assert_eq!(far.counts().latencies, [SECOND, none, 3 * SECOND, none]);
        assert_eq!(far.counts().most_ahead, 1);
    });
}

#[test]
fn calls_that_are_refused_unseen_are_told_too() {
    by_hand(async |way, _| {
        let meter = Meter::default();
        let options = ServeOptions::default().max_calls(1).max_waiting(0, 0).interceptor(meter.clone());
        let (ours, theirs) = MessageChannel::new().into_ports();
        for frame in [
            Frame::call(CallId(1), MethodId::of_name("sing"), &[]),
            Frame::call(CallId(2), MethodId::of_name("add"), &[]),
        ] {
            ours.post_message(frame.to_bytes()).unwrap();
        }
        context::spawn_local(DeskServer::new(Clerk).with(options.clone()).serve(theirs));
        settle().await;
        let refused = meter.counts().refused;
        assert_eq!(refused[0], Refusal::UnknownMethod(MethodId::of_name("sing")));
        assert!(matches!(refused[1], Refusal::Malformed(_)), "{refused:?}");

        let desk = desk(way, options);
        let (mut first, mut second) = (desk.hang(), desk.add(2, 3));
        assert!(poll!(&mut first).is_pending());
        assert!(poll!(&mut second).is_pending());

        assert_eq!(second.await, Err(CallError::Refused(Refusal::Overloaded)));
        assert_eq!(meter.counts().refused[2..], [Refusal::Overloaded]);
        assert_eq!(meter.counts().under_way, 1);
    });
}

#[test]
fn a_snapshot_tells_the_calls_under_way_with_their_age_and_what_is_left() {
    by_hand(async |way, clock| {
        let inspector = Inspector::default();
        let desk = desk(way, ServeOptions::default().interceptor(inspector.clone()))
            .with_options(ClientOptions::default().interceptor(inspector.clone()));
        assert_eq!(inspector.snapshot(), Snapshot::default());
        desk.add(2, 3).await.unwrap();
        let mut hung = desk.hang().deadline(5 * SECOND);
        assert!(poll!(&mut hung).is_pending());
        settle().await;

        clock.advance(2 * SECOND);

        let snapshot = inspector.snapshot();
        for side in [CallSide::Caller, CallSide::Service] {
            let [call] = &snapshot.calls_at(side).collect::<Vec<_>>()[..] else { panic!("{snapshot}") };
            assert_eq!((call.service.as_str(), call.name.as_str()), ("Desk", "hang"));
            assert_eq!((call.age, call.left), (Some(2 * SECOND), Some(3 * SECOND)));
        }
        let text = snapshot.to_string();
        assert!(text.contains("to Desk/hang, for 2s, 3s left") && text.contains("in Desk/hang"), "{text}");
        drop(hung);
        settle().await;
        assert_eq!(inspector.snapshot().calls, []);
    });
}

#[test]
fn a_snapshot_tells_what_waits_at_a_port_wherever_the_port_is() {
    context::block_on(async {
        let inspector = Inspector::default();
        let (ours, theirs) = MessageChannel::new().into_ports();
        inspector.watch("theirs", &theirs);
        ours.post_message("one").unwrap();
        ours.post_message("two").unwrap();
        let (near, far) = MessageChannel::new().into_ports();

        near.post_message(handover::Message::default().with_port(theirs)).unwrap();

        let snapshot = inspector.snapshot();
        let port = snapshot.port("theirs").unwrap();
        assert_eq!((port.messages, port.bytes, port.is_closed), (2, 6, false));
        assert!(snapshot.to_string().contains("theirs: 2 messages of 6 bytes wait"), "{snapshot}");
        drop((near, far));
        assert!(inspector.snapshot().port("theirs").unwrap().is_closed);
        drop(ours);
        assert_eq!(inspector.snapshot().ports, [], "nobody has it any more");
    });
}

#[test]
fn a_snapshot_tells_how_much_of_a_clients_window_is_used() {
    by_hand(async |way, _| {
        let inspector = Inspector::default();
        let desk = desk(way, ServeOptions::default().max_calls(2));
        inspector.watch("desk", desk.port());
        assert_eq!(inspector.snapshot().port("desk").unwrap().window, None, "it does not know yet");
        settle().await;
        let mut calls = [desk.hang(), desk.hang(), desk.hang()];
        for call in &mut calls {
            assert!(poll!(call).is_pending());
        }

        let window = inspector.snapshot().port("desk").unwrap().window.clone().unwrap();

        assert_eq!((window.most_calls, window.calls, window.waiting_calls), (2, 2, 1));
    });
}

#[test]
fn a_snapshot_tells_what_a_stream_holds_and_what_was_granted_until_it_ends() {
    context::block_on(async {
        let inspector = Inspector::default();
        let (mut sender, stream) = stream::channel::<u8, CallError>();
        let mut stream = stream.with_window(stream::Window { items: 8, bytes: 100 });
        inspector.watch_stream("numbers", &mut stream);
        assert!(stream.next().now_or_never().is_none(), "it grants its window");
        for number in 0..5 {
            sender.send(number).await.unwrap();
        }
        assert_eq!(stream.next().await, Some(Ok(0)));

        let snapshot = inspector.snapshot();
        let state = snapshot.stream("numbers").unwrap();
        assert_eq!((state.held, state.granted_items), (4, 3));
        assert!(snapshot.to_string().contains("numbers: 4 items are held, 3 of "), "{snapshot}");

        sender.finish().await.unwrap();
        assert_eq!(stream.by_ref().count().await, 4);
        assert_eq!(inspector.snapshot().streams, [], "it has ended");
        drop(stream);
    });
}

#[test]
fn a_consumer_grants_more_items_where_they_own_no_memory() {
    fn granted<T: Wire + Send + 'static>(mut stream: Streaming<T, CallError>) -> u32 {
        let inspector = Inspector::default();
        inspector.watch_stream("items", &mut stream);
        assert!(stream.next().now_or_never().is_none(), "it grants its window");
        inspector.snapshot().stream("items").unwrap().granted_items
    }
    let (_numbers, of_numbers) = stream::channel::<u64, CallError>();
    let (_names, of_names) = stream::channel::<String, CallError>();

    assert_eq!((granted(of_numbers), granted(of_names)), (8192, 1024));
}

#[test]
fn a_stream_that_was_dropped_is_in_no_snapshot() {
    let inspector = Inspector::default();
    let (_sender, mut stream) = stream::channel::<u8, CallError>();
    inspector.watch_stream("numbers", &mut stream);
    assert_eq!(inspector.snapshot().streams.len(), 1);

    drop(stream);

    assert_eq!(inspector.snapshot().streams, []);
}

#[test]
fn a_snapshot_is_a_value_that_travels() {
    #[service]
    trait Looking {
        async fn look(&self) -> Snapshot;
    }
    struct Looks(Inspector);
    impl Looking for Looks {
        async fn look(&self) -> Snapshot {
            self.0.snapshot()
        }
    }

    by_hand(async |way, clock| {
        let inspector = Inspector::default();
        let (ours, _theirs) = MessageChannel::new().into_ports();
        inspector.watch("ours", &ours);
        let desk = desk(way, ServeOptions::default().interceptor(inspector.clone()));
        let mut hung = desk.hang();
        assert!(poll!(&mut hung).is_pending());
        settle().await;
        clock.advance(SECOND);
        let looks: LookingClient = way.spawn_here(|port| LookingServer::new(Looks(inspector.clone())).serve(port));

        assert_eq!(looks.look().await, Ok(inspector.snapshot()));
    });
}

#[test]
fn spans_and_inspectors_see_calls_across_threads() {
    let inspector = Inspector::default();
    let there = inspector.clone();
    let (send, began) = oneshot::channel();
    let desk: DeskClient = Way::Thread.spawn(move |port| async move {
        send.send(()).unwrap();
        DeskServer::new(Clerk).with(ServeOptions::default().interceptor(there)).serve(port).await;
    });

    context::block_on(async {
        began.await.unwrap();
        let mut hung = desk.hang();
        assert!(poll!(&mut hung).is_pending());
        // The service takes calls in order: when this one is answered, the one before has begun.
        desk.add(2, 3).await.unwrap();

        let snapshot = inspector.snapshot();
        assert!(snapshot.calls_at(CallSide::Service).any(|call| call.name == "hang"), "{snapshot}");
    });
}
