use std::{collections::BTreeMap, fmt};

use bytes::Bytes;
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};

/// A word that is no level of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownLevel;

/// What this process logs, by parts. The process decides where lines go; requests only set how much is said.
pub trait Loggers: Send + Sync + fmt::Debug {
    /// The parts and their levels.
    fn levels(&self) -> BTreeMap<&'static str, &'static str>;

    /// Sets the level of one part, or of all.
    ///
    /// # Errors
    /// There is no such level.
    fn set(&self, name: Option<&str>, level: &str) -> Result<(), UnknownLevel>;

    /// What is logged from now on, line by line. It never waits for whoever reads it.
    ///
    /// # Errors
    /// There is no such level or format.
    fn watch(&self, level: &str, format: &str) -> Result<BoxStream<'static, Bytes>, UnknownLevel>;

    /// Lets one part, or all, log again as it is configured.
    fn reset(&self, name: Option<&str>);
}

/// Of a process whose log is nobody's business.
#[derive(Clone, Copy, Debug)]
pub struct NoLoggers;

impl Loggers for NoLoggers {
    fn levels(&self) -> BTreeMap<&'static str, &'static str> {
        BTreeMap::new()
    }

    fn set(&self, _: Option<&str>, _: &str) -> Result<(), UnknownLevel> {
        Ok(())
    }

    fn watch(&self, _: &str, _: &str) -> Result<BoxStream<'static, Bytes>, UnknownLevel> {
        Ok(stream::empty().boxed())
    }

    fn reset(&self, _: Option<&str>) {}
}
