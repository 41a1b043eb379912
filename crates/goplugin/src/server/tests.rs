use bytes::Bytes;
use h2::client::SendRequest;
use http::Request;
use tempfile::TempDir;
use tokio_rustls::TlsConnector;

use super::*;
use crate::{Identity, tls};

/// A server with one peer that it believes.
struct Pair {
    directory: TempDir,
    peer: Arc<rustls::ClientConfig>,
    _stop: tokio_util::sync::DropGuard,
}

impl Pair {
    fn start() -> Self {
        let (own, other) = (Identity::generate().unwrap(), Identity::generate().unwrap());
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join("s")).unwrap();
        let server = Server {
            tls: Some(tls::server(&own, other.der()).unwrap()),
            services: Arc::new(tonic::service::Routes::default()),
            only: Some(User::of(directory.path()).unwrap()),
            grace: Duration::ZERO,
        };
        let stop = CancellationToken::new();
        tokio::spawn(server.run(listener, stop.clone()));
        Self { directory, peer: tls::client(&other, own.der()).unwrap(), _stop: stop.drop_guard() }
    }

    async fn dial(&self) -> UnixStream {
        UnixStream::connect(self.directory.path().join("s")).await.unwrap()
    }

    /// A connection on which anything can be said, and how it ends.
    async fn connect(&self) -> (SendRequest<Bytes>, tokio::task::JoinHandle<Result<(), h2::Error>>) {
        let stream = TlsConnector::from(self.peer.clone()).connect(tls::server_name(), self.dial().await);
        let (sender, connection) = h2::client::handshake(stream.await.unwrap()).await.unwrap();
        (sender, tokio::spawn(connection))
    }
}

/// A call with this path.
fn call(path: &str) -> Request<()> {
    Request::post(format!("https://localhost{path}"))
        .header("content-type", "application/grpc")
        .body(())
        .unwrap()
}

#[tokio::test]
async fn l8_unknown_services_and_paths_without_a_slash_are_refused() {
    let pair = Pair::start();
    let (sender, _connection) = pair.connect().await;
    let mut asterisk = call("/");
    *asterisk.method_mut() = http::Method::OPTIONS;
    *asterisk.uri_mut() = "*".parse().unwrap();
    for call in [call("/pb.Backend/HandleRequest"), call("/"), call("//"), call(""), asterisk] {
        let (answer, _) = sender.clone().ready().await.unwrap().send_request(call, true).unwrap();
        // Refused by HTTP/2 itself, or in gRPC's words; never served.
        if let Ok(answer) = answer.await {
            assert_eq!(answer.headers().get("grpc-status").map(|status| status.as_bytes()), Some(&b"12"[..]));
        }
    }
}

#[tokio::test]
async fn l6_a_peer_that_breaks_the_rules_without_end_loses_its_connection() {
    let pair = Pair::start();
    let (sender, connection) = pair.connect().await;
    // Each announces a body and has none.
    let mut faulty = call("/a.B/C");
    faulty.headers_mut().insert("content-length", http::HeaderValue::from_static("7"));
    let mut answers = Vec::new();
    for _ in 0..=FAULTY_CALLS {
        let Ok(mut sender) = sender.clone().ready().await else { break };
        let Ok((answer, _)) = sender.send_request(faulty.clone(), true) else { break };
        answers.push(answer);
        if answers.len() == 256 {
            for answer in answers.drain(..) {
                assert!(answer.await.is_err());
            }
        }
    }
    drop(sender);
    // Without a fault of its own it would end well now.
    connection.await.unwrap().unwrap_err();
}

#[tokio::test]
async fn l6_a_peer_holds_a_few_connections_at_a_time() {
    let pair = Pair::start();
    let mut idle = Vec::new();
    for _ in 0..CONNECTIONS {
        idle.push(pair.dial().await);
    }
    let late = pair.connect();
    tokio::pin!(late);
    assert!(timeout(Duration::from_millis(300), &mut late).await.is_err(), "it was let in");
    idle.pop();
    late.await;
}
