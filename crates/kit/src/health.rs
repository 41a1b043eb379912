//! Whether a service serves, in gRPC's own words.

use std::pin::Pin;

use futures::{Stream, StreamExt, stream};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use wire::health::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus, health_server::Health,
};

/// A service that serves until it is told to end.
#[derive(Clone, Debug)]
pub struct Serving(CancellationToken);

impl Serving {
    /// Serves until the token is cancelled.
    pub const fn until(shutdown: CancellationToken) -> Self {
        Self(shutdown)
    }

    fn now(&self) -> HealthCheckResponse {
        answer(if self.0.is_cancelled() { ServingStatus::NotServing } else { ServingStatus::Serving })
    }
}

fn answer(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

#[tonic::async_trait]
impl Health for Serving {
    async fn check(&self, _: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        Ok(Response::new(self.now()))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(&self, _: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let token = self.0.clone();
        let end = async move {
            token.cancelled().await;
            Ok(answer(ServingStatus::NotServing))
        };
        Ok(Response::new(stream::iter([Ok(self.now())]).chain(stream::once(end)).boxed()))
    }
}
