use std::{collections::BTreeMap, sync::Arc};

use domain::{
    MountEntry,
    identity::{Alias, Directory, Draft, Entity, Factors, Group},
};
use uuid::Uuid;
use wire::{Belonging, logical};

use super::{Identity, Standing, record::alias_key};
use crate::{Error, error::Result, random};

/// Who somebody is, as an auth method says: a name at its mount, and the groups that it knows them in. Which mount that
/// is, and whether it is local, is not the plugin's to say.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    accessor: String,
    name: String,
    local: bool,
    metadata: BTreeMap<String, String>,
    groups: Vec<String>,
}

impl Shown {
    pub(crate) fn new(mount: &MountEntry, alias: logical::Alias, groups: Vec<logical::Alias>) -> Self {
        Self {
            accessor: mount.accessor.clone(),
            name: alias.name,
            local: mount.local,
            metadata: alias.metadata.into_iter().collect(),
            groups: groups.into_iter().map(|group| group.name).collect(),
        }
    }

    fn factors(&self) -> Factors {
        Factors::new(&self.accessor, &self.name)
    }

    /// The ids of those groups that are known here.
    fn groups_in(&self, directory: &Directory) -> Vec<String> {
        let named = self.groups.iter();
        let found = named.filter_map(|name| directory.group_of_alias(&Factors::new(&self.accessor, name)));
        found.map(|group| group.id.clone()).collect()
    }

    /// Whether somebody is known to be just this. None: nobody is known by that name.
    fn is_known(&self, directory: &Directory) -> Option<(Arc<Entity>, bool)> {
        let (entity, alias) = directory.alias_of(&self.factors())?;
        let named = self.groups_in(directory);
        let at_mount =
            |group: &Group| group.alias.as_ref().is_some_and(|alias| alias.accessor == self.accessor);
        let joined =
            |id: &String| directory.group(id).is_some_and(|group| group.entities.contains(&entity.id));
        let stays = |group: &Arc<Group>| !at_mount(group) || named.contains(&group.id);
        let settled = alias.metadata == self.metadata
            && named.iter().all(joined)
            && directory.direct_groups_of(&entity.id).all(stays);
        Some((entity.clone(), settled))
    }
}

impl Identity {
    /// Finds out who logs in; somebody new is somebody from now on. Written only if something changes by it.
    pub(crate) async fn log_in(self: &Arc<Self>, shown: Shown) -> Result<Arc<Standing>> {
        let id = match self.read(|directory| shown.is_known(directory)) {
            Some((entity, _)) if !entity.is_active() => return Err(Error::Forbidden),
            Some((entity, true)) => entity.id.clone(),
            _ => {
                // Carried to its end even if the caller goes away: what is stored has to be known here.
                let identity = self.clone();
                let work = async move { identity.change(|draft| identity.enter(draft, &shown)).await };
                tokio::spawn(work.carried()).await.map_err(|_| Error::CutOff)??
            }
        };
        self.standing(&id)?.ok_or(Error::Forbidden)
    }

    fn enter(&self, draft: &mut Draft<'_>, shown: &Shown) -> Result<String> {
        let directory = draft.directory;
        let id = match directory.alias_of(&shown.factors()) {
            Some((entity, _)) if !entity.is_active() => return Err(Error::Forbidden),
            Some((entity, alias)) => {
                if alias.metadata != shown.metadata {
                    note_metadata(draft, &entity.id, &alias.id, shown);
                }
                entity.id.clone()
            }
            None => self.newcomer(draft, shown)?,
        };
        draft.set_external_groups(&id, &shown.accessor, &shown.groups_in(directory));
        Ok(id)
    }

    fn newcomer(&self, draft: &mut Draft<'_>, shown: &Shown) -> Result<String> {
        if self.is_unreadable(&shown.factors()) {
            let key = alias_key(&shown.factors());
            tracing::error!(
                key,
                "somebody cannot log in: the record of their alias is damaged; write the alias anew"
            );
            return Err(Error::Forbidden);
        }
        let id = Uuid::new_v4().to_string();
        let mut entity = Entity::new(id.clone(), new_name("entity", draft.directory)?, draft.now());
        let alias = Alias {
            local: shown.local,
            metadata: shown.metadata.clone(),
            ..Alias::new(
                Uuid::new_v4().to_string(),
                id.clone(),
                shown.accessor.clone(),
                shown.name.clone(),
                draft.now(),
            )
        };
        entity.aliases.push(alias);
        draft.put_entity(entity);
        Ok(id)
    }
}

fn note_metadata(draft: &mut Draft<'_>, entity: &str, alias: &str, shown: &Shown) {
    let (now, unchanged) = (draft.now(), draft.directory.entity(entity).map(|entity| entity.updated));
    let Some(entity) = draft.entity(entity) else { return };
    entity.updated = unchanged.unwrap_or(now);
    if let Some(alias) = entity.aliases.iter_mut().find(|each| each.id == alias) {
        alias.metadata.clone_from(&shown.metadata);
        alias.updated = now;
    }
}

/// A name for what was given none: `entity_3a1b2c4d`.
pub(super) fn new_name(prefix: &str, directory: &Directory) -> Result<String> {
    loop {
        let name = format!("{prefix}_{}", hex::encode(random::bytes::<4>()?));
        if directory.entity_named(&name).is_none() && directory.group_named(&name).is_none() {
            return Ok(name);
        }
    }
}
