//! What would run plugins in containers. Here they run as processes, so there are none.

use domain::Operation::{Delete, List, Read, Update};
use serde_json::json;

use super::Unfit;
use crate::{Error, answer::Answer, ask::Ask, endpoint::Endpoint, error::Result};

/// The one type that clients know.
const CONTAINER: &str = "container";

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::token(
        "plugins/runtimes/catalog",
        &[(Read, |ask| Box::pin(list(ask))), (List, |ask| Box::pin(list(ask)))],
        "Lists what can run plugins beside processes: nothing.",
    ),
    Endpoint::sudo(
        "plugins/runtimes/catalog/container/:name",
        &[
            (Read, |_| Box::pin(async { Err(Error::Nothing) })),
            (Update, |_| Box::pin(async { Err(Unfit::Runtimes.into()) })),
            (Delete, |_| Box::pin(async { Err(Unfit::NoRuntime.into()) })),
        ],
        "Plugins run as processes: no runtime can be registered.",
    ),
];

async fn list(ask: Ask) -> Result<Answer> {
    match ask.fields()?.text("type")?.unwrap_or_default() {
        word if word.is_empty() || word == CONTAINER => Ok(Answer::data(&json!({ "runtimes": [] }))),
        word => Err(Unfit::RuntimeType(word).into()),
    }
}
