use std::{collections::BTreeSet, sync::Arc};

use super::{Change, Directory, Entity, Folded, Group, directory::Map};

impl Directory {
    /// The directory after a change. What was true of the old values is taken back before the new ones count, so that
    /// a name or an alias can go from one to another in one change.
    #[must_use]
    pub fn with(&self, change: Change) -> Self {
        let mut after = self.clone();
        for id in change.entities.keys() {
            if let Some(old) = self.entities.get(id) {
                after.take_back_entity(old);
            }
        }
        for id in change.groups.keys() {
            if let Some(old) = self.groups.get(id) {
                after.take_back_group(old, change.groups[id].as_ref());
            }
        }
        for entity in change.entities.into_values().flatten() {
            after.enter_entity(entity);
        }
        for (id, group) in change.groups {
            let old = self.groups.get(&id);
            if let Some(group) = group {
                after.enter_group(group, old.map(Arc::as_ref));
            }
        }
        after
    }

    fn take_back_entity(&mut self, old: &Entity) {
        self.entities.remove_mut(&old.id);
        self.entity_names.remove_mut(&Folded::of(&old.name));
        for id in &old.merged {
            self.merged.remove_mut(id);
        }
        for alias in &old.aliases {
            self.aliases.remove_mut(&alias.factors());
            self.alias_ids.remove_mut(&alias.id);
        }
    }

    fn enter_entity(&mut self, new: Entity) {
        let id = &new.id;
        if !new.name.is_empty() {
            self.entity_names.insert_mut(Folded::of(&new.name), id.clone());
        }
        for merged in &new.merged {
            self.merged.insert_mut(merged.clone(), id.clone());
        }
        for alias in &new.aliases {
            self.aliases.insert_mut(alias.factors(), id.clone());
            self.alias_ids.insert_mut(alias.id.clone(), id.clone());
        }
        self.entities.insert_mut(id.clone(), Arc::new(new));
    }

    /// Members that stay are left where they are: a group may have very many.
    fn take_back_group(&mut self, old: &Group, new: Option<&Group>) {
        self.groups.remove_mut(&old.id);
        self.group_names.remove_mut(&Folded::of(&old.name));
        if let Some(alias) = &old.alias {
            self.group_aliases.remove_mut(&alias.factors());
            self.group_alias_ids.remove_mut(&alias.id);
        }
        let none = BTreeSet::new();
        let (entities, groups) = new.map_or((&none, &none), |new| (&new.entities, &new.groups));
        for entity in old.entities.difference(entities) {
            unlink(&mut self.groups_of, entity, &old.id);
        }
        for group in old.groups.difference(groups) {
            unlink(&mut self.parents_of, group, &old.id);
        }
    }

    fn enter_group(&mut self, new: Group, old: Option<&Group>) {
        let id = &new.id;
        if !new.name.is_empty() {
            self.group_names.insert_mut(Folded::of(&new.name), id.clone());
        }
        if let Some(alias) = &new.alias {
            self.group_aliases.insert_mut(alias.factors(), id.clone());
            self.group_alias_ids.insert_mut(alias.id.clone(), id.clone());
        }
        let none = BTreeSet::new();
        let (entities, groups) = old.map_or((&none, &none), |old| (&old.entities, &old.groups));
        for entity in new.entities.difference(entities) {
            link(&mut self.groups_of, entity, id);
        }
        for group in new.groups.difference(groups) {
            link(&mut self.parents_of, group, id);
        }
        self.groups.insert_mut(id.clone(), Arc::new(new));
    }
}

fn link(map: &mut Map<String, BTreeSet<String>>, member: &str, group: &str) {
    let mut groups = map.get(member).cloned().unwrap_or_default();
    groups.insert(group.to_owned());
    map.insert_mut(member.to_owned(), groups);
}

fn unlink(map: &mut Map<String, BTreeSet<String>>, member: &str, group: &str) {
    let Some(mut groups) = map.get(member).cloned() else { return };
    groups.remove(group);
    if groups.is_empty() {
        map.remove_mut(member);
    } else {
        map.insert_mut(member.to_owned(), groups);
    }
}
