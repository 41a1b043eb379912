use std::time::Duration;

use domain::{
    Operation::{Read, Update},
    format_go_duration,
};
use jiff::Timestamp;
use serde_json::json;
use wire::catalog::v1::{KeyStatusRequest, RotateRequest};

use super::Unfit;
use crate::{
    answer::Answer,
    ask::Ask,
    endpoint::Endpoint,
    error::Result,
    rotation::{self, Rotation},
};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::sudo(
        "rotate",
        &[(Update, |ask| Box::pin(rotate(ask)))],
        "Makes a new key for everything that is stored from now on.",
    )
    .on_top(),
    Endpoint::sudo(
        "rotate/keyring",
        &[(Update, |ask| Box::pin(rotate(ask)))],
        "Makes a new key for everything that is stored from now on.",
    ),
    Endpoint::token(
        "rotate/config",
        &[(Read, |ask| Box::pin(config(ask))), (Update, |ask| Box::pin(configure(ask)))],
        "Tells and sets when the key is rotated by itself.",
    ),
    Endpoint::token(
        "key-status",
        &[(Read, |ask| Box::pin(status(ask)))],
        "Tells about the key that everything is stored with.",
    )
    .on_top(),
];

async fn rotate(ask: Ask) -> Result<Answer> {
    let status = ask.core.clients.barrier.rotate(RotateRequest {}).await?.into_inner();
    tracing::info!(term = status.term, "the storage key was rotated");
    Ok(Answer::Nothing)
}

async fn status(ask: Ask) -> Result<Answer> {
    let status = ask.core.clients.barrier.get_key_status(KeyStatusRequest {}).await?.into_inner();
    let installed = Timestamp::from_nanosecond(status.install_time.into()).unwrap_or(Timestamp::UNIX_EPOCH);
    Ok(Answer::data(&json!({
        "term": status.term,
        "install_time": installed.to_string(),
        "encryptions": status.encryptions,
    })))
}

async fn config(ask: Ask) -> Result<Answer> {
    let Rotation { enabled, interval, max_operations } = Rotation::load(&ask.core.store).await?;
    let interval = match interval {
        0 => json!(0),
        seconds => json!(format_go_duration(Duration::from_secs(seconds))),
    };
    Ok(Answer::data(&json!({ "enabled": enabled, "interval": interval, "max_operations": max_operations })))
}

async fn configure(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?;
    let mut rotation = Rotation::load(&ask.core.store).await?;
    rotation.enabled = fields.flag("enabled")?.unwrap_or(rotation.enabled);
    if let Some(written) = fields.duration("interval")? {
        let interval = written.value.map_err(|why| Unfit::RotationDuration(why.to_string()))?;
        if !interval.is_zero() && interval < rotation::SHORTEST {
            return Err(Unfit::RotationInterval.into());
        }
        rotation.interval = interval.as_secs();
    }
    if let Some(number) = fields.number("max_operations")? {
        let allowed = u64::try_from(number).ok().filter(|number| rotation::OPERATIONS.contains(number));
        rotation.max_operations = allowed.ok_or(Unfit::RotationOperations)?;
    }
    rotation.save(&ask.core.store).await?;
    Ok(Answer::Nothing)
}
