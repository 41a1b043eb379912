//! Plugins from images, from a registry that answers as a test wants.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use catalog::{Catalog, Config, Declared, DownloadConfig};
use common::opened;
use domain::{DeclaredPlugin, Outbound, PluginImage, PluginSource, PluginType, Sha256};
use ring::digest::{SHA256, digest};
use tar::{Builder, Header};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};

const PROGRAM: &[u8] = b"a program";

/// What a registry has, and where it says that the layer is.
#[derive(Clone)]
struct Holding {
    manifest: Vec<u8>,
    layer: Vec<u8>,
    layer_elsewhere: Option<String>,
}

/// A registry with one image in it; it answers one request a connection.
struct Registry {
    port: u16,
    serving: AbortHandle,
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Registry {
    async fn start(address: &str, layer_elsewhere: Option<String>) -> Self {
        Self::with(address, Holding { layer_elsewhere, ..holding() }).await
    }

    async fn with(address: &str, holding: Holding) -> Self {
        let listener = TcpListener::bind((address, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, holding.clone()));
            }
        });
        Self { port, serving: serving.abort_handle() }
    }
}

/// An image of one layer with one program.
fn holding() -> Holding {
    let mut header = Header::new_ustar();
    header.set_path("kv").unwrap();
    header.set_size(PROGRAM.len() as u64);
    header.set_cksum();
    let mut builder = Builder::new(Vec::new());
    builder.append(&header, PROGRAM).unwrap();
    let layer = builder.into_inner().unwrap();
    let manifest = format!(
        r#"{{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
          "config": {{"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "{}", "size": 2}},
          "layers": [{{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": "{}", "size": {}}}]}}"#,
        name_of(b"{}"),
        name_of(&layer),
        layer.len()
    );
    Holding { manifest: manifest.into_bytes(), layer, layer_elsewhere: None }
}

fn name_of(bytes: &[u8]) -> String {
    format!("sha256:{}", sha256(bytes))
}

fn sha256(bytes: &[u8]) -> Sha256 {
    Sha256::try_from(digest(&SHA256, bytes).as_ref()).unwrap()
}

async fn answer(stream: TcpStream, holding: Holding) {
    let mut stream = BufReader::new(stream);
    let mut first = String::new();
    stream.read_line(&mut first).await.unwrap();
    let mut line = String::from("…");
    while !line.trim().is_empty() {
        line.clear();
        stream.read_line(&mut line).await.unwrap();
    }
    let path = first.split(' ').nth(1).unwrap_or_default();
    let (head, body) = match (&holding.layer_elsewhere, path) {
        (_, "/v2/") => ("200 OK".to_owned(), Vec::new()),
        (_, path) if path.contains("/manifests/") => ("200 OK".to_owned(), holding.manifest),
        (Some(place), path) if path.starts_with("/v2/") => {
            (format!("307 Moved\r\nLocation: {place}"), Vec::new())
        }
        (_, path) if path.starts_with("/denied") => ("403 Forbidden".to_owned(), vec![b'!'; 9000]),
        _ => ("200 OK".to_owned(), holding.layer),
    };
    let head = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    // Who has heard enough goes away.
    let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
}

/// A catalog that may download from these networks.
struct Place {
    outer: TempDir,
    catalog: Catalog,
    networks: Vec<&'static str>,
}

impl Place {
    async fn new(networks: &[&'static str]) -> Self {
        let outer = tempfile::tempdir().unwrap();
        fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let config = Config { plugin_directory: Some(outer.path().to_owned()), ..Config::default() };
        Self { catalog: opened(config).await, networks: networks.to_vec(), outer }
    }

    fn file(&self) -> PathBuf {
        self.outer.path().join("secret-kv-v1")
    }

    /// Downloads from a registry of this name; the answer is why it was refused.
    async fn download(&self, registry: &str) -> Result<(), String> {
        let image =
            PluginImage { repository: format!("{registry}/kv"), tag: "v1".into(), binary: Some("kv".into()) };
        let plugin = DeclaredPlugin {
            plugin_type: PluginType::Secret,
            name: "kv".parse().unwrap(),
            version: "v1".parse().unwrap(),
            sha256: sha256(PROGRAM),
            source: PluginSource::Image(image),
            args: Vec::new(),
            env: Vec::new(),
        };
        let networks = self.networks.iter().map(|network| network.parse().unwrap()).collect();
        let download = DownloadConfig {
            largest: 1 << 20,
            outbound: Outbound { networks },
            plain_http: vec![registry.to_owned()],
            ..DownloadConfig::default()
        };
        let declared = Declared { plugins: vec![plugin], register: false, download: Some(download) };
        let done = self.catalog.declare(declared).await.map_err(|error| error.to_string());
        let left = fs::read_dir(self.outer.path()).unwrap().count();
        assert_eq!((done.is_ok(), left), (self.file().exists(), usize::from(done.is_ok())), "{done:?}");
        done
    }
}

fn inside(host: &str, address: &str) -> String {
    format!(
        "{host} is at {address}, which is not on the public internet: to download from there, allow its network in \
         plugin_download_networks"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn c10_a_registry_inside_is_refused_unless_its_network_is_allowed() {
    let registry = Registry::start("127.0.0.1", None).await;
    let name = format!("127.0.0.1:{}", registry.port);
    let refused = Place::new(&[]).await.download(&name).await.unwrap_err();
    let said = format!(
        "cannot download plugin secret-kv-v1 from {name}/kv:v1: {}",
        inside("127.0.0.1", "127.0.0.1")
    );
    assert_eq!(refused, said);
    let other = Place::new(&["10.0.0.0/8", "127.0.0.2/32"]).await.download(&name).await.unwrap_err();
    assert_eq!(other, said);
    let place = Place::new(&["127.0.0.1/32"]).await;
    place.download(&name).await.unwrap();
    assert_eq!(fs::read(place.file()).unwrap(), PROGRAM);
    // Nobody is asked for what is there.
    drop(registry);
    place.download(&name).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn c10_a_name_is_judged_by_what_it_stands_for() {
    let registry = Registry::start("127.0.0.1", None).await;
    let name = format!("localhost:{}", registry.port);
    let refused = Place::new(&["10.0.0.0/8"]).await.download(&name).await.unwrap_err();
    assert!(
        refused.contains("localhost is at ") && refused.contains("not on the public internet"),
        "{refused}"
    );
    Place::new(&["127.0.0.0/8"]).await.download(&name).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn c10_where_a_registry_redirects_to_is_judged_too() {
    let elsewhere = Registry::start("127.0.0.2", None).await;
    let place = format!("http://127.0.0.2:{}/layer?signature=canary", elsewhere.port);
    let registry = Registry::start("127.0.0.1", Some(place)).await;
    let name = format!("127.0.0.1:{}", registry.port);
    let refused = Place::new(&["127.0.0.1/32"]).await.download(&name).await.unwrap_err();
    assert!(refused.ends_with(&inside("127.0.0.2", "127.0.0.2")), "{refused}");
    Place::new(&["127.0.0.0/8"]).await.download(&name).await.unwrap();
    // What goes wrong there tells nothing of the address.
    drop(elsewhere);
    let away = Place::new(&["127.0.0.0/8"]).await.download(&name).await.unwrap_err();
    assert!(away.contains("127.0.0.2 cannot be connected to") && !away.contains("canary"), "{away}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_address_that_a_registry_redirects_to_is_not_shown() {
    let elsewhere = Registry::start("127.0.0.1", None).await;
    let place = format!("http://127.0.0.1:{}/denied?signature=canary", elsewhere.port);
    let registry = Registry::start("127.0.0.1", Some(place)).await;
    let name = format!("127.0.0.1:{}", registry.port);
    let refused = Place::new(&["127.0.0.1/32"]).await.download(&name).await.unwrap_err();
    assert!(refused.contains("/denied") && !refused.contains("canary") && refused.len() < 700, "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn c9_a_registry_that_says_too_much_is_cut_off() {
    let endless = Holding { manifest: vec![b' '; 16 << 20], ..holding() };
    let registry = Registry::with("127.0.0.1", endless).await;
    let name = format!("127.0.0.1:{}", registry.port);
    let refused = Place::new(&["127.0.0.1/32"]).await.download(&name).await.unwrap_err();
    assert!(refused.ends_with("127.0.0.1 sends more than was to be expected"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_an_answer_is_said_as_it_is() {
    let strange = Holding { manifest: b"{}".to_vec(), ..holding() };
    let registry = Registry::with("127.0.0.1", strange).await;
    let name = format!("127.0.0.1:{}", registry.port);
    let place = Place::new(&["127.0.0.1/32"]).await;
    assert!(place.download(&name).await.is_err());
    let swapped = Holding { layer: b"another layer".to_vec(), ..holding() };
    let registry = Registry::with("127.0.0.1", swapped).await;
    let refused = place.download(&format!("127.0.0.1:{}", registry.port)).await.unwrap_err();
    assert!(refused.contains("a layer of the image is no sound archive"), "{refused}");
}
