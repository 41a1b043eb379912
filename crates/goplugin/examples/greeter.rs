//! A small plugin: on Setup it greets the host over a brokered connection, and it echoes every request.
//!
//! The tests run it below our own host and below Go's.

use std::process::ExitCode;

use goplugin::{Cookie, plugin};
use tonic::service::Routes;
use tonic::{Request, Response, Status};
use wire::health::HealthCheckRequest;
use wire::health::health_client::HealthClient;
use wire::pb;
use wire::pb::backend_server::{Backend, BackendServer};

struct Greeter {
    broker: plugin::Broker,
}

fn main() -> ExitCode {
    plugin::run(plugin::Config {
        cookie: Cookie::BACKEND,
        versions: &[4, 5],
        routes: |session| Routes::new(BackendServer::new(Greeter { broker: session.broker })),
    })
}

impl Greeter {
    /// Asks the host's side of a brokered connection how it is.
    async fn greet(&self, id: u32) -> Result<(), Status> {
        let channel = self.broker.dial(id).await.map_err(|error| Status::unavailable(error.to_string()))?;
        let request = HealthCheckRequest { service: "greeting".to_owned() };
        HealthClient::new(channel).check(request).await.map(|_| ())
    }
}

fn unused<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("a greeter has no such thing"))
}

#[tonic::async_trait]
impl Backend for Greeter {
    async fn setup(&self, request: Request<pb::SetupArgs>) -> Result<Response<pb::SetupReply>, Status> {
        let greeted = self.greet(request.get_ref().broker_id).await;
        let err = greeted.err().map(|status| status.to_string()).unwrap_or_default();
        Ok(Response::new(pb::SetupReply { err }))
    }

    async fn handle_request(
        &self,
        request: Request<pb::HandleRequestArgs>,
    ) -> Result<Response<pb::HandleRequestReply>, Status> {
        let request = request.into_inner().request.unwrap_or_default();
        match request.operation.as_str() {
            "log" => tracing::warn!(path = request.path, "as you wish"),
            "panic" => panic!("as you wish"),
            "hang" => std::future::pending().await,
            "fail" => return Err(Status::internal("x".repeat(100_000))),
            _ => {}
        }
        let response = pb::Response { data: request.data, ..pb::Response::default() };
        Ok(Response::new(pb::HandleRequestReply { response: Some(response.into()), err: None }))
    }

    async fn r#type(&self, _: Request<pb::Empty>) -> Result<Response<pb::TypeReply>, Status> {
        Ok(Response::new(pb::TypeReply { r#type: 1 }))
    }

    async fn special_paths(&self, _: Request<pb::Empty>) -> Result<Response<pb::SpecialPathsReply>, Status> {
        unused()
    }

    async fn handle_existence_check(
        &self,
        _: Request<pb::HandleExistenceCheckArgs>,
    ) -> Result<Response<pb::HandleExistenceCheckReply>, Status> {
        unused()
    }

    async fn cleanup(&self, _: Request<pb::Empty>) -> Result<Response<pb::Empty>, Status> {
        unused()
    }

    async fn invalidate_key(&self, _: Request<pb::InvalidateKeyArgs>) -> Result<Response<pb::Empty>, Status> {
        unused()
    }

    async fn initialize(
        &self,
        _: Request<pb::InitializeArgs>,
    ) -> Result<Response<pb::InitializeReply>, Status> {
        unused()
    }
}
