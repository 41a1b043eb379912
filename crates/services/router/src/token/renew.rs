use std::time::Duration;

use domain::{LeaseTerm, LeaseWish, PastMaxTtl};
use jiff::Timestamp;
use wire::pb;

use super::{SaltedId, TokenEntry, TokenRefusal, entry::Renewed, records};
use crate::{Error, core::Active, error::Result, lease::Vouched};

/// Below this are the tokens for which no plugin vouches.
const OURS: &str = "auth/token/";

/// A token with its new end, and what is to be told about it.
#[derive(Debug)]
pub(crate) struct Renewal {
    pub(crate) entry: TokenEntry,
    pub(crate) warnings: Vec<String>,
}

/// Prolongs the life of a token: by that much from now on, or by what its mount gives when nothing is said. None: the
/// plugin that vouched for its holder has nothing to say any more, and the token ends when it ends.
///
/// Such a plugin may want to know where the request comes from.
pub(crate) async fn renew(
    active: &Active,
    id: SaltedId,
    increment: Duration,
    connection: Option<pb::Connection>,
) -> Result<Option<Renewal>> {
    let entry = active.tokens.alive(&id).await?.ok_or(TokenRefusal::NotFound)?;
    refuse(&entry)?;
    if !entry.path.starts_with(OURS) {
        let vouched = active.leases.renew_auth(&id, &entry.path, increment, connection).await?;
        let Some(Vouched { auth, term, warnings }) = vouched else { return Ok(None) };
        let renewal = prolong(active, &id, Some(&auth), |_| Ok(term)).await?;
        return Ok(Some(Renewal { warnings, ..renewal }));
    }
    let limits = active.mounts.ttl_at(&entry.path).ok_or(TokenRefusal::NotRenewable)?;
    let wish = LeaseWish { increment, ..wish_of(active, &entry).await? };
    prolong(active, &id, None, |age| limits.term(wish, age)).await.map(Some)
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
    term: impl FnOnce(Duration) -> Result<LeaseTerm, PastMaxTtl>,
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
    let term = term(age).map_err(TokenRefusal::from)?;
    let ttl = within(term.ttl, entry.explicit_max_ttl, age).map_err(TokenRefusal::from)?;
    entry.renewed = Some(Renewed { at: now, ttl: ttl.as_secs().max(1) });
    tokens.store.commit(records::renewals(active, id, &entry, vouched)).await?;
    tokens.recent.remove(id);
    if let Some(ends) = entry.expires() {
        active.leases.watch_token(id, &entry.path, ends);
    }
    Ok(Renewal { entry, warnings: term.warning().into_iter().collect() })
}

/// The end that was fixed when the token was made stays, whatever is said later.
fn within(ttl: Duration, explicit_max_ttl: u64, age: Duration) -> Result<Duration, PastMaxTtl> {
    if explicit_max_ttl == 0 {
        return Ok(ttl);
    }
    let left = Duration::from_secs(explicit_max_ttl).saturating_sub(age);
    if left < Duration::from_secs(1) { Err(PastMaxTtl) } else { Ok(ttl.min(left)) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t5_an_end_that_was_fixed_is_not_moved_by_what_a_plugin_says_later() {
        let seconds = Duration::from_secs;
        assert_eq!(within(seconds(900), 0, seconds(5000)), Ok(seconds(900)));
        assert_eq!(within(seconds(900), 1000, seconds(50)), Ok(seconds(900)));
        assert_eq!(within(seconds(900), 1000, seconds(600)), Ok(seconds(400)));
        assert_eq!(within(seconds(900), 1000, seconds(1000)), Err(PastMaxTtl));
    }
}
