//! Spans that belong to one trace, wherever they are.

use std::str::FromStr;

use opentelemetry::{
    Context, SpanId, TraceFlags, TraceId,
    trace::{SpanContext, TraceContextExt, TraceState as State},
};
use tracing::{Level, Span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::{
    TraceParent, TraceState,
    spans::{call_span, record},
};
use crate::rpc::{CallInfo, CallSide, Interceptor, Metadata, Outcome};

/// Makes a span for each call as [`Spans`](super::Spans) does, and joins them: the span at the service is a child of the one at the
/// caller, in one OpenTelemetry trace. It is told in metadata named `traceparent` and `tracestate`, as the W3C writes them.
///
/// It is needed at both ends, and a subscriber with the layer of [`tracing-opentelemetry`](tracing_opentelemetry). Without the layer, a
/// caller still tells the service of the OpenTelemetry context that it is in.
///
/// What a caller says is not trusted: a service that is called from outside decides by its sampler whether it records the trace. What
/// cannot be read is ignored, with a `debug` event.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use handover_core::rpc::{interceptor, trace::OpenTelemetry};
///
/// // For all clients and services that this thread makes from now on:
/// let _installed = interceptor::install(Arc::new(OpenTelemetry::default()));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OpenTelemetry {
    level: Level,
}

impl OpenTelemetry {
    /// Makes spans at this level.
    pub const fn at(level: Level) -> Self {
        Self { level }
    }
}

/// At [`Level::INFO`].
impl Default for OpenTelemetry {
    fn default() -> Self {
        Self::at(Level::INFO)
    }
}

impl Interceptor for OpenTelemetry {
    fn before(&self, call: &mut CallInfo) -> Result<(), String> {
        call.span = call.span.in_scope(|| self.span(call));
        match call.side {
            CallSide::Caller => tell(&context_of(&call.span), &mut call.metadata),
            CallSide::Service => {
                if let Some(parent) = told(&call.metadata) {
                    // Fails where the span is disabled, or where there is no layer: then there is nothing to join.
                    let _nothing_to_join = call.span.set_parent(Context::new().with_remote_span_context(parent));
                }
            }
        }
        Ok(())
    }

    fn after(&self, call: &CallInfo, outcome: &Outcome) {
        record(&call.span, call, outcome);
        if let Outcome::Failed(_) = outcome {
            call.span.record("otel.status_code", "ERROR");
        }
    }
}

impl OpenTelemetry {
    /// The fields that the layer takes for itself have names that begin with `otel`.
    fn span(&self, call: &CallInfo) -> Span {
        let kind = match call.side {
            CallSide::Caller => "client",
            CallSide::Service => "server",
        };
        let name = format_args!("{}/{}", call.service, call.name);
        call_span!(
            self.level,
            call,
            rpc.system = "handover",
            otel.kind = kind,
            otel.name = %name,
            otel.status_code = Empty,
        )
    }
}

/// The context that a span stands for; without a layer, the one that the caller is in.
fn context_of(span: &Span) -> SpanContext {
    let context = span.context();
    let context = context.span().span_context().clone();
    if context.is_valid() { context } else { Context::current().span().span_context().clone() }
}

/// Says in metadata which trace the call belongs to.
fn tell(context: &SpanContext, metadata: &mut Metadata) {
    if !context.is_valid() {
        return;
    }
    let parent = TraceParent {
        trace_id: u128::from_be_bytes(context.trace_id().to_bytes()),
        parent_id: u64::from_be_bytes(context.span_id().to_bytes()),
        flags: context.trace_flags().to_u8(),
    };
    let state = TraceState(context.trace_state().header());
    let told =
        metadata.insert(&parent).and_then(|()| if state.0.is_empty() { Ok(()) } else { metadata.insert(&state) });
    if let Err(error) = told {
        tracing::debug!(%error, "the service is not told of the trace");
    }
}

/// What a caller said of the trace that the call belongs to.
fn told(metadata: &Metadata) -> Option<SpanContext> {
    let parent = metadata.get::<TraceParent>().unwrap_or_else(|error| {
        tracing::debug!(%error, "a caller's trace is ignored");
        None
    })?;
    let trace_id = TraceId::from_bytes(parent.trace_id.to_be_bytes());
    let span_id = SpanId::from_bytes(parent.parent_id.to_be_bytes());
    let flags = TraceFlags::new(parent.flags) & TraceFlags::SAMPLED;
    Some(SpanContext::new(trace_id, span_id, flags, true, state_told(metadata)))
}

/// How long a state may be that is read: what every tracing system has to pass on.
const LONGEST_STATE: usize = 512;

fn state_told(metadata: &Metadata) -> State {
    let ignored = |error: &dyn std::fmt::Display| {
        tracing::debug!(%error, "the state of a caller's trace is ignored");
        State::NONE
    };
    match metadata.get::<TraceState>() {
        Ok(None) => State::NONE,
        Ok(Some(TraceState(text))) if text.len() > LONGEST_STATE => ignored(&"it is longer than 512 bytes"),
        Ok(Some(TraceState(text))) => State::from_str(&text).unwrap_or_else(|error| ignored(&error)),
        Err(error) => ignored(&error),
    }
}
