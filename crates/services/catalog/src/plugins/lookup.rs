use domain::{PluginName, PluginType, PluginVersion};
use wire::catalog::v1::{Plugin, PluginRequest};

use super::{
    PluginError, PluginsService, id_of,
    record::{Id, Record},
    records::Found,
};
use crate::Error;

/// What an entry stands for.
pub(super) enum Entry {
    External(Record),
    Builtin(Id),
}

impl From<Entry> for Plugin {
    fn from(entry: Entry) -> Self {
        match entry {
            Entry::External(record) => record.into(),
            Entry::Builtin(id) => Self { builtin: true, ..id.into() },
        }
    }
}

impl PluginsService {
    fn builtin(&self, plugin_type: PluginType, name: &PluginName) -> Option<Id> {
        let found =
            self.builtins.iter().find(|info| info.plugin_type == plugin_type && info.name == *name)?;
        Some(Id { plugin_type, name: found.name.clone(), version: found.version.clone() })
    }

    async fn external(&self, id: Id) -> Result<Option<Entry>, Error> {
        let found = self.records.get(id).await?;
        Ok(found.map(Found::whole).transpose()?.map(Entry::External))
    }

    /// What reading shows: an unversioned external entry hides the built-in one altogether.
    pub(super) async fn read(&self, request: PluginRequest) -> Result<Plugin, Error> {
        self.check_unsealed()?;
        let id = id_of(request.name, &request.r#type, &request.version)?;
        if let Some(entry) = self.external(id.clone()).await? {
            return Ok(entry.into());
        }
        let builtin = self.builtin(id.plugin_type, &id.name);
        let builtin = builtin.filter(|found| id.version.is_none() || found.version == id.version);
        let Some(builtin) = builtin else { return Err(PluginError::NoEntry.into()) };
        let unversioned = Id { version: PluginVersion::NONE, ..id };
        match self.records.get(unversioned).await? {
            Some(_) => Err(PluginError::NoEntry.into()),
            None => Ok(Entry::Builtin(builtin).into()),
        }
    }

    /// What runs: the version asked for, else the unversioned external one, else the highest if that is wanted, else the
    /// built-in one.
    pub(super) async fn choose(&self, id: Id, highest: bool) -> Result<Entry, Error> {
        let Id { plugin_type, name, version } = id.clone();
        let builtin = self.builtin(plugin_type, &name);
        let missing = || Error::from(PluginError::NotFound { name: name.clone(), version: version.clone() });
        if !version.is_none() {
            let external = self.external(id).await?;
            let builtin = builtin.filter(|found| found.version == version).map(Entry::Builtin);
            return external.or(builtin).ok_or_else(missing);
        }
        let versions = self.records.versions(plugin_type, &name).await?;
        let unversioned = versions.first().filter(|lowest| lowest.is_none());
        let highest = versions.last().filter(|_| highest);
        let Some(chosen) = unversioned.or(highest) else {
            return builtin.map(Entry::Builtin).ok_or_else(missing);
        };
        let chosen = Id { plugin_type, name: name.clone(), version: chosen.clone() };
        self.external(chosen).await?.ok_or_else(missing)
    }

    pub(super) async fn listed_of(&self, plugin_type: PluginType) -> Result<Vec<Plugin>, Error> {
        let found = self.records.list(plugin_type).await?;
        let hidden =
            |name: &PluginName| found.iter().any(|f| f.id().name == *name && f.id().version.is_none());
        let builtins =
            self.builtins.iter().filter(|info| info.plugin_type == plugin_type && !hidden(&info.name));
        let mut all: Vec<(Id, Plugin)> = builtins
            .map(|info| Id { plugin_type, name: info.name.clone(), version: info.version.clone() })
            .map(|id| (id.clone(), Entry::Builtin(id).into()))
            .collect();
        all.extend(found.into_iter().map(|found| match found {
            Found::Whole(record) => (record.id.clone(), record.into()),
            Found::Damaged(id) => (id.clone(), Plugin { damaged: true, ..id.into() }),
        }));
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(all.into_iter().map(|(_, plugin)| plugin).collect())
    }
}
