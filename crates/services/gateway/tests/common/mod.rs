//! A gateway on a real socket, before a router that does as the test says.
#![allow(dead_code, reason = "each test program uses its part")]
#![allow(clippy::unwrap_used, reason = "a test has no use for half an answer")]

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::{StreamExt, stream};
use gateway::{Config, Gateway, Listener, TlsFiles};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, async_trait, codegen::BoxStream};
use wire::router::v1::{
    self, Envelope, NodeState, RouterSeam, StateRequest, response::Body, router_server::Router,
};

pub type Script = dyn Fn(&v1::Request) -> Result<v1::Response, Status> + Send + Sync;

/// A router that answers by a script and remembers what it was asked.
#[derive(Clone)]
pub struct Scripted {
    pub script: Arc<Script>,
    pub seen: Arc<Mutex<Vec<v1::Request>>>,
    pub state: NodeState,
    /// Requests wait here before they are answered; each permit lets one through.
    pub gate: Option<Arc<tokio::sync::Semaphore>>,
    /// Becomes empty of strong references when a waiting request is given up.
    pub waiting: Arc<Mutex<Vec<std::sync::Weak<()>>>>,
}

impl Scripted {
    pub fn new(
        script: impl Fn(&v1::Request) -> Result<v1::Response, Status> + Send + Sync + 'static,
    ) -> Self {
        let state = NodeState { initialized: true, cluster_name: "c".to_owned(), ..NodeState::default() };
        Self { script: Arc::new(script), seen: Arc::default(), state, gate: None, waiting: Arc::default() }
    }

    /// Answers everything with an empty envelope.
    pub fn content() -> Self {
        Self::new(|request| Ok(envelope(&request.id, "{}")))
    }

    pub fn last(&self) -> v1::Request {
        self.seen.lock().unwrap().last().cloned().expect("a request reached the router")
    }
}

/// An answer with data.
pub fn envelope(id: &str, data: &str) -> v1::Response {
    let envelope =
        Envelope { request_id: id.to_owned(), data: data.to_owned().into(), ..Envelope::default() };
    body(Body::Envelope(envelope))
}

pub fn body(body: Body) -> v1::Response {
    v1::Response { body: Some(body), ..v1::Response::default() }
}

#[async_trait]
impl Router for Scripted {
    async fn handle(&self, request: Request<v1::Request>) -> Result<Response<v1::Response>, Status> {
        let request = request.into_inner();
        self.seen.lock().unwrap().push(request.clone());
        if let Some(gate) = &self.gate {
            let here = Arc::new(());
            self.waiting.lock().unwrap().push(Arc::downgrade(&here));
            gate.acquire().await.unwrap().forget();
        }
        (self.script)(&request).map(Response::new)
    }

    type WatchStream = BoxStream<v1::Lines>;

    async fn watch(&self, request: Request<v1::Request>) -> Result<Response<Self::WatchStream>, Status> {
        self.handle(request).await?;
        let lines = [b"one\n".as_slice(), b"two\n"].map(|text| Ok(v1::Lines { text: text.into() }));
        // Whoever reads on waits.
        Ok(Response::new(stream::iter(lines).chain(stream::pending()).boxed()))
    }

    async fn state(&self, _: Request<StateRequest>) -> Result<Response<NodeState>, Status> {
        Ok(Response::new(self.state.clone()))
    }
}

/// A gateway that runs until it is dropped or told to stop.
pub struct Running {
    pub address: SocketAddr,
    pub stop: CancellationToken,
    pub reload: gateway::Reload,
    pub served: JoinHandle<()>,
}

impl Running {
    pub async fn start(router: Scripted, config: Config) -> Self {
        Self::with_tls(router, config, None).await
    }

    pub async fn with_tls(router: Scripted, config: Config, tls: Option<TlsFiles>) -> Self {
        let listener = Listener::bind(([127, 0, 0, 1], 0).into(), tls).await.unwrap();
        let address = listener.address().unwrap();
        let reload = Listener::reload([&listener]);
        let client = RouterSeam::local(Arc::new(router));
        let stop = CancellationToken::new();
        let served = tokio::spawn(Gateway::new(client, config).serve(vec![listener], stop.clone()));
        Self { address, stop, reload, served }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Longer than any wait that is meant.
pub const LONG: Duration = Duration::from_secs(20);

/// Sends bytes as they are and reads until the server closes.
pub async fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    // The server may answer and close before it has read all: then the rest cannot be sent.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(LONG, stream.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "the server did not close");
    String::from_utf8_lossy(&answer).into_owned()
}
