//! The log of this process, as requests may set it.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::{StreamExt, stream::BoxStream};
use kit::logs::{self, Format, Level};
use router::UnknownLevel;

/// The log of this process.
#[derive(Clone, Copy, Debug)]
pub struct Loggers;

impl router::Loggers for Loggers {
    fn levels(&self) -> BTreeMap<&'static str, &'static str> {
        logs::levels().into_iter().map(|(part, level)| (part, level.word())).collect()
    }

    fn set(&self, name: Option<&str>, level: &str) -> Result<(), UnknownLevel> {
        let level: Level = level.parse().map_err(|_| UnknownLevel)?;
        logs::set_level_of(name, level);
        Ok(())
    }

    fn watch(&self, level: &str, format: &str) -> Result<BoxStream<'static, Bytes>, UnknownLevel> {
        let level: Level = level.parse().map_err(|_| UnknownLevel)?;
        let format: Format = format.parse().map_err(|_| UnknownLevel)?;
        Ok(logs::watch(level, format).boxed())
    }

    fn reset(&self, name: Option<&str>) {
        logs::reset(name);
    }
}
