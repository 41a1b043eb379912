use serde_json::{Map, Value, json};

use crate::{
    Error,
    client::Request,
    commands::data::listed,
    error::Result,
    leaf::{
        Flag,
        Kind::{List, Pairs, Truth},
        Leaf, Prints,
    },
    session::Session,
};

const CUSTOM: Flag =
    Flag::new(Pairs, "custom-metadata", "custom_metadata", "What is noted about it, as KEY=VALUE.");

pub const LEAVES: &[Leaf] = &[
    Leaf {
        words: "namespace create",
        about: "Make a namespace.",
        takes: &["PATH"],
        flags: &[&[CUSTOM]],
        prints: Prints::Field,
        run: create,
    },
    Leaf {
        words: "namespace patch",
        about: "Change what is noted about a namespace.",
        takes: &["PATH"],
        flags: &[&[CUSTOM, Flag::own(List, "remove-custom-metadata", "Keys that are taken out.")]],
        prints: Prints::Field,
        run: patch,
    },
    Leaf {
        words: "namespace lookup",
        about: "Tell about a namespace.",
        takes: &["PATH"],
        flags: &[],
        prints: Prints::Format,
        run: lookup,
    },
    Leaf {
        words: "namespace list",
        about: "List the namespaces in this one.",
        takes: &[],
        flags: &[&[Flag::own(Truth, "detailed", "Tells what else is known about each.")]],
        prints: Prints::Format,
        run: |session| listed(session, "sys/namespaces", &Request::list("sys/namespaces")),
    },
    Leaf {
        words: "namespace delete",
        about: "Delete a namespace with everything in it.",
        takes: &["PATH"],
        flags: &[],
        prints: Prints::Words,
        run: delete,
    },
    Leaf {
        words: "namespace lock",
        about: "Lock a namespace: nothing can be asked of it until it is unlocked.",
        takes: &["[PATH]"],
        flags: &[],
        prints: Prints::Format,
        run: lock,
    },
    Leaf {
        words: "namespace unlock",
        about: "Unlock a namespace; -unlock-key is the key that locking it gave.",
        takes: &["[PATH]"],
        flags: &[],
        prints: Prints::Words,
        run: unlock,
    },
];

fn create(session: &Session<'_>) -> Result<()> {
    put(session, Request::put, "Error creating namespace")
}

fn put(session: &Session<'_>, request: fn(String, Map<String, Value>) -> Request, doing: &str) -> Result<()> {
    let mut body = session.body()?;
    let removed = session.given.list("remove-custom-metadata");
    if !removed.is_empty() {
        let custom = body.entry("custom_metadata").or_insert_with(|| json!({}));
        if let Value::Object(custom) = custom {
            custom.extend(removed.into_iter().map(|key| (key, Value::Null)));
        }
    }
    let request = request(format!("sys/namespaces/{}", session.path("PATH")), body);
    let answer = session.ask(&request, || doing.to_owned())?;
    session.out.secret(&answer.secret()?.unwrap_or_default())
}

fn patch(session: &Session<'_>) -> Result<()> {
    put(session, Request::patch, "Error patching namespace")
}

fn lookup(session: &Session<'_>) -> Result<()> {
    let path = session.path("PATH");
    let found = session
        .find(&Request::get(format!("sys/namespaces/{path}")), || "Error looking up namespace".to_owned())?;
    session.out.secret(&found.ok_or_else(|| Error::nothing(format!("Namespace not found: {path}")))?)
}

fn delete(session: &Session<'_>) -> Result<()> {
    let path = session.path("PATH");
    let answer = session
        .ask(&Request::delete(format!("sys/namespaces/{path}")), || "Error deleting namespace".to_owned())?;
    match answer.secret()? {
        Some(secret) if secret.data.as_ref().is_none_or(|data| !data.contains_key("status")) => {
            session.out.warnings(&secret);
            session.out.warn("Requested namespace does not exist");
        }
        _ => session.out.say(format!("Success! Namespace deleted at: {path}/")),
    }
    Ok(())
}

/// The namespace itself, or one in it.
fn api(session: &Session<'_>, what: &str) -> String {
    let path = session.path("PATH");
    format!("sys/namespaces/api-lock/{what}{}{path}", if path.is_empty() { "" } else { "/" })
}

fn lock(session: &Session<'_>) -> Result<()> {
    let answer = session.ask(&Request::act(api(session, "lock")), || "Error locking namespace".to_owned())?;
    session.out.secret(&answer.secret()?.unwrap_or_default())
}

fn unlock(session: &Session<'_>) -> Result<()> {
    let body = session.given.text("unlock-key").map_or_else(|| json!({}), |key| json!({ "unlock_key": key }));
    session.ask(&Request::put(api(session, "unlock"), body), || "Error unlocking namespace".to_owned())?;
    session.out.say("Namespace unlocked successfully!");
    Ok(())
}
