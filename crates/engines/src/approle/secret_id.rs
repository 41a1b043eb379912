use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What is stored of a secret id, in the order that operators read it; of itself, there is a digest in its key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct SecretId {
    pub(super) cidr_list: Vec<String>,
    pub(super) creation_time: Timestamp,
    /// The zero time of Go: without end.
    pub(super) expiration_time: String,
    pub(super) last_updated_time: Timestamp,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) secret_id_accessor: String,
    /// How often it can still be used; 0: without limit.
    pub(super) secret_id_num_uses: i64,
    /// Seconds; 0: without end.
    pub(super) secret_id_ttl: u64,
    pub(super) token_bound_cidrs: Vec<String>,
}

/// Which secret id an accessor is of.
#[derive(Serialize, Deserialize)]
pub(super) struct Accessor {
    pub(super) role: String,
    pub(super) hash: String,
}

const NEVER: &str = "0001-01-01T00:00:00Z";

impl SecretId {
    pub(super) fn is_expired(&self, now: Timestamp) -> bool {
        self.expiration_time != NEVER
            && self.expiration_time.parse::<Timestamp>().map_or(true, |expires| expires <= now)
    }
}

/// When something ends that lasts so many seconds.
pub(super) fn expiration(now: Timestamp, ttl: u64) -> String {
    match ttl {
        0 => NEVER.to_owned(),
        seconds => now.saturating_add(Duration::from_secs(seconds)).unwrap_or(Timestamp::MAX).to_string(),
    }
}
