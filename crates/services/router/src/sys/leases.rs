use std::{collections::BTreeMap, sync::Arc, time::Duration};

use domain::{
    Operation::{List, Read, Update},
    policy::Question,
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use wire::router::v1::{Envelope, Nothing, Response, response::Body};

use crate::{
    Error,
    answer::Answer,
    ask::Ask,
    endpoint::{Access, Endpoint, Handler},
    error::Result,
    fields::{Fields, InvalidField},
    lease::{How, LeaseRefusal, Leases, Record},
    mounts::SYSTEM,
};

const RENEW: Handler = |ask| Box::pin(renew(ask));
const REVOKE: Handler = |ask| Box::pin(revoke(ask));
const REVOKE_PREFIX: Handler = |ask| Box::pin(revoke_prefix(ask));
const REVOKE_FORCE: Handler = |ask| Box::pin(revoke_force(ask));

const RENEWS: &str = "Asks the plugin that issued a secret to let it last longer.";
const REVOKES: &str = "Ends a lease, and what was issued with it.";
const REVOKES_BELOW: &str = "Ends all leases below a path.";
const FORCES: &str = "Ends all leases below a path, and drops those that their plugin does not take back.";
const LISTS: &str = "Lists leases by the paths that they were issued at.";

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("leases", Access::Sudo, &[(Read, |ask| Box::pin(list(ask)))], "Lists irrevocable leases."),
    Endpoint::new("leases/count", Access::Token, &[(Read, |ask| Box::pin(count(ask)))], "Counts leases."),
    Endpoint::new(
        "leases/tidy",
        Access::Token,
        &[(Update, |ask| Box::pin(tidy(ask)))],
        "Ends what was left over.",
    ),
    Endpoint::new(
        "leases/lookup",
        Access::Token,
        &[(Update, |ask| Box::pin(lookup(ask)))],
        "Tells about a lease.",
    ),
    Endpoint::new("leases/lookup/", Access::Sudo, &[(List, |ask| Box::pin(below(ask)))], LISTS),
    Endpoint::new("leases/lookup/*prefix", Access::Sudo, &[(List, |ask| Box::pin(below(ask)))], LISTS),
    Endpoint::new("leases/renew", Access::Token, &[(Update, RENEW)], RENEWS),
    Endpoint::new("leases/renew/*id", Access::Token, &[(Update, RENEW)], RENEWS),
    Endpoint::new("leases/revoke", Access::Token, &[(Update, REVOKE)], REVOKES),
    Endpoint::new("leases/revoke/*id", Access::Token, &[(Update, REVOKE)], REVOKES),
    Endpoint::new("leases/revoke-prefix/*prefix", Access::Sudo, &[(Update, REVOKE_PREFIX)], REVOKES_BELOW),
    Endpoint::new("leases/revoke-force/*prefix", Access::Sudo, &[(Update, REVOKE_FORCE)], FORCES),
    // As older clients know them.
    Endpoint::new("renew", Access::Token, &[(Update, RENEW)], RENEWS),
    Endpoint::new("renew/*id", Access::Token, &[(Update, RENEW)], RENEWS),
    Endpoint::new("revoke", Access::Token, &[(Update, REVOKE)], REVOKES),
    Endpoint::new("revoke/*id", Access::Token, &[(Update, REVOKE)], REVOKES),
    Endpoint::new("revoke-prefix/*prefix", Access::Sudo, &[(Update, REVOKE_PREFIX)], REVOKES_BELOW),
    Endpoint::new("revoke-force/*prefix", Access::Sudo, &[(Update, REVOKE_FORCE)], FORCES),
];

/// The most irrevocable leases that are listed, unless more are asked for.
const LISTED: usize = 10_000;

const TIDYING: &str = "Tidy operation successfully started. Any information from the operation will be printed to \
                       Vault's server logs.";
const TIDYING_ALREADY: &str = "Tidy operation already in progress.";

#[derive(Serialize)]
struct LeaseView<'a> {
    expire_time: String,
    id: &'a str,
    issue_time: String,
    last_renewal: Option<String>,
    renewable: bool,
    ttl: i64,
}

#[derive(Serialize)]
struct IrrevocableView {
    lease_id: String,
    /// The accessor of the mount, or what it was stored under if it is gone.
    mount_id: String,
    error: String,
}

async fn lookup(ask: Ask) -> Result<Answer> {
    let (id, _) = id_of(&ask)?;
    let record = ask.active()?.leases.read(&id).await?.ok_or(LeaseRefusal::Unknown)?;
    authorise(&ask, &record, &["leases/lookup"])?;
    Ok(Answer::data(&LeaseView {
        expire_time: record.ends.to_string(),
        id: &record.id,
        issue_time: record.issued.to_string(),
        last_renewal: record.renewed.map(|time| time.to_string()),
        renewable: record.renewable,
        ttl: record.remaining(Timestamp::now()),
    }))
}

async fn below(ask: Ask) -> Result<Answer> {
    let keys = ask.active()?.leases.children(ask.capture("prefix")).await?;
    Answer::keys(&keys)
}

async fn renew(ask: Ask) -> Result<Answer> {
    let (id, fields) = id_of(&ask)?;
    let increment = increment(&fields)?;
    let leases = &ask.active()?.leases;
    let record = leases.read(&id).await?.ok_or(LeaseRefusal::NotFound)?;
    authorise(&ask, &record, &["leases/renew", "renew"])?;
    let Some(renewed) = leases.renew(&id, increment).await? else { return Ok(Answer::Nothing) };
    let envelope = Envelope {
        request_id: ask.id.clone(),
        lease_id: id,
        renewable: renewed.renewable,
        lease_duration: i64::try_from(renewed.lasts.as_secs()).unwrap_or(i64::MAX),
        data: renewed.data,
        warnings: renewed.warnings,
        mount_type: "system".to_owned(),
        ..Envelope::default()
    };
    Ok(whole(Body::Envelope(envelope), false))
}

