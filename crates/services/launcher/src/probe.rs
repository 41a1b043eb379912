use std::{sync::Arc, time::Duration};

use domain::{PluginType, Reason};
use tokio::time::timeout;
use tonic::Code;
use wire::{
    catalog::v1::PluginRequest,
    launcher::v1::{ProbeReply, ProbeRequest},
    logical::{self, plugin_version_client::PluginVersionClient},
};

use crate::{
    Error, Result,
    entry::Entry,
    external::External,
    host::Host,
    process::{Live, Terms},
    supervised::Supervised,
};

/// Starts a plugin, asks it who it is, and ends it.
pub async fn probe(host: &Arc<Host>, request: ProbeRequest) -> Result<ProbeReply> {
    let ProbeRequest { name, r#type, version } = request;
    let plugin =
        host.resolve(PluginRequest { name, r#type, version, mounted: false, highest: false }).await?;
    if plugin.builtin {
        return Ok(ProbeReply { version: plugin.version, multiplexed: false, r#type: plugin.r#type });
    }
    let entry = Arc::new(Entry::try_from(plugin)?);
    let terms = Terms { limit: host.config.probe_deadline, may_share: true, only_asked: true };
    let process = Supervised::new(Arc::clone(host), Arc::clone(&entry), terms);
    let reply = match process.running().await {
        Ok(live) => {
            let multiplexed = live.multiplexed;
            let (plugin_type, version) = identity(host, entry, live).await;
            Ok(ProbeReply { multiplexed, version, r#type: plugin_type.word().to_owned() })
        }
        Err(error) => Err(error),
    };
    process.stop(Reason::Probed).await;
    reply
}

/// What the plugin says of itself: its type and version. Not to say it is no failure.
async fn identity(host: &Host, entry: Arc<Entry>, live: Arc<Live>) -> (PluginType, String) {
    let limit = host.config.probe_deadline;
    let asked = match entry.plugin_type {
        PluginType::Database => database(&live, limit).await,
        PluginType::Auth | PluginType::Secret => {
            match External::ask_identity(Arc::clone(&entry), Arc::clone(&live), limit).await {
                // Nothing that could be mounted.
                Err(Error::Rpc { code: Code::Unimplemented, .. }) => database(&live, limit).await,
                other => other,
            }
        }
    };
    asked.unwrap_or_else(|error: Error| {
        tracing::warn!(plugin = %entry, %error, "a plugin does not say its version");
        (entry.plugin_type, String::new())
    })
}

async fn database(live: &Live, limit: Duration) -> Result<(PluginType, String)> {
    Ok((PluginType::Database, database_version(live, limit).await?))
}

/// Database plugins say it without any set-up.
async fn database_version(live: &Live, limit: Duration) -> Result<String> {
    let mut client = PluginVersionClient::new(live.connection.channel());
    match timeout(limit, client.version(logical::Empty {})).await {
        Ok(Ok(reply)) => Ok(reply.into_inner().plugin_version),
        Ok(Err(status)) if status.code() == Code::Unimplemented => Ok(String::new()),
        Ok(Err(status)) => Err(Error::Rpc { code: status.code(), message: status.message().to_owned() }),
        Err(_) => Ok(String::new()),
    }
}
