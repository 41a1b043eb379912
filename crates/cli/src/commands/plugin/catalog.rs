use serde_json::{Value, json};

use crate::{
    Error,
    client::Request,
    error::{Doing, Result},
    session::Session,
};

/// The entry that a command is about.
fn entry(session: &Session<'_>) -> String {
    format!("sys/plugins/catalog/{}/{}", session.given.place("TYPE"), session.given.place("NAME"))
}

fn versioned(session: &Session<'_>, request: Request) -> Request {
    match session.given.text("version") {
        Some(version) => request.with("version", version),
        None => request,
    }
}

pub(super) fn deregister(session: &Session<'_>) -> Result<()> {
    let name = session.given.place("NAME");
    let request = versioned(session, Request::delete(entry(session)));
    session.ask(&request, || format!("Error deregistering plugin named {name}"))?;
    session.out.say(format!("Success! Deregistered plugin (if it was registered): {name}"));
    Ok(())
}

pub(super) fn info(session: &Session<'_>) -> Result<()> {
    let name = session.given.place("NAME");
    let request = versioned(session, Request::get(entry(session)));
    let found = session.find(&request, || format!("Error reading plugin named {name}"))?;
    let data = found.and_then(|secret| secret.data);
    session.out.object(
        &data
            .map(Value::Object)
            .ok_or_else(|| Error::nothing(format!("No value found for plugin {name:?}")))?,
    )
}

/// Every version of every plugin that is known.
pub(super) fn details(session: &Session<'_>) -> Result<Value> {
    let doing = || "Error listing available plugins".to_owned();
    session.ask(&Request::get("sys/plugins/catalog"), doing)?.data().doing(doing)
}

pub(super) fn list(session: &Session<'_>) -> Result<()> {
    let kind = session.given.text("TYPE");
    let known = details(session)?;
    let empty = Vec::new();
    let entries = known["detailed"].as_array().unwrap_or(&empty).iter();
    let entries: Vec<&Value> =
        entries.filter(|entry| kind.is_none_or(|kind| entry["type"] == kind)).collect();
    let columns = match (session.given.on("detailed"), kind) {
        (true, _) => DETAILED,
        (false, None) => TYPED,
        (false, Some(_)) => NAMED,
    };
    let value = match (session.given.on("detailed"), kind) {
        (true, _) => json!(entries),
        (false, None) => {
            json!({ "auth": known["auth"], "database": known["database"], "secret": known["secret"] })
        }
        (false, Some(kind)) => known[kind].clone(),
    };
    let head: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let row = |entry: &&Value| {
        columns.iter().map(|(_, field)| entry[*field].as_str().unwrap_or_default().to_owned()).collect()
    };
    session.out.either(&value, &head, || entries.iter().map(row).collect())
}

const NAMED: &[(&str, &str)] = &[("Name", "name"), ("Version", "version")];
const TYPED: &[(&str, &str)] = &[("Name", "name"), ("Type", "type"), ("Version", "version")];
const DETAILED: &[(&str, &str)] = &[
    ("Name", "name"),
    ("Type", "type"),
    ("Version", "version"),
    ("Deprecation Status", "deprecation_status"),
];

pub(super) fn pin(session: &Session<'_>) -> Result<()> {
    let given = &session.given;
    let (Some(kind), Some(name)) = (given.text("TYPE"), given.text("NAME")) else { return pins(session) };
    let path = format!("sys/plugins/pins/{kind}/{name}");
    let request = match (given.text("VERSION"), given.on("remove")) {
        (Some(_), true) => {
            return Err(Error::local(
                "-remove takes no version: there is only one that a plugin is bound to",
            ));
        }
        (None, true) => Request::delete(&*path),
        (Some(version), false) => Request::put(&*path, json!({ "version": version })),
        (None, false) => {
            let answer = session.ask(&Request::get(&*path), || format!("Error reading the pin of {name}"))?;
            return session.out.object(&answer.data()?);
        }
    };
    session.ask(&request, || format!("Error pinning plugin {name}"))?;
    session.out.done(match given.text("VERSION") {
        Some(version) => format!(
            "Success! Pinned plugin {name} to version {version}: each mount from its next start or reload"
        ),
        None => format!("Success! Unpinned plugin (if it was pinned): {name}"),
    });
    Ok(())
}

fn pins(session: &Session<'_>) -> Result<()> {
    if session.given.text("TYPE").is_some() {
        return Err(Error::local("Not enough arguments: a plugin is named by its type and its name"));
    }
    let data = session.ask(&Request::get("sys/plugins/pins"), || "Error listing pins".to_owned())?.data()?;
    let pins = data["pinned_versions"].as_array().cloned().unwrap_or_default();
    let row = |pin: &Value| {
        TYPED.iter().map(|(_, field)| pin[*field].as_str().unwrap_or_default().to_owned()).collect()
    };
    session.out.either(&pins, &["Name", "Type", "Version"], || pins.iter().map(row).collect())
}
