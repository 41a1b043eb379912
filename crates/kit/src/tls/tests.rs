use std::{io, path::Path, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status, codegen::BoxStream, service::Routes, transport::Channel};
use wire::{
    health::{HealthCheckRequest, health_client::HealthClient},
    router::v1::{
        Lines, NodeState, Request as Asked, Response as Answered, StateRequest,
        router_client::RouterClient,
        router_server::{Router, RouterServer},
    },
};

use super::*;
use crate::{
    Service,
    config::{Address, Internal},
};

/// Longer than anything here may take.
const PATIENT: Duration = Duration::from_secs(30);

struct Fake;

#[tonic::async_trait]
impl Router for Fake {
    async fn handle(&self, _: Request<Asked>) -> Result<Response<Answered>, Status> {
        Err(wire::Failure::new(domain::Kind::Sealed, "Vault is sealed").into())
    }

    type WatchStream = BoxStream<Lines>;

    async fn watch(&self, _: Request<Asked>) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("nobody watches"))
    }

    async fn state(&self, _: Request<StateRequest>) -> Result<Response<NodeState>, Status> {
        Ok(Response::new(NodeState { initialized: true, ..NodeState::default() }))
    }
}

fn certificates(folder: &Path, service: Service) -> Arc<Certificates> {
    Certificates::read(&Internal {
        address: None,
        ca_file: folder.join("ca.pem"),
        cert_file: folder.join(format!("{service}.pem")),
        key_file: folder.join(format!("{service}-key.pem")),
        catalog: None,
        launcher: None,
        router: None,
    })
    .unwrap()
}

/// A router that runs, and the folder with the certificates of its world.
struct World {
    folder: tempfile::TempDir,
    address: Address,
    shutdown: CancellationToken,
    task: JoinHandle<io::Result<()>>,
}

impl World {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        throwaway(folder.path()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string().parse().unwrap();
        Self::on(folder, listener, address)
    }

    fn on(folder: tempfile::TempDir, listener: TcpListener, address: Address) -> Self {
        let shutdown = CancellationToken::new();
        let routes = Routes::new(RouterServer::new(Fake));
        let own = certificates(folder.path(), Service::Router);
        let task = tokio::spawn(serve(listener, own, routes, shutdown.clone()));
        Self { folder, address, shutdown, task }
    }

    fn channel(&self, caller: Service, callee: Service) -> Channel {
        let own = certificates(self.folder.path(), caller);
        channel(callee, &self.address, &own).unwrap()
    }
}

#[tokio::test]
async fn only_the_gateway_may_call_the_router_but_all_may_ask_for_its_health() {
    let world = World::start().await;
    for caller in Service::ALL {
        let state = RouterClient::new(world.channel(caller, Service::Router)).state(StateRequest {}).await;
        match caller {
            Service::Gateway => assert!(state.unwrap().into_inner().initialized),
            _ => assert_eq!(state.unwrap_err().code(), Code::PermissionDenied, "{caller}"),
        }
        let mut health = HealthClient::new(world.channel(caller, Service::Router));
        assert_eq!(health.check(HealthCheckRequest::default()).await.unwrap().into_inner().status, 1);
    }
}

#[tokio::test]
async fn failures_cross_with_all_they_say() {
    let world = World::start().await;
    let mut client = RouterClient::new(world.channel(Service::Gateway, Service::Router));
    let failure = wire::failure_of(&client.handle(Asked::default()).await.unwrap_err());
    assert_eq!((failure.kind, failure.messages), (domain::Kind::Sealed, vec!["Vault is sealed".to_owned()]));
}

#[tokio::test]
async fn a_server_that_is_another_service_is_not_believed() {
    let world = World::start().await;
    // The launcher takes what answers for a catalog; it is a router.
    let mut client = HealthClient::new(world.channel(Service::Launcher, Service::Catalog));
    let asked = tokio::time::timeout(PATIENT, client.check(HealthCheckRequest::default())).await.unwrap();
    let failure = wire::failure_of(&asked.unwrap_err());
    assert_eq!(failure.kind, domain::Kind::Unavailable);
    assert_eq!(failure.messages, ["the catalog cannot be reached"]);
}

#[tokio::test]
async fn a_stranger_and_a_peer_without_tls_get_nothing() {
    let world = World::start().await;
    let strangers = tempfile::tempdir().unwrap();
    throwaway(strangers.path()).unwrap();
    let own = certificates(strangers.path(), Service::Gateway);
    let channel = channel(Service::Router, &world.address, &own).unwrap();
    assert!(RouterClient::new(channel).state(StateRequest {}).await.is_err());

    let mut plain = TcpStream::connect(world.address.as_str()).await.unwrap();
    plain.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // A TLS alert, or a reset: no HTTP in either case.
    let _ = plain.read_to_end(&mut answer).await;
    assert!(answer.len() < 16, "{answer:?}");
}

#[tokio::test]
async fn a_caller_may_start_first_and_outlives_its_neighbours_restart() {
    let folder = tempfile::tempdir().unwrap();
    throwaway(folder.path()).unwrap();
    let reserved = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: Address = reserved.local_addr().unwrap().to_string().parse().unwrap();
    drop(reserved);
    let own = certificates(folder.path(), Service::Gateway);
    let mut client = RouterClient::new(channel(Service::Router, &address, &own).unwrap());
    let mut early = client.clone();
    let asked = tokio::spawn(async move { early.state(StateRequest {}).await });
    tokio::task::yield_now().await;

    let listener = TcpListener::bind(address.as_str()).await.unwrap();
    let world = World::on(folder, listener, address.clone());
    assert!(asked.await.unwrap().is_ok());

    world.shutdown.cancel();
    world.task.await.unwrap().unwrap();
    let listener = TcpListener::bind(address.as_str()).await.unwrap();
    let _world = World::on(world.folder, listener, address);
    // The connection that was lost may still fail one call; the one after it is on a new connection.
    let first = client.state(StateRequest {}).await;
    if first.is_err() {
        client.state(StateRequest {}).await.unwrap();
    }
}

#[tokio::test]
async fn certificates_can_be_read_again_and_bad_ones_change_nothing() {
    let world = World::start().await;
    let own = certificates(world.folder.path(), Service::Gateway);
    own.reload().unwrap();
    std::fs::write(world.folder.path().join("gateway.pem"), "broken").unwrap();
    assert!(matches!(own.reload(), Err(Error::Pem { .. })));
    let channel = channel(Service::Router, &world.address, &own).unwrap();
    assert!(RouterClient::new(channel).state(StateRequest {}).await.is_ok());
}
