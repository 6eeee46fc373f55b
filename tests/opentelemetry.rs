//! One OpenTelemetry trace over several contexts.
#![cfg(feature = "opentelemetry")]

mod common;

use std::{cell::RefCell, fmt, sync::OnceLock, thread, time::Duration};

use common::{WAYS, Way, settle};
use futures::FutureExt;
use handover::{
    ClientOptions, MessageChannel, MessagePort, Metadatum, ServeOptions, context,
    prelude::*,
    rpc::{
        interceptor,
        trace::{OpenTelemetry, TraceParent, TraceState},
    },
    wire::{CallId, Frame, MethodId, Options},
};
use opentelemetry::{
    Context, SpanId, TraceId,
    trace::{SpanKind, TraceContextExt, TracerProvider},
};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{InMemorySpanExporter, SdkTracerProvider, Span as SdkSpan, SpanData, SpanExporter, SpanProcessor},
};
use serde::{Deserialize, Serialize};
use tracing::{Event, Span, Subscriber, field::Field, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{
    Layer,
    layer::{Context as LayerContext, SubscriberExt},
};

#[service]
trait Relay {
    async fn add(&self, a: u32, b: u32) -> u32;
    /// Calls `add` of another.
    async fn pass_on(&self, to: RelayClient) -> Result<u32, String>;
    /// Which trace its caller has told of.
    async fn told(&self) -> Option<TraceParent>;
}

struct Station;

impl Relay for Station {
    async fn add(&self, a: u32, b: u32) -> u32 {
        a + b
    }

    async fn pass_on(&self, to: RelayClient) -> Result<u32, String> {
        let to = to.with_options(ClientOptions::default().interceptor(OpenTelemetry::default()));
        to.add(2, 3).await.map_err(|error| error.to_string())
    }

    async fn told(&self) -> Option<TraceParent> {
        CallContext::current()?.metadata().unwrap()
    }
}

/// Exports each span as it ends. The processor that comes with the SDK blocks on that, which no context allows.
#[derive(Debug)]
struct AtOnce(InMemorySpanExporter);

impl SpanProcessor for AtOnce {
    fn on_start(&self, _: &mut SdkSpan, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        self.0.export(vec![span]).now_or_never().unwrap().unwrap();
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Notes the events of each thread, with their levels.
struct Events;

thread_local! {
    static EVENTS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

impl<S: Subscriber> Layer<S> for Events {
    fn on_event(&self, event: &Event<'_>, _: LayerContext<'_, S>) {
        let level = event.metadata().level();
        event.record(&mut |field: &Field, value: &dyn fmt::Debug| {
            if field.name() == "message" {
                EVENTS.with_borrow_mut(|events| events.push(format!("{level} {value:?}")));
            }
        });
    }
}

/// Where all spans of this process end up.
fn exporter() -> &'static InMemorySpanExporter {
    static EXPORTER: OnceLock<(InMemorySpanExporter, SdkTracerProvider)> = OnceLock::new();
    let (exporter, _) = EXPORTER.get_or_init(|| {
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder().with_span_processor(AtOnce(exporter.clone())).build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer).with(Events)).unwrap();
        (exporter, provider)
    });
    exporter
}

/// A span that a test begins its own trace with.
fn root() -> (Span, TraceId) {
    exporter();
    let span = info_span!("root");
    let trace_id = span.context().span().span_context().trace_id();
    (span, trace_id)
}

/// The spans of a trace that have ended.
fn spans_of(trace_id: TraceId) -> Vec<SpanData> {
    let mut spans = exporter().get_finished_spans().unwrap();
    spans.retain(|span| span.span_context.trace_id() == trace_id);
    spans
}

/// Which span is a child of which, from the root down: each with its name and whose end it is.
fn line_of_descent(spans: &[SpanData]) -> Vec<(String, SpanKind)> {
    let mut line = Vec::new();
    let mut parent = SpanId::INVALID;
    while let Some(span) = spans.iter().find(|span| span.parent_span_id == parent) {
        line.push((span.name.to_string(), span.span_kind.clone()));
        parent = span.span_context.span_id();
    }
    line
}

fn station(way: Way) -> RelayClient {
    let client: RelayClient = way.spawn(|port| {
        RelayServer::new(Station).with(ServeOptions::default().interceptor(OpenTelemetry::default())).serve(port)
    });
    client.with_options(ClientOptions::default().interceptor(OpenTelemetry::default()))
}

/// Awaits a call within a span.
async fn within<T>(span: &Span, call: impl Future<Output = T>) -> T {
    let mut call = Box::pin(call);
    std::future::poll_fn(|cx| span.in_scope(|| call.as_mut().poll(cx))).await
}

/// Waits until so many spans of a trace have ended: those of other threads end when they like.
async fn all_of(trace_id: TraceId, count: usize) -> Vec<SpanData> {
    for _ in 0..10_000 {
        if spans_of(trace_id).len() >= count {
            break;
        }
        settle().await;
        thread::yield_now();
    }
    spans_of(trace_id)
}

#[test]
fn a_trace_goes_on_at_the_service_and_in_what_its_method_calls() {
    for (near_way, far_way) in WAYS.into_iter().flat_map(|near| WAYS.map(|far| (near, far))) {
        println!("ways: {near_way:?}, {far_way:?}");
        context::block_on(async {
            let (root, trace_id) = root();
            let (near, far) = (station(near_way), station(far_way));

            assert_eq!(within(&root, near.pass_on(far)).await, Ok(5));
            drop(root);

            let expected = [
                ("root", SpanKind::Internal),
                ("Relay/pass_on", SpanKind::Client),
                ("Relay/pass_on", SpanKind::Server),
                ("Relay/add", SpanKind::Client),
                ("Relay/add", SpanKind::Server),
            ];
            let spans = all_of(trace_id, expected.len()).await;
            assert_eq!(line_of_descent(&spans), expected.map(|(name, kind)| (name.to_owned(), kind)));
        });
    }
}

#[test]
fn one_call_installs_it_for_all_that_a_thread_makes() {
    context::block_on(async {
        let (root, trace_id) = root();
        let _installed = interceptor::install(std::sync::Arc::new(OpenTelemetry::default()));
        let client: RelayClient = Way::Bytes.spawn_here(|port| RelayServer::new(Station).serve(port));
        settle().await;

        within(&root, client.add(2, 3)).await.unwrap();
        drop(root);

        assert_eq!(line_of_descent(&all_of(trace_id, 3).await).len(), 3);
    });
}

#[test]
fn a_span_says_what_its_call_was_and_how_it_ended() {
    context::block_on(async {
        let (root, trace_id) = root();
        let client = station(Way::Bytes);

        within(&root, client.add(2, 3)).await.unwrap();
        drop(root);

        let spans = all_of(trace_id, 3).await;
        for kind in [SpanKind::Client, SpanKind::Server] {
            let span = spans.iter().find(|span| span.span_kind == kind).unwrap();
            let is = |key: &str, value: &str| {
                span.attributes.iter().any(|it| it.key.as_str() == key && it.value.as_str() == value)
            };
            assert!(is("service", "Relay") && is("method", "add") && is("outcome", "returned"), "{span:?}");
            assert!(is("rpc.system", "handover") && is("id", "0"), "{span:?}");
        }
    });
}

#[test]
fn without_a_span_the_service_is_told_of_the_opentelemetry_context() {
    context::block_on(async {
        let (root, trace_id) = root();
        let client = station(Way::Direct);
        let around = root.context();
        // As code does that knows OpenTelemetry and not `tracing`.
        let told = tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::default(), || {
            let _attached = around.attach();
            let mut call = Box::pin(client.told());
            assert!((&mut call).now_or_never().is_none());
            call
        });

        let told = told.await.unwrap().unwrap();

        assert_eq!(TraceId::from_bytes(told.trace_id.to_be_bytes()), trace_id);
        assert!(told.is_sampled());
    });
}

