//! A server with a plugin whose process is watched, and which writes down how it is asked to end.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::process::{self, Process};
use testkit::{Answer, Options, Registration, Server, eventually, go_plugin};
use tokio::task::JoinHandle;

/// From being asked to end until being killed.
pub const GRACE: Duration = Duration::from_secs(3);

/// Longer than everything that the server waits for while it ends a plugin.
pub const DRAIN: Duration = Duration::from_secs(20);

/// A server, and a plugin of its own.
pub struct Watched {
    pub server: Server,
    /// Of the mount `m`.
    pub plugin: Process,
    diary: PathBuf,
}

impl Watched {
    /// The plugin obeys when it is asked to end.
    pub async fn polite() -> Self {
        Self::obeying("polite").await
    }

    /// The plugin obeys, or not: see the fixture's diary.
    pub async fn obeying(what: &str) -> Self {
        let extra = format!("plugin_restart {{ stop_grace = \"{}s\" }}", GRACE.as_secs());
        let server = Server::start_with(Options { extra, ..Options::default() }).await;
        let diary = server.data_directory().join("diary");
        let args = ["diary", diary.to_str().unwrap(), what];
        let entry = Registration { args: &args, ..Registration::default() };
        server.register_as("fixture", &go_plugin("fixture"), entry).await;
        // To be registered it was started once, and asked to end.
        eventually(DRAIN, "it is asked for its version and ends", async || server.plugins().is_empty()).await;
        let _ = fs::remove_file(&diary);
        server.enable("m", "fixture").await;
        let plugin = server.only_plugin();
        Self { server, plugin, diary }
    }

    /// A request that is inside the plugin for so long.
    pub async fn inside(&self, time: Duration) -> JoinHandle<Answer> {
        let api = self.server.api();
        let path = format!("m/sleep?ms={}", time.as_millis());
        let request = tokio::spawn(async move { api.get(&path).await });
        let api = self.server.api();
        eventually(DRAIN, "the request is inside", async || {
            api.get("m/sleeping").await.data()["requests"] == json!(1)
        })
        .await;
        request
    }

    /// The id of a lease that the plugin has issued.
    pub async fn lease(&self) -> String {
        let issued = self.server.api().get("m/creds/somebody").await.ok();
        issued["lease_id"].as_str().unwrap().to_owned()
    }

    /// Whether that lease is still there, and its plugin renews it.
    pub async fn renews(&self, lease: &str) -> bool {
        let renewed = self.server.api().put("sys/leases/renew", json!({"lease_id": lease})).await;
        assert!(renewed.is_ok() || renewed.status == 400, "{renewed}");
        renewed.is_ok()
    }

    /// What the plugin was asked.
    pub fn asked(&self) -> Vec<String> {
        fs::read_to_string(&self.diary).unwrap_or_default().lines().map(String::from).collect()
    }

    /// The plugin is gone, with all that it was, and exactly one event tells why.
    pub async fn has_ended(&self, reason: &str) {
        eventually(DRAIN, "the plugin's process is gone", async || !self.plugin.is_alive()).await;
        assert_eq!(self.server.told_ends_of(self.plugin.pid).await, [reason]);
        let draining = self.server.transitions().into_iter();
        let draining = draining.filter(|each| each.state == "draining" && each.pid == Some(self.plugin.pid));
        assert!(draining.map(|each| each.reason).all(|told| told == reason));
    }

    /// The same, of a plugin that was asked, and did as it was asked.
    pub async fn has_obeyed(&self, reason: &str) {
        self.has_ended(reason).await;
        assert_eq!(self.asked(), ["Shutdown"]);
    }

    /// The mount serves, in a process of its own, and nothing is left of another one.
    pub async fn serves_anew(&self) {
        self.server.api().get("m/pid").await.ok();
        assert_ne!(self.server.only_plugin(), self.plugin);
        eventually(DRAIN, "no zombie is left", async || process::zombies(self.server.pid()).is_empty()).await;
    }
}

/// Waits for a request that was inside: it was answered.
pub async fn answered(request: JoinHandle<Answer>) {
    request.await.unwrap().ok();
}

/// Waits for a request that was inside and could not be waited for: it was refused, in so many words.
pub async fn refused(request: JoinHandle<Answer>, began: Instant) {
    let answer = request.await.unwrap();
    assert!(answer.status >= 500 && !answer.errors().is_empty(), "{answer}");
    assert!(began.elapsed() < DRAIN, "it took {:?}", began.elapsed());
}
