//! Which request the work at hand belongs to, wherever it is done.
//!
//! It is known to everything that is done for a request without being handed on: in its own task, in those that finish
//! its work, and in the other services. Nothing is written for it before somebody asks, as a line of the log does.

use std::{fmt, future::Future, sync::Arc};

use http::HeaderMap;
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

/// A message for a service in another process, which is told what it is called for.
pub(crate) fn called<M>(message: M) -> Request<M> {
    let mut request = Request::new(message);
    if let Some(value) = RequestId::at_hand().and_then(|id| id.0.parse().ok()) {
        request.metadata_mut().insert(HEADER, value);
    }
    request
}

/// Work that belongs to a request.
pub trait Belonging: Future + Sized {
    /// All that this does is done for that request.
    fn belonging_to(self, request: Option<RequestId>) -> TaskLocalFuture<Option<RequestId>, Self> {
        AT_HAND.scope(request, self)
    }

    /// Belongs where the work at hand does, in a task of its own too.
    fn carried(self) -> TaskLocalFuture<Option<RequestId>, Self> {
        self.belonging_to(RequestId::at_hand())
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
