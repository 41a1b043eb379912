//! What somebody who looks into a problem wants to have: what the server says about itself, several times over.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    Error,
    client::{Client, Request},
    error::Result,
    leaf::{
        Flag,
        Kind::{self, List, Text},
        Leaf, Prints,
    },
    session::Session,
};

pub const LEAVES: &[Leaf] = &[Leaf {
    words: "debug",
    about: "Write down what the server says about itself, for a while, into a folder.",
    takes: &[],
    flags: &[&[
        Flag::own(Kind::Duration, "duration", "For how long; 2m by itself."),
        Flag::own(Kind::Duration, "interval", "How often; 30s by itself."),
        Flag::own(Text, "output", "The folder; named after the time by itself."),
        Flag::own(List, "target", "config, host, metrics, plugins, requests, server-status; all by itself."),
    ]],
    prints: Prints::Words,
    run: debug,
}];

/// What can be asked for, and where the server tells it.
const TARGETS: &[(&str, &[&str])] = &[
    ("config", &["sys/config/state/sanitized"]),
    ("host", &["sys/host-info"]),
    ("metrics", &["sys/metrics"]),
    ("plugins", &["sys/plugins/processes", "sys/plugins/catalog"]),
    ("requests", &["sys/in-flight-req"]),
    ("server-status", &["sys/health", "sys/seal-status", "sys/leader"]),
];

fn debug(session: &Session<'_>) -> Result<()> {
    let given = &session.given;
    let (length, interval) = (duration(session, "duration", 120)?, duration(session, "interval", 30)?);
    let wanted = given.list("target");
    if let Some(unknown) = wanted.iter().find(|name| !TARGETS.iter().any(|(target, _)| target == *name)) {
        return Err(Error::local(format!("-target: {unknown} is none of the targets")));
    }
    let targets: Vec<_> = TARGETS
        .iter()
        .filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|one| one == name))
        .collect();
    let named = || format!("{}-debug-{}", session.program, Timestamp::now().strftime("%Y-%m-%dT%H-%M-%SZ"));
    let folder = PathBuf::from(given.text("output").map_or_else(named, str::to_owned));
    fs::create_dir_all(&folder).map_err(|error| unwritable(&folder, &error))?;
    let began = Instant::now();
    let mut records = vec![Vec::new(); targets.len()];
    let mut rounds = 0;
    while rounds == 0 || began.elapsed() < length {
        if rounds > 0 {
            thread::sleep(interval.min(length.saturating_sub(began.elapsed())));
        }
        for ((_, paths), record) in targets.iter().zip(&mut records) {
            record.push(look(session.client()?, paths));
        }
        rounds += 1;
    }
    for ((name, _), record) in targets.iter().zip(&records) {
        let file = folder.join(format!("{}.json", name.replace('-', "_")));
        let text = serde_json::to_string_pretty(record).map_err(|error| Error::local(error.to_string()))?;
        fs::write(&file, text + "\n").map_err(|error| unwritable(&file, &error))?;
    }
    session.out.say(format!(
        "Success! Looked {rounds} times, and wrote down what there was in: {}",
        folder.display()
    ));
    Ok(())
}

fn duration(session: &Session<'_>, name: &str, seconds: u64) -> Result<Duration> {
    let Some(text) = session.given.text(name) else { return Ok(Duration::from_secs(seconds)) };
    domain::parse_duration(text).map_err(|error| Error::local(format!("-{name} is no duration: {error}")))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    Error::local(format!("cannot write {}: {error}", path.display()))
}

/// What the server says now; what it refuses is told, too.
fn look(client: &Client, paths: &[&str]) -> Value {
    let said = |path: &&str| {
        // A sealed server, or a standby, says how it is with a status of its own.
        let request = Request { bears: &[429, 472, 473, 501, 503], ..Request::get(*path) };
        let value = match client.ask(&request) {
            Ok(answer) => answer.data().unwrap_or(Value::Null),
            Err(failure) => json!({ "error": failure.to_string() }),
        };
        ((*path).to_owned(), value)
    };
    let mut all: serde_json::Map<String, Value> = paths.iter().map(said).collect();
    all.insert("time".to_owned(), Timestamp::now().to_string().into());
    Value::Object(all)
}
