use serde_json::json;

use super::place::Place;
use crate::{Error, client::Request, commands::data::change, error::Result, session::Session};

/// The versions that are named, if any are.
fn versions(session: &Session<'_>) -> Result<Vec<u64>> {
    let number =
        |text: String| text.parse().map_err(|_| Error::local(format!("-versions: {text:?} is no version")));
    session.given.list("versions").into_iter().map(number).collect()
}

pub(super) fn delete(session: &Session<'_>) -> Result<()> {
    let versions = versions(session)?;
    let place = Place::of(session)?;
    let path = place.api("data");
    let request = match versions.is_empty() {
        true => Request::delete(&*path),
        false if place.is_versioned => Request::put(place.api("delete"), json!({ "versions": versions })),
        false => return Err(Error::local("-versions: not supported on KV Version 1")),
    };
    change(
        session,
        &request,
        || format!("Error deleting {path}"),
        || format!("Success! Data deleted (if it existed) at: {path}"),
    )
}

pub(super) fn undelete(session: &Session<'_>) -> Result<()> {
    named(session, "undelete")
}

pub(super) fn destroy(session: &Session<'_>) -> Result<()> {
    named(session, "destroy")
}

/// What is done to versions that have to be named.
fn named(session: &Session<'_>, what: &str) -> Result<()> {
    let versions = versions(session)?;
    if versions.is_empty() {
        return Err(Error::local(format!(
            "No versions provided, use the \"-versions\" flag to specify the version to {what}."
        )));
    }
    let mut words = what.chars();
    let title: String = words.next().into_iter().flat_map(char::to_uppercase).chain(words).collect();
    let path = Place::versioned(session, &title)?.api(what);
    let request = Request::put(&*path, json!({ "versions": versions }));
    change(
        session,
        &request,
        || format!("Error writing data to {path}"),
        || format!("Success! Data written to: {path}"),
    )
}

pub(super) fn enable(session: &Session<'_>) -> Result<()> {
    let path = crate::session::mount(session.given.place("PATH"));
    let request = Request::post(format!("sys/mounts/{path}tune"), json!({ "options": { "version": "2" } }));
    session.ask(&request, || format!("Error tuning secrets engine {path}"))?;
    session.out.say(format!("Success! Tuned the secrets engine at: {path}"));
    Ok(())
}
