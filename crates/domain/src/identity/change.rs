use std::{collections::BTreeMap, sync::Arc, time::SystemTime};

use super::{Directory, Entity, Group};

/// What becomes of some entities and groups; none: they are gone. All of it happens, or nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// By their ids.
    pub entities: BTreeMap<String, Option<Entity>>,
    /// By their ids.
    pub groups: BTreeMap<String, Option<Group>>,
}

/// A change in the making, over the directory as it is.
#[derive(Debug)]
pub struct Draft<'d> {
    /// As it is.
    pub directory: &'d Directory,
    change: Change,
    now: SystemTime,
}

impl Change {
    /// Whether nothing becomes different.
    pub fn is_empty(&self) -> bool {
        self.entities.is_empty() && self.groups.is_empty()
    }
}

impl<'d> Draft<'d> {
    /// Nothing is changed yet.
    pub fn new(directory: &'d Directory, now: SystemTime) -> Self {
        Self { directory, change: Change::default(), now }
    }

    /// When the change happens.
    pub const fn now(&self) -> SystemTime {
        self.now
    }

    /// What was put together.
    pub fn into_change(self) -> Change {
        self.change
    }

    /// An entity as it will be, to be changed further. Nothing is noted for one that does not exist.
    pub fn entity(&mut self, id: &str) -> Option<&mut Entity> {
        if !self.change.entities.contains_key(id) {
            let mut entity = Arc::unwrap_or_clone(self.directory.entity(id)?.clone());
            entity.updated = self.now;
            self.change.entities.insert(id.to_owned(), Some(entity));
        }
        self.change.entities.get_mut(id)?.as_mut()
    }

    /// A group as it will be, to be changed further. Nothing is noted for one that does not exist.
    pub fn group(&mut self, id: &str) -> Option<&mut Group> {
        if !self.change.groups.contains_key(id) {
            let mut group = Arc::unwrap_or_clone(self.directory.group(id)?.clone());
            group.updated = self.now;
            group.changes += 1;
            self.change.groups.insert(id.to_owned(), Some(group));
        }
        self.change.groups.get_mut(id)?.as_mut()
    }

    /// A new entity, or another in its place.
    pub fn put_entity(&mut self, entity: Entity) {
        self.change.entities.insert(entity.id.clone(), Some(entity));
    }

    /// A new group, or another in its place.
    pub fn put_group(&mut self, group: Group) {
        self.change.groups.insert(group.id.clone(), Some(group));
    }

    /// Takes an entity out of all groups, and away.
    pub fn drop_entity(&mut self, id: &str) {
        if self.directory.entity(id).is_none() {
            self.change.entities.remove(id);
            return;
        }
        for group in self.directory.direct_groups_of(id) {
            if let Some(group) = self.group(&group.id) {
                group.entities.remove(id);
            }
        }
        self.change.entities.insert(id.to_owned(), None);
    }

    /// Takes a group out of the groups it is in, and away.
    pub fn drop_group(&mut self, id: &str) {
        if self.directory.group(id).is_none() {
            self.change.groups.remove(id);
            return;
        }
        for parent in self.directory.parents_of(id) {
            if let Some(parent) = self.group(parent) {
                parent.groups.remove(id);
            }
        }
        self.change.groups.insert(id.to_owned(), None);
    }

    /// Makes an entity a member of exactly those external groups of a mount that the mount names.
    pub fn set_external_groups(&mut self, entity: &str, accessor: &str, named: &[String]) {
        let is_named = |group: &Group| named.contains(&group.id);
        let at_mount = |group: &Group| group.alias.as_ref().is_some_and(|alias| alias.accessor == accessor);
        for group in self.directory.direct_groups_of(entity) {
            if at_mount(group)
                && !is_named(group)
                && let Some(group) = self.group(&group.id)
            {
                group.entities.remove(entity);
            }
        }
        for id in named {
            let found = self.directory.group(id);
            if found.is_some_and(|group| at_mount(group) && !group.entities.contains(entity))
                && let Some(group) = self.group(id)
            {
                group.entities.insert(entity.to_owned());
            }
        }
    }
}
