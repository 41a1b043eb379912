use base64::{Engine, engine::general_purpose::STANDARD};
use domain::Operation::{Read, Update};
use serde::Serialize;
use serde_json::json;
use wire::catalog::v1::{SealStatus, UnsealRequest};

use super::Unfit;
use crate::{
    answer::Answer,
    ask::Ask,
    endpoint::{Access, Endpoint},
    error::Result,
};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new(
        "seal-status",
        Access::Direct,
        &[(Read, |ask| Box::pin(status(ask)))],
        "Tells whether the server is sealed, and how far unsealing has come.",
    ),
    Endpoint::new(
        "unseal",
        Access::Direct,
        &[(Update, |ask| Box::pin(unseal(ask)))],
        "Takes one of the keys that unseal the server.",
    ),
    Endpoint::new(
        "leader",
        Access::Direct,
        &[(Read, |ask| Box::pin(leader(ask)))],
        "Tells which node is active.",
    ),
    Endpoint::new(
        "seal-backend-status",
        Access::Direct,
        &[(Read, |ask| Box::pin(backend_status(ask)))],
        "Tells whether what seals the server can be reached.",
    ),
    Endpoint::sudo(
        "seal",
        &[(Update, |ask| Box::pin(seal(ask)))],
        "Seals the server: stops all plugins and forgets the keys.",
    ),
    Endpoint::sudo(
        "step-down",
        &[(Update, |ask| Box::pin(step_down(ask)))],
        "Gives up being the active node: stops all plugins, and lets any node become the active one.",
    ),
];

#[derive(Serialize)]
struct StatusView<'a> {
    r#type: &'static str,
    initialized: bool,
    sealed: bool,
    t: u32,
    n: u32,
    progress: u32,
    nonce: String,
    version: &'a str,
    build_date: &'a str,
    migration: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_id: Option<String>,
    recovery_seal: bool,
    storage_type: String,
}

fn view(ask: &Ask, status: SealStatus) -> Answer {
    let config = &ask.core.config;
    let unsealed = !status.sealed;
    Answer::bare(&StatusView {
        r#type: "shamir",
        initialized: status.initialized,
        sealed: status.sealed,
        t: status.threshold,
        n: status.shares,
        progress: status.progress,
        nonce: status.nonce,
        version: &config.version,
        build_date: &config.build_date,
        migration: false,
        cluster_name: unsealed.then_some(status.cluster_name),
        cluster_id: unsealed.then_some(status.cluster_id),
        recovery_seal: false,
        storage_type: status.storage_type,
    })
}

async fn status(ask: Ask) -> Result<Answer> {
    let status = ask.core.status().await?;
    Ok(view(&ask, status))
}

async fn unseal(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?.in_any_case();
    if fields.flag("migrate")?.unwrap_or(false) {
        return Err(Unfit::NoMigration.into());
    }
    let reset = fields.flag("reset")?.unwrap_or(false);
    let key = fields.text("key")?.unwrap_or_default();
    if key.is_empty() && !reset {
        return Err(Unfit::NoKey.into());
    }
    let share = if reset { Vec::new() } else { decode(&key)? };
    let before = ask.core.status().await?;
    if before.initialized && !before.sealed {
        return if reset { Err(Unfit::Unsealed.into()) } else { Ok(view(&ask, before)) };
    }
    if !reset && share.len() < SHORTEST {
        return Err(Unfit::ShortKey.into());
    }
    let request = UnsealRequest { share: share.into(), reset };
    let status = ask.core.clients.barrier.unseal(request).await?.into_inner();
    if !status.sealed {
        tracing::info!("unsealed");
        // The barrier is open, whatever else may be wrong; what is wrong is tried again by the next request.
        if let Err(error) = ask.core.active().await {
            tracing::error!(error = %error, "unsealed, but what is stored could not be read");
        }
    }
    Ok(view(&ask, status))
}

/// Shares are at least this long, in bytes.
const SHORTEST: usize = 16;
/// A key of the barrier, and what marks a share of it.
const LONGEST: usize = 33;

/// Hex, or base64. Some base64 looks like hex; then the length decides.
pub(super) fn decode(key: &str) -> Result<Vec<u8>, Unfit> {
    let hex = hex::decode(key).ok().filter(|share| (SHORTEST..=LONGEST).contains(&share.len()));
    hex.map_or_else(|| STANDARD.decode(key).map_err(|_| Unfit::Key), Ok)
}

async fn seal(ask: Ask) -> Result<Answer> {
    ask.core.seal().await?;
    Ok(Answer::Nothing)
}

async fn step_down(ask: Ask) -> Result<Answer> {
    ask.core.step_down().await;
    Ok(Answer::Nothing)
}

async fn leader(_: Ask) -> Result<Answer> {
    Ok(Answer::bare(&json!({
        "ha_enabled": false,
        "is_self": false,
        "active_time": "0001-01-01T00:00:00Z",
        "leader_address": "",
        "leader_cluster_address": "",
        "performance_standby": false,
        "performance_standby_last_remote_wal": 0,
    })))
}

async fn backend_status(_: Ask) -> Result<Answer> {
    Ok(Answer::bare(&json!({
        "healthy": true,
        "backends": [{ "name": "shamir", "healthy": true }],
        "fully_wrapped": true,
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_taken_in_hex_and_in_base64() {
        let share = vec![0xab; 33];
        assert_eq!(decode(&hex::encode(&share)), Ok(share.clone()));
        assert_eq!(decode(&STANDARD.encode(&share)), Ok(share));
        for bad in ["!!!", "00", "zz"] {
            assert_eq!(decode(bad), Err(Unfit::Key), "{bad}");
        }
    }
}
