use std::time::Duration;

use domain::{LeaseTerm, LeaseWish};
use jiff::Timestamp;
use wire::pb;

use super::{SaltedId, TokenEntry, TokenRefusal, entry::Renewed, records};
use crate::{Error, core::Active, error::Result};

/// A token with its new end, and what is to be told about it.
#[derive(Debug)]
pub(crate) struct Renewal {
    pub(crate) entry: TokenEntry,
    pub(crate) warnings: Vec<String>,
}

/// Prolongs the life of a token: by that much from now on, or by what its mount gives when nothing is said.
pub(crate) async fn renew(active: &Active, id: SaltedId, increment: Duration) -> Result<Renewal> {
    let entry = active.tokens.alive(&id).await?.ok_or(TokenRefusal::NotFound)?;
    refuse(&entry)?;
    let limits = active.mounts.ttl_at(&entry.path).ok_or(TokenRefusal::NotRenewable)?;
    let wish = LeaseWish { increment, ..wish_of(active, &entry).await? };
    prolong(active, &id, None, |age| limits.term(wish, age).map_err(TokenRefusal::from)).await
}

/// How long it would like to live on. What its role has said meanwhile counts, where that is less.
async fn wish_of(active: &Active, entry: &TokenEntry) -> Result<LeaseWish> {
    let own = LeaseWish {
        period: Duration::from_secs(entry.period),
        explicit_max_ttl: Duration::from_secs(entry.explicit_max_ttl),
        ..LeaseWish::default()
    };
    if entry.role.is_empty() {
        return Ok(own);
    }
    let role = active.tokens.role(&entry.role).await?;
    let role = role.ok_or_else(|| TokenRefusal::RoleGone(entry.role.clone()))?;
    let lesser = |own: Duration, role: u64| match (own, Duration::from_secs(role)) {
        (own, Duration::ZERO) => own,
        (Duration::ZERO, role) => role,
        (own, role) => own.min(role),
    };
    Ok(LeaseWish {
        // A role does not make a token periodic that was not made so: it would live for ever.
        period: if entry.period == 0 { Duration::ZERO } else { lesser(own.period, role.token_period) },
        explicit_max_ttl: lesser(own.explicit_max_ttl, role.token_explicit_max_ttl),
        ..own
    })
}

/// Stores a token with its new end, as its age allows. What a plugin said that vouches for its holder is kept with it.
pub(super) async fn prolong(
    active: &Active,
    id: &SaltedId,
    vouched: Option<&pb::Auth>,
    term: impl FnOnce(Duration) -> Result<LeaseTerm, TokenRefusal>,
) -> Result<Renewal> {
    let tokens = &active.tokens;
    let _turn = tokens.turns.change(id).await;
    let now = Timestamp::now();
    let mut entry = tokens.stored(id).await?.ok_or(TokenRefusal::NotFound)?;
    if entry.is_expired(now.into()) {
        return Err(TokenRefusal::NotFound.into());
    }
    refuse(&entry)?;
    let age = Duration::try_from(now.duration_since(entry.created)).unwrap_or_default();
    let term = term(age)?;
    entry.renewed = Some(Renewed { at: now, ttl: term.ttl.as_secs().max(1) });
    tokens.store.commit(records::renewals(active, id, &entry, vouched)).await?;
    tokens.recent.remove(id);
    if let Some(ends) = entry.expires() {
        active.leases.watch_token(id, &entry.path, ends);
    }
    Ok(Renewal { entry, warnings: term.warning().into_iter().collect() })
}

/// What has no end has none to be moved, and what was made to end then does.
fn refuse(entry: &TokenEntry) -> Result<(), Error> {
    if entry.expires().is_none() {
        Err(TokenRefusal::Endless.into())
    } else if entry.renewable {
        Ok(())
    } else {
        Err(TokenRefusal::NotRenewable.into())
    }
}
