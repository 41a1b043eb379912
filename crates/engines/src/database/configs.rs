use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;
use tenon::{
    Error, Reason, Request, Response, Result, database,
    framework::{NoInput, Outcome},
};

use super::{
    Databases,
    config::{Config, Wish},
    connecting::no_connection,
    store::CONFIGS,
};

/// Vault looks for a plugin of two interfaces, and says so.
fn told(error: &database::Error) -> String {
    match error {
        database::Error::Unavailable(why) if why.starts_with("plugin not found in the catalog") => {
            format!("invalid database version: 2 errors occurred:\n\t* {why}\n\t* {why}\n\n")
        }
        error => error.to_string(),
    }
}

#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
}

#[derive(Deserialize)]
pub(super) struct OfPlugin {
    plugin_name: String,
}

impl Databases {
    pub(super) async fn list_configs(self: Arc<Self>, _: Request, _: NoInput) -> Outcome {
        Ok(Some(Response::keys(&self.names(CONFIGS).await?)))
    }

    pub(super) async fn config_exists(self: Arc<Self>, _: Request, named: Named) -> Result<bool> {
        Ok(self.config(&named.name).await?.is_some())
    }

    pub(super) async fn read_config(self: Arc<Self>, _: Request, named: Named) -> Outcome {
        let config = self.config(&named.name).await?;
        config.map(|config| Response::json(&config.view())).transpose()
    }

    /// The new connection is opened before the old one ends: if it fails, the old one goes on.
    pub(super) async fn write_config(self: Arc<Self>, _: Request, wish: Wish) -> Outcome {
        let name = wish.name.clone();
        let slot = self.connections.slot(&name);
        let _turn = slot.turn.lock().await;
        let config = Config::wished(self.config(&name).await?, wish)?;
        let opened = self.open(&config, config.verify_connection, Reason::ConnectionChanged).await;
        let refused = |error| Error::refused(format!("error creating database object: {}", told(&error)));
        let (live, config) = opened.map_err(refused)?;
        if let Err(error) = self.save(CONFIGS, &name, &config).await {
            live.end(Reason::ConnectionChanged).await;
            return Err(error);
        }
        if let Some(old) = slot.put(Some(live)) {
            old.end(Reason::ConnectionChanged).await;
        }
        Ok(config.warning().map(Response::warning))
    }

    pub(super) async fn delete_config(self: Arc<Self>, _: Request, named: Named) -> Outcome {
        let slot = self.connections.slot(&named.name);
        let _turn = slot.turn.lock().await;
        self.remove(CONFIGS, &named.name).await?;
        slot.end(Reason::ConnectionDeleted).await;
        Ok(None)
    }

    pub(super) async fn reset(self: Arc<Self>, _: Request, named: Named) -> Outcome {
        if self.config(&named.name).await?.is_none() {
            return Err(no_connection(&named.name));
        }
        self.open_anew(&named.name, Reason::ConnectionReset).await?;
        Ok(None)
    }

    async fn open_anew(&self, name: &str, reason: Reason) -> Result<()> {
        let slot = self.connections.slot(name);
        let _turn = slot.turn.lock().await;
        slot.end(reason).await;
        slot.put(Some(self.open_by_what_works(name, reason).await?));
        Ok(())
    }

    /// Opens all connections of a plugin anew.
    pub(super) async fn reload(self: Arc<Self>, _: Request, wish: OfPlugin) -> Outcome {
        let (mut connections, mut failed) = (Vec::new(), Vec::new());
        for name in self.names(CONFIGS).await? {
            let config = self.config(&name).await?;
            if config.is_none_or(|config| config.plugin_name != wish.plugin_name) {
                continue;
            }
            match self.open_anew(&name, Reason::Reloaded).await {
                Ok(()) => connections.push(name),
                Err(error) => {
                    tracing::error!(connection = name, %error, "a database connection could not be reloaded");
                    failed.push(format!("failed to reload connection {name:?}: {error}"));
                }
            }
        }
        let count = connections.len();
        let response = Response::json(&json!({ "connections": connections, "count": count }))?;
        Ok(Some(Response { warnings: failed, ..response }))
    }
}
