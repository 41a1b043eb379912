//! What became of the processes of plugins, as the server's log tells it: it does so in any state of the server, and to
//! its end.

use std::{collections::HashMap, time::Duration};

use crate::{Server, eventually};

/// How long it may take until what has happened is told.
const TELLING: Duration = Duration::from_secs(10);

/// A process has entered a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Its plugin.
    pub plugin: String,
    /// Its number; none: there was no process, because it could not be started.
    pub pid: Option<u32>,
    /// The state.
    pub state: String,
    /// Why, where it has ended or shall end.
    pub reason: String,
}

impl Transition {
    /// Whether a process has begun.
    pub fn is_start(&self) -> bool {
        self.state == "starting" && self.pid.is_some()
    }

    /// Whether a process has ended.
    pub fn is_exit(&self) -> bool {
        matches!(self.state.as_str(), "exited" | "backoff") && self.pid.is_some()
    }

    fn read(line: &str) -> Option<Self> {
        let (_, rest) = line.split_once("plugin process ")?;
        // What follows it is free text, and comes last.
        let told = rest.split_once(" detail=").map_or(rest, |(told, _)| told);
        let fields: HashMap<&str, &str> =
            told.split_whitespace().filter_map(|field| field.split_once('=')).collect();
        let field = |name: &str| fields.get(name).map(|value| value.trim_matches('"').to_owned());
        Some(Self {
            plugin: field("plugin")?,
            pid: field("pid").and_then(|pid| pid.parse().ok()),
            state: field("state")?,
            reason: field("reason").unwrap_or_default(),
        })
    }
}

impl Server {
    /// Everything that became of plugins since its first start, in order.
    pub fn transitions(&self) -> Vec<Transition> {
        self.log().lines().filter_map(Transition::read).collect()
    }

    /// The reasons of the ends of the process with this number.
    pub fn ends_of(&self, pid: u32) -> Vec<String> {
        let all = self.transitions();
        all.into_iter()
            .filter(|each| each.is_exit() && each.pid == Some(pid))
            .map(|each| each.reason)
            .collect()
    }

    /// The same, once an end is told: the kernel knows of one before anybody can tell it.
    pub async fn told_ends_of(&self, pid: u32) -> Vec<String> {
        eventually(TELLING, "its end is told", async || !self.ends_of(pid).is_empty()).await;
        self.ends_of(pid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_log_is_read() {
        let line = "2026-01-01T00:00:00Z [INFO]  launcher: plugin process plugin=my-kv version=v1.0.0 pid=7 \
                    state=\"exited\" reason=\"killed\" detail=\"was ended by signal 9\"";
        let read = Transition::read(line).unwrap();
        assert!(read.is_exit() && !read.is_start());
        assert_eq!((read.plugin.as_str(), read.pid, read.reason.as_str()), ("my-kv", Some(7), "killed"));
        assert_eq!(Transition::read("[INFO]  launcher: something else"), None);
    }
}
