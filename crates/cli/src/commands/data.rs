//! `read`, `write` and what else is done at any path.

use crate::{
    Error,
    client::{Request, Secret},
    error::{Doing, Result},
    leaf::{Flag, Kind, Leaf, Prints},
    output::Format,
    session::Session,
    values,
};

const FORCE: &[Flag] =
    &[Flag::own(Kind::Truth, "force", "Nothing is written: the path alone makes it happen.").or(&["f"])];

pub const LEAVES: &[Leaf] = &[
    Leaf {
        words: "read",
        about: "Read what is at a path.",
        takes: &["PATH", "[DATA...]"],
        flags: &[],
        prints: Prints::Field,
        run: read,
    },
    Leaf {
        words: "write",
        about: "Write to a path.",
        takes: &["PATH", "[DATA...]"],
        flags: &[FORCE],
        prints: Prints::Field,
        run: write,
    },
    Leaf {
        words: "patch",
        about: "Change a part of what is at a path.",
        takes: &["PATH", "[DATA...]"],
        flags: &[FORCE],
        prints: Prints::Field,
        run: patch,
    },
    Leaf {
        words: "delete",
        about: "Delete what is at a path.",
        takes: &["PATH", "[DATA...]"],
        flags: &[],
        prints: Prints::Field,
        run: delete,
    },
    Leaf {
        words: "list",
        about: "List what is below a path.",
        takes: &["PATH"],
        flags: &[DETAILED],
        prints: Prints::Format,
        run: list,
    },
    Leaf {
        words: "unwrap",
        about: "Take an answer out of the token that it is behind.",
        takes: &["[TOKEN]"],
        flags: &[],
        prints: Prints::Field,
        run: unwrap,
    },
];

const DETAILED: &[Flag] = &[Flag::own(Kind::Truth, "detailed", "Tells what else is known about each.")];

fn read(session: &Session<'_>) -> Result<()> {
    let path = session.path("PATH");
    let mut request = Request::get(&*path);
    request.query = values::parameters(&session.given.many("DATA"))?;
    if session.out.format == Format::Raw {
        let answer = session.ask(&request, || format!("Error reading {path}"))?;
        session.out.bare(&String::from_utf8_lossy(&answer.body));
        return Ok(());
    }
    let found = session.find(&request, || format!("Error reading {path}"))?;
    show(session, found, || Error::nothing(format!("No value found at {path}")))
}

fn show(session: &Session<'_>, found: Option<Secret>, nothing: impl FnOnce() -> Error) -> Result<()> {
    session.out.secret(&found.ok_or_else(nothing)?)
}

/// What is sent, unless the path alone is enough.
fn sent(session: &Session<'_>) -> Result<serde_json::Value> {
    let words = session.given.many("DATA");
    if words.is_empty() && !session.given.on("force") {
        return Err(Error::local("Must supply data or use -force"));
    }
    values::written(&words).map(Into::into)
}

fn write(session: &Session<'_>) -> Result<()> {
    let path = session.path("PATH");
    change(
        session,
        &Request::put(&*path, sent(session)?),
        || format!("Error writing data to {path}"),
        || format!("Success! Data written to: {path}"),
    )
}

fn patch(session: &Session<'_>) -> Result<()> {
    let path = session.path("PATH");
    change(
        session,
        &Request::patch(&*path, sent(session)?),
        || format!("Error writing data to {path}"),
        || format!("Success! Data written to: {path}"),
    )
}

fn delete(session: &Session<'_>) -> Result<()> {
    let path = session.path("PATH");
    let mut request = Request::delete(&*path);
    request.query = values::parameters(&session.given.many("DATA"))?;
    change(
        session,
        &request,
        || format!("Error deleting {path}"),
        || format!("Success! Data deleted (if it existed) at: {path}"),
    )
}

