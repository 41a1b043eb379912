//! What plugins write to their standard error, kept for a while, by plugin.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use futures::{Stream, StreamExt, future, stream};
use goplugin::log::LogLine;
use serde_json::{Map, Value};
use tracing::Level;
use wire::launcher::v1::{self, LogsRequest};

use crate::{
    Error, Result,
    entry::Entry,
    journal::nanos_now,
    members::Members,
    ring::{Limits, Ring},
};

/// As many mounts of a process are named in each line.
const MOUNTS_NAMED: usize = 8;

/// As many bytes a line takes beside what it says.
const OVERHEAD: usize = 160;

/// The lines of one plugin, whatever its version.
pub type Lines = Ring<v1::LogLine>;

/// The lines of all plugins.
#[derive(Debug)]
pub struct Logs {
    limits: Limits,
    all: Mutex<HashMap<(String, String), Arc<Lines>>>,
}

/// Whose a line is.
#[derive(Clone, Debug)]
pub struct Speaker {
    /// Where it is kept.
    pub lines: Arc<Lines>,
    /// Its version.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// The mounts that it serves.
    pub mounts: Arc<Members>,
}

impl Logs {
    /// No lines yet; so many are kept of each plugin.
    pub fn new(limits: Limits) -> Self {
        Self { limits, all: Mutex::default() }
    }

    /// The lines of a plugin.
    pub fn of(&self, entry: &Entry) -> Arc<Lines> {
        let key = (entry.plugin_type.word().to_owned(), entry.name.clone());
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(key).or_insert_with(|| Arc::new(Lines::new(self.limits))))
    }

    /// Those lines of a plugin that are asked for, and those to come if these are, too.
    pub fn read(&self, request: LogsRequest) -> Result<impl Stream<Item = v1::LogLine> + Send + 'static> {
        let LogsRequest { r#type, name, version, level, after, limit, follow } = request;
        let lines = {
            let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
            all.get(&(r#type, name.clone())).cloned().ok_or(Error::NoLog { name })?
        };
        let least = level_of(&level)?;
        let wanted = move |line: &v1::LogLine| {
            // More severe is less, in tracing.
            level_of(&line.level).is_ok_and(|level| level <= least)
                && (version.is_empty() || line.version == version)
        };
        let mut kept = lines.since(after);
        let newest = kept.last().map_or(after, |line| line.id);
        kept.retain(&wanted);
        let limit = if limit == 0 { usize::MAX } else { usize::try_from(limit).unwrap_or(usize::MAX) };
        let kept = kept.split_off(kept.len().saturating_sub(limit));
        let to_come =
            if follow { lines.follow(newest).left_stream() } else { stream::empty().right_stream() };
        Ok(stream::iter(kept).chain(to_come.filter(move |line| future::ready(wanted(line)))))
    }
}

impl Speaker {
    /// Keeps a line.
    pub fn says(&self, line: LogLine) {
        let LogLine { level, message, fields, module } = line;
        let mut fields: Map<String, Value> = fields.into_iter().collect();
        let said_at = match fields.remove("timestamp") {
            Some(Value::String(time)) => time,
            _ => String::new(),
        };
        let fields = if fields.is_empty() { String::new() } else { Value::Object(fields).to_string() };
        let (mounts, more_mounts) = self.mounts.some(MOUNTS_NAMED);
        let bytes = OVERHEAD + message.len() + fields.len() + mounts.iter().map(String::len).sum::<usize>();
        self.lines.push(bytes, |id| v1::LogLine {
            id,
            time: nanos_now(),
            said_at,
            level: level.as_str().to_lowercase(),
            message,
            module: module.unwrap_or_default(),
            fields: fields.into(),
            version: self.version.clone(),
            pid: self.pid,
            mounts,
            more_mounts,
        });
    }
}

/// A level by its word; none is all.
fn level_of(word: &str) -> Result<Level> {
    let malformed = |_| Error::Malformed("a level is trace, debug, info, warn or error".to_owned());
    if word.is_empty() { Ok(Level::TRACE) } else { word.parse().map_err(malformed) }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn speaker(logs: &Logs) -> Speaker {
        let mounts = Arc::new(Members::default());
        mounts.add(1, "kv/");
        Speaker { lines: logs.of(&Entry::named("kv")), version: "v1.0.0".to_owned(), pid: 7, mounts }
    }

    fn say(speaker: &Speaker, text: &str) {
        speaker.says(goplugin::log::parse(text.as_bytes()));
    }

    fn asked(level: &str, limit: u64, follow: bool) -> LogsRequest {
        let (name, r#type, level) = ("kv".to_owned(), "secret".to_owned(), level.to_owned());
        LogsRequest { name, r#type, level, limit, follow, ..LogsRequest::default() }
    }

    fn read(logs: &Logs, request: LogsRequest) -> Vec<String> {
        let lines = logs.read(request).unwrap().collect::<Vec<_>>().now_or_never().unwrap();
        lines.into_iter().map(|line| line.message).collect()
    }

    #[test]
    fn the_last_lines_of_a_level_and_a_version_are_told() {
        let logs = Logs::new(Limits { count: 10, bytes: 1 << 20 });
        let speaker = speaker(&logs);
        for text in ["[WARN] a", "[DEBUG] b", "[ERROR] c", "[INFO] d"] {
            say(&speaker, text);
        }
        assert_eq!(read(&logs, asked("", 0, false)).len(), 4);
        assert_eq!(read(&logs, asked("warn", 0, false)), ["[WARN] a", "[ERROR] c"]);
        assert_eq!(read(&logs, asked("warn", 1, false)), ["[ERROR] c"]);
        let other = LogsRequest { version: "v2.0.0".to_owned(), ..asked("", 0, false) };
        assert!(read(&logs, other).is_empty());
        assert!(logs.read(asked("loud", 0, false)).is_err());
        assert!(logs.read(LogsRequest { name: "other".to_owned(), ..asked("", 0, false) }).is_err());
    }

    #[tokio::test]
    async fn a_line_keeps_what_it_says_and_whose_it_is_and_is_followed() {
        let logs = Logs::new(Limits { count: 10, bytes: 1 << 20 });
        let speaker = speaker(&logs);
        let mut followed = Box::pin(logs.read(asked("info", 0, true)).unwrap());
        say(&speaker, "[DEBUG] not this one");
        say(
            &speaker,
            r#"{"@level":"warn","@message":"slow","@module":"m","@timestamp":"2024-05-06T07:08:09.123456Z","ms":12}"#,
        );
        let line = followed.next().await.unwrap();
        assert_eq!((&*line.level, &*line.message, &*line.module), ("warn", "slow", "m"));
        assert_eq!(
            (&*line.said_at, &*line.fields),
            ("2024-05-06T07:08:09.123456Z", br#"{"ms":12}"#.as_slice())
        );
        assert_eq!((line.pid, &*line.version, line.more_mounts), (7, "v1.0.0", 0));
        assert_eq!(line.mounts, ["kv/"]);
        assert!(followed.next().now_or_never().is_none());
    }
}
