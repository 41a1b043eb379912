//! What every plugin serves beside its own services.

use std::pin::Pin;

use tokio_stream::{Stream, StreamExt};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use wire::goplugin::grpc_controller_server::GrpcController;
use wire::goplugin::grpc_stdio_server::GrpcStdio;
use wire::goplugin::{Empty, StdioData};
use wire::health::health_check_response::ServingStatus;
use wire::health::health_server::Health;
use wire::health::{HealthCheckRequest, HealthCheckResponse};

use crate::names;
use crate::plugin::stop::silent_until;

/// Ends the plugin when the host asks for it. The server's grace lets the answer out first.
pub(crate) struct Controller(pub(crate) CancellationToken);

#[tonic::async_trait]
impl GrpcController for Controller {
    async fn shutdown(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        self.0.cancel();
        Ok(Response::new(Empty {}))
    }
}

/// Nothing is redirected, so there is nothing to send: stdout and stderr are the host's own pipes.
pub(crate) struct Stdio(pub(crate) CancellationToken);

type Messages<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl GrpcStdio for Stdio {
    type StreamStdioStream = Messages<StdioData>;

    async fn stream_stdio(&self, _: Request<()>) -> Result<Response<Self::StreamStdioStream>, Status> {
        Ok(Response::new(Box::pin(silent_until(self.0.clone()))))
    }
}

/// A plugin that answers is well.
pub(crate) struct Healthy(pub(crate) CancellationToken);

/// The name `""` asks for the whole server.
fn is_known(service: &str) -> bool {
    service.is_empty() || service == names::HEALTH
}

#[tonic::async_trait]
impl Health for Healthy {
    type WatchStream = Messages<HealthCheckResponse>;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        if !is_known(&request.get_ref().service) {
            return Err(Status::not_found("unknown service"));
        }
        Ok(Response::new(HealthCheckResponse { status: ServingStatus::Serving.into() }))
    }

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let known = is_known(&request.get_ref().service);
        let status = if known { ServingStatus::Serving } else { ServingStatus::ServiceUnknown };
        let first = tokio_stream::once(Ok(HealthCheckResponse { status: status.into() }));
        Ok(Response::new(Box::pin(first.chain(silent_until(self.0.clone())))))
    }
}
