//! What somebody who looks into a problem wants to have: what the server says about itself, several times over.

mod bundle;

use std::{
    thread,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use self::bundle::Bundle;
use crate::{
    Error,
    client::{Client, Request},
    error::Result,
    leaf::{
        Flag,
        Kind::{self, List, Text, Truth},
        Leaf, Prints,
    },
    session::Session,
};

pub const LEAVES: &[Leaf] = &[Leaf {
    words: "debug",
    about: "Write down what the server says about itself, for a while, into an archive.",
    takes: &[],
    flags: &[&[
        Flag::own(Truth, "compress", "Into an archive, `.tar.gz`; true by itself. Else into a folder."),
        Flag::own(Kind::Duration, "duration", "For how long; 2m by itself."),
        Flag::own(Kind::Duration, "interval", "How often; 30s by itself."),
        Flag::own(Kind::Duration, "metrics-interval", "How often the metrics are looked at; 10s by itself."),
        Flag::own(Text, "output", "The archive or folder; named after the time by itself."),
        Flag::own(List, "target", "config, host, metrics, plugins, requests, server-status; all by itself."),
    ]],
    prints: Prints::Words,
    run: debug,
}];

/// Something to look at.
#[derive(Debug)]
struct Target {
    name: &'static str,
    file: &'static str,
    /// Where the server tells it, and what that is called in the file.
    asks: &'static [(&'static str, &'static str)],
}

const TARGETS: &[Target] = &[
    Target { name: "config", file: "config.json", asks: &[("config", "sys/config/state/sanitized")] },
    Target { name: "host", file: "host_info.json", asks: &[("info", "sys/host-info")] },
    Target { name: METRICS, file: "metrics.json", asks: &[("metrics", "sys/metrics")] },
    Target {
        name: "plugins",
        file: "plugins.json",
        asks: &[("processes", "sys/plugins/processes"), ("catalog", "sys/plugins/catalog")],
    },
    Target { name: "requests", file: "requests.json", asks: &[("requests", "sys/in-flight-req")] },
    Target {
        name: "server-status",
        file: "server_status.json",
        asks: &[("health", "sys/health"), ("seal", "sys/seal-status"), ("leader", "sys/leader")],
    },
];

/// Looked at more often than the others.
const METRICS: &str = "metrics";

/// A target, and what it told each time.
struct Watched {
    target: &'static Target,
    every: Duration,
    next: Duration,
    told: Vec<Value>,
}

fn debug(session: &Session<'_>) -> Result<()> {
    let given = &session.given;
    let length = duration(session, "duration", 120)?;
    let (usual, of_metrics) =
        (duration(session, "interval", 30)?, duration(session, "metrics-interval", 10)?);
    let mut watched: Vec<Watched> = targets(&given.list("target"))?
        .into_iter()
        .map(|target| {
            let every = if target.name == METRICS { of_metrics } else { usual };
            Watched { target, every, next: Duration::ZERO, told: Vec::new() }
        })
        .collect();
    let named = || format!("{}-debug-{}", session.program, Timestamp::now().strftime("%Y-%m-%dT%H-%M-%SZ"));
    let output = given.text("output").map_or_else(named, str::to_owned);
    // A server that does not answer at all has nothing to tell.
    session.ask(&health(), || "Error during validation".to_owned())?;
    let bundle = Bundle::create(&output, given.truth("compress").unwrap_or(true))?;
    let began = Timestamp::now();
    watch(session.client()?, &mut watched, length);
    let path = bundle.path().display().to_string();
    let index = json!({
        "version": 1,
        "client_version": env!("CARGO_PKG_VERSION"),
        "timestamp": began.to_string(),
        "vault_address": session.client()?.address(),
        "duration_seconds": length.as_secs(),
        "interval_seconds": usual.as_secs(),
        "metrics_interval_seconds": of_metrics.as_secs(),
        "targets": watched.iter().map(|one| one.target.name).collect::<Vec<_>>(),
    });
    let files: Vec<(String, Value)> = watched
        .into_iter()
        .map(|one| (one.target.file.to_owned(), Value::Array(one.told)))
        .chain([("index.json".to_owned(), index)])
        .collect();
    bundle.write(&files, began.as_second().unsigned_abs())?;
    session.out.say(format!("Success! Bundle written to: {path}"));
    Ok(())
}

fn targets(wanted: &[String]) -> Result<Vec<&'static Target>> {
    if let Some(unknown) = wanted.iter().find(|name| !TARGETS.iter().any(|target| target.name == **name)) {
        return Err(Error::local(format!("-target: {unknown} is none of the targets")));
    }
    Ok(TARGETS
        .iter()
        .filter(|target| wanted.is_empty() || wanted.iter().any(|one| one == target.name))
        .collect())
}

/// Looks at each whenever its time has come, at least once.
fn watch(client: &Client, watched: &mut [Watched], length: Duration) {
    let began = Instant::now();
    let bar = ProgressBar::new(length.as_secs());
    bar.set_style(
        ProgressStyle::with_template("watching the server {bar:40} {pos}/{len} s")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    loop {
        let now = began.elapsed();
        bar.set_position(now.as_secs());
        for one in watched.iter_mut().filter(|one| one.next <= now) {
            one.told.push(look(client, one.target));
            one.next = now + one.every.max(Duration::from_millis(100));
        }
        let soonest = watched.iter().map(|one| one.next).min().unwrap_or(length).min(length);
        let now = began.elapsed();
        if now >= length {
            break;
        }
        thread::sleep(soonest.saturating_sub(now).min(Duration::from_secs(1)));
    }
    bar.finish_and_clear();
}

/// A sealed server, or a standby, says how it is with a status of its own.
fn health() -> Request {
    Request { bears: &[429, 472, 473, 501, 503], ..Request::get("sys/health") }
}

fn duration(session: &Session<'_>, name: &str, seconds: u64) -> Result<Duration> {
    let Some(text) = session.given.text(name) else { return Ok(Duration::from_secs(seconds)) };
    domain::parse_duration(text).map_err(|error| Error::local(format!("-{name} is no duration: {error}")))
}

/// What the server says now; what it refuses is told, too.
fn look(client: &Client, target: &Target) -> Value {
    let said = |(name, path): &(&str, &str)| {
        let request = Request { path: (*path).to_owned(), ..health() };
        let value = match client.ask(&request) {
            Ok(answer) => answer.data().unwrap_or(Value::Null),
            Err(failure) => json!({ "error": failure.to_string() }),
        };
        ((*name).to_owned(), value)
    };
    let mut all: Map<String, Value> = target.asks.iter().map(said).collect();
    all.insert("timestamp".to_owned(), Timestamp::now().to_string().into());
    Value::Object(all)
}
