use serde_json::{Map, Value};

use super::{Side, text};
use crate::{client::Request, error::Result, output::duration, session::Session};

pub(super) fn list(session: &Session<'_>, side: &Side) -> Result<()> {
    let answer = session.ask(&Request::get(side.api), || format!("Error listing {}s", side.thing))?;
    let data = answer.data()?;
    let empty = Map::new();
    let mounts = data.as_object().unwrap_or(&empty);
    if session.given.on("detailed") {
        let head: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
        return session.out.either(&data, &head, || rows(mounts, COLUMNS));
    }
    let columns = if side.tells_version { FEW_AND_VERSION } else { FEW };
    let head: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    session.out.either(&data, &head, || rows(mounts, columns))
}

/// A heading, and what is below it for one mount.
type Column = (&'static str, fn(&str, &Value) -> String);

const PATH: Column = ("Path", |path, _| path.to_owned());
const TYPE: Column = ("Type", |_, mount| text(mount, "type"));
const ACCESSOR: Column = ("Accessor", |_, mount| text(mount, "accessor"));
const DESCRIPTION: Column = ("Description", |_, mount| text(mount, "description"));
const VERSION: Column = ("Version", |_, mount| text(mount, "plugin_version"));

const FEW: &[Column] = &[PATH, TYPE, ACCESSOR, DESCRIPTION];
const FEW_AND_VERSION: &[Column] = &[PATH, TYPE, ACCESSOR, DESCRIPTION, VERSION];
const COLUMNS: &[Column] = &[
    PATH,
    ("Plugin", |_, mount| text(mount, "type")),
    ACCESSOR,
    ("Default TTL", |_, mount| ttl(mount, "default_lease_ttl")),
    ("Max TTL", |_, mount| ttl(mount, "max_lease_ttl")),
    ("Force No Cache", |_, mount| truth(&mount["config"], "force_no_cache")),
    ("Replication", |_, mount| {
        if truth(mount, "local") == "true" { "local" } else { "replicated" }.to_owned()
    }),
    ("Seal Wrap", |_, mount| truth(mount, "seal_wrap")),
    ("External Entropy Access", |_, mount| truth(mount, "external_entropy_access")),
    ("Options", |_, mount| options(mount)),
    DESCRIPTION,
    ("UUID", |_, mount| text(mount, "uuid")),
    VERSION,
    ("Running Version", |_, mount| text(mount, "running_plugin_version")),
    ("Running SHA256", |_, mount| text(mount, "running_sha256")),
    ("Deprecation Status", |_, mount| text(mount, "deprecation_status")),
];

fn rows(mounts: &Map<String, Value>, columns: &[Column]) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = mounts
        .iter()
        .map(|(path, mount)| columns.iter().map(|(_, cell)| cell(path, mount)).collect())
        .collect();
    rows.sort();
    rows
}

/// Nothing of its own means the server's.
fn ttl(mount: &Value, name: &str) -> String {
    match mount["config"][name].as_i64() {
        None | Some(0) => "system".to_owned(),
        Some(seconds) => duration(seconds),
    }
}

fn truth(of: &Value, name: &str) -> String {
    (of[name] == true).to_string()
}

fn options(mount: &Value) -> String {
    mount["options"].as_object().map_or_else(|| "map[]".to_owned(), |_| text(mount, "options"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn mounts_are_in_order_and_tell_what_is_theirs() {
        let mounts = json!({
            "b/": {"type": "kv", "config": {"max_lease_ttl": 60}, "options": {"version": "2"}},
            "a/": {"type": "kv", "description": "first", "local": true},
        });
        let rows = rows(mounts.as_object().unwrap(), COLUMNS);
        assert_eq!(
            (&*rows[0][0], &*rows[0][3], &*rows[0][6], &*rows[0][9]),
            ("a/", "system", "local", "map[]")
        );
        assert_eq!((&*rows[1][4], &*rows[1][9]), ("1m", "map[version:2]"));
    }
}
