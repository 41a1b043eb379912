use std::collections::BTreeMap;

use bytes::Bytes;
use domain::{
    Kind, MountKind,
    Operation::Read,
    policy::{Parameters, Rule},
};
use serde_json::{Map, Value, json};

use super::{Unfit, view::MountView};
use crate::{
    Error,
    answer::Answer,
    ask::Ask,
    endpoint::{Access, Endpoint, Handler},
    error::Result,
};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new(
        "internal/ui/mounts",
        Access::Optional,
        &[(Read, |ask| Box::pin(list(ask)))],
        "Lists the mounts that the caller can reach, or, without a token, those that are shown to everybody.",
    ),
    Endpoint::new(
        "internal/ui/mounts/*path",
        Access::Optional,
        &[(Read, |ask| Box::pin(read(ask)))],
        "Tells about the mount that a path belongs to.",
    ),
    Endpoint::token(
        "internal/ui/resultant-acl",
        &[(Read, |ask| Box::pin(resultant_acl(ask)))],
        "Tells what the caller may do.",
    ),
    Endpoint::new(
        "internal/ui/feature-flags",
        Access::Direct,
        &[(Read, |_| Box::pin(async { Ok(Answer::bare(&json!({ "feature_flags": null }))) }))],
        "Lists what a web console may show that others may not.",
    ),
    Endpoint::new(
        "internal/ui/unauthenticated-messages",
        Access::Open,
        &[(Read, NO_MESSAGES)],
        "Lists what a web console tells everybody.",
    ),
    Endpoint::new(
        "internal/ui/authenticated-messages",
        Access::Open,
        &[(Read, NO_MESSAGES)],
        "Lists what a web console tells those who have logged in.",
    ),
    Endpoint::new(
        "internal/ui/namespaces",
        Access::Optional,
        &[(Read, |ask| Box::pin(namespaces(ask)))],
        "Lists the namespaces that the caller can reach.",
    ),
    Endpoint::sudo(
        "internal/inspect/router/:tag",
        &[(Read, |_| Box::pin(async { Err(Unfit::Introspection.into()) }))],
        "Tells how requests are routed, where the configuration lets it.",
    ),
];

/// Nobody can set a message yet.
const NO_MESSAGES: Handler = |_| Box::pin(async { Ok(Answer::data(&json!({}))) });

/// This one, whose name is empty here, and those directly in it in which the caller may do something.
async fn namespaces(ask: Ask) -> Result<Answer> {
    let (reach, active) = (ask.reach()?, ask.active()?);
    let own = &active.namespace.path;
    let children = active.shared.namespaces.list(own, false)?;
    let names = children.iter().filter_map(|known| own.relative(&known.record.path));
    let keys: Vec<&str> = [""].into_iter().chain(names.filter(|name| reach.reaches_into(name))).collect();
    Ok(Answer::data(&json!({ "keys": keys })))
}

async fn resultant_acl(ask: Ask) -> Result<Answer> {
    let reach = ask.reach()?;
    let acl = reach.acl();
    if acl.is_root() {
        return Ok(Answer::data(&json!({ "chroot_namespace": "", "root": true })));
    }
    let exact: BTreeMap<&str, Value> = acl.exact().map(|(path, rule)| (path, view(rule))).collect();
    let globs = acl.patterns().map(|(pattern, rule)| (pattern.shown(), view(rule)));
    let globs: BTreeMap<&str, Value> = globs.collect();
    Ok(Answer::data(&json!({ "chroot_namespace": "", "exact_paths": exact, "glob_paths": globs })))
}

/// A rule as clients see it.
fn view(rule: &Rule) -> Value {
    let Parameters { allowed, denied, required } = &rule.parameters;
    let mut view = Map::new();
    view.insert("capabilities".to_owned(), json!(rule.capabilities.words()));
    for (name, parameters) in [("allowed_parameters", allowed), ("denied_parameters", denied)] {
        if !parameters.is_empty() {
            view.insert(name.to_owned(), json!(parameters));
        }
    }
    if !required.is_empty() {
        view.insert("required_parameters".to_owned(), json!(required));
    }
    view.into()
}

async fn list(ask: Ask) -> Result<Answer> {
    let acl = ask.caller.is_some().then(|| ask.reach()).transpose()?;
    let active = ask.active()?;
    let snapshot = active.mounts.snapshot();
    let mut secret: BTreeMap<&str, Value> = BTreeMap::new();
    let mut auth: BTreeMap<&str, Value> = BTreeMap::new();
    for (path, mount) in snapshot.iter().filter(|(_, mount)| mount.is_listed()) {
        let entry = &mount.entry;
        let view = if acl.as_ref().is_some_and(|acl| acl.reaches_into(path.as_str())) {
            let ttl = active.mounts.ttl(entry);
            json!(MountView::with_ttl(&ask.core.config, mount, ttl))
        } else if entry.config.listing_visibility == "unauth" {
            json!({ "description": entry.description, "options": entry.options, "type": entry.plugin })
        } else {
            continue;
        };
        match entry.kind {
            MountKind::Secret => secret.insert(path.as_str(), view),
            MountKind::Auth => auth.insert(path.as_str().trim_start_matches("auth/"), view),
        };
    }
    Ok(Answer::data(&json!({ "auth": auth, "secret": secret })))
}

async fn read(ask: Ask) -> Result<Answer> {
    let path = ask.capture("path");
    let acl = ask.reach()?;
    let active = ask.active()?;
    let snapshot = active.mounts.snapshot();
    match snapshot.resolve(path) {
        Some((_, mount, _)) if mount.is_listed() && acl.reaches_into(mount.entry.path.as_str()) => {
            let ttl = active.mounts.ttl(&mount.entry);
            Ok(Answer::data(&MountView::resolved(&ask.core.config, mount, ttl)))
        }
        // The same for what is not there and for what is nobody's business.
        _ => Err(Error::Refused {
            kind: Kind::Denied,
            message: format!(
                "preflight capability check returned 403, please ensure client's policies grant access to path {:?}",
                format!("{}/", path.trim_end_matches('/'))
            ),
            data: Bytes::new(),
        }),
    }
}
