use serde_json::{Map, Value};

use super::place::Place;
use crate::{
    Error,
    client::{Request, Secret},
    commands::data::listed,
    error::Result,
    output::boxed,
    session::Session,
};

pub(super) fn get(session: &Session<'_>) -> Result<()> {
    let place = Place::of(session)?;
    let path = place.api("data");
    let mut request = Request::get(&*path);
    if let Some(version) =
        session.given.number("version").filter(|version| place.is_versioned && *version > 0)
    {
        request = request.with("version", version.to_string());
    }
    let found = session.find(&request, || format!("Error reading {path}"))?;
    let secret = found.ok_or_else(|| Error::nothing(format!("No value found at {path}")))?;
    if !place.is_versioned || secret.wrap_info.is_some() {
        return session.out.secret(&secret);
    }
    match &session.out.field {
        Some(field) => one(session, &path, &secret, field),
        None if session.out.is_table() => {
            session.out.warnings(&secret);
            shown(session, &path, &secret);
            Ok(())
        }
        None => session.out.secret(&secret),
    }
}

/// A field of the secret itself; `data` is all of it, unless it has a field of this name.
fn one(session: &Session<'_>, path: &str, secret: &Secret, field: &str) -> Result<()> {
    let kept = member(secret, "data").ok_or_else(|| Error::nothing(format!("No data found at {path}")))?;
    let whole = || (field == "data").then(|| Value::Object(kept.clone()));
    let value = kept.get(field).cloned().or_else(whole);
    session.out.field_of(&value, field)
}

fn shown(session: &Session<'_>, path: &str, secret: &Secret) {
    heading(session, path);
    if let Some(metadata) = member(secret, "metadata") {
        part(session, "Metadata", metadata);
        session.out.say("");
    }
    if let Some(kept) = member(secret, "data") {
        part(session, "Data", kept);
    }
}

/// Tells where it is, as the API knows it.
pub(super) fn heading(session: &Session<'_>, path: &str) {
    session.out.say(format!("{}\n{path}\n", boxed("Secret Path", path.len())));
}

/// Tells one part of it, below a heading.
pub(super) fn part(session: &Session<'_>, name: &str, data: &Map<String, Value>) {
    let widest = data.keys().map(String::len).max().unwrap_or_default();
    session.out.say(boxed(name, widest + "    Value".len()));
    if !data.is_empty() {
        let rows = crate::output::rows_of(data);
        session.out.say(crate::output::table(&["Key", "Value"], &rows));
    }
}

/// An object in an answer.
pub(super) fn member<'s>(secret: &'s Secret, name: &str) -> Option<&'s Map<String, Value>> {
    secret.data.as_ref()?.get(name)?.as_object()
}

pub(super) fn list(session: &Session<'_>) -> Result<()> {
    let path = Place::of(session)?.api("metadata");
    listed(session, &path, &Request::list(format!("{path}/")))
}
