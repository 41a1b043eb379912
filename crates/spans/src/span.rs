use std::future::Future;

use futures::future::Either;
use http::{HeaderMap, Method};
use opentelemetry::{
    Context,
    global::BoxedTracer,
    trace::{Link, SpanBuilder, Status, TraceContextExt, Tracer},
};
use tokio::task::futures::TaskLocalFuture;

use crate::{
    Attribute, Failed, TRACES,
    place::{Place, Placed},
    work::{Route, Work},
};

/// The most calls that one span is linked to.
const LINKS: usize = 16;

/// A piece of work in a trace, until dropped. Nothing, if the work at hand is in no trace that is recorded.
#[derive(Debug)]
pub struct Span {
    /// Of what is done within.
    place: Option<Place>,
    /// Whether it is a span of its own, or only the one around it.
    own: bool,
}

impl Span {
    /// An HTTP request. It begins a trace, or goes on with that of the client if its headers tell of one.
    pub fn of_request(method: &Method, route: Route, headers: &HeaderMap) -> Self {
        let Some(traces) = TRACES.get() else { return Self::NOTHING };
        let caller = Place::of_call(headers).map_or_else(Context::new, |place| place.0);
        Self::made(&traces.tracer, &Work::Request(method.clone(), route), Vec::new(), &caller)
    }

    /// A part of the work at hand.
    pub fn begin(work: &Work) -> Self {
        Self::within(Place::at_hand(), work)
    }

    /// A part of work that is done there.
    pub fn within(place: Option<Place>, work: &Work) -> Self {
        let (Some(traces), Some(place)) = (TRACES.get(), place) else { return Self::NOTHING };
        if !place.is_recorded() {
            return Self { place: Some(place), own: false };
        }
        Self::made(&traces.tracer, work, Vec::new(), &place.0)
    }

    /// A part of one of several pieces of work, nobody knows of which: a trace of its own, with links to them.
    pub fn beside(places: &[Place], work: &Work) -> Self {
        let Some(traces) = TRACES.get() else { return Self::NOTHING };
        let recorded = places.iter().filter(|place| place.is_recorded());
        let links: Vec<_> =
            recorded.take(LINKS).map(|place| Link::with_context(place.span_context())).collect();
        if links.is_empty() {
            return Self::NOTHING;
        }
        Self::made(&traces.tracer, work, links, &Context::new())
    }

    const NOTHING: Self = Self { place: None, own: false };

    fn made(tracer: &BoxedTracer, work: &Work, links: Vec<Link>, parent: &Context) -> Self {
        let builder = SpanBuilder::from_name(work.name())
            .with_kind(work.kind())
            .with_attributes(work.attributes())
            .with_links(links);
        let span = tracer.build_with_context(builder, parent);
        Self { place: Some(Place(Context::new().with_span(span))), own: true }
    }

    /// Where what is done within is done.
    pub fn place(&self) -> Option<Place> {
        self.place.clone()
    }

    /// Whether there is nothing to be told of it.
    pub const fn is_nothing(&self) -> bool {
        !self.own
    }

    /// The work itself. What it does is done within; without a place, it is the work and nothing else.
    pub fn around<F: Future>(&self, work: F) -> Either<F, TaskLocalFuture<Option<Place>, F>> {
        match self.place() {
            None => Either::Left(work),
            place => Either::Right(work.placed(place)),
        }
    }

    /// Tells something of it.
    pub fn tell(&self, attribute: Attribute<'_>) {
        if let Some(place) = self.place.as_ref().filter(|_| self.own) {
            tell(place, attribute);
        }
    }

    /// It failed.
    pub fn fail(&self, failed: Failed) {
        if let Some(Place(context)) = self.place.as_ref().filter(|_| self.own) {
            let span = context.span();
            span.set_attribute(failed.told());
            span.set_status(Status::error(""));
        }
    }
}

/// Tells something of the work at hand.
pub fn note(attribute: Attribute<'_>) {
    if let Some(place) = Place::at_hand() {
        tell(&place, attribute);
    }
}

fn tell(Place(context): &Place, attribute: Attribute<'_>) {
    let span = context.span();
    if span.is_recording()
        && let Some(told) = attribute.told()
    {
        span.set_attribute(told);
    }
}

/// Others may still hold its place: it ends all the same.
impl Drop for Span {
    fn drop(&mut self) {
        if let Some(Place(context)) = self.place.as_ref().filter(|_| self.own) {
            context.span().end();
        }
    }
}
