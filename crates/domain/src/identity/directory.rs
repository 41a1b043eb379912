use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use rpds::HashTrieMapSync;

use super::{Alias, Entity, Factors, Folded, Group, Person};

/// Copies share what did not change, so that a change of a large directory is as cheap as one of a small one.
pub(super) type Map<K, V> = HashTrieMapSync<K, V>;

/// All entities and groups as they are at one moment, and how they are found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Directory {
    pub(super) entities: Map<String, Arc<Entity>>,
    pub(super) groups: Map<String, Arc<Group>>,
    /// To the entity's id, as all that follow.
    pub(super) entity_names: Map<Folded, String>,
    pub(super) merged: Map<String, String>,
    pub(super) aliases: Map<Factors, String>,
    pub(super) alias_ids: Map<String, String>,
    /// To the group's id, as all that follow.
    pub(super) group_names: Map<Folded, String>,
    pub(super) group_aliases: Map<Factors, String>,
    pub(super) group_alias_ids: Map<String, String>,
    /// The groups that list an entity as a member.
    pub(super) groups_of: Map<String, BTreeSet<String>>,
    /// The groups that list a group as a member.
    pub(super) parents_of: Map<String, BTreeSet<String>>,
}

impl Directory {
    /// All entities, in no order.
    pub fn entities(&self) -> impl Iterator<Item = &Arc<Entity>> {
        self.entities.values()
    }

    /// All groups, in no order.
    pub fn groups(&self) -> impl Iterator<Item = &Arc<Group>> {
        self.groups.values()
    }

    /// The entity with an id.
    pub fn entity(&self, id: &str) -> Option<&Arc<Entity>> {
        self.entities.get(id)
    }

    /// The entity with an id, or the one that it was merged into.
    pub fn entity_or_heir(&self, id: &str) -> Option<&Arc<Entity>> {
        self.entities.get(id).or_else(|| self.entities.get(self.merged.get(id)?))
    }

    /// The entity with a name.
    pub fn entity_named(&self, name: &str) -> Option<&Arc<Entity>> {
        self.entities.get(self.entity_names.get(&Folded::of(name))?)
    }

    /// The alias with an id, and whose it is.
    pub fn alias(&self, id: &str) -> Option<(&Arc<Entity>, &Alias)> {
        let entity = self.entities.get(self.alias_ids.get(id)?)?;
        Some((entity, entity.alias(id)?))
    }

    /// The alias with a name at a mount, and whose it is.
    pub fn alias_of(&self, factors: &Factors) -> Option<(&Arc<Entity>, &Alias)> {
        let entity = self.entities.get(self.aliases.get(factors)?)?;
        let alias = entity.aliases.iter().find(|alias| alias.factors() == *factors)?;
        Some((entity, alias))
    }

    /// The group with an id.
    pub fn group(&self, id: &str) -> Option<&Arc<Group>> {
        self.groups.get(id)
    }

    /// The group with a name.
    pub fn group_named(&self, name: &str) -> Option<&Arc<Group>> {
        self.groups.get(self.group_names.get(&Folded::of(name))?)
    }

    /// The group of the group alias with an id.
    pub fn group_of_alias_id(&self, id: &str) -> Option<&Arc<Group>> {
        self.groups.get(self.group_alias_ids.get(id)?)
    }

    /// The group that a mount knows by a name.
    pub fn group_of_alias(&self, factors: &Factors) -> Option<&Arc<Group>> {
        self.groups.get(self.group_aliases.get(factors)?)
    }

    /// The ids of the groups that list a group as a member.
    pub fn parents_of(&self, group: &str) -> impl Iterator<Item = &String> {
        self.parents_of.get(group).into_iter().flatten()
    }

    /// The groups that list an entity as a member, by their ids.
    pub fn direct_groups_of(&self, entity: &str) -> impl Iterator<Item = &Arc<Group>> {
        let ids = self.groups_of.get(entity).into_iter().flatten();
        ids.filter_map(|id| self.groups.get(id))
    }

    /// The groups that an entity is in because a group of theirs is, by their ids. One that lists them too counts as
    /// that only.
    pub fn inherited_groups_of(&self, entity: &str) -> Vec<&Arc<Group>> {
        let direct: BTreeSet<&String> = self.groups_of.get(entity).into_iter().flatten().collect();
        let above = self.all_above(direct.iter().copied());
        let inherited = above.into_iter().filter(|id| !direct.contains(id));
        inherited.filter_map(|id| self.groups.get(id)).collect()
    }

    /// Whether a group would be in itself if another became its member.
    pub fn would_be_circular(&self, group: &str, member: &str) -> bool {
        group == member || self.all_above(self.parents_of(group)).into_iter().any(|above| above == member)
    }

    /// Somebody, and all that follows from who they are. None: nobody has this id.
    pub fn person(&self, id: &str) -> Option<Person> {
        let entity = self.entity_or_heir(id)?;
        let mut groups: Vec<Arc<Group>> = self.direct_groups_of(&entity.id).cloned().collect();
        groups.extend(self.inherited_groups_of(&entity.id).into_iter().cloned());
        Some(Person::new(entity.clone(), groups))
    }

    /// These groups and all groups that they are in, however indirectly.
    fn all_above<'d>(&'d self, from: impl IntoIterator<Item = &'d String>) -> BTreeSet<&'d String> {
        let mut ahead: VecDeque<&String> = from.into_iter().collect();
        let mut found = BTreeSet::new();
        while let Some(id) = ahead.pop_front() {
            if found.insert(id) {
                ahead.extend(self.parents_of(id));
            }
        }
        found
    }
}
