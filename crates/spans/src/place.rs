use std::{fmt, future::Future};

use http::HeaderMap;
use opentelemetry::{
    Context,
    trace::{SpanContext, TraceContextExt},
};
use tokio::task::futures::TaskLocalFuture;

use crate::headers;

tokio::task_local! {
    static AT_HAND: Option<Place>;
}

/// Where in a trace work is done: the span that it is a part of. Cheap to clone.
#[derive(Clone)]
pub struct Place(pub(crate) Context);

impl Place {
    /// That of the work at hand, if it is part of a trace.
    pub fn at_hand() -> Option<Self> {
        if !crate::are_made() {
            return None;
        }
        AT_HAND.try_with(Clone::clone).ok().flatten()
    }

    /// That of the caller, as a call's headers tell it.
    pub fn of_call(headers: &HeaderMap) -> Option<Self> {
        headers::read(headers).map(Self)
    }

    /// Tells it to a callee.
    pub fn tell(&self, headers: &mut HeaderMap) {
        headers::write(&self.0, headers);
    }

    /// Whether its trace is recorded.
    pub fn is_recorded(&self) -> bool {
        self.span_context().is_sampled()
    }

    /// Whether both are in one trace.
    pub fn is_beside(&self, other: &Self) -> bool {
        self.span_context().trace_id() == other.span_context().trace_id()
    }

    pub(crate) fn span_context(&self) -> SpanContext {
        self.0.span().span_context().clone()
    }
}

/// The trace's id, in hexadecimal.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.span().span_context().trace_id())
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({self})")
    }
}

/// Work that has its place in a trace.
pub trait Placed: Future + Sized {
    /// Is done there, and all that it does.
    fn placed(self, place: Option<Place>) -> TaskLocalFuture<Option<Place>, Self> {
        AT_HAND.scope(place, self)
    }
}

impl<F: Future> Placed for F {}
