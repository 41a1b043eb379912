//! TLS: versions, HTTP/2, broken handshakes, new certificates while running.
#![allow(clippy::unwrap_used, reason = "a test has no use for half an answer")]

mod common;

use std::{path::Path, time::Duration};

use common::{Running, Scripted};
use gateway::{Clients, Config, Error, Listener, TlsFiles, TlsVersion};
use reqwest::{Certificate, Client, Identity, tls::Version};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Writes a new certificate for `localhost` and gives it back for a client to trust.
fn certify(folder: &Path) -> Certificate {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    Certificate::from_pem(made.cert.pem().as_bytes()).unwrap()
}

fn files(folder: &TempDir, min_version: TlsVersion) -> TlsFiles {
    TlsFiles {
        certificate: folder.path().join("cert.pem"),
        key: folder.path().join("key.pem"),
        min_version,
        clients: Clients::default(),
    }
}

fn client(trusted: &Certificate, max_version: Version) -> Client {
    Client::builder()
        .tls_certs_only([trusted.clone()])
        .tls_version_max(max_version)
        .pool_max_idle_per_host(0)
        .build()
        .unwrap()
}

fn url(gateway: &Running) -> String {
    format!("https://localhost:{}/v1/a", gateway.address.port())
}

#[tokio::test]
async fn both_versions_of_http_are_spoken_over_tls() {
    let folder = TempDir::new().unwrap();
    let trusted = certify(folder.path());
    let tls = Some(files(&folder, TlsVersion::Tls12));
    let gateway = Running::with_tls(Scripted::content(), Config::default(), tls).await;
    let two = client(&trusted, Version::TLS_1_3).get(url(&gateway)).send().await.unwrap();
    assert_eq!((two.status().as_u16(), two.version()), (200, http::Version::HTTP_2));
    let one = Client::builder().tls_certs_only([trusted]).http1_only().build().unwrap();
    let one = one.get(url(&gateway)).send().await.unwrap();
    assert_eq!((one.status().as_u16(), one.version()), (200, http::Version::HTTP_11));
}

#[tokio::test]
async fn an_old_version_is_refused_where_it_is_not_allowed() {
    let folder = TempDir::new().unwrap();
    let trusted = certify(folder.path());
    let gateway =
        Running::with_tls(Scripted::content(), Config::default(), Some(files(&folder, TlsVersion::Tls13)))
            .await;
    assert!(client(&trusted, Version::TLS_1_2).get(url(&gateway)).send().await.is_err());
    assert!(client(&trusted, Version::TLS_1_3).get(url(&gateway)).send().await.is_ok());
    let lenient =
        Running::with_tls(Scripted::content(), Config::default(), Some(files(&folder, TlsVersion::Tls12)))
            .await;
    assert!(client(&trusted, Version::TLS_1_2).get(url(&lenient)).send().await.is_ok());
}

/// A client with a certificate that it has signed itself, and that certificate in PEM.
fn known(trusted: &Certificate) -> (Client, String) {
    let made = rcgen::generate_simple_self_signed(["client".to_owned()]).unwrap();
    let pem = made.cert.pem() + &made.signing_key.serialize_pem();
    let client = Client::builder()
        .tls_certs_only([trusted.clone()])
        .identity(Identity::from_pem(pem.as_bytes()).unwrap())
        .build()
        .unwrap();
    (client, made.cert.pem())
}

#[tokio::test]
async fn clients_show_certificates_where_they_have_to() {
    let folder = TempDir::new().unwrap();
    let trusted = certify(folder.path());
    let (known, certificate) = known(&trusted);
    let (other, _) = self::known(&trusted);
    let authority = folder.path().join("clients.pem");
    std::fs::write(&authority, certificate).unwrap();
    let stranger = client(&trusted, Version::TLS_1_3);
    let tls = TlsFiles { clients: Clients::Required(authority), ..files(&folder, TlsVersion::Tls12) };
    let gateway = Running::with_tls(Scripted::content(), Config::default(), Some(tls)).await;
    assert!(known.get(url(&gateway)).send().await.is_ok());
    assert!(other.get(url(&gateway)).send().await.is_err());
    assert!(stranger.get(url(&gateway)).send().await.is_err());
}

