use std::{collections::BTreeMap, sync::Arc};

use super::{Entity, Group, name::is_root};
use crate::policy::Identity;

/// Somebody, and all that follows from who they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// Who they are.
    pub entity: Arc<Entity>,
    /// The groups they are in: those that list them first, then those above.
    pub groups: Vec<Arc<Group>>,
    /// Their own policies and those of their groups: sorted, each once, never root.
    pub policies: Vec<String>,
}

impl Person {
    pub(super) fn new(entity: Arc<Entity>, groups: Vec<Arc<Group>>) -> Self {
        let all = entity.policies.iter().chain(groups.iter().flat_map(|group| &group.policies));
        // Refused when it is written, and not believed when it is stored.
        let mut policies: Vec<String> = all.filter(|name| !is_root(name)).cloned().collect();
        policies.sort();
        policies.dedup();
        Self { entity, groups, policies }
    }

    fn alias_value(&self, of: &str) -> Option<String> {
        let (accessor, what) = of.split_once('.')?;
        let alias = self.entity.alias_at(accessor)?;
        match what {
            "id" => Some(alias.id.clone()),
            "name" => Some(alias.name.clone()),
            _ => pair(&alias.metadata, what, "metadata.")
                .or_else(|| pair(&alias.custom_metadata, what, "custom_metadata.")),
        }
    }

    fn group_value(&self, of: &str, wanted: &str, shown: impl Fn(&Group) -> &String) -> Option<String> {
        self.groups.iter().filter(|group| !group.damaged).find_map(|group| {
            let what = of.strip_prefix(shown(group).as_str())?.strip_prefix('.')?;
            if what == wanted {
                Some(if wanted == "id" { group.id.clone() } else { group.name.clone() })
            } else {
                pair(&group.metadata, what, "metadata.")
            }
        })
    }
}

fn pair(metadata: &BTreeMap<String, String>, what: &str, prefix: &str) -> Option<String> {
    metadata.get(what.strip_prefix(prefix)?).cloned()
}

/// What templates in policies stand for. Lists of groups are no part of a path, so those have no value.
impl Identity for Person {
    fn value(&self, selector: &str) -> Option<String> {
        let selector = selector.strip_prefix("identity.")?;
        if let Some(of) = selector.strip_prefix("groups.ids.") {
            return self.group_value(of, "name", |group| &group.id);
        }
        if let Some(of) = selector.strip_prefix("groups.names.") {
            return self.group_value(of, "id", |group| &group.name);
        }
        let of = selector.strip_prefix("entity.")?;
        match of {
            "id" => Some(self.entity.id.clone()),
            "name" => Some(self.entity.name.clone()),
            _ => match of.strip_prefix("aliases.") {
                Some(of) => self.alias_value(of),
                None => pair(&self.entity.metadata, of, "metadata."),
            },
        }
    }
}
