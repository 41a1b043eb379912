use domain::Operation::{Delete, List, Read, Update};
use serde_json::json;

use crate::{
    Error,
    answer::Answer,
    ask::Ask,
    endpoint::Endpoint,
    error::Result,
    fields::Fields,
    namespaces::Namespaces,
    quotas::{LeaseCount, QuotaRefusal},
};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::token(
        "quotas/lease-count/",
        &[(List, |ask| Box::pin(list(ask)))],
        "Lists the quotas of leases.",
    ),
    Endpoint::token(
        "quotas/lease-count/:name",
        &[
            (Read, |ask| Box::pin(read(ask))),
            (Update, |ask| Box::pin(write(ask))),
            (Delete, |ask| Box::pin(delete(ask))),
        ],
        "Reads, sets and removes a quota: how many leases there may be below a path.",
    ),
];

async fn list(ask: Ask) -> Result<Answer> {
    let rules = ask.active()?.shared.quotas.leases.rules.now();
    let names: Vec<&String> = rules.iter().map(|(name, _)| name).collect();
    Answer::keys(&names)
}

async fn read(ask: Ask) -> Result<Answer> {
    let active = ask.active()?;
    let name = ask.capture("name");
    let rules = active.shared.quotas.leases.rules.now();
    let rule = rules.get(name).ok_or(Error::Nothing)?;
    Ok(Answer::data(&json!({
        "type": "lease-count",
        "name": name,
        "path": rule.path,
        "role": "",
        "max_leases": rule.max_leases,
        "counter": rule.count(&active.shared.namespaces)?,
        "inheritable": rule.inheritable,
    })))
}

async fn write(ask: Ask) -> Result<Answer> {
    let active = ask.active()?;
    let name = ask.capture("name");
    let rule = rule(&ask.fields()?, &active.shared.namespaces)?;
    let change = active.shared.quotas.leases.rules.change(|rules| match rules.rival(name, &rule.path) {
        Some(rival) => Err(QuotaRefusal::Rival(rival.to_owned()).into()),
        None => Ok(rules.with(name.to_owned(), rule)),
    });
    change.await?;
    Ok(Answer::Nothing)
}

async fn delete(ask: Ask) -> Result<Answer> {
    let name = ask.capture("name");
    ask.active()?.shared.quotas.leases.rules.change(|rules| Ok(rules.without(name))).await?;
    Ok(Answer::Nothing)
}

fn rule(fields: &Fields, namespaces: &Namespaces) -> Result<LeaseCount> {
    if fields.text("role")?.is_some_and(|role| !role.is_empty()) {
        return Err(QuotaRefusal::Role.into());
    }
    let max_leases = fields.number("max_leases")?.and_then(|number| u64::try_from(number).ok());
    let given = fields.text("path")?.unwrap_or_default();
    Ok(LeaseCount {
        path: path(given.trim_start_matches('/'), namespaces)?,
        max_leases: max_leases.filter(|number| *number > 0).ok_or(QuotaRefusal::MaxLeases)?,
        inheritable: fields.flag("inheritable")?.unwrap_or(given.is_empty()),
    })
}

/// A mount, or a namespace, is meant with and without its slash.
fn path(given: &str, namespaces: &Namespaces) -> Result<String> {
    if given.is_empty() {
        return Ok(String::new());
    }
    let folder = format!("{}/", given.trim_end_matches('/'));
    let none = || QuotaRefusal::Mount(given.to_owned());
    let (there, rest) = namespaces.lead(&folder)?.ok_or_else(none)?;
    let snapshot = there.mounts.snapshot();
    match snapshot.resolve(rest) {
        _ if rest.is_empty() => Ok(folder),
        Some((mount, _, _)) if mount.as_str() == rest => Ok(folder),
        Some(_) => Ok(given.to_owned()),
        None => Err(none().into()),
    }
}
