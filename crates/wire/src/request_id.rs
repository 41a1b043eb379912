//! Which request the work at hand belongs to, wherever it is done.
//!
//! It is known to everything that is done for a request without being handed on: in its own task, in those that finish
//! its work, and in the other services. Nothing is written for it before somebody asks, as a line of the log does.

use std::{fmt, future::Future, sync::Arc};

use http::HeaderMap;
use spans::{Place, Placed};
use tokio::task::futures::TaskLocalFuture;
use tonic::Request;

/// What carries it from one service's process to the next one's.
const HEADER: &str = "mortise-request-id";

/// Longer than those of ours, and short enough for every line of a log.
const LONGEST: usize = 64;

tokio::task_local! {
    static AT_HAND: Option<RequestId>;
}

/// The name of a request: the same in its answer, in the audit log, and in every line of the log that is about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// One that was given to a request. None: it is none of ours, and is not written anywhere.
    pub fn new(id: &str) -> Option<Self> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let one = !id.is_empty() && id.len() <= LONGEST && id.bytes().all(fits);
        one.then(|| Self(id.into()))
    }

    /// That of the work at hand, if that belongs to a request.
    pub fn at_hand() -> Option<Self> {
        AT_HAND.try_with(Clone::clone).ok().flatten()
    }

    /// What a neighbour was called for.
    pub fn of_call(headers: &HeaderMap) -> Option<Self> {
        Self::new(headers.get(HEADER)?.to_str().ok()?)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What work is done for: a request, and a part of its trace if that is recorded anywhere.
#[derive(Clone, Debug, Default)]
pub struct Errand {
    request: Option<RequestId>,
    place: Option<Place>,
}

impl Errand {
    /// That of the work at hand.
    pub fn at_hand() -> Self {
        Self { request: RequestId::at_hand(), place: Place::at_hand() }
    }

    /// What a neighbour was called for.
    pub fn of_call(headers: &HeaderMap) -> Self {
        Self { request: RequestId::of_call(headers), place: Place::of_call(headers) }
    }
}

/// A message for a service in another process, which is told what it is called for.
pub(crate) fn called<M>(message: M) -> Request<M> {
    let mut request = Request::new(message);
    let Errand { request: id, place } = Errand::at_hand();
    if let Some(value) = id.and_then(|id| id.0.parse().ok()) {
        request.metadata_mut().insert(HEADER, value);
    }
    if let Some(place) = place {
        place.tell(request.metadata_mut().as_mut());
    }
    request
}

/// Work on an errand.
pub type OnErrand<F> = TaskLocalFuture<Option<Place>, TaskLocalFuture<Option<RequestId>, F>>;

/// Work that belongs to a request.
pub trait Belonging: Future + Sized {
    /// All that this does is done for that request.
    fn belonging_to(self, request: Option<RequestId>) -> TaskLocalFuture<Option<RequestId>, Self> {
        AT_HAND.scope(request, self)
    }

    /// All that this does is done on that errand.
    fn on(self, errand: Errand) -> OnErrand<Self> {
        self.belonging_to(errand.request).placed(errand.place)
    }

    /// Belongs where the work at hand does, in a task of its own too.
    fn carried(self) -> OnErrand<Self> {
        self.on(Errand::at_hand())
    }
}

impl<F: Future> Belonging for F {}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> Option<RequestId> {
        RequestId::new("8b9ad2ab-8f41-4a5c-ba37-7f7e3f1c7b5e")
    }

    #[tokio::test]
    async fn work_in_a_task_of_its_own_belongs_to_its_request_when_it_is_carried() {
        let work = async {
            let here = tokio::spawn(async { RequestId::at_hand() }.carried()).await.unwrap();
            let elsewhere = tokio::spawn(async { RequestId::at_hand() }).await.unwrap();
            (here, elsewhere)
        };
        assert_eq!(work.belonging_to(id()).await, (id(), None));
        assert_eq!(RequestId::at_hand(), None);
    }

    #[tokio::test]
    async fn a_neighbour_is_told_what_it_is_called_for() {
        let call = async { called(()) }.belonging_to(id()).await;
        assert_eq!(RequestId::of_call(&call.into_parts().0.into_headers()), id());
        assert_eq!(RequestId::of_call(&called(()).into_parts().0.into_headers()), None);
    }

    #[test]
    fn what_could_be_anything_is_no_name_of_a_request() {
        for odd in ["", "a b", "a\"b", "a\nb", "s.token", &"a".repeat(LONGEST + 1)] {
            assert_eq!(RequestId::new(odd), None, "{odd:?}");
        }
    }
}