#[tokio::test]
async fn what_a_client_shows_is_handed_on_to_plugins() {
    let folder = TempDir::new().unwrap();
    let trusted = certify(folder.path());
    let (known, _) = known(&trusted);
    let stranger = client(&trusted, Version::TLS_1_2);
    for (clients, shown) in [(Clients::Asked, 1), (Clients::Unasked, 0)] {
        let router = Scripted::content();
        let tls = TlsFiles { clients, ..files(&folder, TlsVersion::Tls12) };
        let gateway = Running::with_tls(router.clone(), Config::default(), Some(tls)).await;
        known.get(url(&gateway)).send().await.unwrap();
        let state = router.last().connection.unwrap().connection_state.unwrap();
        assert_eq!((state.version, state.handshake_complete), (0x0304, true));
        assert_eq!((&*state.server_name, &*state.negotiated_protocol), ("localhost", "h2"));
        assert_eq!(state.peer_certificates.map_or(0, |chain| chain.certificates.len()), shown);
        stranger.get(url(&gateway)).send().await.unwrap();
        let state = router.last().connection.unwrap().connection_state.unwrap();
        assert_eq!((state.version, state.peer_certificates), (0x0303, None));
    }
}

#[tokio::test]
async fn g4_broken_handshakes_end_only_themselves() {
    let folder = TempDir::new().unwrap();
    let trusted = certify(folder.path());
    let config = Config { header_timeout: Duration::from_millis(200), ..Config::default() };
    let gateway =
        Running::with_tls(Scripted::content(), config, Some(files(&folder, TlsVersion::Tls12))).await;
    for garbage in [&b"GET /v1/a HTTP/1.1\r\nhost: x\r\n\r\n"[..], b"\x16\x03\x01\xff\xff\x01", b""] {
        let mut stream = TcpStream::connect(gateway.address).await.unwrap();
        stream.write_all(garbage).await.unwrap();
        let mut answer = Vec::new();
        // An alert or nothing, and the end: also for a client that never goes on.
        let _ = timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await.unwrap();
        assert!(!answer.starts_with(b"HTTP"));
    }
    assert!(client(&trusted, Version::TLS_1_3).get(url(&gateway)).send().await.is_ok());
}

#[tokio::test]
async fn a_new_certificate_counts_from_the_next_connection() {
    let folder = TempDir::new().unwrap();
    let old = certify(folder.path());
    let gateway =
        Running::with_tls(Scripted::content(), Config::default(), Some(files(&folder, TlsVersion::Tls12)))
            .await;
    let new = certify(folder.path());
    assert!(client(&old, Version::TLS_1_3).get(url(&gateway)).send().await.is_ok());
    gateway.reload.certificates().unwrap();
    assert!(client(&old, Version::TLS_1_3).get(url(&gateway)).send().await.is_err());
    assert!(client(&new, Version::TLS_1_3).get(url(&gateway)).send().await.is_ok());

    std::fs::write(folder.path().join("cert.pem"), "nothing").unwrap();
    let refused = gateway.reload.certificates().unwrap_err();
    assert!(refused.to_string().starts_with("cannot read a certificate from "), "{refused}");
    assert!(client(&new, Version::TLS_1_3).get(url(&gateway)).send().await.is_ok());
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() {
    let folder = TempDir::new().unwrap();
    certify(folder.path());
    let key = std::fs::read(folder.path().join("key.pem")).unwrap();
    certify(folder.path());
    std::fs::write(folder.path().join("key.pem"), key).unwrap();
    let bind = |files| Listener::bind(([127, 0, 0, 1], 0).into(), Some(files));
    let mismatch = bind(files(&folder, TlsVersion::Tls12)).await.unwrap_err();
    assert!(matches!(mismatch, Error::Tls { .. }), "{mismatch}");
    let missing = TlsFiles { key: folder.path().join("none"), ..files(&folder, TlsVersion::Tls12) };
    assert!(matches!(bind(missing).await.unwrap_err(), Error::PrivateKey { .. }));
}
