//! One document about every path that the caller can reach.

use std::{sync::Arc, time::Duration};

use domain::Operation;
use futures::{StreamExt, stream};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::timeout;
use wire::{pb::HandleRequestReply, router::v1::Request};

use crate::{
    answer::Answer,
    ask::Ask,
    asked::Asked,
    endpoint::{Access, Endpoint},
    error::Result,
    mounts::Mount,
    plugin::{self, Visit},
};

pub(super) const ENDPOINTS: &[Endpoint] = &[Endpoint::new(
    "internal/specs/openapi",
    Access::Optional,
    &[(Operation::Read, |ask| Box::pin(whole(ask)))],
    "Describes all paths that the caller can reach; without a token, those that everybody can.",
)];

/// How many plugins are asked at the same time, and how long each may take to answer.
const AT_ONCE: usize = 8;
const PATIENCE: Duration = Duration::from_secs(10);

/// What a plugin says of itself, as far as it is of use here.
#[derive(Deserialize)]
struct Told {
    openapi: Described,
}

#[derive(Default, Deserialize)]
struct Described {
    #[serde(default)]
    paths: Map<String, Value>,
    #[serde(default)]
    components: Components,
}

/// What paths refer to. Each plugin puts its own name before those of its own.
#[derive(Default, Deserialize)]
struct Components {
    #[serde(default)]
    schemas: Map<String, Value>,
}

async fn whole(ask: Ask) -> Result<Answer> {
    let acl = ask.caller.is_some().then(|| ask.reach()).transpose()?;
    let active = ask.active()?;
    let snapshot = active.mounts.snapshot();
    let reached = |mount: &Mount| acl.as_ref().is_none_or(|acl| acl.reaches_into(mount.entry.path.as_str()));
    let (mut paths, mut plugins) = (Map::new(), Vec::new());
    for (path, mount) in snapshot.iter().filter(|(_, mount)| reached(mount)) {
        match mount.core() {
            Some(core) => paths.extend(of_table(core.endpoints(), path.as_str(), acl.is_none())),
            // A stranger starts no plugin.
            None if acl.is_some() && mount.serves() => plugins.push(mount.clone()),
            None => {}
        }
    }
    let told = stream::iter(plugins).map(|mount| of_plugin(ask.clone(), mount)).buffered(AT_ONCE);
    let told: Vec<Described> = told.collect().await;
    let mut schemas = Map::new();
    for described in told {
        paths.extend(described.paths);
        schemas.extend(described.components.schemas);
    }
    Ok(Answer::bare(&json!({
        "openapi": "3.0.2",
        "info": {
            "title": "Mortise API",
            "description": "Vault's HTTP API. All paths begin with `/v1/`.",
            "version": ask.core.config.version,
            "license": { "name": "Apache License 2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0" },
        },
        "paths": paths,
        "components": { "schemas": schemas },
    })))
}

/// Our own paths; of those that need no token if nobody asks.
fn of_table<'t>(
    table: &'t [&'t [Endpoint]],
    mount: &'t str,
    open_only: bool,
) -> impl Iterator<Item = (String, Value)> + 't {
    let endpoints = table.iter().flat_map(|family| family.iter());
    let shown = endpoints.filter(move |endpoint| !open_only || is_open(endpoint));
    shown.map(move |endpoint| (format!("/{mount}{}", braced(endpoint.pattern)), item(endpoint)))
}

const fn is_open(endpoint: &Endpoint) -> bool {
    matches!(endpoint.access, Access::Direct | Access::Open | Access::Optional)
}

fn item(endpoint: &Endpoint) -> Value {
    let mut item = Map::new();
    item.insert("description".to_owned(), endpoint.help.into());
    let parameters: Vec<Value> = variables(endpoint.pattern).map(parameter).collect();
    if !parameters.is_empty() {
        item.insert("parameters".to_owned(), parameters.into());
    }
    if is_open(endpoint) {
        item.insert("x-vault-unauthenticated".to_owned(), true.into());
    }
    if endpoint.access == Access::Sudo {
        item.insert("x-vault-sudo".to_owned(), true.into());
    }
    for (verb, operation) in endpoint.operations.iter().filter_map(|(each, _)| Some((verb(*each)?, *each))) {
        item.insert(verb.to_owned(), described(endpoint, operation));
    }
    item.into()
}

