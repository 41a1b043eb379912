use domain::{
    Operation::{Delete, Read, Update},
    PluginName, PluginType, PluginVersion,
};
use serde_json::json;
use wire::catalog::v1::{ListPinsRequest, PluginRequest};

use super::Unfit;
use crate::{Error, answer::Answer, ask::Ask, endpoint::Endpoint, error::Result};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::token(
        "plugins/pins",
        &[(Read, |ask| Box::pin(list(ask)))],
        "Lists the plugins that are bound to one version.",
    ),
    Endpoint::sudo(
        "plugins/pins/:type/*name",
        &[
            (Read, |ask| Box::pin(read(ask))),
            (Update, |ask| Box::pin(pin(ask))),
            (Delete, |ask| Box::pin(unpin(ask))),
        ],
        "Binds all mounts of a plugin to one version, each from its next start or reload.",
    ),
];

async fn list(ask: Ask) -> Result<Answer> {
    let reply = ask.core.clients.plugins.list_pins(ListPinsRequest {}).await?.into_inner();
    let pins: Vec<_> = reply
        .pins
        .iter()
        .map(|pin| json!({ "name": pin.name, "type": pin.r#type, "version": pin.version }))
        .collect();
    Ok(Answer::data(&json!({ "pinned_versions": pins })))
}

async fn read(ask: Ask) -> Result<Answer> {
    let request = request(&ask, PluginVersion::NONE)?;
    let (name, plugin_type) = (request.name.clone(), request.r#type.clone());
    let version = ask.core.clients.plugins.get_pin(request).await?.into_inner().version;
    if version.is_empty() {
        return Err(Unfit::NoPin.into());
    }
    Ok(Answer::data(&json!({ "name": name, "type": plugin_type, "version": version })))
}

async fn pin(ask: Ask) -> Result<Answer> {
    let version = ask.fields()?.text("version")?.unwrap_or_default();
    let version: PluginVersion = version.parse().map_err(Unfit::Version)?;
    ask.core.clients.plugins.pin(request(&ask, version)?).await?;
    Ok(Answer::warnings(Vec::new()))
}

async fn unpin(ask: Ask) -> Result<Answer> {
    ask.core.clients.plugins.unpin(request(&ask, PluginVersion::NONE)?).await?;
    Ok(Answer::warnings(Vec::new()))
}

fn request(ask: &Ask, version: PluginVersion) -> Result<PluginRequest> {
    let plugin_type: PluginType = ask.capture("type").parse().map_err(|_| Error::UnsupportedPath)?;
    let name: PluginName = ask.capture("name").trim_end_matches('/').parse().map_err(Unfit::Name)?;
    Ok(PluginRequest {
        name: name.into(),
        r#type: plugin_type.word().to_owned(),
        version: version.into(),
        mounted: false,
        highest: false,
    })
}
