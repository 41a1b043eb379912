use std::{fs, path::Path};

use serde_json::{Value, json};

use super::policy_fmt::formatted;
use crate::{
    Error,
    client::Request,
    error::Result,
    leaf::{Leaf, Prints},
    session::Session,
    values,
};

pub const LEAVES: &[Leaf] = &[
    Leaf {
        words: "policy read",
        about: "Print a policy.",
        takes: &["NAME"],
        flags: &[],
        prints: Prints::Format,
        run: read,
    },
    Leaf {
        words: "policy write",
        about: "Write a policy, out of a file or the standard input.",
        takes: &["NAME", "FILE"],
        flags: &[],
        prints: Prints::Words,
        run: write,
    },
    Leaf {
        words: "policy list",
        about: "List the policies.",
        takes: &[],
        flags: &[],
        prints: Prints::Format,
        run: list,
    },
    Leaf {
        words: "policy delete",
        about: "Delete a policy.",
        takes: &["NAME"],
        flags: &[],
        prints: Prints::Words,
        run: delete,
    },
    Leaf {
        words: "policy fmt",
        about: "Bring a file with a policy into the usual form.",
        takes: &["FILE"],
        flags: &[],
        prints: Prints::Local,
        run: format,
    },
];

/// Policies are called in small letters.
fn name(session: &Session<'_>) -> String {
    session.given.place("NAME").trim().to_lowercase()
}

fn read(session: &Session<'_>) -> Result<()> {
    let name = name(session);
    let found = session.find(&Request::get(format!("sys/policies/acl/{name}")), || {
        format!("Error reading policy named {name}")
    })?;
    let rules = found.and_then(|secret| secret.data?.get("policy")?.as_str().map(str::to_owned));
    let rules = rules.ok_or_else(|| Error::nothing(format!("No policy named: {name}")))?;
    if session.out.is_table() {
        session.out.say(rules.trim());
        return Ok(());
    }
    session.out.document(&json!({ "policy": rules }))
}

fn write(session: &Session<'_>) -> Result<()> {
    let (name, given) = (name(session), session.given.place("NAME"));
    let rules = match session.given.place("FILE") {
        "-" => values::standard_input()?,
        path => values::file(path)?,
    };
    session.ask(&Request::put(format!("sys/policies/acl/{name}"), json!({ "policy": rules })), || {
        "Error uploading policy".to_owned()
    })?;
    if name != given {
        session.out.warn(format!("Policy name was converted from {given:?} to {name:?}"));
    }
    session.out.say(format!("Success! Uploaded policy: {name}"));
    Ok(())
}

fn list(session: &Session<'_>) -> Result<()> {
    let answer =
        session.ask(&Request::list("sys/policies/acl"), || "Error listing policies".to_owned())?.data()?;
    let names = &answer["keys"];
    if !session.out.is_table() {
        return session.out.document(names);
    }
    names.as_array().into_iter().flatten().filter_map(Value::as_str).for_each(|name| session.out.say(name));
    Ok(())
}

fn delete(session: &Session<'_>) -> Result<()> {
    let name = name(session);
    session.ask(&Request::delete(format!("sys/policies/acl/{name}")), || format!("Error deleting {name}"))?;
    session.out.say(format!("Success! Deleted policy: {name}"));
    Ok(())
}

fn format(session: &Session<'_>) -> Result<()> {
    let path = session.given.place("FILE");
    let text = formatted(&values::file(path)?).map_err(|why| Error::local(format!("{path}: {why}")))?;
    fs::write(path, text)
        .map_err(|error| Error::local(format!("cannot write {}: {error}", Path::new(path).display())))?;
    session.out.say(format!("Success! Formatted policy: {path}"));
    Ok(())
}
