use std::{
    collections::VecDeque,
    fmt::Write,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use goplugin::log::{LogLine, Parser};
use tokio::{io::AsyncReadExt, net::unix::pipe, sync::watch, time::timeout};
use tracing::Level;

use crate::{diagnosis::LastWords, entry::Entry, logs::Speaker, masks::Masks, process::MOMENT};

/// As many lines are kept for a diagnosis.
const KEPT: usize = 6;
/// As many bytes are kept of each.
const KEPT_BYTES: usize = 256;
/// As many lines a second are logged; the others are counted.
const RATE: u32 = 200;

/// What a process writes to its standard error: read to the end, logged in moderation, the last lines kept.
#[derive(Clone, Debug)]
pub struct Stderr {
    last: Arc<Mutex<Kept>>,
    ended: watch::Receiver<bool>,
}

/// What is kept of it.
#[derive(Debug, Default)]
struct Kept {
    /// The line in which a Go program says why it gives up; what it is in the middle of follows, and is long.
    panic: Option<String>,
    lines: VecDeque<String>,
}

impl Stderr {
    /// Begins to read.
    pub fn follow(pipe: pipe::Receiver, entry: &Entry, speaker: Speaker) -> Self {
        let last = Arc::new(Mutex::new(Kept::default()));
        let (ends, ended) = watch::channel(false);
        let log = Log { plugin: entry.to_string(), speaker, meter: Meter::new(Instant::now()) };
        let (kept, masks) = (Arc::clone(&last), Masks::of(entry));
        tokio::spawn(async move {
            read(pipe, log, &kept, &masks).await;
            ends.send_replace(true);
        });
        Self { last, ended }
    }

    /// The last lines, complete if the output has ended or ends in a moment.
    pub async fn last_words(&self) -> LastWords {
        let mut ended = self.ended.clone();
        let _ = timeout(MOMENT, ended.wait_for(|ended| *ended)).await;
        LastWords(self.last.lock().unwrap_or_else(PoisonError::into_inner).shown())
    }
}

async fn read(mut pipe: pipe::Receiver, mut log: Log, kept: &Mutex<Kept>, masks: &Masks) {
    let mut parser = Parser::new();
    let mut chunk = vec![0; 16 << 10];
    let mut take = |line: LogLine| {
        let line = masks.hide_in(line);
        // What is said in parts may come together to what is hidden.
        let text = masks.hide(text(&line)).into_owned();
        log.write(&line, &text, Instant::now());
        log.speaker.says(line);
        kept.lock().unwrap_or_else(PoisonError::into_inner).keep(text);
    };
    while let Ok(length @ 1..) = pipe.read(&mut chunk).await {
        parser.push(&chunk[..length], &mut take);
    }
    parser.finish(&mut take);
}

impl Kept {
    fn keep(&mut self, mut text: String) {
        text.truncate(text.floor_char_boundary(KEPT_BYTES));
        if self.panic.is_none() && (text.starts_with("panic: ") || text.starts_with("fatal error: ")) {
            self.panic = Some(text);
            return;
        }
        if self.lines.len() == KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(text);
    }

    fn shown(&self) -> Vec<String> {
        self.panic.iter().chain(&self.lines).cloned().collect()
    }
}

/// The message, and what is said beside it.
fn text(line: &LogLine) -> String {
    let mut text = line.message.clone();
    for (name, value) in line.fields.iter().filter(|(name, _)| name != "timestamp" && name != "caller") {
        let _ = write!(text, " {name}={value}");
    }
    text
}

/// Where lines are logged to.
struct Log {
    plugin: String,
    speaker: Speaker,
    meter: Meter,
}

impl Log {
    fn write(&mut self, line: &LogLine, text: &str, now: Instant) {
        let Some(dropped) = self.meter.pass(now) else { return };
        let Self { plugin, speaker: Speaker { pid, mounts, .. }, .. } = self;
        if dropped > 0 {
            tracing::warn!(%plugin, pid, dropped, "a plugin logs faster than is written down");
        }
        let module = line.module.as_deref().unwrap_or_default();
        // The level of an event is a constant in tracing.
        match line.level {
            Level::ERROR => tracing::error!(target: "plugin", %plugin, %mounts, pid, module, "{text}"),
            Level::WARN => tracing::warn!(target: "plugin", %plugin, %mounts, pid, module, "{text}"),
            Level::INFO => tracing::info!(target: "plugin", %plugin, %mounts, pid, module, "{text}"),
            Level::DEBUG => tracing::debug!(target: "plugin", %plugin, %mounts, pid, module, "{text}"),
            Level::TRACE => tracing::trace!(target: "plugin", %plugin, %mounts, pid, module, "{text}"),
        }
    }
}

/// Lets so many lines a second pass.
#[derive(Debug)]
struct Meter {
    second: Instant,
    passed: u32,
    dropped: u64,
}

impl Meter {
    const fn new(now: Instant) -> Self {
        Self { second: now, passed: 0, dropped: 0 }
    }

    /// Whether one more may pass, and if so, how many did not since the last second began.
    fn pass(&mut self, now: Instant) -> Option<u64> {
        let dropped = if now.duration_since(self.second) >= Duration::from_secs(1) {
            self.second = now;
            self.passed = 0;
            std::mem::take(&mut self.dropped)
        } else {
            0
        };
        if self.passed == RATE {
            self.dropped += 1;
            return None;
        }
        self.passed += 1;
        Some(dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_counted_not_logged() {
        let start = Instant::now();
        let mut meter = Meter::new(start);
        let passed = (0..1_000).filter(|_| meter.pass(start).is_some()).count();
        assert_eq!(passed, RATE as usize);
        assert_eq!(meter.pass(start + Duration::from_secs(1)), Some(1_000 - u64::from(RATE)));
        assert_eq!(meter.pass(start + Duration::from_secs(1)), Some(0));
    }

    #[test]
    fn only_the_end_of_the_last_lines_is_kept() {
        let mut kept = Kept::default();
        for number in 0..100 {
            kept.keep(format!("{number} {}", "ü".repeat(KEPT_BYTES)));
        }
        let kept = kept.shown();
        assert_eq!(kept.len(), KEPT);
        assert!(kept.iter().all(|line| line.len() <= KEPT_BYTES));
        assert!(kept.last().is_some_and(|line| line.starts_with("99 ")));
    }

    #[test]
    fn what_a_program_gives_up_for_is_kept_whatever_follows_it() {
        let mut kept = Kept::default();
        kept.keep("panic: no more".to_owned());
        for frame in 0..100 {
            kept.keep(format!("main.go:{frame}"));
        }
        let kept = kept.shown();
        assert_eq!((kept.len(), kept[0].as_str()), (KEPT + 1, "panic: no more"));
    }
}
