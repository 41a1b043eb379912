//! A plugin's log as Go's hosts read it: one JSON object a line, on stderr.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::panic;

use jiff::Timestamp;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// Sends this process's tracing events and panics to stderr. Does nothing where a subscriber is set already.
///
/// Everything from `debug` up is written, as the host decides what is kept; libraries below us only warn.
pub fn init() {
    let quiet = ["h2", "hyper", "hyper_util", "rustls", "tokio_rustls", "tonic", "tower"];
    let targets =
        Targets::new().with_default(Level::DEBUG).with_targets(quiet.map(|library| (library, Level::WARN)));
    if tracing_subscriber::registry().with(Layer).with(targets).try_init().is_ok() {
        panic::set_hook(Box::new(|panic| {
            let fields = [("@module", Value::from("panic"))];
            write(&line("error", &panic.to_string(), fields.map(|(key, value)| (key.to_owned(), value))));
        }));
    }
}

/// A tracing layer that writes each event to stderr as one line. Spans are left out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Layer;

impl<S> tracing_subscriber::Layer<S> for Layer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut seen = Seen::default();
        event.record(&mut seen);
        let metadata = event.metadata();
        seen.fields.insert("@module".to_owned(), metadata.target().into());
        // In the words of the host.
        let level = metadata.level().as_str().to_lowercase();
        write(&line(&level, &seen.message, seen.fields));
    }
}

/// One line. What begins with `@` is a string, always: Go's host stops at a number there.
fn line(level: &str, message: &str, fields: impl IntoIterator<Item = (String, Value)>) -> String {
    let mut members: Map<String, Value> = fields.into_iter().collect();
    // Exactly six digits: with any other number the host forgets the level.
    let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string();
    members.insert("@level".to_owned(), level.into());
    members.insert("@message".to_owned(), message.into());
    members.insert("@timestamp".to_owned(), now.into());
    let mut line = Value::Object(members).to_string();
    line.push('\n');
    line
}

/// One write a line. A host that no longer reads is no reason to fail.
fn write(line: &str) {
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

/// The fields of an event.
#[derive(Default)]
struct Seen {
    message: String,
    fields: Map<String, Value>,
}

impl Seen {
    fn put(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = text,
            // The three that the host reads itself are ours alone.
            (name, value) => drop(self.fields.insert(name.trim_start_matches('@').to_owned(), value)),
        }
    }
}

impl Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_error(&mut self, field: &Field, error: &(dyn std::error::Error + 'static)) {
        let mut chain = error.to_string();
        let mut cause = error.source();
        while let Some(next) = cause {
            // Writing to a string cannot fail.
            let _ = write!(chain, ": {next}");
            cause = next.source();
        }
        self.put(field, chain.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log;

    #[test]
    fn our_own_host_reads_what_is_written() {
        let line = line(
            "warn",
            "hot",
            [("degrees".to_owned(), Value::from(90)), ("@module".to_owned(), "m".into())],
        );
        let read = log::parse(line.trim_end().as_bytes());
        assert_eq!((read.level, read.message.as_str()), (Level::WARN, "hot"));
        assert_eq!(read.module.as_deref(), Some("m"));
        assert!(read.fields.contains(&("degrees".to_owned(), Value::from(90))));
    }
}
