use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use domain::{LeaseWish, Operation};
use jiff::Timestamp;
use serde_json::value::RawValue;
use wire::pb;

use super::{LeaseRefusal, record::Record};
use crate::{
    Error,
    core::Active,
    error::Result,
    mounts::Mount,
    random,
    token::{Caller, SaltedId},
};

/// A secret that a plugin has just issued.
pub(crate) struct Issued<'r> {
    pub(crate) active: &'r Arc<Active>,
    pub(crate) mount: &'r Mount,
    /// The whole path of the request.
    pub(crate) path: &'r str,
    /// Absent where no token is asked for.
    pub(crate) caller: Option<&'r Caller>,
    pub(crate) secret: pb::Secret,
    /// The answer's data, in JSON.
    pub(crate) data: Bytes,
}

/// What the caller is told about a lease.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Granted {
    /// Empty: there is none.
    pub(crate) id: String,
    pub(crate) renewable: bool,
    pub(crate) lasts: Duration,
    pub(crate) warning: Option<String>,
}

/// Gives a secret its lease. It is stored before the caller learns of the secret; if it cannot be, the plugin is asked
/// to take the secret back.
pub(crate) async fn register(issued: Issued<'_>) -> Result<Granted> {
    let now = Timestamp::now();
    let options = issued.secret.lease_options.unwrap_or_default();
    let limits = issued.active.mounts.ttl(&issued.mount.entry);
    let wish = LeaseWish { ttl: nanos(options.ttl), max_ttl: nanos(options.max_ttl), ..LeaseWish::default() };
    let term = limits.term(wish, Duration::ZERO).map_err(LeaseRefusal::from)?;
    let granted =
        Granted { id: String::new(), renewable: options.renewable, lasts: term.ttl, warning: term.warning() };
    if is_only_advice(issued.mount, &issued.secret)? {
        return Ok(Granted { renewable: false, ..granted });
    }
    let record = Record {
        id: format!("{}/{}", issued.path.trim_end_matches('/'), random::base62(24)?),
        mount: issued.mount.entry.uuid.clone(),
        token: issued.caller.map(|caller| caller.id),
        is_token: false,
        issued: now,
        renewed: None,
        ends: now.saturating_add(term.ttl).unwrap_or(Timestamp::MAX),
        renewable: options.renewable,
        request: Some(request(&issued)),
        irrevocable: None,
    };
    let id = record.id.clone();
    let (active, holder) = (issued.active.clone(), holder(issued.caller));
    // Carried to its end even if the caller goes away: the secret is out.
    tokio::spawn(record_or_take_back(active, record, holder)).await.map_err(|_| Error::CutOff)??;
    Ok(Granted { id, ..granted })
}

/// Who would hold a secret.
enum Holder {
    Token(SaltedId),
    Refused(LeaseRefusal),
}

fn holder(caller: Option<&Caller>) -> Holder {
    match caller {
        None => Holder::Refused(LeaseRefusal::SecretForNobody),
        Some(caller) if caller.entry.num_uses < 0 => Holder::Refused(LeaseRefusal::LastUse),
        Some(caller) => Holder::Token(caller.id),
    }
}

async fn record_or_take_back(active: Arc<Active>, record: Record, holder: Holder) -> Result<()> {
    let leases = &active.leases;
    let Holder::Token(token) = holder else {
        let Holder::Refused(refusal) = holder else { return Ok(()) };
        leases.keep(&Record { token: None, ends: Timestamp::now(), ..record }).await?;
        return Err(refusal.into());
    };
    if let Err(error) = leases.keep(&record).await {
        if let Err(also) = leases.revoke_at_plugin(&record).await {
            tracing::error!(lease = record.id, error = %also,
                "a secret without a lease could not be revoked; its plugin has to be looked after by hand");
        }
        return Err(error);
    }
    if leases.dying().contains(&token) || !active.tokens.exists(&token).await? {
        leases.end_soon(&record.id).await?;
        return Err(LeaseRefusal::TokenEnded.into());
    }
    Ok(())
}

/// Whether there is nothing to renew and nothing to revoke: the plugin only says how long the answer is good. So does
/// kv with each read, and a plugin that keeps nothing to recognise the secret by.
fn is_only_advice(mount: &Mount, secret: &pb::Secret) -> Result<bool> {
    if matches!(mount.entry.plugin.as_str(), "kv" | "generic") {
        return Ok(true);
    }
    let renewable = secret.lease_options.is_some_and(|options| options.renewable);
    if secret.internal_data.is_empty() {
        return Ok(!renewable);
    }
    let unreadable = |error: serde_json::Error| Error::BadAnswer(error.to_string());
    let kept: &RawValue = serde_json::from_slice(&secret.internal_data).map_err(unreadable)?;
    Ok(!renewable && kept.get() == "null")
}

/// What the plugin is sent when this is to be renewed or revoked.
fn request(issued: &Issued<'_>) -> pb::Request {
    let rest = issued.path.strip_prefix(issued.mount.entry.path.as_str()).unwrap_or(issued.path);
    pb::Request {
        operation: Operation::Revoke.word().to_owned(),
        path: rest.to_owned(),
        data: issued.data.clone(),
        secret: Some(issued.secret.clone()),
        ..pb::Request::default()
    }
}

fn nanos(count: i64) -> Duration {
    Duration::from_nanos(u64::try_from(count).unwrap_or(0))
}
