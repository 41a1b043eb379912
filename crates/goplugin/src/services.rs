use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;

use http::{Request, Response};
use tonic::body::Body;
use tonic::service::Routes;
use tower::Service;

/// How a call is answered; failures are answers too.
pub type Answering = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

/// What the peer of a connection may call: tonic's routes; or, where calls are many, something that finds the service of
/// a path with less work.
pub trait Services: Send + Sync + 'static {
    /// Answers one call.
    fn answer(&self, call: Request<Body>) -> Answering;
}

impl Services for Routes {
    fn answer(&self, call: Request<Body>) -> Answering {
        Box::pin(self.clone().call(call))
    }
}
