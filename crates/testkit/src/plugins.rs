//! Plugins of a server: put into its plugin directory and registered in its catalog.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use crate::{Answer, Api, Plugin, Server};

/// What a catalog entry says beside its name.
#[derive(Clone, Copy, Debug)]
pub struct Registration<'a> {
    /// `secret`, `auth` or `database`.
    pub kind: &'a str,
    /// A semantic version, or nothing.
    pub version: &'a str,
    /// Arguments for the program.
    pub args: &'a [&'a str],
    /// Environment for the program, as `NAME=VALUE`.
    pub env: &'a [&'a str],
}

impl Default for Registration<'_> {
    fn default() -> Self {
        Self { kind: "secret", version: "", args: &[], env: &[] }
    }
}

impl Server {
    /// Copies a program into the plugin directory. It appears there whole, in place of what had its name.
    pub fn install(&self, plugin: &Plugin) -> PathBuf {
        let target = self.plugin_directory().join(plugin.command());
        let part = target.with_extension("part");
        fs::copy(&plugin.path, &part).expect("a plugin can be copied into the plugin directory");
        fs::rename(&part, &target).expect("a plugin can be renamed in the plugin directory");
        target
    }

    /// Installs a program and registers it as the secrets engine `name`.
    pub async fn register(&self, name: &str, plugin: &Plugin) {
        self.register_as(name, plugin, Registration::default()).await;
    }

    /// Installs a program and registers it with everything a catalog entry can say.
    pub async fn register_as(&self, name: &str, plugin: &Plugin, entry: Registration<'_>) {
        self.install(plugin);
        self.api().register(plugin, name, entry).await.ok();
    }

    /// Registers a program as the secrets engine `name` and enables that at the path `name`.
    pub async fn mount(&self, name: &str, plugin: &Plugin) {
        self.register(name, plugin).await;
        self.enable(name, name).await;
    }

    /// Enables the secrets engine `name` at `path`.
    pub async fn enable(&self, path: &str, name: &str) {
        self.api().post(&format!("sys/mounts/{path}"), json!({"type": name})).await.ok();
    }

    /// Disables the secrets engine at `path`.
    pub async fn disable(&self, path: &str) {
        self.api().delete(&format!("sys/mounts/{path}")).await.ok();
    }
}

impl Api {
    /// Asks for a registration, which may be refused.
    pub async fn register(&self, plugin: &Plugin, name: &str, entry: Registration<'_>) -> Answer {
        let mut body = json!({
            "sha256": plugin.sha256,
            "command": plugin.command(),
            "args": entry.args,
            "env": entry.env,
        });
        if !entry.version.is_empty() {
            body["version"] = json!(entry.version);
        }
        self.put(&format!("sys/plugins/catalog/{}/{name}", entry.kind), body).await
    }
}
