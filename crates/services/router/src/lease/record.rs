use std::{
    fmt,
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use wire::{catalog::v1::Write, pb};

use crate::{store::put, token::SaltedId};

const RECORDS: &str = "core/leases/id/";
const BY_TOKEN: &str = "core/leases/token/";

/// Everything that is stored about a lease.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: String,
    /// The mount that issued it, by its uuid: a mount that is moved keeps its leases.
    pub(crate) mount: String,
    /// Whose it is: of a secret, the token that asked for it; else the token that it is the lease of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<SaltedId>,
    /// It is the lease of a token.
    #[serde(default)]
    pub(crate) is_token: bool,
    pub(crate) issued: Timestamp,
    #[serde(default)]
    pub(crate) renewed: Option<Timestamp>,
    pub(crate) ends: Timestamp,
    pub(crate) renewable: bool,
    /// What the plugin is sent with a renewal or a revocation: what it said when it issued this.
    #[serde(with = "message", default, skip_serializing_if = "Option::is_none")]
    pub(crate) request: Option<pb::Request>,
    /// Why it could not be revoked; nobody tries any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) irrevocable: Option<String>,
}

/// Where the records of leases are.
pub(super) const fn records() -> &'static str {
    RECORDS
}

/// Below this is what dies with tokens.
pub(super) const fn by_token() -> &'static str {
    BY_TOKEN
}

/// Where the record of a lease is. An id may hold whatever a path may, which is more than a key.
pub(super) fn key(id: &str) -> String {
    format!("{RECORDS}{}", name(id))
}

/// Where one finds what dies with a token.
pub(super) fn of_token(token: &SaltedId) -> String {
    format!("{BY_TOKEN}{token}/")
}

/// The key of a record, by its name in a listing.
pub(super) fn key_of(name: &str) -> String {
    format!("{RECORDS}{name}")
}

fn name(id: &str) -> String {
    hex::encode(digest(&SHA256, id.as_bytes()))
}

impl Record {
    /// All that is stored for it.
    pub(super) fn writes(&self) -> Vec<Write> {
        let mut writes = vec![put(key(&self.id), self)];
        writes.extend(self.index().map(|key| Write { key, value: Some(bytes::Bytes::new()) }));
        writes
    }

    /// What removes it.
    pub(super) fn removals(&self) -> Vec<Write> {
        let keys = [Some(key(&self.id)), self.index()];
        keys.into_iter().flatten().map(|key| Write { key, value: None }).collect()
    }

    /// The place where it is found by its token. A token's own lease is found by its id.
    fn index(&self) -> Option<String> {
        let token = self.token.as_ref().filter(|_| !self.is_token)?;
        Some(of_token(token) + &name(&self.id))
    }

    /// When its revocation is due; none: it is irrevocable.
    pub(super) fn due(&self) -> Option<u64> {
        self.irrevocable.is_none().then(|| millis(self.ends))
    }

    /// What its plugin is sent with a renewal or a revocation.
    pub(super) fn request(&self, increment: Duration) -> pb::Request {
        let mut request = self.request.clone().unwrap_or_default();
        let secret = request.secret.as_mut().map(|secret| &mut secret.lease_options);
        let auth = request.auth.as_mut().map(|auth| &mut auth.lease_options);
        if let Some(options) = secret.or(auth) {
            let options = options.get_or_insert_default();
            options.increment = i64::try_from(increment.as_nanos()).unwrap_or(i64::MAX);
            options.issue_time = Some(SystemTime::from(self.issued).into());
        }
        request
    }

    /// How many seconds are left.
    pub(crate) fn remaining(&self, now: Timestamp) -> i64 {
        let left = self.ends.as_millisecond() - now.as_millisecond();
        (left + 500).div_euclid(1000).max(0)
    }
}

/// As the queue counts time.
pub(super) fn millis(time: Timestamp) -> u64 {
    u64::try_from(time.as_millisecond()).unwrap_or(0)
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("id", &self.id).field("ends", &self.ends).finish_non_exhaustive()
    }
}

/// A message of the plugin protocol, in base64.
mod message {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use prost::Message;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use wire::pb;

    #[allow(clippy::ref_option, reason = "serde hands it so")]
    pub(super) fn serialize<S: Serializer>(request: &Option<pb::Request>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_some(&request.as_ref().map(|request| STANDARD.encode(request.encode_to_vec())))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<pb::Request>, D::Error> {
        let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
        let bytes = STANDARD.decode(text).map_err(D::Error::custom)?;
        pb::Request::decode(bytes.as_slice()).map(Some).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            id: "pki/issue/a..b/0123".to_owned(),
            mount: "uuid".to_owned(),
            token: SaltedId::parse(&"07".repeat(32)),
            is_token: false,
            issued: Timestamp::UNIX_EPOCH,
            renewed: None,
            ends: Timestamp::from_second(60).unwrap(),
            renewable: true,
            request: Some(pb::Request {
                path: "issue/a..b".to_owned(),
                data: r#"{"password":"hunter2"}"#.into(),
                ..pb::Request::default()
            }),
            irrevocable: None,
        }
    }

    #[test]
    fn a_record_reads_back_and_does_not_show_its_secrets() {
        let record = record();
        let read: Record = serde_json::from_slice(&serde_json::to_vec(&record).unwrap()).unwrap();
        assert_eq!(
            (read.id, read.token, read.request),
            (record.id.clone(), record.token, record.request.clone())
        );
        assert!(!format!("{record:?}").contains("hunter2"));
    }

    #[test]
    fn whatever_is_written_is_removed_again() {
        let record = record();
        let keys = |writes: Vec<Write>| writes.into_iter().map(|write| write.key).collect::<Vec<_>>();
        assert_eq!(keys(record.writes()), keys(record.removals()));
        assert_eq!(record.writes().len(), 2);
        // Storage takes no two dots in a row.
        assert!(!key(&record.id).contains(".."));
    }

    #[test]
    fn what_is_left_is_counted_in_the_nearest_whole_seconds() {
        let at = |millis| record().remaining(Timestamp::from_millisecond(millis).unwrap());
        assert_eq!([at(0), at(400), at(600), at(60_000), at(90_000)], [60, 60, 59, 0, 0]);
    }
}
