use domain::identity::{Directory, Draft, Factors, Group, GroupAlias, GroupKind};
use serde_json::Value;
use uuid::Uuid;

use super::{
    IdentityRefusal,
    aliases::told,
    changes::{at_mount, given},
    family::Family,
    login::new_name,
    view::{Places, listed},
};
use crate::{Error, ask::Ask, endpoint::Endpoint, error::Result, fields::Fields};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::token("group-alias", GroupAliases::ANY, "Says what an auth method calls an external group."),
    Endpoint::token("group-alias/id/", GroupAliases::IDS, "Lists the ids of the aliases of groups."),
    Endpoint::token(
        "group-alias/id/:id",
        GroupAliases::BY_ID,
        "Reads, changes and deletes the alias of a group.",
    ),
];

/// What external groups are called by auth methods.
struct GroupAliases;

/// What a group alias shall be.
struct Wish {
    name: String,
    accessor: String,
    /// Whose it shall be.
    group: Option<String>,
}

impl Wish {
    fn of(ask: &Ask, fields: &Fields) -> Result<Self> {
        let name = given(fields, "name")?.ok_or(IdentityRefusal::NoAliasName)?;
        let accessor = given(fields, "mount_accessor")?.ok_or(IdentityRefusal::NoAccessor)?;
        if at_mount(ask, &accessor, |mount| mount.entry.local)? {
            return Err(IdentityRefusal::LocalMount(accessor).into());
        }
        Ok(Self { name, accessor, group: given(fields, "canonical_id")? })
    }

    /// Makes or changes the alias.
    fn enter(self, draft: &mut Draft<'_>, id: Option<&str>) -> Result<Value> {
        let directory = draft.directory;
        let there = directory.group_of_alias(&Factors::new(&self.accessor, &self.name));
        let before = match id {
            Some(id) => {
                let group = directory.group_of_alias_id(id).ok_or(IdentityRefusal::GroupAliasId)?;
                if there.is_some_and(|other| other.id != group.id) {
                    return Err(IdentityRefusal::GroupAliasTaken.into());
                }
                Some(group)
            }
            None => there,
        };
        let now = draft.now();
        let old = before.and_then(|group| Some((group.id.clone(), group.alias.clone()?)));
        let (id, created) = old.as_ref().map_or_else(
            || (Uuid::new_v4().to_string(), now),
            |(_, alias)| (alias.id.clone(), alias.created),
        );
        let target = match (self.group, &old) {
            (Some(group), _) => group,
            (None, Some((group, _))) => group.clone(),
            (None, None) => new_group(draft)?,
        };
        if let Some((group, _)) = old.filter(|(group, _)| *group != target) {
            draft.group(&group).into_iter().for_each(without_alias);
        }
        let alias =
            GroupAlias { id: id.clone(), accessor: self.accessor, name: self.name, created, updated: now };
        let group = draft.group(&target).ok_or(IdentityRefusal::CanonicalId)?;
        if group.kind != GroupKind::External {
            return Err(IdentityRefusal::InternalAlias.into());
        }
        group.alias = Some(alias);
        Ok(told(&id, &target))
    }
}

fn new_group(draft: &mut Draft<'_>) -> Result<String> {
    let id = Uuid::new_v4().to_string();
    let name = new_name("group", draft.directory)?;
    let group = Group::new(id.clone(), name, GroupKind::External, draft.now());
    draft.put_group(Group { changes: 1, ..group });
    Ok(id)
}

/// Nobody says any more who is in it.
fn without_alias(group: &mut Group) {
    group.alias = None;
    group.entities.clear();
}

impl Family for GroupAliases {
    const FIELDS: &'static [&'static str] = &["id", "name", "mount_accessor", "canonical_id"];

    type Wish = Wish;

    fn wish(ask: &Ask, fields: &Fields) -> Result<Wish> {
        Wish::of(ask, fields)
    }

    fn enter(wish: Wish, draft: &mut Draft<'_>, id: Option<&str>) -> Result<Option<Value>> {
        wish.enter(draft, id).map(Some)
    }

    fn show(directory: &Directory, places: &Places<'_>, id: &str) -> Result<Value> {
        let group = directory.group_of_alias_id(id).ok_or(Error::Nothing)?;
        let alias = group.alias.as_ref().ok_or(Error::Nothing)?;
        Ok(places.group_alias(group, alias))
    }

    fn list(directory: &Directory, places: &Places<'_>) -> Option<Value> {
        let aliased = directory.groups().filter_map(|group| Some((group, group.alias.as_ref()?)));
        listed(aliased.map(|(group, alias)| (alias.id.clone(), places.group_alias_info(group, alias))))
    }

    fn remove(draft: &mut Draft<'_>, id: &str) {
        let group = draft.directory.group_of_alias_id(id).map(|group| group.id.clone());
        if let Some(group) = group.and_then(|group| draft.group(&group)) {
            without_alias(group);
        }
    }
}
