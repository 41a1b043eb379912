//! Our host and our plugin, as two processes.

use std::process::{Command, Stdio};

use bytes::Bytes;
use goplugin::{Cookie, Identity, Lost, host, log};
use rustix::process::Signal;
use tokio::time::timeout_at;
use tonic::service::Routes;
use tonic::{Code, Status};
use wire::health::health_server::HealthServer;
use wire::pb;
use wire::pb::backend_client::BackendClient;

use crate::process::{Running, files, greeter, soon};
use crate::services::Greeted;

async fn ask(running: &Running, operation: &str, data: &'static [u8]) -> Result<Bytes, Status> {
    let request = pb::Request {
        operation: operation.to_owned(),
        data: Bytes::from_static(data),
        ..pb::Request::default()
    };
    let args = pb::HandleRequestArgs { storage_id: 0, request: Some(request.into()) };
    let mut backend = BackendClient::new(running.connection.channel())
        .max_decoding_message_size(wire::PLUGIN_MESSAGE_LIMIT);
    let reply = backend.handle_request(args).await?.into_inner();
    Ok(reply.response.unwrap_or_default().data)
}

#[tokio::test]
async fn a_plugin_lives_and_ends_below_our_host() {
    let running = Running::start(&greeter()).await;
    assert_eq!(running.connection.version(), 5);
    running.connection.ping(soon()).await.unwrap();

    let greeted = Greeted::default();
    let brokered =
        running.connection.broker().accept(Routes::new(HealthServer::new(greeted.clone()))).unwrap();
    brokered.announce().await.unwrap();
    let args = pb::SetupArgs { broker_id: brokered.id(), ..pb::SetupArgs::default() };
    let reply = BackendClient::new(running.connection.channel()).setup(args).await.unwrap().into_inner();
    assert_eq!(reply.err, "");
    assert_eq!(*greeted.0.lock().unwrap(), ["greeting"]);
    assert_eq!(running.sockets().len(), 2);
    drop(brokered);
    assert_eq!(running.sockets().len(), 1);

    assert_eq!(ask(&running, "echo", b"{}").await.unwrap(), "{}");
    ask(&running, "log", b"").await.unwrap();
    let closed = running.connection.closed();
    let directory = running.directory.path().to_owned();
    let (exit, stderr) = running.stop().await;
    closed.await;
    assert!(exit.success());
    assert!(!directory.exists() || files(&directory).is_empty());
    let line = log::parse(stderr.lines().next().unwrap().as_bytes());
    assert_eq!((line.level, line.message.as_str()), (tracing::Level::WARN, "as you wish"));
}

#[tokio::test]
async fn a_panic_costs_one_call_and_is_logged_as_an_error() {
    let running = Running::start(&greeter()).await;
    let status = ask(&running, "panic", b"").await.unwrap_err();
    assert_eq!(Lost::of(&status), None, "{status:?}");
    assert_eq!(ask(&running, "echo", b"[]").await.unwrap(), "[]");
    let (_, stderr) = running.stop().await;
    let lines: Vec<_> = stderr.lines().map(|line| log::parse(line.as_bytes())).collect();
    assert_eq!(lines.iter().filter(|line| line.level == tracing::Level::ERROR).count(), 1, "{stderr}");
}

#[tokio::test]
async fn long_error_texts_arrive() {
    let running = Running::start(&greeter()).await;
    let status = ask(&running, "fail", b"").await.unwrap_err();
    assert_eq!((status.code(), status.message().len()), (Code::Internal, 100_000));
}

#[tokio::test]
async fn a_killed_plugin_is_noticed_and_never_dialled_again() {
    let running = Running::start(&greeter()).await;
    let (cut, ()) = tokio::join!(ask(&running, "hang", b""), async {
        // The call is on its way before the plugin answers another.
        ask(&running, "echo", b"").await.unwrap();
        running.signal(Signal::KILL);
    });
    assert_eq!(Lost::of(&cut.unwrap_err()), Some(Lost::Sent));
    running.connection.closed().await;
    let late = ask(&running, "echo", b"").await.unwrap_err();
    assert_eq!((Lost::of(&late), late.code()), (Some(Lost::Unsent), Code::Unavailable));
}

#[tokio::test]
async fn many_callers_that_leave_do_not_harm_the_connection() {
    let running = Running::start(&greeter()).await;
    for _ in 0..40 {
        let calls = (0..100).map(|_| ask(&running, "hang", b""));
        let all = tokio::time::timeout(std::time::Duration::from_millis(5), join(calls));
        assert!(all.await.is_err());
    }
    assert_eq!(ask(&running, "echo", b"{}").await.unwrap(), "{}");
}

async fn join<F: Future>(futures: impl Iterator<Item = F>) {
    let mut futures: Vec<_> = futures.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        futures.retain_mut(|future| future.as_mut().poll(context).is_pending());
        if futures.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

#[tokio::test]
async fn ctrl_c_is_the_hosts_business_and_sigterm_is_an_orderly_end() {
    let mut running = Running::start(&greeter()).await;
    running.signal(Signal::INT);
    running.connection.ping(soon()).await.unwrap();
    running.signal(Signal::TERM);
    assert!(running.exit().await.success());
    running.connection.closed().await;
    assert!(running.sockets().is_empty());
}

#[tokio::test]
async fn a_plugin_whose_parent_is_gone_ends() {
    let directory = tempfile::tempdir().unwrap();
    let identity = Identity::generate().unwrap();
    // The shell starts the plugin and goes; the pipe ends with the plugin.
    let mut shell = tokio::process::Command::new("sh")
        .args(["-c", r#""$0" & read -r _"#])
        .arg(greeter())
        .envs(host::environment(Cookie::BACKEND, &[5], &identity, directory.path()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let stdout = shell.stdout.take().unwrap();
    let (connection, rest) = host::connect(stdout, &[5], &identity, directory.path(), soon()).await.unwrap();
    shell.kill().await.unwrap();
    timeout_at(soon(), rest.drain()).await.unwrap();
    connection.closed().await;
    assert!(files(directory.path()).is_empty());
}

#[test]
fn a_plugin_started_by_hand_says_so_and_prints_nothing() {
    let output = Command::new(greeter()).env_clear().output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).contains("is not meant to be run by hand"));
}
