use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use domain::{LeaseWish, Operation};
use jiff::Timestamp;
use serde_json::value::RawValue;
use wire::{Belonging, pb};

use super::{LeaseRefusal, record::Record};
use crate::{
    Error,
    core::Active,
    error::Result,
    meters,
    mounts::Mount,
    quotas::Room,
    random,
    token::{Caller, SaltedId, TokenKind},
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
    let mut term = limits.term(wish, Duration::ZERO).map_err(LeaseRefusal::from)?;
    if let Some(caller) = issued.caller.filter(|caller| caller.entry.kind == TokenKind::Batch) {
        // Nobody revokes it when the token ends.
        term.ttl = term.ttl.min(Duration::from_secs(caller.entry.remaining().max(1)));
    }
    let granted =
        Granted { id: String::new(), renewable: options.renewable, lasts: term.ttl, warning: term.warning() };
    if is_only_advice(issued.mount, &issued.secret)? {
        return Ok(Granted { renewable: false, ..granted });
    }
    let namespace = &issued.active.namespace;
    let record = Record {
        id: format!("{}/{}", issued.path.trim_end_matches('/'), namespace.mark(random::base62(24)?)),
        mount: issued.mount.entry.uuid.clone(),
        token: issued.caller.and_then(holder),
        is_token: false,
        issued: now,
        renewed: None,
        ends: now.saturating_add(term.ttl).unwrap_or(Timestamp::MAX),
        renewable: options.renewable,
        request: Some(request(&issued)),
        irrevocable: None,
    };
    if let Some(caller) = issued.caller {
        caller.settle(issued.active).await?;
    }
    let id = record.id.clone();
    let active = issued.active.clone();
    let room = match refusal(issued.caller) {
        Some(refusal) => Err(refusal.into()),
        None => active.shared.quotas.leases.room(&active, issued.path),
    };
    meters::leased();
    // Carried to its end even if the caller goes away: the secret is out.
    tokio::spawn(record_or_take_back(active, record, room).carried()).await.map_err(|_| Error::CutOff)??;
    Ok(Granted { id, ..granted })
}

/// The token that a secret ends with. A batch token is not stored: what it is given ends with its parent, if it has one.
fn holder(caller: &Caller) -> Option<SaltedId> {
    match caller.entry.kind {
        TokenKind::Service => Some(caller.id),
        TokenKind::Batch => caller.entry.parent,
    }
}

/// Why nobody is to hold a secret.
fn refusal(caller: Option<&Caller>) -> Option<LeaseRefusal> {
    match caller {
        None => Some(LeaseRefusal::SecretForNobody),
        Some(caller) if caller.entry.num_uses < 0 => Some(LeaseRefusal::LastUse),
        Some(_) => None,
    }
}

async fn record_or_take_back(active: Arc<Active>, record: Record, room: Result<Option<Room>>) -> Result<()> {
    let leases = &active.leases;
    // Held until the lease is among those that are counted.
    let _room = match room {
        Ok(room) => room,
        Err(refusal) => {
            leases.add(&Record { token: None, ends: Timestamp::now(), ..record }).await?;
            return Err(refusal);
        }
    };
    if let Err(error) = leases.add(&record).await {
        if let Err(also) = leases.revoke_at_plugin(&record).await {
            tracing::error!(lease = record.id, error = %also,
                "a secret without a lease could not be revoked; its plugin has to be looked after by hand");
        }
        return Err(error);
    }
    // A token that ended while the plugin worked has not taken this with it.
    if let Some(token) = &record.token
        && !active.is_alive(token).await?
    {
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
