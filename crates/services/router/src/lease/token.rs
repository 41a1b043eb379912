use jiff::Timestamp;
use wire::{catalog::v1::Write, pb};

use super::{
    Leases,
    record::{Record, key},
};
use crate::{store::put, token::SaltedId};

/// A token of finite life, as its lease keeps it.
#[derive(Clone, Copy)]
pub(crate) struct TokenLease<'t> {
    pub(crate) id: &'t SaltedId,
    /// Where it was made.
    pub(crate) path: &'t str,
    pub(crate) issued: Timestamp,
    pub(crate) renewed: Option<Timestamp>,
    pub(crate) ends: Timestamp,
    pub(crate) renewable: bool,
    /// What the plugin said that vouched for its holder; it is asked again when the token is renewed.
    pub(crate) auth: Option<&'t pb::Auth>,
}

/// The id of a token's lease.
pub(crate) fn lease_id(path: &str, id: &SaltedId) -> String {
    format!("{path}/h{id}")
}

impl Leases {
    /// The record of a token's lease. It belongs into the commit that stores the token, or its renewal.
    pub(crate) fn token_write(&self, lease: &TokenLease<'_>) -> Write {
        let record = Record {
            id: lease_id(lease.path, lease.id),
            mount: self.mount_at(lease.path),
            token: Some(*lease.id),
            is_token: true,
            issued: lease.issued,
            renewed: lease.renewed,
            ends: lease.ends,
            renewable: lease.renewable,
            request: lease.auth.map(|auth| self.request_of(lease.path, auth)),
            irrevocable: None,
        };
        put(key(&record.id), &record)
    }

    /// Sees to it that a token ends in its time. For what has been committed.
    pub(crate) fn watch_token(&self, id: &SaltedId, path: &str, ends: Timestamp) {
        self.watch(&lease_id(path, id), &self.mount_at(path), ends);
    }

    /// Removes the record of a token's lease. It belongs into the commit that removes the token.
    pub(crate) fn token_removal(&self, id: &SaltedId, path: &str) -> Write {
        Write { key: key(&lease_id(path, id)), value: None }
    }

    /// A token has ended. For what has been committed.
    pub(crate) fn forget_token(&self, id: &SaltedId, path: &str) {
        self.queue().remove(&lease_id(path, id));
    }

    fn request_of(&self, path: &str, auth: &pb::Auth) -> pb::Request {
        let snapshot = self.mounts.snapshot();
        let rest = snapshot.resolve(path).map_or(path, |(_, _, rest)| rest);
        // The plugin knows the token by nothing but what it said itself.
        let auth = pb::Auth { client_token: String::new(), accessor: String::new(), ..auth.clone() };
        pb::Request { path: rest.to_owned(), auth: Some(auth), ..pb::Request::default() }
    }
}
