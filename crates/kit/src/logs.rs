//! What the process says while it runs: lines on standard error, in Vault's levels, and for those who watch.

mod line;
mod monitor;
mod panics;

use std::{
    collections::BTreeMap,
    io,
    str::FromStr,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use bytes::Bytes;
use futures::Stream;
use line::Line;
use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer, Registry, filter::Targets, fmt, layer::SubscriberExt, registry::LookupSpan, reload,
    util::SubscriberInitExt,
};

/// The least severe messages that are logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// Everything.
    Trace,
    /// What helps to find a fault.
    Debug,
    /// What an operator wants to see.
    #[default]
    Info,
    /// What may become a problem.
    Warn,
    /// What is one.
    Error,
    /// Nothing.
    Off,
}

/// How messages look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// A line of text.
    #[default]
    Standard,
    /// A JSON object a line.
    Json,
}

/// A word that is no level or format.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown")]
pub struct Unknown;

impl FromStr for Level {
    type Err = Unknown;

    fn from_str(word: &str) -> Result<Self, Unknown> {
        Ok(match word.trim().to_ascii_lowercase().as_str() {
            "trace" => Self::Trace,
            "debug" => Self::Debug,
            "info" | "notice" | "" => Self::Info,
            "warn" | "warning" => Self::Warn,
            "error" | "err" => Self::Error,
            "off" => Self::Off,
            _ => return Err(Unknown),
        })
    }
}

impl FromStr for Format {
    type Err = Unknown;

    fn from_str(word: &str) -> Result<Self, Unknown> {
        match word.trim().to_ascii_lowercase().as_str() {
            "standard" | "" => Ok(Self::Standard),
            "json" => Ok(Self::Json),
            _ => Err(Unknown),
        }
    }
}

impl Level {
    /// Its name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Off => "off",
        }
    }

    const fn filter(self) -> LevelFilter {
        match self {
            Self::Trace => LevelFilter::TRACE,
            Self::Debug => LevelFilter::DEBUG,
            Self::Info => LevelFilter::INFO,
            Self::Warn => LevelFilter::WARN,
            Self::Error => LevelFilter::ERROR,
            Self::Off => LevelFilter::OFF,
        }
    }

    /// The libraries below us speak of every frame and statement, secrets in them included: they never get below `info`.
    fn targets(self) -> Targets {
        let level = self.filter();
        let ours = OURS.map(|name| (name, level));
        Targets::new()
            .with_default(level.min(LevelFilter::INFO))
            .with_target("sqlx", level.min(LevelFilter::WARN))
            .with_targets(ours)
    }
}

/// Our own crates, and what plugins log.
const OURS: [&str; 11] = [
    "catalog", "engines", "gateway", "goplugin", "kit", "launcher", "mortise", "plugin", "router", "storage",
    "tenon",
];

/// The parts of a server whose levels can be set by themselves.
pub const PARTS: [&str; 5] = ["catalog", "gateway", "launcher", "plugin", "router"];

/// How much each part says.
#[derive(Debug)]
struct Levels {
    configured: Level,
    /// Of all that has no level of its own.
    general: Level,
    own: BTreeMap<&'static str, Level>,
}

impl Levels {
    const fn new(level: Level) -> Self {
        Self { configured: level, general: level, own: BTreeMap::new() }
    }

    fn of(&self, part: &str) -> Level {
        self.own.get(part).copied().unwrap_or(self.general)
    }

    fn set(&mut self, part: Option<&str>, level: Level) {
        match part {
            None => *self = Self { general: level, ..Self::new(self.configured) },
            Some(name) => {
                self.own.extend(PARTS.into_iter().filter(|part| *part == name).map(|part| (part, level)))
            }
        }
    }

    fn targets(&self) -> Targets {
        self.general.targets().with_targets(self.own.iter().map(|(part, level)| (*part, level.filter())))
    }
}

static LEVELS: Mutex<Levels> = Mutex::new(Levels::new(Level::Info));

/// Held for a moment only.
fn current() -> MutexGuard<'static, Levels> {
    LEVELS.lock().unwrap_or_else(PoisonError::into_inner)
}

type Filter = reload::Handle<Targets, Registry>;

/// What decides which messages go where.
struct Filters {
    lines: Filter,
    watched: [(Format, Filter); 2],
}

static FILTERS: OnceLock<Filters> = OnceLock::new();

