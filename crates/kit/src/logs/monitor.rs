//! Those who watch the log while it is written.

use std::{
    io::{self, Write},
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use futures::{Stream, stream};
use tokio::sync::mpsc;
use tracing::{Metadata, level_filters::LevelFilter};
use tracing_subscriber::fmt::MakeWriter;

use super::{Format, Level};

/// How many lines wait for one who reads slowly; what comes when there is no room is left out.
const WAITING: usize = 512;

/// Everybody who watches.
static WATCHERS: Mutex<Vec<Watcher>> = Mutex::new(Vec::new());

/// One who watches.
#[derive(Debug)]
struct Watcher {
    level: Level,
    format: Format,
    lines: mpsc::Sender<Bytes>,
    /// Lines left out since the last one that was not.
    missed: u64,
}

/// Held for a moment only.
fn watchers() -> MutexGuard<'static, Vec<Watcher>> {
    WATCHERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The log from now on, line by line, until the stream is dropped. It never waits for its reader.
pub(super) fn watch(level: Level, format: Format) -> impl Stream<Item = Bytes> + Send + 'static {
    let (lines, reader) = mpsc::channel(WAITING);
    watchers().push(Watcher { level, format, lines, missed: 0 });
    super::look_at_monitors();
    stream::unfold(Reader(reader), async |mut reader| Some((reader.0.recv().await?, reader)))
}

/// What one watcher gets; without it nothing is logged for them any more.
struct Reader(mpsc::Receiver<Bytes>);

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.close();
        watchers().retain(|watcher| !watcher.lines.is_closed());
        super::look_at_monitors();
    }
}

/// The most that anybody wants to see in a format.
pub(super) fn wanted(format: Format) -> Level {
    let all = watchers();
    let levels = all.iter().filter(|watcher| watcher.format == format).map(|watcher| watcher.level);
    levels.max_by_key(|level| level.filter()).unwrap_or(Level::Off)
}

/// Where lines of a format go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lines(pub(super) Format);

/// One line on its way.
#[derive(Debug)]
pub(super) struct Line {
    format: Format,
    level: LevelFilter,
}

impl<'w> MakeWriter<'w> for Lines {
    type Writer = Line;

    fn make_writer(&'w self) -> Line {
        Line { format: self.0, level: LevelFilter::ERROR }
    }

    fn make_writer_for(&'w self, about: &Metadata<'_>) -> Line {
        Line { format: self.0, level: LevelFilter::from_level(*about.level()) }
    }
}

impl Write for Line {
    /// A line comes as a whole.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let line = Bytes::copy_from_slice(line);
        for watcher in watchers().iter_mut() {
            if watcher.format == self.format && self.level <= watcher.level.filter() {
                watcher.send(line.clone());
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Watcher {
    fn send(&mut self, line: Bytes) {
        if self.missed > 0 && self.lines.capacity() > 1 && self.lines.try_send(self.gap()).is_ok() {
            self.missed = 0;
        }
        if self.missed > 0 || self.lines.try_send(line).is_err() {
            self.missed += 1;
        }
    }

    /// Says that lines are missing.
    fn gap(&self) -> Bytes {
        let missed = self.missed;
        Bytes::from(match self.format {
            Format::Standard => {
                format!("[monitor] {missed} lines were left out: they were not read in time\n")
            }
            Format::Json => {
                format!("{{\"level\":\"WARN\",\"message\":\"lines were left out\",\"lines\":{missed}}}\n")
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_reader_misses_lines_and_is_told_how_many() {
        let (lines, mut reader) = mpsc::channel(2);
        let mut watcher = Watcher { level: Level::Info, format: Format::Standard, lines, missed: 0 };
        for number in 0..5 {
            watcher.send(Bytes::from(format!("{number}\n")));
        }
        assert_eq!(watcher.missed, 3);
        assert_eq!((reader.try_recv().unwrap(), reader.try_recv().unwrap()), ("0\n".into(), "1\n".into()));
        watcher.send(Bytes::from_static(b"5\n"));
        let gap = reader.try_recv().unwrap();
        assert!(gap.starts_with(b"[monitor] 3 lines"), "{gap:?}");
        assert_eq!(reader.try_recv().unwrap(), "5\n");
    }
}
