use std::collections::BTreeSet;

use domain::identity::{Directory, Draft, Group, GroupKind};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    IdentityRefusal,
    changes::{Common, given},
    family::{Family, Named},
    login::new_name,
    view::{Places, listed},
};
use crate::{Error, ask::Ask, endpoint::Endpoint, error::Result, fields::Fields};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::token("group", Groups::ANY, "Makes or changes a group."),
    Endpoint::token("group/id/", Groups::IDS, "Lists the ids of the groups."),
    Endpoint::token("group/id/:id", Groups::BY_ID, "Reads, changes and deletes a group."),
    Endpoint::token("group/name/", Groups::NAMES, "Lists the names of the groups."),
    Endpoint::token("group/name/*name", Groups::BY_NAME, "Reads, writes and deletes the group with a name."),
];

/// What entities are members of.
struct Groups;

/// What a group shall be.
struct Wish {
    common: Common,
    kind: Option<GroupKind>,
    entities: Option<BTreeSet<String>>,
    groups: Option<BTreeSet<String>>,
}

impl Wish {
    fn of(fields: &Fields) -> Result<Self> {
        let kind = given(fields, "type")?;
        let kind = kind.map(|word| GroupKind::of_word(&word).ok_or(IdentityRefusal::GroupType(word)));
        let ids = |name| Ok::<_, Error>(fields.list(name)?.map(BTreeSet::from_iter));
        Ok(Self {
            common: Common::of(fields)?,
            kind: kind.transpose()?,
            entities: ids("member_entity_ids")?,
            groups: ids("member_group_ids")?,
        })
    }

    /// Changes a group, or makes a new one, of which the caller is told.
    fn enter(self, draft: &mut Draft<'_>, id: Option<&str>) -> Result<Option<Value>> {
        let directory = draft.directory;
        if id.is_some_and(|id| directory.group(id).is_none()) {
            return Err(IdentityRefusal::GroupId.into());
        }
        let named = self.common.name.as_deref().and_then(|name| directory.group_named(name));
        let known = match (id, named) {
            (Some(id), Some(named)) if named.id != id => return Err(IdentityRefusal::GroupName.into()),
            (Some(id), _) => Some(id.to_owned()),
            (None, named) => named.map(|group| group.id.clone()),
        };
        let new = known.is_none();
        let id = known.unwrap_or_else(|| Uuid::new_v4().to_string());
        let kind = self.kind_of(directory.group(&id).map(|group| &**group))?;
        self.check_members(directory, &id, kind)?;
        if new {
            let group = Group::new(id.clone(), String::new(), kind, draft.now());
            draft.put_group(Group { changes: 1, ..group });
        }
        let group = draft.group(&id).ok_or(IdentityRefusal::GroupId)?;
        self.write(group, directory)?;
        Ok(new.then(|| json!({ "id": id, "name": group.name })))
    }

    fn kind_of(&self, before: Option<&Group>) -> Result<GroupKind, IdentityRefusal> {
        match (before.filter(|group| !group.damaged), self.kind) {
            (Some(group), Some(kind)) if group.kind != kind => Err(IdentityRefusal::GroupTypeChange),
            (Some(group), _) => Ok(group.kind),
            (None, kind) => Ok(kind.unwrap_or_default()),
        }
    }

    fn check_members(&self, directory: &Directory, id: &str, kind: GroupKind) -> Result<(), IdentityRefusal> {
        if kind == GroupKind::External && self.entities.is_some() {
            return Err(IdentityRefusal::ExternalEntities);
        }
        if kind == GroupKind::External && self.groups.is_some() {
            return Err(IdentityRefusal::ExternalGroups);
        }
        if let Some(stranger) = self.entities.iter().flatten().find(|id| directory.entity(id).is_none()) {
            return Err(IdentityRefusal::MemberEntity(stranger.clone()));
        }
        if let Some(stranger) = self.groups.iter().flatten().find(|id| directory.group(id).is_none()) {
            return Err(IdentityRefusal::MemberGroup(stranger.clone()));
        }
        match self.groups.iter().flatten().find(|member| directory.would_be_circular(id, member)) {
            Some(member) => Err(IdentityRefusal::Cycle(member.clone())),
            None => Ok(()),
        }
    }

    fn write(self, group: &mut Group, directory: &Directory) -> Result<()> {
        group.name = self.common.name.unwrap_or(std::mem::take(&mut group.name));
        if group.name.is_empty() {
            group.name = new_name("group", directory)?;
        }
        // What was damaged is written anew.
        if std::mem::take(&mut group.damaged) {
            group.kind = self.kind.unwrap_or_default();
        }
        group.policies = self.common.policies.unwrap_or(std::mem::take(&mut group.policies));
        group.metadata = self.common.metadata.unwrap_or(std::mem::take(&mut group.metadata));
        group.entities = self.entities.unwrap_or(std::mem::take(&mut group.entities));
        group.groups = self.groups.unwrap_or(std::mem::take(&mut group.groups));
        Ok(())
    }
}

impl Family for Groups {
    const FIELDS: &'static [&'static str] =
        &["id", "name", "type", "metadata", "policies", "member_entity_ids", "member_group_ids"];

    type Wish = Wish;

    fn wish(_: &Ask, fields: &Fields) -> Result<Wish> {
        Wish::of(fields)
    }

    fn enter(wish: Wish, draft: &mut Draft<'_>, id: Option<&str>) -> Result<Option<Value>> {
        wish.enter(draft, id)
    }

    fn show(directory: &Directory, places: &Places<'_>, id: &str) -> Result<Value> {
        let group = directory.group(id).ok_or(Error::Nothing)?;
        if group.damaged {
            return Err(IdentityRefusal::DamagedGroup.into());
        }
        Ok(places.group(directory, group))
    }

    fn list(directory: &Directory, places: &Places<'_>) -> Option<Value> {
        listed(directory.groups().map(|group| (group.id.clone(), places.group_info(directory, group))))
    }

    fn remove(draft: &mut Draft<'_>, id: &str) {
        draft.drop_group(id);
    }
}

impl Named for Groups {
    fn name(wish: &mut Wish) -> &mut Option<String> {
        &mut wish.common.name
    }

    fn id(directory: &Directory, name: &str) -> Option<String> {
        directory.group_named(name).map(|group| group.id.clone())
    }

    fn names(directory: &Directory) -> impl Iterator<Item = String> {
        directory.groups().map(|group| group.name.clone())
    }
}
