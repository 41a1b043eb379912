use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use tenon::{
    Backend, Config, Factory, Host, Result,
    database::{self, DatabaseFactory, Error, Opened},
};

use super::{Databases, ENGINE};

/// Database plugins that are part of the program, by name: for an engine that is a program of its own. A host that runs
/// such a program cannot open others for it.
#[derive(Clone, Default)]
pub struct Compiled(Arc<BTreeMap<&'static str, Arc<dyn DatabaseFactory>>>);

impl Compiled {
    /// None: the host opens them.
    pub fn none() -> Self {
        Self::default()
    }

    /// These.
    pub fn these(plugins: impl IntoIterator<Item = (&'static str, Arc<dyn DatabaseFactory>)>) -> Self {
        Self(Arc::new(plugins.into_iter().collect()))
    }

    /// Opens the plugin of that name and version.
    pub(super) async fn open(&self, host: &Host, name: &str, version: &str) -> database::Result<Opened> {
        if self.0.is_empty() {
            return host.system.open_database(name, version).await;
        }
        match self.0.get(name) {
            Some(factory) if version.is_empty() => Ok(Opened {
                database: factory.create(),
                builtin: true,
                running_version: crate::VERSION.to_owned(),
                running_sha256: String::new(),
            }),
            _ => Err(Error::Unavailable(self.refusal(name, version))),
        }
    }

    fn refusal(&self, name: &str, version: &str) -> String {
        let known: Vec<&str> = self.0.keys().copied().collect();
        let asked = format!("{name} {version}");
        format!(
            "this database engine is a program of its own and has only the database plugins {}, unversioned; use the \
             built-in engine for {:?}",
            known.join(", "),
            asked.trim_end()
        )
    }
}

#[async_trait]
impl Factory for Compiled {
    async fn create(&self, _: Config, host: Host) -> Result<Arc<dyn Backend>> {
        Ok(ENGINE.mounted(Databases::new(host, self.clone())))
    }
}
