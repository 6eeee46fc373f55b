//! A span for each call.
//!
//! [`Spans`] makes spans of [`tracing`]; with the feature `opentelemetry`, `OpenTelemetry` does too, and joins those of a caller and of
//! its service into one trace. Nothing is done unless one of them is added to a client, to a service, or
//! [installed](super::interceptor::install) for a thread.

#[cfg(feature = "opentelemetry")]
mod opentelemetry;
mod parent;
mod spans;

#[cfg(feature = "opentelemetry")]
pub use opentelemetry::OpenTelemetry;
pub use parent::{TraceParent, TraceParentError, TraceState};
pub use spans::{Spans, TARGET};
