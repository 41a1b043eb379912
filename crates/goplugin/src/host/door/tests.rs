use std::collections::HashSet;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use bytes::Bytes;
use h2::client::SendRequest;
use tempfile::TempDir;
use tokio::net::UnixStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;

const SOON: Duration = Duration::from_secs(20);

/// A peer that speaks HTTP/2, and how its connection ends.
struct Peer {
    sender: SendRequest<Bytes>,
    ended: JoinHandle<Result<(), h2::Error>>,
}

impl Peer {
    /// One that dials until it is let in.
    async fn dial(path: &Path) -> Self {
        let stream = timeout(SOON, async {
            loop {
                match UnixStream::connect(path).await {
                    Ok(stream) => return stream,
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        });
        let (sender, connection) = h2::client::handshake(stream.await.unwrap()).await.unwrap();
        Self { sender, ended: tokio::spawn(connection) }
    }

    /// Whether a call is answered.
    async fn calls(&self, name: &str) -> bool {
        let Ok(mut sender) = self.sender.clone().ready().await else { return false };
        let call = Request::post("https://localhost/a.B/C").header(USER_AGENT, name).body(()).unwrap();
        let Ok((answer, _)) = sender.send_request(call, true) else { return false };
        answer.await.is_ok()
    }

    async fn hears_goodbye(self) {
        timeout(SOON, self.ended).await.unwrap().unwrap().unwrap();
    }
}

fn door(quiet: Duration) -> (TempDir, PathBuf, CancellationToken) {
    let (directory, path, stop, _) = door_that_ends(quiet);
    (directory, path, stop)
}

fn door_that_ends(quiet: Duration) -> (TempDir, PathBuf, CancellationToken, Arc<AtomicBool>) {
    let directory = tempfile::tempdir().unwrap();
    let (path, stop) = (directory.path().join("h1"), CancellationToken::new());
    let user = User::of(directory.path()).unwrap();
    let services = Arc::new(tonic::service::Routes::default());
    let server = Server { tls: None, services, only: Some(user), grace: Duration::ZERO };
    let listener = UnixListener::bind(&path).unwrap();
    let ends = Arc::new(AtomicBool::new(false));
    let door = Door { server, path: path.clone(), user, quiet, ends: ends.clone(), stop: stop.clone() };
    tokio::spawn(door.keep(listener));
    (directory, path, stop, ends)
}

/// How many sockets listen at this path, as the kernel lists them.
fn listening(path: &Path) -> usize {
    let sockets = fs::read_to_string("/proc/net/unix").unwrap();
    let path = path.to_str().unwrap();
    // Those that take connections have the flag 00010000.
    sockets.lines().filter(|line| line.ends_with(path) && line.contains(" 00010000 ")).count()
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(SOON, waiting).await.unwrap_or_else(|_| panic!("{what}"));
}

#[tokio::test]
async fn nobody_listens_while_the_plugin_is_in_and_somebody_does_once_it_has_gone() {
    let (_directory, path, _stop) = door(QUIET);
    assert_eq!(listening(&path), 1);
    let first = Peer::dial(&path).await;
    assert!(first.calls("grpc-go/1.66.0").await);
    assert_eq!(listening(&path), 0);
    drop(first.sender);
    first.ended.abort();
    until("it is listened for again", || listening(&path) == 1).await;
    let second = Peer::dial(&path).await;
    assert!(second.calls("grpc-go/1.66.0").await);
}

#[tokio::test]
async fn one_who_is_quiet_is_told_goodbye_with_the_socket_open() {
    let (_directory, path, _stop) = door(Duration::from_millis(100));
    let first = Peer::dial(&path).await;
    assert!(first.calls("grpc-go/1.66.0").await);
    first.hears_goodbye().await;
    assert_eq!(listening(&path), 1);
    let second = Peer::dial(&path).await;
    assert!(second.calls("grpc-go/1.66.0").await);
    second.hears_goodbye().await;
}

#[tokio::test]
async fn one_who_cannot_dial_again_stays() {
    let (_directory, path, _stop) = door(Duration::from_millis(20));
    let peer = Peer::dial(&path).await;
    for _ in 0..5 {
        assert!(peer.calls("").await);
        sleep(Duration::from_millis(60)).await;
    }
    assert_eq!(listening(&path), 0);
}

#[tokio::test]
async fn one_who_leaves_in_the_end_is_not_waited_for() {
    let (_directory, path, _stop, ends) = door_that_ends(QUIET);
    let peer = Peer::dial(&path).await;
    assert!(peer.calls("grpc-go/1.66.0").await);
    ends.store(true, Ordering::Relaxed);
    let before = fs::symlink_metadata(&path).unwrap().ino();
    drop(peer.sender);
    peer.ended.abort();
    sleep(Duration::from_millis(100)).await;
    assert_eq!((listening(&path), fs::symlink_metadata(&path).unwrap().ino()), (0, before));
}

#[tokio::test]
async fn nothing_is_left_once_it_is_stopped() {
    let (directory, path, stop) = door(QUIET);
    let peer = Peer::dial(&path).await;
    assert!(peer.calls("grpc-go/1.66.0").await);
    stop.cancel();
    fs::remove_file(&path).unwrap();
    let _ = timeout(SOON, peer.ended).await.unwrap();
    let left: HashSet<_> =
        fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.iter().all(|path| !fs::symlink_metadata(path).unwrap().file_type().is_socket()), "{left:?}");
}
