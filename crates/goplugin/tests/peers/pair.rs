//! Both ends in one process, and those who pretend to be one of them.

use std::fs::File;
use std::path::Path;

use goplugin::host::{self, Connection, StartError};
use goplugin::plugin::{self, Environment, ServeError};
use goplugin::{Cookie, Identity};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::task::JoinHandle;
use tonic::service::Routes;

use crate::process::{files, soon};

/// A plugin as a task, and the line by which it greets.
struct Plugin {
    directory: TempDir,
    line: String,
    served: JoinHandle<Result<(), ServeError>>,
}

impl Plugin {
    /// A plugin that believes `host`.
    async fn start(host: &Identity, change: impl FnOnce(&mut Environment)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut environment = Environment {
            cookie: Some(Cookie::DATABASE.value.to_owned()),
            versions: Some("5,6".to_owned()),
            certificate: Some(host.pem().to_owned()),
            directory: directory.path().to_owned(),
            multiplex: false,
        };
        change(&mut environment);
        let (stdout, mut printed) = pipe::pipe().unwrap();
        let stdout = File::from(stdout.into_blocking_fd().unwrap());
        let served = tokio::spawn(async move {
            let config =
                plugin::Config { cookie: Cookie::DATABASE, versions: &[5, 6], routes: |_| Routes::default() };
            plugin::serve(config, &environment, stdout, std::future::pending()).await
        });
        let mut line = vec![0; 4096];
        let length = printed.read(&mut line).await.unwrap();
        line.truncate(length);
        Self { directory, line: String::from_utf8(line).unwrap(), served }
    }

    async fn connect(&self, host: &Identity) -> Result<Connection, StartError> {
        connect(&self.line, host, self.directory.path()).await
    }
}

async fn connect(line: &str, host: &Identity, directory: &Path) -> Result<Connection, StartError> {
    host::connect(line.as_bytes(), &[5, 6], host, directory, soon()).await.map(|(connection, _)| connection)
}

fn identity() -> Identity {
    Identity::generate().unwrap()
}

#[tokio::test]
async fn the_highest_common_version_is_spoken_until_shutdown() {
    let host = identity();
    let plugin = Plugin::start(&host, |_| ()).await;
    let connection = plugin.connect(&host).await.unwrap();
    assert_eq!(connection.version(), 6);
    connection.ping(soon()).await.unwrap();
    connection.shutdown(soon()).await;
    plugin.served.await.unwrap().unwrap();
    connection.closed().await;
    assert!(files(plugin.directory.path()).is_empty());
}

#[tokio::test]
async fn the_seventh_field_is_printed_for_those_who_ask() {
    let host = identity();
    let plain = Plugin::start(&host, |_| ()).await;
    let asked = Plugin::start(&host, |environment| environment.multiplex = true).await;
    assert_eq!(plain.line.split('|').count(), 6);
    assert!(asked.line.ends_with("|false\n"));
    asked.connect(&host).await.unwrap().ping(soon()).await.unwrap();
}

#[tokio::test]
async fn l4_a_plugin_that_shows_another_certificate_is_refused() {
    let host = identity();
    let (plugin, other) = (Plugin::start(&host, |_| ()).await, Plugin::start(&host, |_| ()).await);
    let fields: Vec<&str> = plugin.line.split('|').collect();
    let [.., announced] = fields.as_slice() else { panic!("a handshake has fields") };
    let line = other.line.replace(other.line.split('|').next_back().unwrap(), announced);
    let error = connect(&line, &host, other.directory.path()).await.unwrap_err();
    assert!(matches!(error, StartError::Tls(_)), "{error:?}");
}

#[tokio::test]
async fn l4_a_host_with_another_certificate_is_refused() {
    let plugin = Plugin::start(&identity(), |_| ()).await;
    let impostor = identity();
    // TLS 1.3 tells a client only after its own part is done.
    if let Ok(connection) = plugin.connect(&impostor).await {
        connection.ping(soon()).await.unwrap_err();
        connection.closed().await;
    }
}

#[tokio::test]
async fn l4_nobody_else_gets_into_a_brokered_connection() {
    let host = identity();
    let plugin = Plugin::start(&host, |_| ()).await;
    let connection = plugin.connect(&host).await.unwrap();
    let brokered = connection.broker().accept(Routes::default()).unwrap();
    let socket = plugin.directory.path().join(format!("h{}", brokered.id()));
    // The plugin's own line with another socket in it, dialled by one who has no key of the plugin's.
    let fields: Vec<&str> = plugin.line.split('|').collect();
    let line = plugin.line.replace(fields[3], socket.to_str().unwrap());
    connect(&line, &identity(), plugin.directory.path()).await.unwrap_err();
}

#[tokio::test]
async fn a_plugin_without_the_cookie_or_a_certificate_does_not_serve() {
    let host = identity();
    let plain = Plugin::start(&host, |environment| environment.certificate = None).await;
    assert!(matches!(plain.served.await.unwrap(), Err(ServeError::NoHostCertificate)));
    let broken = Plugin::start(&host, |environment| environment.certificate = Some("pem".to_owned())).await;
    assert!(matches!(broken.served.await.unwrap(), Err(ServeError::HostCertificate(_))));
    let by_hand = Plugin::start(&host, |environment| environment.cookie = None).await;
    assert!(matches!(by_hand.served.await.unwrap(), Err(ServeError::NoCookie)));
    assert!(plain.line.is_empty() && broken.line.is_empty() && by_hand.line.is_empty());
}

#[tokio::test]
async fn a_plugin_says_when_its_socket_path_is_too_long() {
    let host = identity();
    let plugin = Plugin::start(&host, |environment| environment.directory = "/tmp/".repeat(30).into()).await;
    assert!(matches!(plugin.served.await.unwrap(), Err(ServeError::Listen { .. })));
}

#[tokio::test]
async fn a_socket_that_nobody_answers_is_named() {
    let host = identity();
    let plugin = Plugin::start(&host, |_| ()).await;
    plugin.served.abort();
    let _ = plugin.served.await;
    let error = connect(&plugin.line, &host, plugin.directory.path()).await.unwrap_err();
    assert!(error.to_string().starts_with("cannot reach the plugin at its socket"), "{error}");
}
