use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::SystemTime,
};

use domain::identity::{Alias, Directory, Entity, Group, GroupAlias};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::{
    mounts::{Mount, Snapshot},
    namespaces::Namespace,
};

/// The mounts by their accessors, for what is shown of aliases.
pub(super) struct Places<'s> {
    mounts: HashMap<&'s str, &'s Mount>,
    /// The id of the namespace.
    namespace: &'s str,
}

impl<'s> Places<'s> {
    pub(super) fn of(snapshot: &'s Snapshot, namespace: &'s Namespace) -> Self {
        let listed = snapshot.iter().filter(|(_, mount)| mount.is_listed());
        let mounts = listed.map(|(_, mount)| (mount.entry.accessor.as_str(), &**mount)).collect();
        Self { mounts, namespace: &namespace.id }
    }

    fn path(&self, accessor: &str) -> &str {
        self.mounts.get(accessor).map_or("", |mount| mount.entry.path.as_str())
    }

    fn plugin(&self, accessor: &str) -> &str {
        self.mounts.get(accessor).map_or("", |mount| mount.entry.plugin.as_str())
    }

    pub(super) fn entity(&self, directory: &Directory, entity: &Entity) -> Value {
        let direct: Vec<&String> = directory.direct_groups_of(&entity.id).map(|group| &group.id).collect();
        let inherited: Vec<&String> =
            directory.inherited_groups_of(&entity.id).into_iter().map(|group| &group.id).collect();
        let all: Vec<&&String> = direct.iter().chain(&inherited).collect();
        let aliases = entity.aliases.iter().map(|alias| Value::Object(self.alias_members(alias)));
        json!({
            "aliases": aliases.collect::<Vec<_>>(),
            "creation_time": time(entity.created),
            "direct_group_ids": direct,
            "disabled": entity.disabled,
            "group_ids": all,
            "id": entity.id,
            "inherited_group_ids": inherited,
            "last_update_time": time(entity.updated),
            "merged_entity_ids": unless_empty(&entity.merged),
            "metadata": pairs(&entity.metadata),
            "name": entity.name,
            "namespace_id": self.namespace,
            "policies": entity.policies,
        })
    }

    /// An alias on its own.
    pub(super) fn alias(&self, alias: &Alias) -> Value {
        let mut members = self.alias_members(alias);
        members.insert("namespace_id".to_owned(), json!(self.namespace));
        members.into()
    }

    fn alias_members(&self, alias: &Alias) -> Map<String, Value> {
        let mut members = Map::new();
        let mut add = |name: &str, value: Value| drop(members.insert(name.to_owned(), value));
        add("canonical_id", json!(alias.entity));
        add("creation_time", json!(time(alias.created)));
        add("custom_metadata", pairs(&alias.custom_metadata));
        add("id", json!(alias.id));
        add("last_update_time", json!(time(alias.updated)));
        add("local", json!(alias.local));
        add("merged_from_canonical_ids", unless_empty(&alias.merged_from));
        add("metadata", pairs(&alias.metadata));
        add("mount_accessor", json!(alias.accessor));
        add("mount_path", json!(self.path(&alias.accessor)));
        add("mount_type", json!(self.plugin(&alias.accessor)));
        add("name", json!(alias.name));
        members
    }

    pub(super) fn group(&self, directory: &Directory, group: &Group) -> Value {
        let parents: Vec<&String> = directory.parents_of(&group.id).collect();
        let alias = group.alias.as_ref().map_or_else(|| json!({}), |alias| self.group_alias(group, alias));
        let entities: Vec<&String> = group.entities.iter().collect();
        json!({
            "alias": alias,
            "creation_time": time(group.created),
            "id": group.id,
            "last_update_time": time(group.updated),
            "member_entity_ids": entities,
            "member_group_ids": unless_empty(&group.groups.iter().collect::<Vec<_>>()),
            "metadata": pairs(&group.metadata),
            "modify_index": group.changes,
            "name": group.name,
            "namespace_id": self.namespace,
            "parent_group_ids": unless_empty(&parents),
            "policies": unless_empty(&group.policies),
            "type": group.kind.word(),
        })
    }

    pub(super) fn group_alias(&self, group: &Group, alias: &GroupAlias) -> Value {
        json!({
            "canonical_id": group.id,
            "creation_time": time(alias.created),
            "id": alias.id,
            "last_update_time": time(alias.updated),
            "merged_from_canonical_ids": null,
            "metadata": null,
            "mount_accessor": alias.accessor,
            "mount_path": self.path(&alias.accessor),
            "mount_type": self.plugin(&alias.accessor),
            "name": alias.name,
        })
    }

    /// What a list says of an entity.
    pub(super) fn entity_info(&self, entity: &Entity) -> Value {
        if entity.aliases.is_empty() {
            return json!({ "name": entity.name });
        }
        let aliases = entity.aliases.iter().map(|alias| {
            json!({
                "id": alias.id,
                "mount_accessor": alias.accessor,
                "mount_path": self.path(&alias.accessor),
                "mount_type": self.plugin(&alias.accessor),
                "name": alias.name,
            })
        });
        json!({ "name": entity.name, "aliases": aliases.collect::<Vec<_>>() })
    }

    /// What a list says of an alias.
    pub(super) fn alias_info(&self, alias: &Alias) -> Value {
        json!({
            "canonical_id": alias.entity,
            "custom_metadata": pairs(&alias.custom_metadata),
            "local": alias.local,
            "mount_accessor": alias.accessor,
            "mount_path": self.path(&alias.accessor),
            "mount_type": self.plugin(&alias.accessor),
            "name": alias.name,
        })
    }

    /// What a list says of a group.
    pub(super) fn group_info(&self, directory: &Directory, group: &Group) -> Value {
        let mut info = json!({
            "name": group.name,
            "num_member_entities": group.entities.len(),
            "num_parent_groups": directory.parents_of(&group.id).count(),
        });
        if let Some(alias) = &group.alias {
            info["alias"] = self.group_alias_info(group, alias);
        }
        info
    }

    /// What a list says of a group alias.
    pub(super) fn group_alias_info(&self, group: &Group, alias: &GroupAlias) -> Value {
        json!({
            "canonical_id": group.id,
            "id": alias.id,
            "mount_accessor": alias.accessor,
            "mount_path": self.path(&alias.accessor),
            "mount_type": self.plugin(&alias.accessor),
            "name": alias.name,
        })
    }
}

/// A list by ids, with something about each. None: an empty list is nothing.
pub(super) fn listed(infos: impl Iterator<Item = (String, Value)>) -> Option<Value> {
    let infos: BTreeMap<String, Value> = infos.collect();
    let keys: Vec<&String> = infos.keys().collect();
    (!keys.is_empty()).then(|| json!({ "keys": keys, "key_info": infos }))
}

/// A list of names. None: an empty list is nothing.
pub(super) fn named(names: impl Iterator<Item = String>) -> Option<Value> {
    let mut names: Vec<String> = names.filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    (!names.is_empty()).then(|| json!({ "keys": names }))
}

/// What can be shown of an entity.
pub(super) fn readable(entity: &Arc<Entity>) -> Option<&Arc<Entity>> {
    Some(entity).filter(|entity| !entity.damaged)
}

fn time(time: SystemTime) -> String {
    Timestamp::try_from(time).unwrap_or_default().to_string()
}

fn pairs(pairs: &BTreeMap<String, String>) -> Value {
    if pairs.is_empty() { Value::Null } else { json!(pairs) }
}

fn unless_empty<T: serde::Serialize>(items: &[T]) -> Value {
    if items.is_empty() { Value::Null } else { json!(items) }
}
