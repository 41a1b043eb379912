use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use domain::identity::{Alias, Change, Directory, Entity, Factors};
use ring::digest::{SHA256, digest};
use serde::Serialize;
use wire::catalog::v1::Write;

use crate::store::put;

/// Where the records of identity are: one for each entity, alias and group.
pub(super) const ENTITIES: &str = "core/identity/entity/";
pub(super) const GROUPS: &str = "core/identity/group/";
/// In a folder for each mount.
pub(super) const ALIASES: &str = "core/identity/alias/";

fn entity_key(id: &str) -> String {
    format!("{ENTITIES}{id}")
}

fn group_key(id: &str) -> String {
    format!("{GROUPS}{id}")
}

/// Where the record of an alias is: it follows from what the alias is found by, so that it is known whose login a
/// damaged one concerns, and that there is one only.
pub(super) fn alias_key(factors: &Factors) -> String {
    let name = digest(&SHA256, factors.name.as_str().as_bytes());
    format!("{}{}", alias_folder(&factors.accessor), hex::encode(name))
}

/// Where the records of the aliases of one mount are.
pub(super) fn alias_folder(accessor: &str) -> String {
    format!("{ALIASES}{accessor}/")
}

/// What has to be stored for a change.
pub(super) fn writes(before: &Directory, change: &Change) -> Vec<Write> {
    let mut records = Records::default();
    for (id, after) in &change.entities {
        let old = before.entity(id).map(Arc::as_ref);
        records.entity(id, old, after.as_ref());
    }
    for (id, after) in &change.groups {
        records.note(group_key(id), before.group(id).map(Arc::as_ref), after.as_ref());
    }
    records.taken_back.retain(|key, _| !records.written.contains_key(key));
    let removals = records.taken_back.into_keys().map(|key| Write { key, value: None });
    let written =
        records.written.into_iter().filter_map(|(key, value)| Some(Write { key, value: Some(value?) }));
    removals.chain(written).collect()
}

/// An alias that goes from one entity to another is taken back from the one and written for the other: it is written.
#[derive(Default)]
struct Records {
    taken_back: BTreeMap<String, ()>,
    /// None: as it is stored already.
    written: BTreeMap<String, Option<Bytes>>,
}

impl Records {
    fn entity(&mut self, id: &str, before: Option<&Entity>, after: Option<&Entity>) {
        let alone = |entity: &Entity| Entity { aliases: Vec::new(), ..entity.clone() };
        self.note(entity_key(id), before.map(alone).as_ref(), after.map(alone).as_ref());
        let old = before.map_or(&[][..], |entity| &entity.aliases);
        let new = after.map_or(&[][..], |entity| &entity.aliases);
        for alias in old {
            self.taken_back.insert(alias_key(&alias.factors()), ());
        }
        for alias in new {
            let same = |each: &&Alias| each.factors() == alias.factors();
            self.note(alias_key(&alias.factors()), old.iter().find(same), Some(alias));
        }
    }

    fn note<T: Serialize + PartialEq>(&mut self, key: String, before: Option<&T>, after: Option<&T>) {
        match after {
            None => {
                self.taken_back.insert(key, ());
            }
            Some(after) if before == Some(after) => {
                self.written.insert(key, None);
            }
            Some(after) => {
                let value = put(key.clone(), after).value;
                self.written.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use domain::identity::{Draft, Group, GroupKind};

    use super::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    fn alias(id: &str, entity: &str, accessor: &str) -> Alias {
        Alias::new(id.to_owned(), entity.to_owned(), accessor.to_owned(), "Bob".to_owned(), NOW)
    }

    fn directory() -> Directory {
        let directory = Directory::default();
        let mut draft = Draft::new(&directory, NOW);
        for (id, accessor) in [("a", "x"), ("b", "y")] {
            let mut entity = Entity::new(id.to_owned(), id.to_owned(), NOW);
            entity.aliases.push(alias(&format!("alias-{id}"), id, accessor));
            draft.put_entity(entity);
        }
        let mut group = Group::new("g".to_owned(), "g".to_owned(), GroupKind::Internal, NOW);
        group.entities.insert("b".to_owned());
        draft.put_group(group);
        let change = draft.into_change();
        directory.with(change)
    }

    fn written(change: impl FnOnce(&mut Draft<'_>)) -> Vec<(String, bool)> {
        let before = directory();
        let mut draft = Draft::new(&before, NOW);
        change(&mut draft);
        let writes = writes(&before, &draft.into_change());
        writes.into_iter().map(|write| (write.key, write.value.is_some())).collect()
    }

    #[test]
    fn only_what_differs_is_written() {
        assert_eq!(written(|draft| assert!(draft.entity("a").is_some())), []);
        let changed = written(|draft| {
            draft.entity("a").unwrap().aliases[0].metadata.insert("k".to_owned(), "v".to_owned());
        });
        assert_eq!(changed, [(alias_key(&Factors::new("x", "bob")), true)]);
        assert_eq!(written(|draft| draft.entity("a").unwrap().disabled = true), [(entity_key("a"), true)]);
    }

    #[test]
    fn what_is_merged_is_written_and_what_is_gone_removed() {
        let merged = written(|draft| draft.merge("a", &["b".to_owned()], &[]).unwrap());
        assert_eq!(
            merged,
            [
                (entity_key("b"), false),
                (alias_key(&Factors::new("y", "bob")), true),
                (entity_key("a"), true),
                (group_key("g"), true),
            ]
        );
        let gone = written(|draft| draft.drop_entity("b"));
        assert_eq!(
            gone,
            [(alias_key(&Factors::new("y", "bob")), false), (entity_key("b"), false), (group_key("g"), true),]
        );
    }
}
