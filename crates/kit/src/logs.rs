//! What the process says while it runs: lines on standard error, in Vault's levels.

use std::{io, str::FromStr, sync::OnceLock};

use tracing_subscriber::{
    EnvFilter, Layer, Registry, fmt, layer::SubscriberExt, reload, util::SubscriberInitExt,
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

    /// The libraries below us speak of every frame and statement, secrets in them included: they never get below `info`.
    fn filter(self) -> EnvFilter {
        let word = self.word();
        let ours = [
            "catalog", "launcher", "router", "gateway", "goplugin", "storage", "engines", "tenon", "kit",
            "mortise",
        ];
        let quiet = match self {
            Self::Trace | Self::Debug => "info",
            other => other.word(),
        };
        let more = ours.map(|name| format!("{name}={word}")).join(",");
        EnvFilter::new(format!("{quiet},sqlx=warn,{more},plugin={word}"))
    }
}

type Handle = reload::Handle<EnvFilter, Registry>;

static HANDLE: OnceLock<Handle> = OnceLock::new();

/// Starts to log. Once a process; later calls only set the level.
pub fn start(level: Level, format: Format) {
    let (filter, handle) = reload::Layer::new(level.filter());
    let lines = match format {
        Format::Standard => fmt::layer().with_writer(io::stderr).with_ansi(false).boxed(),
        Format::Json => fmt::layer().json().flatten_event(true).with_writer(io::stderr).boxed(),
    };
    if tracing_subscriber::registry().with(filter).with(lines).try_init().is_ok() {
        let _ = HANDLE.set(handle);
    } else {
        set_level(level);
    }
}

/// Changes the level of a process that logs.
pub fn set_level(level: Level) {
    if let Some(handle) = HANDLE.get() {
        // Fails only when logging has ended, at the very end of the process.
        let _ = handle.reload(level.filter());
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
    fn libraries_stay_quiet_whatever_the_level() {
        let filter = Level::Trace.filter().to_string();
        assert!(filter.contains("sqlx=warn") && filter.contains("launcher=trace"), "{filter}");
        assert!(!filter.split(',').any(|directive| directive == "trace"), "{filter}");
    }
}
