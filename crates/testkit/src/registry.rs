//! A real registry of OCI images, of one test's own: on a free port of the loopback, and gone with the test.

use std::{fs, path::PathBuf, process::Command};

use flate2::{Compression, write::GzEncoder};
use reqwest::{Client, Method, StatusCode, header::LOCATION};
use ring::digest;
use rustix::process::Signal;
use serde_json::{Value, json};
use tar::{Builder, EntryType, Header};
use tempfile::TempDir;

use crate::{
    daemon::{Daemon, PATIENCE},
    eventually, ports, tls,
};

/// Debian's `docker-registry`.
#[derive(Debug)]
pub struct Registry {
    _daemon: Daemon,
    folder: TempDir,
    client: Client,
    /// Whether it speaks TLS, and asks who is there.
    pub private: bool,
    /// How images name it.
    pub name: String,
}

/// An image to be pushed.
#[derive(Clone, Debug)]
pub struct Image<'a> {
    /// What it is called in the registry.
    pub repository: &'a str,
    /// Its version.
    pub tag: &'a str,
    /// The archives that it consists of, packed, the lowest first.
    pub layers: &'a [Vec<u8>],
    /// What it runs.
    pub entry_point: Option<&'a str>,
}

/// A layer with these files in it, packed as Docker packs it. Paths are written as they are.
pub fn layer(files: &[(&str, &[u8])]) -> Vec<u8> {
    // Without an effort: programs are large, and tests are not optimised.
    let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::none()));
    for (path, content) in files {
        let mut header = Header::new_ustar();
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(EntryType::Regular);
        header.set_size(content.len() as u64);
        header.set_mode(0o755);
        header.set_cksum();
        builder.append(&header, *content).expect("an archive in memory can be written");
    }
    let packed = builder.into_inner().and_then(GzEncoder::finish);
    packed.expect("an archive in memory can be packed")
}

impl Registry {
    /// The only user of a registry that asks for one, and the password.
    const LOGIN: (&str, &str) = ("reader", "canary-of-the-registry");
    /// Both, as Docker and Podman write them.
    const LOGIN_ENCODED: &str = "cmVhZGVyOmNhbmFyeS1vZi10aGUtcmVnaXN0cnk=";
    /// What that password hashes to, cheaply.
    const HASH: &str = "$2y$04$KBCwKxOzLha2MUDgW0PjXeMxhBah5dEpXVnUA7V0t7tlJlewyXzy.";

    /// Starts one that everybody may read and write, without TLS.
    pub async fn start() -> Self {
        Self::with(false).await
    }

    /// Starts one that asks for a name and a password, over TLS.
    pub async fn private() -> Self {
        Self::with(true).await
    }

    async fn with(private: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let (port, path) = (ports::free(), folder.path().display());
        let mut config = json!({
            "version": "0.1",
            "log": {"level": "error"},
            "storage": {"filesystem": {"rootdirectory": format!("{path}/data")}},
            "http": {"addr": format!("127.0.0.1:{port}")},
        });
        let mut client = Client::builder();
        if private {
            let users = format!("{path}/users");
            fs::write(&users, format!("{}:{}\n", Self::LOGIN.0, Self::HASH)).expect("a file can be written");
            config["auth"] = json!({"htpasswd": {"realm": "a registry", "path": users}});
            tls::renew(folder.path());
            let [certificate, key] = tls::pair(folder.path());
            config["http"]["tls"] = json!({"certificate": certificate, "key": key});
            client = client.tls_certs_only([tls::trusted(folder.path())]);
        }
        // JSON is YAML.
        let file = folder.path().join("config.yml");
        fs::write(&file, config.to_string()).expect("a configuration can be written");
        let mut serve = Command::new("docker-registry");
        serve.arg("serve").arg(&file);
        let daemon = Daemon::start(&mut serve, Signal::KILL);
        let client = client.build().expect("a client can be made");
        let name = format!("127.0.0.1:{port}");
        let started = Self { _daemon: daemon, folder, client, private, name };
        let ready = async || started.ask(Method::GET, "/v2/", "", Vec::new()).await.is_ok();
        eventually(PATIENCE, "the registry lets us in", ready).await;
        started
    }

    /// The certificate of a private one, which is its own authority.
    pub fn certificate(&self) -> PathBuf {
        let [certificate, _] = tls::pair(self.folder.path());
        certificate
    }

    /// A file of Docker's that says how to log in.
    pub fn docker_config(&self) -> String {
        json!({"auths": {&self.name: {"auth": Self::LOGIN_ENCODED}}}).to_string()
    }

    /// Puts an image into it.
    pub async fn push(&self, image: Image<'_>) {
        let config = json!({
            "architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []},
            "config": {"Entrypoint": image.entry_point.map(|path| [path])},
        });
        let kind = |what: &str| format!("application/vnd.oci.image.{what}");
        let config =
            self.put(image.repository, &kind("config.v1+json"), config.to_string().into_bytes()).await;
        let mut layers = Vec::new();
        for layer in image.layers {
            layers.push(self.put(image.repository, &kind("layer.v1.tar+gzip"), layer.clone()).await);
        }
        let media_type = kind("manifest.v1+json");
        let manifest =
            json!({"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": layers});
        let path = format!("/v2/{}/manifests/{}", image.repository, image.tag);
        let pushed = self.ask(Method::PUT, &path, &media_type, manifest.to_string().into_bytes()).await;
        pushed.expect("a manifest can be pushed");
    }

    /// Puts bytes into it, and returns how a manifest names them.
    async fn put(&self, repository: &str, media_type: &str, bytes: Vec<u8>) -> Value {
        let digest = format!("sha256:{}", hex::encode(digest::digest(&digest::SHA256, &bytes)));
        let size = bytes.len();
        let uploads = format!("/v2/{repository}/blobs/uploads/");
        let place = self.ask(Method::POST, &uploads, "", Vec::new()).await.expect("an upload can be begun");
        let join = if place.contains('?') { '&' } else { '?' };
        let place = format!("{place}{join}digest={digest}");
        let put = self.ask(Method::PUT, &place, "application/octet-stream", bytes).await;
        put.expect("bytes can be pushed");
        json!({"mediaType": media_type, "digest": digest, "size": size})
    }

    /// Where it says that something is; how it refuses is the error.
    async fn ask(&self, method: Method, path: &str, kind: &str, body: Vec<u8>) -> Result<String, String> {
        let scheme = if self.private { "https" } else { "http" };
        let address =
            if path.starts_with('/') { format!("{scheme}://{}{path}", self.name) } else { path.to_owned() };
        let mut request = self.client.request(method, address).body(body);
        if !kind.is_empty() {
            request = request.header("Content-Type", kind);
        }
        if self.private {
            let (name, password) = Self::LOGIN;
            request = request.basic_auth(name, Some(password));
        }
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let status: StatusCode = answer.status();
        let place = answer.headers().get(LOCATION).and_then(|place| place.to_str().ok()).unwrap_or_default();
        if status.is_success() { Ok(place.to_owned()) } else { Err(status.to_string()) }
    }
}
