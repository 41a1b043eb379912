use serde_json::{Map, Value};

use super::{
    get::{member, part},
    place::Place,
};
use crate::{
    Error,
    client::{Request, Secret},
    commands::data::change,
    error::Result,
    session::Session,
};

fn place(session: &Session<'_>) -> Result<String> {
    Ok(Place::versioned(session, "Metadata")?.api("metadata"))
}

pub(super) fn get(session: &Session<'_>) -> Result<()> {
    let path = place(session)?;
    let found = session.find(&Request::get(&*path), || format!("Error reading {path}"))?;
    let secret = found.ok_or_else(|| Error::nothing(format!("No value found at {path}")))?;
    if secret.wrap_info.is_some() || !session.out.is_table() {
        return session.out.secret(&secret);
    }
    session.out.warnings(&secret);
    super::get::heading(session, &path);
    shown(session, &secret);
    Ok(())
}

fn shown(session: &Session<'_>, secret: &Secret) {
    let mut about = secret.data.clone().unwrap_or_default();
    about.remove("versions");
    part(session, "Metadata", &about);
    let empty = Map::new();
    let mut versions: Vec<(u64, &Value)> = member(secret, "versions")
        .unwrap_or(&empty)
        .iter()
        .filter_map(|(number, about)| Some((number.parse().ok()?, about)))
        .collect();
    versions.sort_by_key(|(number, _)| *number);
    for (number, about) in versions {
        session.out.say("");
        part(session, &format!("Version {number}"), about.as_object().unwrap_or(&empty));
    }
}

pub(super) fn put(session: &Session<'_>) -> Result<()> {
    let (path, body) = (place(session)?, session.body()?);
    written(session, &path, &Request::put(&*path, body))
}

pub(super) fn patch(session: &Session<'_>) -> Result<()> {
    let mut body = session.body()?;
    let removed = session.given.list("remove-custom-metadata");
    if !removed.is_empty() {
        let custom = body.entry("custom_metadata").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(custom) = custom {
            custom.extend(removed.into_iter().map(|key| (key, Value::Null)));
        }
    }
    let path = place(session)?;
    written(session, &path, &Request::patch(&*path, body))
}

fn written(session: &Session<'_>, path: &str, request: &Request) -> Result<()> {
    change(
        session,
        request,
        || format!("Error writing data to {path}"),
        || format!("Success! Data written to: {path}"),
    )
}

pub(super) fn delete(session: &Session<'_>) -> Result<()> {
    let path = place(session)?;
    session.ask(&Request::delete(&*path), || format!("Error deleting {path}"))?;
    session.out.say(format!("Success! Data deleted (if it existed) at: {path}"));
    Ok(())
}
