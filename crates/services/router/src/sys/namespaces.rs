use std::collections::BTreeMap;

use domain::{
    NamespaceName, NamespacePath,
    Operation::{Delete, List, Patch, Read, Update},
    policy::Capability,
};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Error,
    answer::Answer,
    ask::Ask,
    endpoint::Endpoint,
    error::Result,
    namespaces::{NamespaceRefusal, Record},
};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::token(
        "namespaces/",
        &[(List, |ask| Box::pin(list(ask)))],
        "Lists the namespaces directly in this one.",
    ),
    Endpoint::token(
        "namespaces/api-lock/lock",
        &[(Update, |ask| Box::pin(lock(ask)))],
        "Locks this namespace: nothing can be asked of it until it is unlocked.",
    ),
    Endpoint::token(
        "namespaces/api-lock/lock/*path",
        &[(Update, |ask| Box::pin(lock(ask)))],
        "Locks a namespace in this one: nothing can be asked of it until it is unlocked.",
    ),
    Endpoint::token(
        "namespaces/api-lock/unlock",
        &[(Update, |ask| Box::pin(unlock(ask)))],
        "Unlocks this namespace with the key that it was locked with.",
    ),
    Endpoint::token(
        "namespaces/api-lock/unlock/*path",
        &[(Update, |ask| Box::pin(unlock(ask)))],
        "Unlocks a namespace in this one with the key that it was locked with.",
    ),
    Endpoint::token(
        "namespaces/*path",
        &[
            (Read, |ask| Box::pin(read(ask))),
            (Update, |ask| Box::pin(write(ask))),
            (Patch, |ask| Box::pin(patch(ask))),
            (Delete, |ask| Box::pin(delete(ask))),
        ],
        "Reads, makes, changes and deletes a namespace.",
    ),
];

/// A namespace as clients see it.
#[derive(Serialize)]
struct View<'a> {
    uuid: Uuid,
    id: &'a str,
    path: &'a NamespacePath,
    tainted: bool,
    locked: bool,
    custom_metadata: &'a BTreeMap<String, String>,
}

impl<'a> From<&'a Record> for View<'a> {
    fn from(record: &'a Record) -> Self {
        let Record { uuid, id, path, custom_metadata, removing, .. } = record;
        Self { uuid: *uuid, id, path, tainted: *removing, locked: record.is_locked(), custom_metadata }
    }
}

async fn list(ask: Ask) -> Result<Answer> {
    let active = ask.active()?;
    let own = &active.namespace.path;
    let children = active.shared.namespaces.list(own, false)?;
    let named = children.iter().filter_map(|known| Some((own.relative(&known.record.path)?, &known.record)));
    let infos: BTreeMap<&str, View<'_>> = named.map(|(name, record)| (name, record.into())).collect();
    if infos.is_empty() {
        return Err(Error::Nothing);
    }
    let keys: Vec<&str> = infos.keys().copied().collect();
    Ok(Answer::data(&json!({ "keys": keys, "key_info": infos })))
}

async fn read(ask: Ask) -> Result<Answer> {
    let active = ask.active()?;
    let path = active.namespace.path.join(&name(&ask)?);
    let known = active.shared.namespaces.get(&path)?.ok_or(Error::Nothing)?;
    Ok(Answer::data(&View::from(&known.record)))
}

async fn write(ask: Ask) -> Result<Answer> {
    let (active, name, fields) = (ask.active()?, name(&ask)?, ask.fields()?);
    if let Some(seal) = ["seal", "pgp_keys"].into_iter().find(|name| fields.has(name)) {
        return Err(NamespaceRefusal::Seal(seal).into());
    }
    let given = fields.object("custom_metadata")?.unwrap_or_default();
    let pairs = given.members().map(|(name, value)| match value {
        Value::String(text) => Ok((name.clone(), text.clone())),
        _ => Err(NamespaceRefusal::Metadata),
    });
    let metadata = pairs.collect::<Result<_, _>>()?;
    let record = active.shared.namespaces.put(&ask.core, active, &name, metadata).await?;
    Ok(Answer::data(&View::from(&record)))
}

async fn patch(ask: Ask) -> Result<Answer> {
    let (active, name, fields) = (ask.active()?, name(&ask)?, ask.fields()?);
    let patch = if fields.is_null("custom_metadata") {
        None
    } else {
        let given = fields.object("custom_metadata")?.ok_or(NamespaceRefusal::NoMetadata)?;
        let pairs = given.members().map(|(name, value)| match value {
            Value::String(text) => Ok((name.clone(), Some(text.clone()))),
            Value::Null => Ok((name.clone(), None)),
            _ => Err(NamespaceRefusal::MetadataPatch),
        });
        Some(pairs.collect::<Result<_, _>>()?)
    };
    let record = active.shared.namespaces.patch(&active.namespace, &name, patch).await?;
    Ok(Answer::data(&View::from(&record)))
}

async fn delete(ask: Ask) -> Result<Answer> {
    let active = ask.active()?;
    if active.shared.namespaces.remove(active, &name(&ask)?).await? {
        // It goes on without whoever has asked for it.
        Ok(Answer::data(&json!({ "status": "in-progress" })))
    } else {
        Ok(Answer::warning("requested namespace does not exist"))
    }
}

async fn lock(ask: Ask) -> Result<Answer> {
    let key = ask.active()?.shared.namespaces.lock(&lockable(&ask)?).await?;
    Ok(Answer::data(&json!({ "unlock_key": key })))
}

async fn unlock(ask: Ask) -> Result<Answer> {
    let key = ask.fields()?.text("unlock_key")?.filter(|key| !key.is_empty());
    if key.is_none() && !has_sudo(&ask)? {
        return Err(NamespaceRefusal::EmptyKey.into());
    }
    ask.active()?.shared.namespaces.unlock(&lockable(&ask)?, key.as_deref()).await?;
    Ok(match key {
        Some(_) => Answer::Nothing,
        None => Answer::warning("Namespace unlocked using sudo capabilities"),
    })
}

fn has_sudo(ask: &Ask) -> Result<bool> {
    let path = format!("sys/namespaces/api-lock/unlock/{}", ask.capture("path"));
    let reach = ask.reach()?;
    Ok(reach.is_root() || reach.capabilities(path.trim_end_matches('/')).has(Capability::Sudo))
}

/// The namespace that is meant: this one, or one in it however deep.
fn lockable(ask: &Ask) -> Result<NamespacePath> {
    let own = &ask.active()?.namespace.path;
    let below = NamespacePath::called(ask.capture("path")).ok_or(NamespaceRefusal::Nowhere)?;
    Ok(format!("{own}{below}").try_into().map_err(|_| NamespaceRefusal::Nowhere)?)
}

/// A namespace is called by its name in the one that is asked; those in it are asked for in it.
fn name(ask: &Ask) -> Result<NamespaceName> {
    let path = ask.capture("path");
    Ok(path.strip_suffix('/').unwrap_or(path).parse().map_err(NamespaceRefusal::from)?)
}
