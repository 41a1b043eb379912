use serde_json::{Map, Value, json};

use super::{
    get::{heading, member, part},
    place::Place,
};
use crate::{
    Error,
    client::{Request, Secret},
    commands::data::change,
    error::{Doing, Result},
    session::Session,
    values,
};

pub(super) fn put(session: &Session<'_>) -> Result<()> {
    let data = values::written(&session.given.many("DATA"))?;
    let place = Place::of(session)?;
    let path = place.api("data");
    if place.is_versioned {
        return written(session, &path, &Request::put(&*path, versioned(data, session.given.number("cas"))));
    }
    change(
        session,
        &Request::put(&*path, data),
        || format!("Error writing data to {path}"),
        || format!("Success! Data written to: {path}"),
    )
}

fn versioned(data: Map<String, Value>, cas: Option<i64>) -> Value {
    let options = cas.filter(|cas| *cas >= 0).map_or_else(|| json!({}), |cas| json!({ "cas": cas }));
    json!({ "data": data, "options": options })
}

/// Writes a version, and tells what became of it.
fn written(session: &Session<'_>, path: &str, request: &Request) -> Result<()> {
    let doing = || format!("Error writing data to {path}");
    let secret = session.ask(request, doing)?.secret().doing(doing)?;
    told(session, path, secret)
}

fn told(session: &Session<'_>, path: &str, secret: Option<Secret>) -> Result<()> {
    let Some(secret) = secret else {
        session.out.done(format!("Success! Data written to: {path}"));
        return Ok(());
    };
    if !session.out.is_table() || session.out.field.is_some() || secret.wrap_info.is_some() {
        return session.out.secret(&secret);
    }
    session.out.warnings(&secret);
    heading(session, path);
    part(session, "Metadata", &secret.data.unwrap_or_default());
    Ok(())
}

pub(super) fn patch(session: &Session<'_>) -> Result<()> {
    let mut data = values::written(&session.given.many("DATA"))?;
    // What is set to nothing is taken out.
    data.extend(session.given.list("remove-data").into_iter().map(|key| (key, Value::Null)));
    if data.is_empty() {
        return Err(Error::local("Must supply data"));
    }
    let place = Place::of(session)?;
    if !place.is_versioned {
        return Err(Error::nothing("KV engine mount must be version 2 for patch support"));
    }
    let path = place.api("data");
    match session.given.text("method") {
        Some("rw") => rewrite(session, &path, data),
        None | Some("patch") => merge(session, &path, data),
        Some(other) => Err(Error::local(format!("Unsupported method provided to -method flag: {other}"))),
    }
}

/// Lets the server merge; where the token may only read and write, that is done here.
fn merge(session: &Session<'_>, path: &str, data: Map<String, Value>) -> Result<()> {
    let request = Request::patch(path, versioned(data.clone(), session.given.number("cas")));
    match session.client()?.ask(&request) {
        Ok(answer) => told(session, path, answer.secret()?),
        Err(failure) if failure.status() == Some(404) => {
            Err(Error::nothing(format!("No value found at {path}")))
        }
        Err(failure)
            if matches!(failure.status(), Some(403 | 405)) && session.given.text("method").is_none() =>
        {
            rewrite(session, path, data)
        }
        Err(failure) => Err(Error::Asked { doing: format!("Error writing data to {path}"), failure }),
    }
}

fn rewrite(session: &Session<'_>, path: &str, changes: Map<String, Value>) -> Result<()> {
    let request = Request { plain: true, ..Request::get(path) };
    let (mut data, version) = existing(session, path, &request, "patch")?;
    for (key, value) in changes {
        match value {
            Value::Null => drop(data.remove(&key)),
            value => drop(data.insert(key, value)),
        }
    }
    let cas = session.given.number("cas").unwrap_or(version);
    written(session, path, &Request::put(path, versioned(data, Some(cas))))
}

/// What is there, and as which version.
fn existing(
    session: &Session<'_>,
    path: &str,
    request: &Request,
    what: &str,
) -> Result<(Map<String, Value>, i64)> {
    let found = session.find(request, || format!("Error doing pre-read at {path}"))?;
    let secret = found.ok_or_else(|| Error::nothing(format!("No value found at {path}")))?;
    let version = member(&secret, "metadata").and_then(|metadata| metadata.get("version")?.as_i64());
    let version = version.ok_or_else(|| {
        Error::nothing(format!("No metadata found at {path}; {what} only works on existing data"))
    })?;
    let data = member(&secret, "data").cloned();
    let data = data.ok_or_else(|| {
        Error::nothing(format!("No data found at {path}; {what} only works on existing data"))
    })?;
    Ok((data, version))
}

pub(super) fn rollback(session: &Session<'_>) -> Result<()> {
    let version = session.given.number("version").filter(|version| *version > 0);
    let version = version.ok_or_else(|| Error::local("Version flag must be specified"))?;
    let place = Place::versioned(session, "K/V engine mount must be version 2; rollback is")?;
    let (path, metadata) = (place.api("data"), place.api("metadata"));
    let request = Request { plain: true, ..Request::get(&*metadata) };
    let now = session.find(&request, || format!("Error doing pre-read at {metadata}"))?;
    let now = now.as_ref().and_then(|secret| secret.data.as_ref()?.get("current_version")?.as_i64());
    let now = now.ok_or_else(|| Error::nothing(format!("No value found at {path}")))?;
    let older = Request { plain: true, ..Request::get(&*path) }.with("version", version.to_string());
    let (data, _) = existing(session, &path, &older, "rollback")?;
    let request = Request::put(&*path, versioned(data, Some(now)));
    change(
        session,
        &request,
        || format!("Error writing data to {path}"),
        || format!("Success! Data written to: {path}"),
    )
}
