use domain::Operation::{Read, Update};
use jiff::Timestamp;
use serde_json::json;
use wire::catalog::v1::{KeyStatusRequest, RotateRequest};

use crate::{
    answer::Answer,
    ask::Ask,
    endpoint::{Access, Endpoint},
    error::Result,
};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        pattern: "rotate",
        access: Access::Sudo,
        on_top: true,
        operations: &[(Update, |ask| Box::pin(rotate(ask)))],
        help: "Makes a new key for everything that is stored from now on.",
    },
    Endpoint {
        pattern: "rotate/keyring",
        access: Access::Sudo,
        on_top: false,
        operations: &[(Update, |ask| Box::pin(rotate(ask)))],
        help: "Makes a new key for everything that is stored from now on.",
    },
    Endpoint {
        pattern: "key-status",
        access: Access::Token,
        on_top: true,
        operations: &[(Read, |ask| Box::pin(status(ask)))],
        help: "Tells about the key that everything is stored with.",
    },
];

async fn rotate(ask: Ask) -> Result<Answer> {
    let status = ask.core.clients.barrier.clone().rotate(RotateRequest {}).await?.into_inner();
    tracing::info!(term = status.term, "the storage key was rotated");
    Ok(Answer::Nothing)
}

async fn status(ask: Ask) -> Result<Answer> {
    let status = ask.core.clients.barrier.clone().get_key_status(KeyStatusRequest {}).await?.into_inner();
    let installed = Timestamp::from_nanosecond(status.install_time.into()).unwrap_or(Timestamp::UNIX_EPOCH);
    Ok(Answer::data(&json!({
        "term": status.term,
        "install_time": installed.to_string(),
        "encryptions": status.encryptions,
    })))
}
