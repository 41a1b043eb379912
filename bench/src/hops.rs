use std::{
    fmt::Write,
    sync::Arc,
    time::{Duration, Instant},
};

use kit::{
    Service,
    config::Internal,
    tls::{self, Certificates},
};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{
    Request, Response, Status, async_trait, codegen::BoxStream, service::Routes, transport::Channel,
};
use wire::{
    catalog::v1::{
        CommitReply, CommitRequest, GetReply, GetRequest, ListReply, ListRequest, StorageSeam,
        storage_server::{Storage, StorageServer},
    },
    router::v1::{
        self as router, NodeState, RouterSeam, StateRequest,
        router_server::{Router, RouterServer},
    },
};

/// Answers at once, with nothing of substance: what is measured is the way there and back.
#[derive(Clone, Copy)]
struct Trivial;

#[async_trait]
impl Router for Trivial {
    async fn handle(&self, request: Request<router::Request>) -> Result<Response<router::Response>, Status> {
        let body = Some(router::response::Body::Bare(request.into_inner().data));
        Ok(Response::new(router::Response { body, ..router::Response::default() }))
    }

    type WatchStream = BoxStream<router::Lines>;

    async fn watch(&self, _: Request<router::Request>) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("nothing is logged here"))
    }

    async fn state(&self, _: Request<StateRequest>) -> Result<Response<NodeState>, Status> {
        Ok(Response::new(NodeState::default()))
    }
}

#[async_trait]
impl Storage for Trivial {
    async fn get(&self, request: Request<GetRequest>) -> Result<Response<GetReply>, Status> {
        Ok(Response::new(GetReply { value: Some(request.into_inner().key.into()) }))
    }

    async fn list(&self, _: Request<ListRequest>) -> Result<Response<ListReply>, Status> {
        Ok(Response::new(ListReply::default()))
    }

    async fn commit(&self, _: Request<CommitRequest>) -> Result<Response<CommitReply>, Status> {
        Ok(Response::new(CommitReply {}))
    }
}

/// What one call over each border costs, in one process and between processes.
pub async fn measure(time: Duration) -> anyhow::Result<String> {
    let mut table = String::from(
        "| hop | µs a call, one process | µs a call, mutual TLS over loopback |\n|---|--:|--:|\n",
    );
    let router = Routes::new(RouterServer::new(Trivial));
    let router = Remote::start(Service::Router, Service::Gateway, router).await?;
    let storage = Routes::new(StorageServer::new(Trivial));
    let storage = Remote::start(Service::Catalog, Service::Launcher, storage).await?;
    let near = requests(RouterSeam::local(Arc::new(Trivial)), time).await?;
    let far = requests(RouterSeam::remote(router.channel.clone()), time).await?;
    writeln!(table, "| a request: gateway to router, router to launcher | {near:.1} | {far:.1} |")?;
    let near = reads(StorageSeam::local(Arc::new(Trivial)), time).await?;
    let far = reads(StorageSeam::remote(storage.channel.clone()), time).await?;
    writeln!(table, "| a storage read: router or launcher to catalog | {near:.1} | {far:.1} |")?;
    Ok(table)
}

async fn requests(seam: RouterSeam, time: Duration) -> anyhow::Result<f64> {
    let line = |name: &'static str| router::HeaderLine { name: name.into(), value: "text".into() };
    let request = router::Request {
        id: "00000000-0000-0000-0000-000000000000".to_owned(),
        operation: "read".to_owned(),
        path: "secret/data/app/database".to_owned(),
        data: r#"{"username":"app","password":"0123456789abcdef0123456789abcdef"}"#.into(),
        headers: ["accept", "user-agent", "x-vault-request"].map(line).to_vec(),
        ..router::Request::default()
    };
    let (begun, mut calls) = (Instant::now(), 0_u32);
    while begun.elapsed() < time {
        seam.handle(request.clone()).await?;
        calls += 1;
    }
    Ok(begun.elapsed().as_secs_f64() * 1e6 / f64::from(calls))
}

async fn reads(seam: StorageSeam, time: Duration) -> anyhow::Result<f64> {
    let (begun, mut calls) = (Instant::now(), 0_u32);
    while begun.elapsed() < time {
        seam.get(GetRequest { key: "logical/mount/secret/app/database".to_owned() }).await?;
        calls += 1;
    }
    Ok(begun.elapsed().as_secs_f64() * 1e6 / f64::from(calls))
}

/// A neighbour reached over mutual TLS, as services apart reach each other.
struct Remote {
    channel: Channel,
    stop: CancellationToken,
    _folder: TempDir,
}

impl Remote {
    async fn start(callee: Service, caller: Service, routes: Routes) -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("hops-")?;
        tls::throwaway(&folder.path().join("certificates"))?;
        let certificates = |service: Service| -> anyhow::Result<Arc<Certificates>> {
            let file = |name: String| folder.path().join("certificates").join(name);
            Ok(Certificates::read(&Internal {
                address: None,
                ca_file: file("ca.pem".to_owned()),
                cert_file: file(format!("{}.pem", service.name())),
                key_file: file(format!("{}-key.pem", service.name())),
                catalog: None,
                launcher: None,
                router: None,
            })?)
        };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string().parse()?;
        let stop = CancellationToken::new();
        tokio::spawn(tls::serve(listener, certificates(callee)?, routes, stop.clone()));
        let channel = tls::channel(callee, &address, &certificates(caller)?)?;
        Ok(Self { channel, stop, _folder: folder })
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
