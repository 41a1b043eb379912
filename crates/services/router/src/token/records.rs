//! What is stored about tokens, and where. Writes that belong together are made together here.

use ring::hmac;
use serde::{Deserialize, Serialize};
use wire::{catalog::v1::Write, pb};

use super::{SaltedId, TokenEntry};
use crate::{core::Active, lease::TokenLease, store::put};

pub(super) const SALT: &str = "core/token/salt";

/// Where the children of tokens are found, by their parents.
pub(super) const PARENTS: &str = "core/token/parent/";

/// What lies under a token's own names.
#[derive(Clone, Copy, Debug)]
pub(super) enum Folder {
    /// The tokens.
    Id,
    /// Which token an accessor belongs to.
    Accessor,
    /// The tokens that are dead, and not all that dies with them yet.
    Ending,
}

impl Folder {
    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Self::Id => "core/token/id/",
            Self::Accessor => "core/token/accessor/",
            Self::Ending => "core/token/ending/",
        }
    }

    pub(super) fn key(self, name: impl std::fmt::Display) -> String {
        format!("{}{name}", self.prefix())
    }
}

/// Below this are the children of a token.
pub(super) fn children(parent: &SaltedId) -> String {
    format!("{PARENTS}{parent}/")
}

pub(super) fn child(parent: &SaltedId, id: &SaltedId) -> String {
    format!("{}{id}", children(parent))
}

#[derive(Serialize, Deserialize)]
pub(super) struct Salt {
    pub(super) salt: [u8; 32],
}

/// Which token an accessor belongs to. Stored under the accessor's HMAC: accessors are for those who were given them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Accessor {
    pub(super) token: SaltedId,
    pub(super) accessor: String,
}

/// What becomes of the children of a token that ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Children {
    Die,
    /// They go on as orphans.
    Stay,
}

/// Stays until nothing is left of a token that has ended.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ending {
    pub(super) children: Children,
}

pub(super) fn index(key: &hmac::Key, accessor: &str) -> String {
    Folder::Accessor.key(hex::encode(hmac::sign(key, accessor.as_bytes())))
}

/// All that is stored about a new token.
pub(super) fn stored(key: &hmac::Key, id: &SaltedId, entry: &TokenEntry) -> Vec<Write> {
    let accessor = Accessor { token: *id, accessor: entry.accessor.clone() };
    let mut writes = vec![put(Folder::Id.key(id), entry), put(index(key, &entry.accessor), &accessor)];
    writes.extend(entry.parent.map(|parent| put(child(&parent, id), &())));
    writes
}

/// What makes a token: itself, and its lease if it ends.
pub(super) fn births(
    active: &Active,
    id: &SaltedId,
    entry: &TokenEntry,
    vouched: Option<&pb::Auth>,
) -> Vec<Write> {
    let mut writes = stored(&active.tokens.salt, id, entry);
    writes.extend(lease(active, id, entry, vouched));
    writes
}

/// What prolongs the life of a token.
pub(super) fn renewals(
    active: &Active,
    id: &SaltedId,
    entry: &TokenEntry,
    vouched: Option<&pb::Auth>,
) -> Vec<Write> {
    let itself = put(Folder::Id.key(id), entry);
    [itself].into_iter().chain(lease(active, id, entry, vouched)).collect()
}

/// From then on the token is worth nothing, and known as one that ends.
pub(super) fn deaths(active: &Active, id: &SaltedId, entry: &TokenEntry, children: Children) -> Vec<Write> {
    let own = [Folder::Id.key(id), index(&active.tokens.salt, &entry.accessor)];
    let gone = own.into_iter().chain(entry.parent.map(|parent| child(&parent, id)));
    let mut writes: Vec<Write> = gone.map(|key| Write { key, value: None }).collect();
    writes.extend(entry.expires().map(|_| active.leases.token_removal(id, &entry.path)));
    writes.push(put(Folder::Ending.key(id), &Ending { children }));
    writes
}

fn lease(active: &Active, id: &SaltedId, entry: &TokenEntry, vouched: Option<&pb::Auth>) -> Option<Write> {
    Some(active.leases.token_write(&TokenLease {
        id,
        path: &entry.path,
        issued: entry.created,
        renewed: entry.renewed.map(|renewed| renewed.at),
        ends: entry.expires()?,
        renewable: entry.renewable,
        auth: vouched,
    }))
}
