use domain::{MountConfig, MountEntry, MountFacts, MountKind, MountPath, MountState, PluginVersion};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Mount;

/// What the paths of auth methods begin with.
const AUTH: &str = "auth/";

/// Where the records of mounts are.
pub(crate) const RECORDS: &str = "core/mounts/";

/// What is stored about one mount.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    #[serde(flatten)]
    pub(crate) entry: MountEntry,
    #[serde(default)]
    pub(crate) facts: MountFacts,
}

/// Where the record of a mount is.
pub(crate) fn key(uuid: &str) -> String {
    format!("{RECORDS}{uuid}")
}

/// Where the data of a mount are.
pub(crate) fn data(entry: &MountEntry) -> String {
    let area = match entry.kind {
        MountKind::Secret => "logical",
        MountKind::Auth => "auth",
    };
    format!("{area}/{}/", entry.uuid)
}

impl Record {
    pub(crate) fn of(mount: &Mount) -> Self {
        Self { entry: mount.entry.clone(), facts: (*mount.facts()).clone() }
    }

    /// A mount from its record. Whatever the record looks like, there is a mount: one that is damaged keeps what could
    /// be read, says what could not, and can be listed, mended and deleted.
    pub(crate) fn decode(uuid: &str, bytes: &[u8]) -> Mount {
        match serde_json::from_slice::<Self>(bytes) {
            Ok(record) if record.entry.uuid == uuid => Mount::new(record.entry, record.facts),
            Ok(_) => damaged(uuid, bytes, "it belongs to another mount"),
            Err(error) => damaged(uuid, bytes, &error.to_string()),
        }
    }
}

/// A mount of which nothing is known but that it exists.
pub(crate) fn unreadable(uuid: &str, why: &str) -> Mount {
    damaged(uuid, b"{}", why)
}

/// The place of a mount that cannot be where it should, among those of its kind.
pub(crate) fn refuge(uuid: &str, kind: MountKind) -> MountPath {
    let safe: String = uuid.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    let among = if kind == MountKind::Auth { AUTH } else { "" };
    format!("{among}damaged-{safe}/").parse().expect("letters, digits and dashes make a path")
}

fn damaged(uuid: &str, bytes: &[u8], why: &str) -> Mount {
    let mut known = template(uuid);
    let found = serde_json::from_slice::<Map<String, Value>>(bytes).unwrap_or_default();
    for (name, value) in found.into_iter().filter(|(name, _)| name != "uuid") {
        let before = known.insert(name.clone(), value);
        if serde_json::from_value::<Record>(Value::Object(known.clone())).is_err() {
            match before {
                Some(value) => known.insert(name, value),
                None => known.remove(&name),
            };
        }
    }
    let mut record: Record =
        serde_json::from_value(Value::Object(known)).expect("only what can be read was kept");
    let entry = &mut record.entry;
    if entry.path == refuge(uuid, MountKind::Secret) {
        entry.path = refuge(uuid, entry.kind);
    }
    entry.kind = if entry.path.as_str().starts_with(AUTH) { MountKind::Auth } else { MountKind::Secret };
    let mut mount = Mount::new(record.entry, record.facts);
    mount.damage = Some(format!(
        "its stored record is damaged ({why}); its data are kept; tune the mount to write the record anew, or delete it"
    ));
    mount
}

fn template(uuid: &str) -> Map<String, Value> {
    let entry = MountEntry {
        uuid: uuid.to_owned(),
        backend_uuid: String::new(),
        path: refuge(uuid, MountKind::Secret),
        kind: MountKind::Secret,
        plugin: "unknown".to_owned(),
        plugin_version: PluginVersion::NONE,
        accessor: String::new(),
        description: String::new(),
        options: None,
        local: false,
        seal_wrap: false,
        external_entropy_access: false,
        config: MountConfig::default(),
        state: MountState::Mounted,
    };
    match serde_json::to_value(Record { entry, facts: MountFacts::default() }) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored() -> (String, Map<String, Value>) {
        let uuid = "0f8fad5b-d9cb-469f-a165-70867728950e".to_owned();
        let mut members = template(&uuid);
        members.insert("path".to_owned(), "secret/".into());
        members.insert("plugin".to_owned(), "kv".into());
        members.insert("description".to_owned(), "mine".into());
        (uuid, members)
    }

    #[test]
    fn a_good_record_reads_back() {
        let (uuid, members) = stored();
        let mount = Record::decode(&uuid, &serde_json::to_vec(&members).unwrap());
        assert_eq!(mount.damage, None);
        assert_eq!(mount.entry.path.as_str(), "secret/");
        let again = serde_json::to_vec(&Record::of(&mount)).unwrap();
        assert_eq!(Record::decode(&uuid, &again).entry, mount.entry);
    }

    #[test]
    fn c1_whichever_field_is_damaged_the_others_are_kept() {
        let (uuid, members) = stored();
        let fields: Vec<String> = members.keys().cloned().collect();
        for field in fields {
            let mut broken = members.clone();
            broken.insert(field.clone(), serde_json::json!([["no", "such"]]));
            let mount = Record::decode(&uuid, &serde_json::to_vec(&broken).unwrap());
            assert!(mount.trouble().is_some(), "{field}");
            assert_eq!(mount.entry.uuid, uuid, "{field}");
            let path =
                if field == "path" { refuge(&uuid, MountKind::Secret) } else { "secret/".parse().unwrap() };
            assert_eq!(mount.entry.path, path, "{field}");
        }
    }

    #[test]
    fn an_auth_method_stays_one_whatever_is_damaged() {
        for (damaged, path) in [("kind", "auth/people/"), ("path", "auth/damaged-u/")] {
            let mut members = template("u");
            members.insert("path".to_owned(), "auth/people/".into());
            members.insert("kind".to_owned(), "auth".into());
            members.insert(damaged.to_owned(), 1.into());
            let mount = Record::decode("u", &serde_json::to_vec(&members).unwrap());
            assert_eq!((mount.entry.kind, mount.entry.path.as_str()), (MountKind::Auth, path), "{damaged}");
        }
    }

    #[test]
    fn c2_a_record_that_is_no_record_is_still_a_mount_that_can_be_deleted() {
        for bytes in [b"".as_slice(), b"garbage", b"[]", b"{\"path\":\"../x\"}", &[0xff, 0xfe]] {
            let mount = Record::decode("u", bytes);
            assert_eq!(mount.entry.path.as_str(), "damaged-u/");
            assert_eq!(mount.entry.uuid, "u");
            assert!(mount.trouble().is_some());
        }
    }
}
