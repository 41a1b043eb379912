use std::task::{Context, Poll};

use http::Request;
use tower::{Layer, Service};
use wire::{Belonging, Errand, OnErrand};

/// Lays [`ForRequest`] around a server.
#[derive(Clone, Copy, Debug, Default)]
pub struct ForRequestLayer;

impl<S> Layer<S> for ForRequestLayer {
    type Service = ForRequest<S>;

    fn layer(&self, inner: S) -> ForRequest<S> {
        ForRequest { inner }
    }
}

/// What a neighbour calls for belongs to the request, and to the part of its trace, that it says.
#[derive(Clone, Debug)]
pub struct ForRequest<S> {
    inner: S,
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for ForRequest<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = OnErrand<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let errand = Errand::of_call(request.headers());
        self.inner.call(request).on(errand)
    }
}
