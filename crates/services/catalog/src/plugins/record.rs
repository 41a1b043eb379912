use std::fmt;

use bytes::Bytes;
use domain::{PluginName, PluginType, PluginVersion, Sha256};
use serde::{Deserialize, Serialize};
use wire::catalog::v1;

/// Which entry: there is at most one of each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id {
    pub(super) plugin_type: PluginType,
    pub(super) name: PluginName,
    pub(super) version: PluginVersion,
}

/// Where a plugin's program is, in the plugin directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Program {
    /// The folder of an unpacked release; none: the plugin directory itself.
    pub(super) release: Option<String>,
    /// The file.
    pub(super) command: String,
}

/// An external plugin, as it was registered.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) id: Id,
    pub(super) sha256: Sha256,
    pub(super) program: Program,
    pub(super) args: Vec<String>,
    pub(super) env: Vec<String>,
    /// The sandbox that its processes are confined by.
    pub(super) runtime: Option<PluginName>,
    /// The configuration of the server asked for it, and takes it back.
    pub(super) declared: bool,
}

/// The form in storage. It repeats the name, so that a record is of one piece.
#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(rename = "type")]
    plugin_type: PluginType,
    name: PluginName,
    version: PluginVersion,
    sha256: String,
    command: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    release: Option<String>,
    args: Vec<String>,
    env: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    runtime: Option<PluginName>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    declared: bool,
}

impl Record {
    pub(super) fn encode(self) -> serde_json::Result<Bytes> {
        let Self { id, sha256, program: Program { release, command }, args, env, runtime, declared } = self;
        let Id { plugin_type, name, version } = id;
        let sha256 = sha256.to_string();
        let stored =
            Stored { plugin_type, name, version, sha256, command, release, args, env, runtime, declared };
        serde_json::to_vec(&stored).map(Bytes::from)
    }

    /// `None` when these bytes are no record of that entry.
    pub(super) fn decode(id: &Id, bytes: &[u8]) -> Option<Self> {
        let stored: Stored = serde_json::from_slice(bytes).ok()?;
        let Stored { plugin_type, name, version, sha256, command, release, args, env, runtime, declared } =
            stored;
        let found = Id { plugin_type, name, version };
        let sha256 = sha256.parse().ok()?;
        (found == *id).then_some(Self {
            id: found,
            sha256,
            program: Program { release, command },
            args,
            env,
            runtime,
            declared,
        })
    }
}

impl From<Record> for v1::Plugin {
    fn from(record: Record) -> Self {
        Self {
            sha256: Bytes::copy_from_slice(record.sha256.as_bytes()),
            command: record.program.command,
            release: record.program.release.unwrap_or_default(),
            args: record.args,
            env: record.env,
            runtime: record.runtime.map(String::from).unwrap_or_default(),
            ..Self::from(record.id)
        }
    }
}

impl From<Id> for v1::Plugin {
    fn from(id: Id) -> Self {
        Self {
            name: id.name.into(),
            r#type: id.plugin_type.word().to_owned(),
            version: id.version.into(),
            ..Self::default()
        }
    }
}

// Variables and arguments can be secrets.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("id", &self.id).field("sha256", &self.sha256).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            id: Id {
                plugin_type: PluginType::Secret,
                name: "kv".parse().unwrap(),
                version: "1.0".parse().unwrap(),
            },
            sha256: Sha256::new([7; 32]),
            program: Program { release: None, command: "kv".to_owned() },
            args: vec!["--x".to_owned()],
            env: vec!["TOKEN=canary".to_owned()],
            runtime: Some("strict".parse().unwrap()),
            declared: true,
        }
    }

    #[test]
    fn a_record_reads_back_at_its_own_entry_only() {
        let record = record();
        let stored = record.clone().encode().unwrap();
        assert_eq!(Record::decode(&record.id, &stored).unwrap(), record);
        let other = Id { version: PluginVersion::NONE, ..record.id };
        assert!(Record::decode(&other, &stored).is_none());
    }

    #[test]
    fn c1_no_damage_to_any_part_makes_it_panic() {
        let record = record();
        let stored = record.clone().encode().unwrap();
        for at in 0..stored.len() {
            let mut damaged = stored.to_vec();
            damaged[at] = b'\xff';
            assert!(Record::decode(&record.id, &damaged).is_none(), "byte {at}");
            assert!(Record::decode(&record.id, &stored[..at]).is_none(), "cut at {at}");
        }
    }

    #[test]
    fn its_variables_do_not_show() {
        assert!(!format!("{:?}", record()).contains("canary"));
    }
}
