//! Which calls of a mount are under way: what its plugin asks back is asked for one of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderMap;
use spans::{Attribute, Place, Span, Stored, Work};

/// The calls of one mount that its plugin has not answered yet. Nothing is noted where nothing is traced.
#[derive(Debug, Default)]
pub struct InFlight(Mutex<Calls>);

#[derive(Debug, Default)]
struct Calls {
    begun: u64,
    /// Each with its place in a trace, if it has one: those without could have been the ones that ask, too.
    inside: Vec<(u64, Option<Place>)>,
}

/// One call, until dropped.
#[derive(Debug)]
pub struct Inside {
    calls: Arc<InFlight>,
    number: u64,
}

impl InFlight {
    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call begins.
    pub fn enter(self: &Arc<Self>, place: Option<Place>) -> Option<Inside> {
        if !spans::are_made() {
            return None;
        }
        let mut calls = self.calls();
        calls.begun += 1;
        let number = calls.begun;
        calls.inside.push((number, place));
        Some(Inside { calls: Arc::clone(self), number })
    }

    /// What the plugin asks of its storage, as a part of the call that it asks it for.
    ///
    /// A plugin that traces says in the headers which one that is; it is believed if a call of that trace is under way
    /// here. Else it is the only one that is under way. Of several, nobody knows which one it is: then it is a trace of
    /// its own, with links to them.
    pub fn asks(&self, stored: Stored, headers: &HeaderMap) -> Span {
        let work = Work::Callback(stored);
        if !spans::are_made() {
            return Span::within(None, &work);
        }
        let places: Vec<_> = self.calls().inside.iter().map(|(_, place)| place.clone()).collect();
        let known = |told: &Place| places.iter().flatten().any(|place| place.is_beside(told));
        if let Some(told) = Place::of_call(headers).filter(known) {
            return Span::within(Some(told), &work);
        }
        if let [place] = places.as_slice() {
            return Span::within(place.clone(), &work);
        }
        let several: Vec<_> = places.iter().flatten().cloned().collect();
        let span = Span::beside(&several, &work);
        span.tell(Attribute::Candidates(places.len()));
        span
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.calls.calls().inside.retain(|(number, _)| *number != self.number);
    }
}
