use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};
use tenon::{Request, framework::present};

use super::settings::Settings;

/// How many versions are kept when nobody has said.
const DEFAULT_MAX_VERSIONS: u32 = 10;

/// All that is known of one key: its versions, its own settings, and, when it is small, the newest version's data, so
/// that the most frequent read costs one look into storage.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) created_time: Timestamp,
    pub(super) updated_time: Timestamp,
    pub(super) current_version: u64,
    /// Zero until versions are dropped, as in Vault.
    pub(super) oldest_version: u64,
    pub(super) max_versions: u32,
    pub(super) cas_required: bool,
    /// In seconds; zero: the mount's.
    pub(super) delete_version_after: u64,
    pub(super) custom_metadata: BTreeMap<String, String>,
    pub(super) last_updated_by: Option<Attribution>,
    pub(super) versions: BTreeMap<u64, Version>,
    /// The newest version's data, unless it is stored by itself. The data may be `null`, which is not the same as none.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) newest_data: Option<Box<RawValue>>,
}

/// What is known of one version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Version {
    pub(super) created_time: Timestamp,
    /// When it counts as deleted; may lie ahead.
    pub(super) deletion_time: Option<Timestamp>,
    pub(super) destroyed: bool,
    pub(super) created_by: Option<Attribution>,
    pub(super) deleted_by: Option<Attribution>,
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attribution {
    pub(super) actor: String,
    pub(super) operation: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) entity_id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) client_id: String,
}

impl Attribution {
    /// Whoever sends a request. Without an entity, a digest of the token stands for the client.
    pub(super) fn of(request: &Request) -> Self {
        let client_id = match (request.entity_id.as_str(), request.client_token.as_bytes()) {
            ("", b"") => String::new(),
            ("", token) => STANDARD.encode(digest(&SHA256, token)),
            (entity_id, _) => entity_id.to_owned(),
        };
        Self {
            actor: request.display_name.clone(),
            operation: request.operation.word().to_owned(),
            entity_id: request.entity_id.clone(),
            client_id,
        }
    }
}

impl Record {
    /// A key that has no version yet.
    pub(super) const fn new(now: Timestamp) -> Self {
        Self {
            created_time: now,
            updated_time: now,
            current_version: 0,
            oldest_version: 0,
            max_versions: 0,
            cas_required: false,
            delete_version_after: 0,
            custom_metadata: BTreeMap::new(),
            last_updated_by: None,
            versions: BTreeMap::new(),
            newest_data: None,
        }
    }

    /// Adds a version; returns the numbers of those that are too many now.
    pub(super) fn add_version(&mut self, now: Timestamp, by: Attribution, settings: &Settings) -> Vec<u64> {
        self.current_version += 1;
        self.updated_time = now;
        let version = Version {
            created_time: now,
            deletion_time: self.deletion_time(now, settings),
            destroyed: false,
            created_by: Some(by.clone()),
            deleted_by: None,
        };
        self.versions.insert(self.current_version, version);
        self.last_updated_by = Some(by);
        self.drop_oldest(settings.max_versions)
    }

    fn drop_oldest(&mut self, mounts_max: u32) -> Vec<u64> {
        let max = match self.max_versions.max(mounts_max) {
            0 => DEFAULT_MAX_VERSIONS,
            max => max,
        };
        if self.current_version - self.oldest_version < max.into() {
            return Vec::new();
        }
        self.oldest_version = self.current_version - u64::from(max) + 1;
        let kept = self.versions.split_off(&self.oldest_version);
        std::mem::replace(&mut self.versions, kept).into_keys().collect()
    }

    /// When a version that is made (or brought back) now counts as deleted: the shorter of what key and mount say.
    pub(super) fn deletion_time(&self, now: Timestamp, settings: &Settings) -> Option<Timestamp> {
        let mounts = u64::try_from(settings.delete_version_after).ok()?;
        let after = [mounts, self.delete_version_after].into_iter().filter(|seconds| *seconds > 0).min()?;
        let after = jiff::SignedDuration::from_secs(i64::try_from(after).ok()?);
        // A time beyond what clocks show never comes.
        now.checked_add(after).ok()
    }

    /// The version that is asked for: by number, or the newest.
    pub(super) fn pick(&self, number: Option<u64>) -> Option<(u64, &Version)> {
        let number = number.filter(|number| *number > 0).unwrap_or(self.current_version);
        Some((number, self.versions.get(&number)?))
    }

    /// What clients are told of one version.
    pub(super) fn describe(&self, number: u64, version: &Version) -> Value {
        json!({
            "created_time": version.created_time,
            "custom_metadata": self.custom_metadata(),
            "deletion_time": text(version.deletion_time),
            "destroyed": version.destroyed,
            "version": number,
        })
    }

    /// None is `null` to clients, and so is an empty one.
    pub(super) fn custom_metadata(&self) -> Option<&BTreeMap<String, String>> {
        Some(&self.custom_metadata).filter(|metadata| !metadata.is_empty())
    }
}

impl Version {
    /// Whether its data can be read.
    pub(super) fn is_live(&self, now: Timestamp) -> bool {
        !self.destroyed && self.deletion_time.is_none_or(|time| time > now)
    }
}

/// A time as clients see it: none is an empty text.
pub(super) fn text(time: Option<Timestamp>) -> String {
    time.map(|time| time.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by() -> Attribution {
        Attribution::of(&Request::new(tenon::Operation::Update, "x"))
    }

    fn seconds(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn ten_versions_are_kept_unless_somebody_says_more_or_fewer() {
        for (keys, mounts, kept) in [(0, 0, 10), (3, 0, 3), (0, 4, 4), (3, 5, 5), (12, 5, 12)] {
            let mut record = Record { max_versions: keys, ..Record::new(seconds(0)) };
            let settings = Settings { max_versions: mounts, ..Settings::default() };
            let dropped: Vec<_> =
                (0..15).flat_map(|_| record.add_version(seconds(1), by(), &settings)).collect();
            assert_eq!(record.versions.len(), kept);
            assert_eq!(dropped, (1..=15 - kept as u64).collect::<Vec<_>>());
            assert_eq!(record.oldest_version, 16 - kept as u64);
        }
    }

    #[test]
    fn a_lower_limit_drops_many_at_once() {
        let mut record = Record::new(seconds(0));
        for _ in 0..8 {
            record.add_version(seconds(1), by(), &Settings::default());
        }
        record.max_versions = 2;
        assert_eq!(record.add_version(seconds(1), by(), &Settings::default()), [1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn the_shorter_life_counts() {
        for (mount, key, expected) in [
            (0, 0, None),
            (60, 0, Some(60)),
            (0, 30, Some(30)),
            (60, 30, Some(30)),
            (10, 30, Some(10)),
            (-1, 30, None),
        ] {
            let record = Record { delete_version_after: key, ..Record::new(seconds(0)) };
            let settings = Settings { delete_version_after: mount, ..Settings::default() };
            assert_eq!(record.deletion_time(seconds(0), &settings), expected.map(seconds));
        }
    }

    #[test]
    fn a_version_lives_until_its_deletion_time() {
        let mut record = Record { delete_version_after: 60, ..Record::new(seconds(0)) };
        record.add_version(seconds(0), by(), &Settings::default());
        assert!(record.versions[&1].is_live(seconds(59)));
        assert!(!record.versions[&1].is_live(seconds(60)));
    }
}