const fn verb(operation: Operation) -> Option<&'static str> {
    match operation {
        Operation::Read | Operation::List => Some("get"),
        Operation::Create | Operation::Update => Some("post"),
        Operation::Patch => Some("patch"),
        Operation::Delete => Some("delete"),
        _ => None,
    }
}

fn described(endpoint: &Endpoint, operation: Operation) -> Value {
    let mut described = json!({
        "summary": endpoint.help,
        "tags": ["system"],
        "responses": { "200": { "description": "OK" } },
    });
    if operation == Operation::List {
        let list = json!([{
            "name": "list", "in": "query", "required": true,
            "schema": { "type": "string", "enum": ["true"] },
        }]);
        described["parameters"] = list;
    }
    described
}

fn parameter(name: &str) -> Value {
    json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
}

fn variables(pattern: &str) -> impl Iterator<Item = &str> {
    pattern.split('/').filter_map(|segment| segment.strip_prefix([':', '*']))
}

/// `mounts/*path` as `mounts/{path}`.
pub(super) fn braced(pattern: &str) -> String {
    let segments = pattern.split('/').map(|segment| match segment.strip_prefix([':', '*']) {
        Some(name) => format!("{{{name}}}"),
        None => segment.to_owned(),
    });
    segments.collect::<Vec<String>>().join("/")
}

/// What a mount's plugin says of its paths. One that does not answer is left out.
async fn of_plugin(ask: Ask, mount: Arc<Mount>) -> Described {
    let at = mount.entry.path.as_str();
    let told = match timeout(PATIENCE, described_by(&ask, &mount)).await {
        Ok(Ok(reply)) => reply.response.map(|response| response.data).unwrap_or_default(),
        Ok(Err(error)) => {
            tracing::debug!(mount = at, %error, "a plugin does not describe its paths");
            return Described::default();
        }
        Err(_) => {
            tracing::debug!(mount = at, "a plugin takes too long to describe its paths");
            return Described::default();
        }
    };
    let told = serde_json::from_slice::<Told>(&told).map(|told| told.openapi).unwrap_or_default();
    let here = |(path, item): (String, Value)| (format!("/{at}{}", path.trim_start_matches('/')), item);
    Described { paths: told.paths.into_iter().map(here).collect(), ..told }
}

async fn described_by(ask: &Ask, mount: &Mount) -> Result<HandleRequestReply> {
    let asked = Asked {
        request: Request { id: ask.id.clone(), ..Request::default() },
        operation: Operation::Help,
        token: ask.token.clone(),
        named: None,
        wish: None,
    };
    let visit = Visit {
        launcher: &ask.core.clients.launcher,
        active: ask.active()?,
        mount,
        rest: "",
        asked: &asked,
        caller: ask.caller.as_deref(),
    };
    plugin::send(visit, async |_| Ok(())).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_its_variables_its_verbs_and_what_it_takes_to_use_it() {
        let endpoint =
            Endpoint::sudo("a/:b/*c", &[(Operation::List, |_| unreachable!("not asked"))], "About it.");
        let families = [std::slice::from_ref(&endpoint)];
        let all: Vec<_> = of_table(&families, "sys/", false).collect();
        assert_eq!(all[0].0, "/sys/a/{b}/{c}");
        assert_eq!(all[0].1["parameters"][1]["name"], json!("c"));
        assert_eq!(all[0].1["x-vault-sudo"], json!(true));
        assert_eq!(all[0].1["get"]["parameters"][0]["name"], json!("list"));
        assert_eq!(of_table(&families, "sys/", true).count(), 0);
    }
}
