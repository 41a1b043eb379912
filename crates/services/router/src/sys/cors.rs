use domain::Operation::{Delete, Read, Update};
use serde_json::json;

use super::Unfit;
use crate::{answer::Answer, ask::Ask, endpoint::Endpoint, error::Result, settings::CrossOrigin};

pub(super) const ENDPOINTS: &[Endpoint] = &[Endpoint::sudo(
    "config/cors",
    &[
        (Read, |ask| Box::pin(read(ask))),
        (Update, |ask| Box::pin(write(ask))),
        (Delete, |ask| Box::pin(delete(ask))),
    ],
    "Tells and sets which pages from elsewhere may ask this server, in a browser.",
)
.on_top()];

async fn read(ask: Ask) -> Result<Answer> {
    let setting = ask.active()?.shared.settings.cross_origin.now();
    Ok(Answer::data(&match setting.as_ref() {
        None => json!({ "enabled": false }),
        Some(setting) => json!({
            "enabled": true,
            "allowed_origins": setting.origins(),
            "allowed_headers": setting.headers().collect::<Vec<_>>(),
        }),
    }))
}

async fn write(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?;
    let origins = fields.list("allowed_origins")?.unwrap_or_default();
    if origins.is_empty() {
        return Err(Unfit::NoOrigin.into());
    }
    let headers = fields.list("allowed_headers")?.unwrap_or_default();
    let setting = CrossOrigin::new(origins, headers).ok_or(Unfit::WildcardOrigin)?;
    ask.active()?.shared.settings.cross_origin.change(|_| Ok(Some(setting))).await?;
    Ok(Answer::Nothing)
}

async fn delete(ask: Ask) -> Result<Answer> {
    ask.active()?.shared.settings.cross_origin.change(|_| Ok(None)).await?;
    Ok(Answer::Nothing)
}