async fn revoke(ask: Ask) -> Result<Answer> {
    let (id, fields) = id_of(&ask)?;
    let how = how(&fields)?;
    let active = ask.active()?;
    if let Some(record) = active.leases.read(&id).await? {
        authorise(&ask, &record, &["leases/revoke", "revoke"])?;
        active.leases.revoke(active, &id, how).await?;
    }
    Ok(done(how))
}

async fn revoke_prefix(ask: Ask) -> Result<Answer> {
    let how = how(&ask.fields()?)?;
    let active = ask.active()?;
    active.leases.revoke_prefix(active, ask.capture("prefix"), how).await?;
    Ok(done(how))
}

async fn revoke_force(ask: Ask) -> Result<Answer> {
    let active = ask.active()?;
    active.leases.revoke_prefix(active, ask.capture("prefix"), How::Forced).await?;
    Ok(Answer::Nothing)
}

async fn tidy(ask: Ask) -> Result<Answer> {
    let warning = if Leases::tidy(ask.active()?) { TIDYING } else { TIDYING_ALREADY };
    let envelope =
        Envelope { request_id: ask.id.clone(), warnings: vec![warning.to_owned()], ..Envelope::default() };
    Ok(whole(Body::Envelope(envelope), true))
}

async fn count(ask: Ask) -> Result<Answer> {
    let irrevocable = irrevocable(&ask).await?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, mount) in &irrevocable {
        *counts.entry(mount).or_default() += 1;
    }
    Ok(Answer::data(&json!({ "lease_count": irrevocable.len(), "counts": counts })))
}

async fn list(ask: Ask) -> Result<Answer> {
    let irrevocable = irrevocable(&ask).await?;
    let limit = match ask.fields()?.text("limit")?.as_deref() {
        Some("none") => usize::MAX,
        Some(text) if !text.is_empty() => text.parse().map_err(|_| LeaseRefusal::Limit)?,
        _ => LISTED,
    };
    let mut leases = Vec::new();
    for (id, mount_id) in irrevocable.iter().take(limit) {
        let Some(record) = ask.active()?.leases.read(id).await? else { continue };
        let error = record.irrevocable.unwrap_or_default();
        leases.push(IrrevocableView { lease_id: id.to_string(), mount_id: mount_id.clone(), error });
    }
    let data = json!({ "lease_count": irrevocable.len(), "leases": leases });
    Ok(if irrevocable.len() > limit {
        Answer::warned(&data, format!("Only {limit} leases are shown; give a higher limit to see more."))
    } else {
        Answer::data(&data)
    })
}

/// The leases that nobody tries to revoke any more, and their mounts. There is no other type to ask for.
async fn irrevocable(ask: &Ask) -> Result<Vec<(Arc<str>, String)>> {
    match ask.fields()?.text("type")?.as_deref() {
        Some("irrevocable") => ask.active()?.leases.irrevocable().await,
        None | Some("") => Err(Error::Nothing),
        Some(_) => Err(LeaseRefusal::Type.into()),
    }
}

/// Which lease a request is about. What the path says, policies have been asked about; a body cannot say otherwise.
fn id_of(ask: &Ask) -> Result<(String, Fields)> {
    let fields = ask.fields()?;
    let id = match ask.capture("id") {
        "" => fields.text("lease_id")?.unwrap_or_default(),
        id => id.to_owned(),
    };
    if id.is_empty() { Err(LeaseRefusal::NoId.into()) } else { Ok((id, fields)) }
}

/// A lease that is named in a body is no less protected than one in a path. Who does not own it needs to be allowed one
/// of the paths that name it; and what denies one of them holds for all, and for everybody.
fn authorise(ask: &Ask, record: &Record, endpoints: &[&str]) -> Result<()> {
    let acl = ask.reach()?;
    let paths: Vec<String> =
        endpoints.iter().map(|endpoint| format!("{SYSTEM}{endpoint}/{}", record.id)).collect();
    if paths.iter().any(|path| acl.capabilities(path).denies()) {
        return Err(Error::Forbidden);
    }
    let allowed = |path: &String, operation| {
        let question = Question { path, operation, needs_sudo: false, wrap_ttl: None, body: &ask.body };
        acl.allows(&question)
    };
    let in_path = !ask.capture("id").is_empty();
    let own = record.token == Some(ask.caller()?.id);
    if in_path || own || paths.iter().any(|path| allowed(path, Update) || allowed(path, List)) {
        Ok(())
    } else {
        Err(Error::Forbidden)
    }
}

fn increment(fields: &Fields) -> Result<Duration> {
    let Some(written) = fields.duration("increment")? else { return Ok(Duration::ZERO) };
    let unreadable = |error: domain::InvalidDuration| InvalidField::Member {
        name: "increment".to_owned(),
        why: error.to_string(),
    };
    Ok(written.value.map_err(unreadable)?)
}

fn how(fields: &Fields) -> Result<How> {
    Ok(if fields.flag("sync")?.unwrap_or(true) { How::Now } else { How::Soon })
}

fn done(how: How) -> Answer {
    match how {
        How::Soon => whole(Body::Nothing(Nothing {}), true),
        How::Now | How::Forced => Answer::Nothing,
    }
}

fn whole(body: Body, accepted: bool) -> Answer {
    Answer::Whole(Box::new(Response { body: Some(body), accepted, ..Response::default() }))
}
