use std::collections::HashMap;

use domain::{
    MountKind,
    Operation::{Read, Update},
};
use serde::Serialize;

use super::{
    Unfit,
    mounts::path_of,
    settings,
    view::{LockoutView, OptionalView, pin_warning, seconds, shown_token_type, version_warning},
};
use crate::{
    answer::Answer,
    ask::Ask,
    endpoint::Endpoint,
    error::Result,
    fields::Fields,
    lockout::LockoutTuning,
    mounts::{Mount, Refusal, SYSTEM, Tuning},
    plugins::Catalog,
};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::token(
        "mounts/auth/*path/tune",
        &[
            (Read, |ask| Box::pin(read(ask, MountKind::Auth))),
            (Update, |ask| Box::pin(tune(ask, MountKind::Auth))),
        ],
        "Tells and changes the settings of an auth method.",
    )
    .on_top(),
    Endpoint::token(
        "mounts/*path/tune",
        &[
            (Read, |ask| Box::pin(read(ask, MountKind::Secret))),
            (Update, |ask| Box::pin(tune(ask, MountKind::Secret))),
        ],
        "Tells and changes the settings of a secrets engine.",
    )
    .on_top(),
    Endpoint::sudo(
        "auth/*path/tune",
        &[
            (Read, |ask| Box::pin(read(ask, MountKind::Auth))),
            (Update, |ask| Box::pin(tune(ask, MountKind::Auth))),
        ],
        "Tells and changes the settings of an auth method.",
    )
    .on_top(),
];

#[derive(Serialize)]
struct TuneView<'a> {
    default_lease_ttl: u64,
    max_lease_ttl: u64,
    description: &'a str,
    force_no_cache: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<&'a HashMap<String, String>>,
    #[serde(skip_serializing_if = "String::is_empty")]
    plugin_version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'a str>,
    #[serde(flatten)]
    lockout: Option<LockoutView>,
    #[serde(flatten)]
    optional: OptionalView<'a>,
}

async fn read(ask: Ask, kind: MountKind) -> Result<Answer> {
    let path = path_of(&ask, kind)?;
    let mounts = &ask.active()?.mounts;
    let mount = mounts.get(&path).ok_or(Refusal::NoSettings(path))?;
    let entry = &mount.entry;
    let ttl = mounts.ttl(entry);
    let view = TuneView {
        default_lease_ttl: seconds(ttl.default),
        max_lease_ttl: seconds(ttl.max),
        description: &entry.description,
        force_no_cache: entry.config.force_no_cache,
        options: entry.options.as_ref().filter(|options| !options.is_empty()),
        plugin_version: entry.plugin_version.to_string(),
        token_type: shown_token_type(entry.kind, &entry.config),
        lockout: LockoutView::of(&entry.config),
        optional: OptionalView::tuned(&entry.config),
    };
    let warning = match pin_warning(&ask, &mount).await? {
        None => version_warning(&ask, &mount).await?,
        warning => warning,
    };
    Ok(match warning {
        Some(warning) => Answer::warned(&view, warning),
        None => Answer::data(&view),
    })
}

async fn tune(ask: Ask, kind: MountKind) -> Result<Answer> {
    let path = path_of(&ask, kind)?;
    let fixed = [SYSTEM, "cubbyhole/", "audit/"];
    if fixed.iter().any(|fixed| path.as_str().starts_with(fixed)) {
        return Err(Refusal::CannotTune(path).into());
    }
    let mounts = &ask.active()?.mounts;
    let mount = mounts.get(&path).ok_or_else(|| Refusal::NothingToTune(path.clone()))?;
    let tuning = tuning(&ask.fields()?, &mount)?;
    check_plugin(&ask, &mount, &tuning).await?;
    Ok(match mounts.tune(&path, tuning).await? {
        Some(warning) => Answer::warning(warning),
        None => Answer::Nothing,
    })
}

fn tuning(fields: &Fields, mount: &Mount) -> Result<Tuning> {
    let version = fields.text("plugin_version")?;
    Ok(Tuning {
        default_lease_ttl: settings::ttl(fields, "default_lease_ttl", "default")?,
        max_lease_ttl: settings::ttl(fields, "max_lease_ttl", "max")?,
        description: fields.text("description")?,
        options: fields.map("options")?.filter(|options| !options.is_empty()),
        plugin_version: version.map(|text| text.parse()).transpose().map_err(Unfit::Version)?,
        plugin_name: fields.text("plugin_name")?.filter(|name| !name.is_empty()),
        listing_visibility: settings::visibility(fields)?,
        token_type: settings::token_type(fields)?,
        audit_non_hmac_request_keys: fields.list("audit_non_hmac_request_keys")?,
        audit_non_hmac_response_keys: fields.list("audit_non_hmac_response_keys")?,
        passthrough_request_headers: fields.list("passthrough_request_headers")?,
        allowed_response_headers: fields.list("allowed_response_headers")?,
        allowed_managed_keys: fields.list("allowed_managed_keys")?,
        delegated_auth_accessors: fields.list("delegated_auth_accessors")?,
        identity_token_key: settings::identity_token_key(fields)?,
        trim_request_trailing_slashes: fields.flag("trim_request_trailing_slashes")?,
        user_lockout: LockoutTuning::of(fields, mount.entry.kind, &mount.entry.plugin)?,
    })
}

/// A mount is only pointed at a plugin that exists.
async fn check_plugin(ask: &Ask, mount: &Mount, tuning: &Tuning) -> Result<()> {
    let name = tuning.plugin_name.as_deref().unwrap_or(&mount.entry.plugin);
    let plugin_type = mount.entry.kind.plugin_type();
    let catalog = Catalog(ask.core.clients.plugins.clone());
    if tuning.plugin_version.is_some()
        && let Some(pinned) = catalog.pinned(name, plugin_type).await?
    {
        return Err(Refusal::PinInEffect { plugin_type, plugin: name.to_owned(), pinned }.into());
    }
    let version = match (&tuning.plugin_version, &tuning.plugin_name) {
        (Some(version), _) if !version.is_none() => version,
        (_, Some(_)) => &mount.entry.plugin_version,
        _ => return Ok(()),
    };
    catalog.resolve(name, plugin_type, version).await?;
    Ok(())
}
