use std::collections::BTreeMap;

use domain::{
    MountKind, MountPath,
    Operation::{Delete, Read, Update},
    PluginVersion,
};

use super::{
    Unfit, settings,
    view::{MountView, version_warning},
};
use crate::{
    answer::Answer,
    ask::Ask,
    endpoint::Endpoint,
    error::Result,
    fields::Fields,
    mounts::{Refusal, Wish},
    plugins::Catalog,
};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::token(
        "mounts",
        &[(Read, |ask| Box::pin(list(ask, MountKind::Secret)))],
        "Lists the secrets engines that are mounted.",
    )
    .on_top(),
    Endpoint::token(
        "auth",
        &[(Read, |ask| Box::pin(list(ask, MountKind::Auth)))],
        "Lists the auth methods that are mounted.",
    )
    .on_top(),
    Endpoint::token(
        "mounts/auth/*path",
        &[
            (Read, |ask| Box::pin(read(ask, MountKind::Auth))),
            (Update, |ask| Box::pin(refuse_auth_path(ask))),
            (Delete, |ask| Box::pin(refuse_auth_removal(ask))),
        ],
        "Tells about an auth method.",
    )
    .on_top(),
    Endpoint::token(
        "mounts/*path",
        &[
            (Read, |ask| Box::pin(read(ask, MountKind::Secret))),
            (Update, |ask| Box::pin(enable(ask, MountKind::Secret))),
            (Delete, |ask| Box::pin(disable(ask, MountKind::Secret))),
        ],
        "Tells about a secrets engine, mounts one, or removes one with its data.",
    )
    .on_top(),
    Endpoint::sudo(
        "auth/*path",
        &[
            (Read, |ask| Box::pin(read(ask, MountKind::Auth))),
            (Update, |ask| Box::pin(enable(ask, MountKind::Auth))),
            (Delete, |ask| Box::pin(disable(ask, MountKind::Auth))),
        ],
        "Tells about an auth method, mounts one, or removes one with its data.",
    )
    .on_top(),
];

/// The path of a mount in the one tree; auth methods are asked for without the `auth/` in front.
pub(super) fn path_of(ask: &Ask, kind: MountKind) -> Result<MountPath, Refusal> {
    let path = ask.capture("path");
    let whole = match kind {
        MountKind::Secret => path.parse(),
        MountKind::Auth => format!("auth/{path}").parse(),
    };
    Ok(whole?)
}

async fn list(ask: Ask, kind: MountKind) -> Result<Answer> {
    let snapshot = ask.active()?.mounts.snapshot();
    let of_kind = snapshot.iter().filter(|(_, mount)| mount.entry.kind == kind && mount.is_listed());
    let views: BTreeMap<&str, MountView<'_>> = of_kind
        .map(|(path, mount)| {
            let path = path.as_str();
            (path.strip_prefix("auth/").unwrap_or(path), MountView::new(&ask.core.config, mount))
        })
        .collect();
    Ok(Answer::data(&views))
}

async fn read(ask: Ask, kind: MountKind) -> Result<Answer> {
    let path = path_of(&ask, kind)?;
    let mount = ask.active()?.mounts.get(&path).filter(|mount| mount.is_listed());
    let mount = mount.ok_or_else(|| {
        let asked = format!("{}/", ask.capture("path").trim_end_matches('/'));
        match kind {
            MountKind::Secret => Refusal::NoSecretMount(asked),
            MountKind::Auth => Refusal::NoAuthMount(asked),
        }
    })?;
    let view = MountView::new(&ask.core.config, &mount);
    Ok(match version_warning(&ask, &mount).await? {
        Some(warning) => Answer::warned(&view, warning),
        None => Answer::data(&view),
    })
}

async fn enable(ask: Ask, kind: MountKind) -> Result<Answer> {
    let wish = wish(&ask, kind)?;
    let catalog = Catalog(ask.core.clients.plugins.clone());
    ask.active()?.mounts.enable(&catalog, wish).await?;
    Ok(Answer::Nothing)
}

async fn disable(ask: Ask, kind: MountKind) -> Result<Answer> {
    let path = path_of(&ask, kind)?;
    let active = ask.active()?;
    active.mounts.disable(active, &path, kind).await?;
    Ok(Answer::Nothing)
}

async fn refuse_auth_path(ask: Ask) -> Result<Answer> {
    Err(Refusal::Reserved(path_of(&ask, MountKind::Auth)?).into())
}

async fn refuse_auth_removal(ask: Ask) -> Result<Answer> {
    Err(Refusal::CannotUnmount(path_of(&ask, MountKind::Auth)?).into())
}

fn wish(ask: &Ask, kind: MountKind) -> Result<Wish> {
    let path = path_of(ask, kind)?;
    let fields = ask.fields()?;
    let (plugin, version_of_alias) = plugin(&fields)?;
    let given = fields.object("config")?.unwrap_or_default();
    let config = settings::config(&given, kind, &plugin, ask.core.config.max_lease_ttl)?;
    let version: PluginVersion =
        given.text("plugin_version")?.unwrap_or_default().parse().map_err(Unfit::Version)?;
    let mut options = fields.map("options")?.unwrap_or_default();
    if let Some(version) = version_of_alias {
        options.insert("version".to_owned(), version.to_owned());
    }
    Ok(Wish {
        path,
        kind,
        plugin,
        version,
        description: fields.text("description")?.unwrap_or_default(),
        options,
        local: fields.flag("local")?.unwrap_or(false),
        seal_wrap: fields.flag("seal_wrap")?.unwrap_or(false),
        external_entropy_access: fields.flag("external_entropy_access")?.unwrap_or(false),
        config,
    })
}

/// The plugin that is meant: `type`, or `plugin_name` where the type says only that it is one; `kv-v2` is `kv` with an option.
fn plugin(fields: &Fields) -> Result<(String, Option<&'static str>)> {
    let named = fields.text("plugin_name")?.filter(|name| !name.is_empty());
    match fields.text("type")?.unwrap_or_default().as_str() {
        "" => named.map(|name| (name, None)).ok_or_else(|| Refusal::NoType.into()),
        "plugin" => named.map(|name| (name, None)).ok_or_else(|| Refusal::NoPluginName.into()),
        "kv-v1" => Ok(("kv".to_owned(), Some("1"))),
        "kv-v2" => Ok(("kv".to_owned(), Some("2"))),
        name => Ok((name.to_owned(), None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plugin_is_found_in_every_form_of_the_request() {
        let found =
            |body: &str| plugin(&Fields::parse(body.as_bytes()).unwrap()).map_err(|error| error.to_string());
        assert_eq!(found(r#"{"type":"kv"}"#), Ok(("kv".to_owned(), None)));
        assert_eq!(found(r#"{"type":"kv-v2"}"#), Ok(("kv".to_owned(), Some("2"))));
        assert_eq!(found(r#"{"type":"plugin","plugin_name":"mine"}"#), Ok(("mine".to_owned(), None)));
        assert_eq!(found(r#"{"plugin_name":"mine"}"#), Ok(("mine".to_owned(), None)));
        assert_eq!(found("{}"), Err("backend type must be specified as a string".to_owned()));
        assert_eq!(
            found(r#"{"type":"plugin"}"#),
            Err("plugin_name must be provided for plugin backend".to_owned())
        );
    }
}