/// Starts to log. Once a process; later calls only set the level.
pub fn start(level: Level, format: Format) {
    let filtered = |format, level: Level| {
        let (filter, handle) = reload::Layer::new(level.targets());
        (written(format, monitor::Lines(format)).with_filter(filter), (format, handle))
    };
    let (filter, lines) = reload::Layer::new(level.targets());
    let (standard, watched_standard) = filtered(Format::Standard, Level::Off);
    let (json, watched_json) = filtered(Format::Json, Level::Off);
    // One list: each layer has a filter of its own, and what none of them wants costs nothing.
    let layers = vec![written(format, io::stderr).with_filter(filter), standard, json];
    if tracing_subscriber::registry().with(layers).try_init().is_ok() {
        let _ = FILTERS.set(Filters { lines, watched: [watched_standard, watched_json] });
        panics::tell();
    }
    set_level(level);
}

/// Writes messages in a format.
fn written<S, W>(format: Format, to: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    W: for<'w> fmt::MakeWriter<'w> + Send + Sync + 'static,
{
    match format {
        Format::Standard => {
            let layer = fmt::layer().with_writer(to).with_ansi(false);
            layer.map_event_format(|text| Line { format, text }).boxed()
        }
        Format::Json => {
            let layer = fmt::layer().json().flatten_event(true).with_writer(to);
            layer.map_event_format(|text| Line { format, text }).boxed()
        }
    }
}

/// The log from now on, line by line, in a level and format of the reader's own. It never waits for its reader: one
/// that is slow misses lines, and is told so.
pub fn watch(level: Level, format: Format) -> impl Stream<Item = Bytes> + Send + 'static {
    monitor::watch(level, format)
}

/// Lets those who watch see what they want, and nothing when nobody does.
fn look_at_monitors() {
    for (format, filter) in FILTERS.get().into_iter().flat_map(|filters| &filters.watched) {
        let _ = filter.reload(monitor::wanted(*format).targets());
    }
}

/// Changes the level of a process that logs: all its parts have it from now on.
pub fn set_level(level: Level) {
    change(|levels| *levels = Levels::new(level));
}

/// Changes the level of one part, or of all, until [`reset`] or the next [`set_level`].
pub fn set_level_of(part: Option<&str>, level: Level) {
    change(|levels| levels.set(part, level));
}

/// Gives one part, or all, the level that is configured.
pub fn reset(part: Option<&str>) {
    change(|levels| levels.set(part, levels.configured));
}

/// The level of each part.
pub fn levels() -> BTreeMap<&'static str, Level> {
    let levels = current();
    PARTS.into_iter().map(|part| (part, levels.of(part))).collect()
}

fn change(change: impl FnOnce(&mut Levels)) {
    let mut levels = current();
    change(&mut levels);
    if let Some(filters) = FILTERS.get() {
        // Fails only when logging has ended, at the very end of the process.
        let _ = filters.lines.reload(levels.targets());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_have_vaults_names_and_their_short_forms() {
        let table = [
            ("TRACE", Level::Trace),
            ("debug", Level::Debug),
            ("notice", Level::Info),
            ("warning", Level::Warn),
            ("err", Level::Error),
        ];
        for (word, level) in table {
            assert_eq!(word.parse(), Ok(level));
            assert_eq!(level.word().parse(), Ok(level));
        }
        assert_eq!("loud".parse::<Level>(), Err(Unknown));
    }

    #[test]
    fn a_part_has_a_level_of_its_own_until_all_are_set() {
        let mut levels = Levels::new(Level::Warn);
        levels.set(Some("router"), Level::Debug);
        levels.set(Some("h2"), Level::Trace);
        assert_eq!((levels.of("router"), levels.of("gateway")), (Level::Debug, Level::Warn));
        let targets = levels.targets();
        assert!(targets.would_enable("router::handle", &tracing::Level::DEBUG));
        assert!(!targets.would_enable("gateway::api", &tracing::Level::INFO));
        assert!(!targets.would_enable("h2::codec", &tracing::Level::INFO));
        levels.set(None, Level::Error);
        assert_eq!((levels.of("router"), levels.configured), (Level::Error, Level::Warn));
    }

    #[test]
    fn libraries_stay_quiet_whatever_the_level() {
        let loud = Level::Trace.targets();
        assert!(loud.would_enable("launcher::journal", &tracing::Level::TRACE));
        assert!(!loud.would_enable("h2::codec", &tracing::Level::DEBUG));
        assert!(!loud.would_enable("sqlx::query", &tracing::Level::INFO));
        let low = Level::Error.targets();
        assert!(!low.would_enable("h2::codec", &tracing::Level::WARN));
        assert!(low.would_enable("plugin", &tracing::Level::ERROR));
    }
}
