use std::collections::{BTreeMap, HashSet};

use domain::{
    Kind,
    Operation::{Delete, List, Read, Update},
    PluginName, PluginType, PluginVersion,
};
use serde::Serialize;
use serde_json::json;
use wire::catalog::v1::{ListPluginsRequest, Plugin, PluginRequest};

use super::{Unfit, register::register};
use crate::{Error, answer::Answer, ask::Ask, endpoint::Endpoint, error::Result, plugins::version_of};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::token(
        "plugins/catalog",
        &[(Read, |ask| Box::pin(list(ask)))],
        "Lists all plugins that are known.",
    ),
    Endpoint::token(
        "plugins/catalog/",
        &[(Read, |ask| Box::pin(list(ask)))],
        "Lists all plugins that are known.",
    ),
    Endpoint::sudo(
        "plugins/catalog/:type/",
        &[(List, |ask| Box::pin(list_type(ask)))],
        "Lists the names of the plugins of one type: auth, database or secret.",
    ),
    Endpoint::sudo(
        "plugins/catalog/*name",
        &[
            (Read, |ask| Box::pin(read(ask))),
            (Update, |ask| Box::pin(register(ask))),
            (Delete, |ask| Box::pin(deregister(ask))),
        ],
        "Tells about a plugin, registers one, or takes one out; the path is TYPE/NAME.",
    ),
];

#[derive(Serialize)]
struct DetailView<'a> {
    builtin: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    damaged: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    deprecation_status: Option<&'static str>,
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    oci_image: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    runtime: &'a str,
    #[serde(skip_serializing_if = "String::is_empty")]
    sha256: String,
    r#type: &'a str,
    version: &'a str,
}

#[derive(Serialize)]
struct PluginView<'a> {
    args: Option<&'a [String]>,
    builtin: bool,
    command: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    damaged: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    deprecation_status: Option<&'static str>,
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    oci_image: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    runtime: &'a str,
    sha256: String,
    version: &'a str,
}

/// A plugin as a path names it: with its type, or as older clients do, without.
pub(super) fn named(path: &str) -> (Option<PluginType>, &str) {
    match path.split_once('/') {
        Some((word, name)) if !name.is_empty() => {
            word.parse().map_or((None, path), |plugin_type| (Some(plugin_type), name))
        }
        _ => (None, path),
    }
}

async fn plugins(ask: &Ask, type_word: &str) -> Result<Vec<Plugin>> {
    let request = ListPluginsRequest { r#type: type_word.to_owned() };
    let reply = ask.core.clients.plugins.list(request).await?;
    let mut plugins = reply.into_inner().plugins;
    plugins.sort_by_cached_key(|plugin| (plugin.r#type.clone(), plugin.name.clone(), version_of(plugin)));
    Ok(plugins)
}

/// Names that can be used without a version.
fn names(plugins: &[Plugin], plugin_type: PluginType) -> Vec<&str> {
    let of_type = plugins.iter().filter(|plugin| plugin.r#type == plugin_type.word());
    let mut names: Vec<&str> = of_type
        .filter(|plugin| plugin.builtin || plugin.version.is_empty())
        .map(|plugin| plugin.name.as_str())
        .collect();
    names.dedup();
    names
}

async fn list(ask: Ask) -> Result<Answer> {
    let plugins = plugins(&ask, "").await?;
    let overriding: HashSet<(&str, &str)> = plugins
        .iter()
        .filter(|plugin| !plugin.builtin && plugin.version.is_empty())
        .map(|plugin| (plugin.r#type.as_str(), plugin.name.as_str()))
        .collect();
    let shown = plugins.iter().filter(|plugin| {
        !plugin.builtin || !overriding.contains(&(plugin.r#type.as_str(), plugin.name.as_str()))
    });
    let detailed: Vec<DetailView<'_>> = shown
        .map(|plugin| DetailView {
            builtin: plugin.builtin,
            damaged: plugin.damaged,
            deprecation_status: plugin.builtin.then_some("supported"),
            name: &plugin.name,
            oci_image: &plugin.oci_image,
            runtime: &plugin.runtime,
            sha256: hex::encode(&plugin.sha256),
            r#type: &plugin.r#type,
            version: &plugin.version,
        })
        .collect();
    let by_type = PluginType::ALL.into_iter().map(|each| (each.word(), json!(names(&plugins, each))));
    let mut data: BTreeMap<&str, serde_json::Value> = by_type.collect();
    data.insert("detailed", json!(detailed));
    Ok(Answer::data(&data))
}

async fn list_type(ask: Ask) -> Result<Answer> {
    let plugin_type: PluginType = ask.capture("type").parse().map_err(|_| Error::UnsupportedOperation)?;
    let plugins = plugins(&ask, plugin_type.word()).await?;
    Answer::keys(&names(&plugins, plugin_type))
}

async fn read(ask: Ask) -> Result<Answer> {
    let (Some(plugin_type), name) = named(ask.capture("name")) else {
        let name = ask.capture("name");
        return Ok(Answer::warning(format!(
            "Deprecated API endpoint, cannot read plugin information from catalog for {name:?}"
        )));
    };
    let request = request(&ask, plugin_type, name)?;
    let plugin = match ask.core.clients.plugins.get(request).await.map_err(Error::from) {
        Ok(reply) => reply.into_inner(),
        Err(Error::Below(failure)) if failure.kind == Kind::NotFound => return Err(Error::Nothing),
        Err(error) => return Err(error),
    };
    Ok(Answer::data(&PluginView {
        args: (!plugin.builtin).then_some(&plugin.args),
        builtin: plugin.builtin,
        command: &plugin.command,
        damaged: plugin.damaged,
        deprecation_status: plugin.builtin.then_some("supported"),
        name: &plugin.name,
        oci_image: &plugin.oci_image,
        runtime: &plugin.runtime,
        sha256: hex::encode(&plugin.sha256),
        version: &plugin.version,
    }))
}

async fn deregister(ask: Ask) -> Result<Answer> {
    let (Some(plugin_type), name) = named(ask.capture("name")) else {
        let name = ask.capture("name");
        return Ok(Answer::warning(format!(
            "Deprecated API endpoint, cannot deregister plugin from catalog for {name:?}"
        )));
    };
    let request = request(&ask, plugin_type, name)?;
    let version: PluginVersion = request.version.parse().map_err(Unfit::Version)?;
    if version.is_builtin() {
        return Err(Unfit::DeleteBuiltin(version.to_string()).into());
    }
    ask.core.clients.plugins.deregister(request).await?;
    Ok(Answer::Nothing)
}

fn request(ask: &Ask, plugin_type: PluginType, name: &str) -> Result<PluginRequest> {
    let name: PluginName = name.trim_end_matches('/').parse().map_err(Unfit::Name)?;
    let version = ask.fields()?.text("version")?.unwrap_or_default();
    let version: PluginVersion = version.parse().map_err(Unfit::Version)?;
    Ok(PluginRequest {
        name: name.as_str().to_owned(),
        r#type: plugin_type.word().to_owned(),
        version: version.to_string(),
        mounted: false,
        highest: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_plugin_with_its_type_or_without() {
        assert_eq!(named("secret/kv"), (Some(PluginType::Secret), "kv"));
        assert_eq!(named("secret/a/b"), (Some(PluginType::Secret), "a/b"));
        assert_eq!(named("kv"), (None, "kv"));
        assert_eq!(named("foo/kv"), (None, "foo/kv"));
        assert_eq!(named("secret"), (None, "secret"));
    }
}
