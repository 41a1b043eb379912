use serde_json::{Map, Value, json};

use crate::{
    Error, Exit,
    client::Request,
    error::Result,
    leaf::{Leaf, Prints},
    output::plain,
    session::Session,
};

pub const LEAVES: &[Leaf] = &[Leaf {
    words: "status",
    about: "Tell whether the server is initialised, unsealed and active; sealed is 2.",
    takes: &[],
    flags: &[],
    prints: Prints::Field,
    run: status,
}];

fn status(session: &Session<'_>) -> Result<()> {
    let client = session.client()?;
    // 2 means sealed and nothing else.
    let unknown = |failure| match failure {
        instead @ crate::client::Failure::Instead(_) => Error::Failed(instead),
        failure => Error::local(format!("Error checking seal status: {failure}")),
    };
    let seal: Value =
        client.ask(&Request::get("sys/seal-status")).and_then(|answer| answer.json()).map_err(unknown)?;
    show(session, &seal)?;
    if seal["sealed"] == json!(false) { Ok(()) } else { Err(Error::Ends(Exit::Remote)) }
}

/// Prints how far the server is, beside what it says about the others.
pub(super) fn show(session: &Session<'_>, seal: &Value) -> Result<()> {
    let leader = session.client()?.ask(&Request::get("sys/leader")).and_then(|answer| answer.json::<Value>());
    // A sealed server does not know its leader.
    let leader = leader.unwrap_or_else(|_| json!({ "ha_enabled": false }));
    let mut whole: Map<String, Value> = seal.as_object().cloned().unwrap_or_default();
    for name in ["ha_enabled", "is_self", "active_time", "leader_address", "leader_cluster_address"] {
        whole.extend(
            leader
                .get(name)
                .filter(|value| **value != json!(""))
                .map(|value| (name.to_owned(), value.clone())),
        );
    }
    if session.out.field.is_some() {
        return session.out.object(&Value::Object(whole));
    }
    session.out.either(&whole, &["Key", "Value"], || rows(&whole))
}

/// In Vault's order, and only what is so.
fn rows(status: &Map<String, Value>) -> Vec<Vec<String>> {
    let text = |name: &str| status.get(name).map(plain).unwrap_or_default();
    let on = |name: &str| status.get(name) == Some(&json!(true));
    let mut rows = Vec::new();
    let mut add = |name: &str, value: String| rows.push(vec![name.to_owned(), value]);
    add("Seal Type", text("type"));
    add("Initialized", text("initialized"));
    add("Sealed", text("sealed"));
    let kind = if on("recovery_seal") { "Recovery " } else { "" };
    add(&format!("Total {kind}Shares"), text("n"));
    add("Threshold", text("t"));
    if on("sealed") {
        add("Unseal Progress", format!("{}/{}", text("progress"), text("t")));
        add("Unseal Nonce", text("nonce"));
    }
    let further = [
        ("Version", "version"),
        ("Build Date", "build_date"),
        ("Storage Type", "storage_type"),
        ("Cluster Name", "cluster_name"),
        ("Cluster ID", "cluster_id"),
    ];
    for (name, field) in further.into_iter().filter(|(_, field)| !text(field).is_empty()) {
        add(name, text(field));
    }
    add("HA Enabled", on("ha_enabled").to_string());
    if on("ha_enabled") && !on("sealed") {
        add("HA Cluster", text("leader_cluster_address"));
        add("HA Mode", if on("is_self") { "active".to_owned() } else { "standby".to_owned() });
        let (name, field) = if on("is_self") {
            ("Active Since", "active_time")
        } else {
            ("Active Node Address", "leader_address")
        };
        add(name, text(field));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_server_tells_how_far_it_is() {
        let status = json!({"type": "shamir", "initialized": true, "sealed": true, "t": 2, "n": 3, "progress": 1, "nonce": ""});
        let rows = rows(status.as_object().unwrap());
        assert_eq!(rows[5], ["Unseal Progress", "1/2"]);
        assert_eq!(rows.last().unwrap(), &["HA Enabled", "false"]);
    }

    #[test]
    fn a_standby_tells_who_is_active() {
        let status = json!({"sealed": false, "ha_enabled": true, "is_self": false, "leader_address": "https://a:8200"});
        let rows = rows(status.as_object().unwrap());
        assert!(rows.contains(&vec!["HA Mode".to_owned(), "standby".to_owned()]));
        assert_eq!(rows.last().unwrap(), &["Active Node Address", "https://a:8200"]);
    }
}
