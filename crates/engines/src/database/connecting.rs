//! How connections are opened: by what is stored, and, where a change of the root user's password was cut off, by the
//! password that works.

use std::sync::Arc;

use tenon::{
    Error, Reason, Result,
    database::{self, Opened},
};

use super::{
    Databases,
    config::Config,
    connection::{InUse, Live, Slot},
    store::CONFIGS,
};

/// There is no connection of that name.
pub(super) fn no_connection(name: &str) -> Error {
    Error::refused(format!("failed to find entry for connection with name: {name:?}"))
}

impl Databases {
    pub(super) async fn known_config(&self, name: &str) -> Result<Config> {
        self.config(name).await?.ok_or_else(|| no_connection(name))
    }

    /// The connection of that name, for use. It is opened if it is not.
    pub(super) async fn connection(&self, name: &str) -> Result<InUse> {
        let slot = self.connections.slot(name);
        loop {
            let live = match slot.live() {
                Some(live) => live,
                None => {
                    let _turn = slot.turn.lock().await;
                    self.open_in_turn(&slot, name).await?
                }
            };
            // It may have ended while we waited for it.
            if let Some(in_use) = live.enter().await {
                return Ok(in_use);
            }
        }
    }

    /// The connection, opened if it is not. The caller has its turn.
    pub(super) async fn open_in_turn(&self, slot: &Slot, name: &str) -> Result<Arc<Live>> {
        if let Some(live) = slot.live() {
            return Ok(live);
        }
        let live = self.open_by_what_works(name, Reason::ConnectionReset).await?;
        slot.put(Some(Arc::clone(&live)));
        Ok(live)
    }

    /// Opens a connection by what is stored. If a change of its root password was cut off, that may be out of date: then
    /// the other passwords of it are tried, and what works is stored.
    pub(super) async fn open_by_what_works(&self, name: &str, reason: Reason) -> Result<Arc<Live>> {
        let config = self.known_config(name).await?;
        let others = self.other_passwords(name, &config).await?;
        let verify = config.verify_connection || !others.is_empty();
        let refused = match self.open(&config, verify, reason).await {
            Ok((live, _)) => return Ok(live),
            Err(refused) => refused,
        };
        for password in others {
            let other = config.with_password(password.expose());
            if let Ok((live, other)) = self.open(&other, true, reason).await {
                self.save(CONFIGS, name, &other).await?;
                tracing::info!(
                    connection = name,
                    "a change of the root password that was cut off is finished"
                );
                return Ok(live);
            }
        }
        Err(refused.into())
    }

    /// Opens a connection; returns it and what it is to be kept as. One that fails is ended for that reason.
    pub(super) async fn open(
        &self,
        config: &Config,
        verify: bool,
        reason: Reason,
    ) -> database::Result<(Arc<Live>, Config)> {
        let opened: Opened =
            self.plugins.open(&self.host, &config.plugin_name, &config.plugin_version).await?;
        let (live, settings) = Live::initialized(opened, config.settings(), verify, reason).await?;
        Ok((live, Config { connection_details: settings.0, ..config.clone() }))
    }
}