/// Says of itself that it is a `traceparent`.
#[derive(Serialize, Deserialize)]
struct FalseParent(String);

impl Metadatum for FalseParent {
    const NAME: &'static str = "traceparent";
}

/// Calls `told` by hand, with this metadata, and tells which spans of the service were made for it.
async fn spans_for(fill: impl FnOnce(&mut Options)) -> Vec<SpanData> {
    exporter();
    let (ours, theirs): (MessagePort, MessagePort) = MessageChannel::new().into_ports();
    let mut options = Options::default();
    fill(&mut options);
    // A method id of its own would be unknown, so the span is found by the call's id.
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1 << 40);
    let id = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let frame = Frame::Call { id: CallId(id), method: MethodId::of_name("add"), options, args: &[2, 3] };
    ours.post_message(frame.to_bytes()).unwrap();
    context::spawn_local(
        RelayServer::new(Station).with(ServeOptions::default().interceptor(OpenTelemetry::default())).serve(theirs),
    );
    ours.start();
    let reply = ours.recv().await.unwrap();
    assert_eq!(Frame::parse(reply.data()), Ok(Frame::Reply { id: CallId(id), result: &[0, 5] }));
    settle().await;
    let mut spans = exporter().get_finished_spans().unwrap();
    let id = id.to_string();
    spans.retain(|span| span.attributes.iter().any(|it| it.key.as_str() == "id" && it.value.as_str() == id.as_str()));
    spans
}

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[test]
fn a_trace_that_a_peer_in_another_language_tells_of_is_joined_with_its_state() {
    context::block_on(async {
        let spans = spans_for(|options| {
            options.metadata.insert(&FalseParent(PARENT.into())).unwrap();
            options.metadata.insert(&TraceState("vendor=value".into())).unwrap();
        })
        .await;

        let [span] = &spans[..] else { panic!("{spans:?}") };
        assert_eq!(span.span_context.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(span.parent_span_id.to_string(), "b7ad6b7169203331");
        assert!(span.parent_span_is_remote);
        assert_eq!(span.span_context.trace_state().header(), "vendor=value");
    });
}

#[test]
fn what_is_no_trace_is_ignored_and_the_call_runs() {
    context::block_on(async {
        let not_quite = ["", "00-00000000000000000000000000000000-b7ad6b7169203331-01", "x", &"0".repeat(10_000)];
        for text in not_quite {
            let spans = spans_for(|options| options.metadata.insert(&FalseParent(text.into())).unwrap()).await;

            let [span] = &spans[..] else { panic!("{spans:?}") };
            assert_eq!(span.parent_span_id, SpanId::INVALID, "{text}");
            assert_eq!(EVENTS.take(), ["DEBUG a caller's trace is ignored"], "{text}");
        }
    });
}

#[test]
fn a_state_that_cannot_be_read_or_is_too_long_does_not_harm_the_trace() {
    context::block_on(async {
        let long: Vec<_> = (0..30).map(|number| format!("vendor{number}={}", "x".repeat(20))).collect();
        for state in ["no equals sign", &long.join(",")] {
            let spans = spans_for(|options| {
                options.metadata.insert(&FalseParent(PARENT.into())).unwrap();
                options.metadata.insert(&TraceState(state.into())).unwrap();
            })
            .await;

            let [span] = &spans[..] else { panic!("{spans:?}") };
            assert_eq!(span.parent_span_id.to_string(), "b7ad6b7169203331", "{state}");
            assert_eq!(span.span_context.trace_state().header(), "", "{state}");
            assert_eq!(EVENTS.take(), ["DEBUG the state of a caller's trace is ignored"], "{state}");
        }
    });
}