/// Sends what changes something, and prints what is answered, if anything is.
pub(super) fn change(
    session: &Session<'_>,
    request: &Request,
    doing: impl FnOnce() -> String + Copy,
    done: impl FnOnce() -> String,
) -> Result<()> {
    match session.ask(request, doing)?.secret().doing(doing)? {
        Some(secret) => session.out.secret(&secret),
        None => {
            session.out.done(done());
            Ok(())
        }
    }
}

fn list(session: &Session<'_>) -> Result<()> {
    let path = session.path("PATH");
    listed(session, &path, &Request::list(format!("{path}/")))
}

/// Prints the names below a path.
pub(super) fn listed(session: &Session<'_>, path: &str, request: &Request) -> Result<()> {
    let found = session.find(request, || format!("Error listing {path}"))?;
    let secret = found.ok_or_else(|| Error::nothing(format!("No value found at {path}")))?;
    if secret.wrap_info.is_some() {
        return session.out.secret(&secret);
    }
    let data = secret.data.as_ref();
    let keys = data.and_then(|data| data.get("keys")).and_then(serde_json::Value::as_array);
    let keys = keys.ok_or_else(|| Error::nothing(format!("No entries found at {path}")))?;
    session.out.warnings(&secret);
    let infos = data.and_then(|data| data.get("key_info")).and_then(serde_json::Value::as_object);
    match infos.filter(|_| session.given.on("detailed")) {
        Some(_) if !session.out.is_table() => session.out.document(&secret),
        infos => {
            let (head, rows) = names(keys, infos);
            let head: Vec<&str> = head.iter().map(String::as_str).collect();
            session.out.either(keys, &head, || rows)
        }
    }
}

/// Names in order, each with what else is known about it.
fn names(
    keys: &[serde_json::Value],
    infos: Option<&serde_json::Map<String, serde_json::Value>>,
) -> (Vec<String>, Vec<Vec<String>>) {
    let mut keys: Vec<&str> = keys.iter().filter_map(serde_json::Value::as_str).collect();
    keys.sort_unstable();
    let info = |key: &str| infos.and_then(|infos| infos.get(key)).and_then(serde_json::Value::as_object);
    let mut columns: Vec<&String> =
        keys.iter().filter_map(|key| info(key)).flat_map(serde_json::Map::keys).collect();
    columns.sort_unstable();
    columns.dedup();
    let cell = |key: &str, column: &String| {
        info(key).and_then(|info| info.get(column)).map(crate::output::plain).unwrap_or_default()
    };
    let rows = keys.iter().map(|key| {
        [(*key).to_owned()].into_iter().chain(columns.iter().map(|column| cell(key, column))).collect()
    });
    let head = ["Keys".to_owned()].into_iter().chain(columns.iter().map(|column| (*column).clone()));
    (head.collect(), rows.collect())
}

fn unwrap(session: &Session<'_>) -> Result<()> {
    let mut request = Request::act("sys/wrapping/unwrap");
    // A token that is given opens itself; otherwise it is the one that asks.
    if let Some(token) = session.given.text("TOKEN") {
        let token = match token {
            "-" => values::standard_input()?,
            token => token.to_owned(),
        };
        request = request.by(domain::Token::new(token.trim().to_owned()));
    }
    match session.ask(&request, || "Error unwrapping".to_owned())?.secret()? {
        Some(secret) => session.out.secret(&secret),
        None => {
            session.out.done("Successfully unwrapped. There was no data in the wrapped secret.");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_in_order_with_a_column_for_all_that_is_known() {
        let keys = [json!("b"), json!("a")];
        let infos = json!({"a": {"id": 1}, "b": {"path": "x"}});
        let (head, rows) = names(&keys, infos.as_object());
        assert_eq!(head, ["Keys", "id", "path"]);
        assert_eq!(rows, [["a", "1", ""], ["b", "", "x"]]);
        assert_eq!(names(&keys, None).0, ["Keys"]);
    }
}
