//! Everything that a server says about itself, caught.

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::StreamExt;
use serde_json::Value;
use testkit::{Api, Server, files_below, process::Process};
use tokio::task::JoinHandle;
use tokio_tungstenite::{connect_async, tungstenite::client::IntoClientRequest};

/// What the server says while it runs, to those who follow it.
const STREAMS: [(&str, &str); 3] = [
    ("sys/monitor in text", "sys/monitor?log_level=trace"),
    ("sys/monitor in JSON", "sys/monitor?log_level=trace&log_format=json"),
    ("sys/plugins/events", "sys/plugins/events"),
];

/// What it says when it is asked, by one who may know everything but secrets.
const PAGES: [&str; 22] = [
    "sys/metrics",
    "sys/metrics?format=prometheus",
    "sys/in-flight-req",
    "sys/plugins/processes",
    "sys/plugins/catalog",
    "sys/plugins/catalog/secret/fixture?version=v1.2.3",
    "sys/internal/ui/mounts",
    "sys/internal/ui/namespaces",
    "sys/internal/counters/tokens",
    "sys/internal/counters/entities",
    "sys/internal/counters/activity",
    "sys/internal/specs/openapi",
    "sys/host-info",
    "sys/config/state/sanitized",
    "sys/loggers",
    "sys/mounts",
    "sys/auth",
    "sys/audit",
    "sys/health",
    "sys/seal-status",
    "sys/leader",
    "sys/key-status",
];

/// Texts by where they come from.
#[derive(Default)]
pub struct Outputs {
    texts: BTreeMap<String, Vec<u8>>,
    followed: Vec<(&'static str, Arc<Mutex<Vec<u8>>>)>,
    followers: Vec<JoinHandle<()>>,
}

impl Outputs {
    /// Begins to follow all that is told as it happens.
    pub async fn follow(&mut self, api: &Api) {
        for (name, path) in STREAMS {
            self.follow_one(api, name, path).await;
        }
        let address = api.address().replacen("http", "ws", 1);
        let mut request =
            format!("{address}/v1/sys/events/subscribe/*?json=true").into_client_request().unwrap();
        request.headers_mut().insert("X-Vault-Token", api.token().parse().unwrap());
        let (mut socket, _) = connect_async(request).await.unwrap();
        let text = self.followed("sys/events/subscribe");
        self.followers.push(tokio::spawn(async move {
            while let Some(Ok(message)) = socket.next().await {
                text.lock().unwrap().extend_from_slice(&message.into_data());
            }
        }));
    }

    /// Follows one of them.
    pub async fn follow_one(&mut self, api: &Api, name: &'static str, path: &str) {
        let url = format!("{}/v1/{path}", api.address());
        // A stream has no end before its server has.
        let asked = api.http().get(url).timeout(Duration::from_secs(3600));
        let mut response = asked.header("X-Vault-Token", api.token()).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let text = self.followed(name);
        self.followers.push(tokio::spawn(async move {
            while let Ok(Some(chunk)) = response.chunk().await {
                text.lock().unwrap().extend_from_slice(&chunk);
            }
        }));
    }

    fn followed(&mut self, name: &'static str) -> Arc<Mutex<Vec<u8>>> {
        let text = Arc::<Mutex<Vec<u8>>>::default();
        self.followed.push((name, text.clone()));
        text
    }

    /// More of an output.
    pub fn add(&mut self, name: impl Into<String>, text: impl AsRef<[u8]>) {
        let all = self.texts.entry(name.into()).or_default();
        all.extend_from_slice(text.as_ref());
        all.push(b'\n');
    }

    /// What everybody is told, and what a colleague is who may know everything but secrets.
    pub async fn ask(&mut self, server: &Server) {
        for page in PAGES {
            let answer = server.api().get(page).await;
            assert!(answer.is_ok(), "{answer}");
            self.add(page, told(&answer.body));
            self.add("what strangers are told", told(&server.anonymous().get(page).await.body));
        }
    }

    /// What is told while the server is sealed.
    pub async fn ask_sealed(&mut self, server: &Server) {
        for page in ["sys/metrics", "sys/metrics?format=prometheus", "sys/health", "sys/seal-status"] {
            let answer = server.anonymous().get(page).await;
            self.add(format!("{page} while sealed"), told(&answer.body));
        }
    }

    /// What the kernel tells everybody on the machine of these processes.
    pub fn look_at(&mut self, name: &str, processes: &[Process]) {
        for process in processes {
            let read = |file| fs::read(format!("/proc/{}/{file}", process.pid)).unwrap_or_default();
            self.add(format!("the command line of {name}"), read("cmdline"));
            self.add(format!("the environment of {name}"), read("environ"));
        }
    }

    /// What an operator takes along for somebody who is to help.
    pub fn debug(&mut self, server: &Server) {
        let folder = server.data_directory().join("debug");
        let run = testkit::mortise()
            .args(["debug", "-duration=1s", "-interval=1s", "-compress=false"])
            .arg(format!("-output={}", folder.display()))
            .envs([("VAULT_ADDR", server.api().address()), ("VAULT_TOKEN", server.api().token())])
            .output()
            .unwrap();
        assert!(run.status.success(), "{run:?}");
        self.add("what mortise debug prints", run.stdout);
        self.add_files("mortise debug", &folder);
        fs::remove_dir_all(folder).unwrap();
    }

    pub fn add_files(&mut self, name: &str, folder: &std::path::Path) {
        let files = files_below(folder);
        files.iter().filter(|path| path.is_file()).for_each(|path| self.add(name, fs::read(path).unwrap()));
    }

    /// All of them. What was followed is complete once its server has ended.
    pub async fn all(mut self) -> BTreeMap<String, Vec<u8>> {
        for follower in self.followers.drain(..) {
            let _ = follower.await;
        }
        for (name, text) in std::mem::take(&mut self.followed) {
            let text = text.lock().unwrap().clone();
            self.add(name, text);
        }
        self.texts
    }
}

fn told(body: &Value) -> String {
    body.as_str().map_or_else(|| body.to_string(), str::to_owned)
}
