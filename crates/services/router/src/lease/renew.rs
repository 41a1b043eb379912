use std::time::Duration;

use bytes::Bytes;
use domain::{LeaseTerm, LeaseWish, Operation};
use jiff::Timestamp;
use wire::pb;

use super::{
    LeaseRefusal, Leases,
    record::{Record, key},
    token::lease_id,
};
use crate::{Error, core::is_passing, error::Result, mounts::Mount, plugin::ask_issuer, token::SaltedId};

/// What the caller is told about a renewed lease.
#[derive(Debug)]
pub(crate) struct Renewed {
    pub(crate) renewable: bool,
    pub(crate) lasts: Duration,
    /// What the plugin said, in JSON.
    pub(crate) data: Bytes,
    pub(crate) warnings: Vec<String>,
}

/// What a plugin that vouched for somebody says when it is asked again.
pub(crate) struct Vouched {
    pub(crate) auth: pb::Auth,
    pub(crate) term: LeaseTerm,
    pub(crate) warnings: Vec<String>,
}

impl Leases {
    /// Asks the plugin that issued a secret whether it may last longer. None: the plugin has nothing to say, and the
    /// lease stays as it is.
    pub(crate) async fn renew(&self, id: &str, increment: Duration) -> Result<Option<Renewed>> {
        // Nobody revokes it meanwhile.
        let claim = self.claim(id).await?.ok_or(LeaseRefusal::NotFound)?;
        let record = self.read(claim.id()).await?.ok_or(LeaseRefusal::NotFound)?;
        check(&record)?;
        let mount = self.mount_of(&record).ok_or(LeaseRefusal::MountGone)?;
        let Some(response) = self.ask_to_renew(&mount, record.request(increment)).await? else {
            return Ok(None);
        };
        let pb::Response { secret: Some(secret), data, mut warnings, .. } = *response else {
            return Ok(None);
        };
        let options = secret.lease_options.unwrap_or_default();
        let wish = LeaseWish {
            increment,
            ttl: nanos(options.ttl),
            max_ttl: nanos(options.max_ttl),
            ..LeaseWish::default()
        };
        let term = self.term(&mount, &record, wish)?;
        warnings.extend(term.warning());
        self.extend(record, term.ttl, secret, data.clone()).await?;
        let data = if data.as_ref() == b"null" { Bytes::new() } else { data };
        Ok(Some(Renewed { renewable: options.renewable, lasts: term.ttl, data, warnings }))
    }

    /// Asks the plugin that vouched for the holder of a token whether it still does, and for how long. What it says is
    /// for the caller to check, and to store with the token. None: it has nothing to say, and the token stays as it is.
    pub(crate) async fn renew_auth(
        &self,
        token: &SaltedId,
        path: &str,
        increment: Duration,
        connection: Option<pb::Connection>,
    ) -> Result<Option<Vouched>> {
        let record = self.read(&lease_id(path, token)).await?.ok_or(LeaseRefusal::NotFound)?;
        let mount = self.mount_of(&record).ok_or(LeaseRefusal::MountGone)?;
        let request = pb::Request { connection, ..record.request(increment) };
        let Some(response) = self.ask_to_renew(&mount, request).await? else { return Ok(None) };
        let pb::Response { auth: Some(auth), mut warnings, .. } = *response else { return Ok(None) };
        let options = auth.lease_options.unwrap_or_default();
        let wish = LeaseWish {
            increment,
            ttl: nanos(options.ttl),
            max_ttl: nanos(options.max_ttl),
            period: nanos(auth.period),
            explicit_max_ttl: nanos(auth.explicit_max_ttl),
        };
        let term = self.term(&mount, &record, wish)?;
        warnings.extend(term.warning());
        Ok(Some(Vouched { auth, term, warnings }))
    }

    async fn ask_to_renew(&self, mount: &Mount, request: pb::Request) -> Result<Option<Box<pb::Response>>> {
        let answer = ask_issuer(&self.launcher, &self.mounts, mount, Operation::Renew, request).await;
        answer.map_err(|error| match error {
            error @ (Error::Sealed | Error::Refused { .. }) => error,
            error if is_passing(error.kind()) => error,
            error => LeaseRefusal::NotRenewed(error.to_string()).into(),
        })
    }

    fn term(&self, mount: &Mount, record: &Record, wish: LeaseWish) -> Result<LeaseTerm> {
        let age = Timestamp::now().duration_since(record.issued);
        let age = Duration::try_from(age).unwrap_or_default();
        Ok(self.mounts.ttl(&mount.entry).term(wish, age).map_err(LeaseRefusal::from)?)
    }

    /// Stores until when it lasts now, unless it was ended while the plugin worked.
    async fn extend(&self, record: Record, ttl: Duration, secret: pb::Secret, data: Bytes) -> Result<()> {
        let _turn = self.turns.change(&key(&record.id)).await;
        let mut record = self.read(&record.id).await?.ok_or(LeaseRefusal::NotFound)?;
        check(&record)?;
        let now = Timestamp::now();
        record.renewed = Some(now);
        record.ends = now.saturating_add(ttl).unwrap_or(Timestamp::MAX);
        record.renewable = secret.lease_options.is_some_and(|options| options.renewable);
        let request = record.request.get_or_insert_default();
        // A plugin that repeats nothing still knows it by what it said first.
        if data.as_ref() != b"null" && !data.is_empty() {
            request.data = data;
        }
        if !matches!(secret.internal_data.as_ref(), b"" | b"null" | b"{}") {
            request.secret = Some(secret);
        }
        self.keep(&record).await
    }
}

fn check(record: &Record) -> Result<(), LeaseRefusal> {
    if record.ends <= Timestamp::now() {
        Err(LeaseRefusal::Expired)
    } else if record.is_token {
        Err(LeaseRefusal::IsToken)
    } else if !record.renewable {
        Err(LeaseRefusal::NotRenewable)
    } else {
        Ok(())
    }
}

fn nanos(count: i64) -> Duration {
    Duration::from_nanos(u64::try_from(count).unwrap_or(0))
}
