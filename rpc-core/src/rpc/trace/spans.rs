//! A span of `tracing` for each call.

use tracing::{Level, Span, field::display};

use crate::rpc::{CallInfo, CallSide, Interceptor, Outcome};

/// Makes the span of a call, with more fields. The level of a span is a constant in its place, so there are five places.
macro_rules! call_span {
    ($level:expr, $call:expr, $($more:tt)*) => {{
        macro_rules! at {
            ($constant:expr) => {
                tracing::span!(
                    target: $crate::rpc::trace::TARGET,
                    $constant,
                    "call",
                    service = $call.service,
                    method = $call.name,
                    side = $crate::rpc::trace::spans::side($call),
                    number = $call.number(),
                    oneway = $call.is_oneway,
                    id = tracing::field::Empty,
                    outcome = tracing::field::Empty,
                    error = tracing::field::Empty,
                    waited_us = tracing::field::Empty,
                    elapsed_us = tracing::field::Empty,
                    bytes_sent = tracing::field::Empty,
                    bytes_received = tracing::field::Empty,
                    $($more)*
                )
            };
        }
        match $level {
            tracing::Level::ERROR => at!(tracing::Level::ERROR),
            tracing::Level::WARN => at!(tracing::Level::WARN),
            tracing::Level::INFO => at!(tracing::Level::INFO),
            tracing::Level::DEBUG => at!(tracing::Level::DEBUG),
            tracing::Level::TRACE => at!(tracing::Level::TRACE),
        }
    }};
}
#[cfg(feature = "opentelemetry")]
pub(super) use call_span;

/// The target of the spans, for filters.
pub const TARGET: &str = "handover::call";

/// Makes a [`tracing`] span named `call` for each call, at either side, in which the call is polled and its method runs.
///
/// Its fields: `service` and `method`, `side`, `number` ([`CallInfo::number`]), `oneway`; and when they are known: `id`
/// ([`CallInfo::id`]), `outcome` ([`Outcome::label`]), `error`, `waited_us` and `elapsed_us` (microseconds), `bytes_sent` and
/// `bytes_received`. At the service its parent is the span in which the service is polled; the caller's span is elsewhere.
///
/// A span is closed when its call has ended and nobody keeps its [`CallContext`](crate::rpc::CallContext).
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use handover_core::rpc::{ServeOptions, interceptor, trace::Spans};
///
/// // For one service:
/// let options = ServeOptions::default().interceptor(Spans::default());
/// // For all clients and services that this thread makes from now on:
/// let _installed = interceptor::install(Arc::new(Spans::default()));
/// # drop(options);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Spans {
    level: Level,
}

impl Spans {
    /// Makes spans at this level.
    pub const fn at(level: Level) -> Self {
        Self { level }
    }
}

/// At [`Level::INFO`].
impl Default for Spans {
    fn default() -> Self {
        Self::at(Level::INFO)
    }
}

impl Interceptor for Spans {
    fn before(&self, call: &mut CallInfo) -> Result<(), String> {
        // A span that another interceptor has made is around this one.
        call.span = call.span.in_scope(|| call_span!(self.level, call,));
        Ok(())
    }

    fn after(&self, call: &CallInfo, outcome: &Outcome) {
        record(&call.span, call, outcome);
    }
}

pub(super) fn side(call: &CallInfo) -> &'static str {
    match call.side {
        CallSide::Caller => "caller",
        CallSide::Service => "service",
    }
}

/// Writes what is known at the end into the span.
pub(super) fn record(span: &Span, call: &CallInfo, outcome: &Outcome) {
    if span.is_disabled() {
        return;
    }
    let micros = |time: std::time::Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let some = |bytes: u64| (bytes > 0).then_some(bytes);
    let numbers = [
        ("id", call.id().map(|id| id.0)),
        ("waited_us", call.waited().map(micros)),
        ("elapsed_us", call.elapsed().map(micros)),
        ("bytes_sent", some(call.bytes_sent())),
        ("bytes_received", some(call.bytes_received())),
    ];
    span.record("outcome", outcome.label());
    if let Outcome::Failed(error) = outcome {
        span.record("error", display(error));
    }
    for (name, number) in numbers {
        if let Some(number) = number {
            span.record(name, number);
        }
    }
}
