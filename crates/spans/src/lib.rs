//! What a trace says of a request, and how its parts hang together across tasks, services and plugins.
//!
//! Nothing here is free text: the names of spans are those of [`Work`], and all that is said in them is an
//! [`Attribute`] or a [`Failed`]. So no path below a mount, no body, no token, no header and no error's text can get
//! into a trace.
//!
//! Where nothing is traced, a span is nothing: no memory is taken for it, and no lock.

mod attribute;
mod headers;
mod place;
mod span;
mod work;

use std::sync::OnceLock;

use opentelemetry::{global::BoxedTracer, propagation::TextMapPropagator};

pub use attribute::{Attribute, Failed};
pub use place::{Place, Placed};
pub use span::{Span, note};
pub use work::{Call, Database, Phase, Route, Stored, Work};

/// What makes spans of this process, and what tells other processes of them.
struct Traces {
    tracer: BoxedTracer,
    propagator: Box<dyn TextMapPropagator + Send + Sync>,
}

static TRACES: OnceLock<Traces> = OnceLock::new();

/// Lets this process trace. Once a process; later calls change nothing.
pub fn start(tracer: BoxedTracer, propagator: impl TextMapPropagator + Send + Sync + 'static) {
    let _ = TRACES.set(Traces { tracer, propagator: Box::new(propagator) });
}

/// Whether this process traces.
pub fn are_made() -> bool {
    TRACES.get().is_some()
}

#[cfg(test)]
mod tests;
