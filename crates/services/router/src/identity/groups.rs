use std::collections::BTreeSet;

use domain::{
    Operation::{Delete, List, Read, Update},
    identity::{Directory, Draft, Group, GroupKind},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    IdentityRefusal,
    changes::{Common, answer, given},
    login::new_name,
    view::{Places, listed, named},
};
use crate::{
    Error,
    answer::Answer,
    ask::Ask,
    endpoint::{Access, Endpoint},
    error::Result,
    fields::Fields,
};

const FIELDS: &[&str] =
    &["id", "name", "type", "metadata", "policies", "member_entity_ids", "member_group_ids"];

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        pattern: "group",
        access: Access::Token,
        on_top: false,
        operations: &[(Update, |ask| Box::pin(write(ask)))],
        help: "Makes or changes a group.",
    },
    Endpoint {
        pattern: "group/id/",
        access: Access::Token,
        on_top: false,
        operations: &[(List, |ask| Box::pin(list(ask)))],
        help: "Lists the ids of the groups.",
    },
    Endpoint {
        pattern: "group/id/:id",
        access: Access::Token,
        on_top: false,
        operations: &[
            (Read, |ask| Box::pin(read(ask))),
            (Update, |ask| Box::pin(write_by_id(ask))),
            (Delete, |ask| Box::pin(delete(ask))),
        ],
        help: "Reads, changes and deletes a group.",
    },
    Endpoint {
        pattern: "group/name/",
        access: Access::Token,
        on_top: false,
        operations: &[(List, |ask| Box::pin(list_names(ask)))],
        help: "Lists the names of the groups.",
    },
    Endpoint {
        pattern: "group/name/*name",
        access: Access::Token,
        on_top: false,
        operations: &[
            (Read, |ask| Box::pin(read(ask))),
            (Update, |ask| Box::pin(write_by_name(ask))),
            (Delete, |ask| Box::pin(delete(ask))),
        ],
        help: "Reads, writes and deletes the group with a name.",
    },
];

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

    /// Changes a group, or makes a new one; says which of the two, and its id.
    fn enter(self, draft: &mut Draft<'_>, id: Option<&str>) -> Result<(bool, String)> {
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
        self.write(draft.group(&id).ok_or(IdentityRefusal::GroupId)?, directory)?;
        Ok((new, id))
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

async fn write(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?;
    let (wish, id) = (Wish::of(&fields)?, given(&fields, "id")?);
    let outcome = enter(&ask, wish, id).await?;
    Ok(shown(&fields, &[], outcome))
}

/// The path says which group, whatever the body says.
async fn write_by_id(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?;
    let id = ask.capture("id").to_owned();
    let outcome = enter(&ask, Wish::of(&fields)?, Some(id)).await?;
    Ok(shown(&fields, &["id"], outcome))
}

async fn write_by_name(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?;
    let mut wish = Wish::of(&fields)?;
    wish.common.name = Some(ask.capture("name").to_owned());
    let outcome = enter(&ask, wish, None).await?;
    Ok(shown(&fields, &["name"], outcome))
}

async fn enter(ask: &Ask, wish: Wish, id: Option<String>) -> Result<(bool, Value)> {
    let identity = &ask.active()?.identity;
    let (new, id) = identity.change(|draft| wish.enter(draft, id.as_deref())).await?;
    let name = identity.read(|directory| directory.group(&id).map(|group| group.name.clone()));
    Ok((new, json!({ "id": id, "name": name })))
}

fn shown(fields: &Fields, captured: &[&str], (new, data): (bool, Value)) -> Answer {
    if new { answer(fields, FIELDS, captured, &data) } else { Answer::Nothing }
}

async fn read(ask: Ask) -> Result<Answer> {
    let active = ask.active()?;
    let snapshot = active.mounts.snapshot();
    active.identity.read(|directory| {
        let group = match ask.capture("id") {
            "" => directory.group_named(ask.capture("name")),
            id => directory.group(id),
        };
        let group = group.ok_or(Error::Nothing)?;
        if group.damaged {
            return Err(IdentityRefusal::DamagedGroup.into());
        }
        Ok(Answer::data(&Places::of(&snapshot, &ask.active()?.namespace).group(directory, group)))
    })
}

async fn list(ask: Ask) -> Result<Answer> {
    let active = ask.active()?;
    let snapshot = active.mounts.snapshot();
    let places = Places::of(&snapshot, &ask.active()?.namespace);
    let list = active.identity.read(|directory| {
        listed(directory.groups().map(|group| (group.id.clone(), places.group_info(directory, group))))
    });
    Ok(Answer::data(&list.ok_or(Error::Nothing)?))
}

async fn list_names(ask: Ask) -> Result<Answer> {
    let names = |directory: &Directory| named(directory.groups().map(|group| group.name.clone()));
    Ok(Answer::data(&ask.active()?.identity.read(names).ok_or(Error::Nothing)?))
}

async fn delete(ask: Ask) -> Result<Answer> {
    let (id, name) = (ask.capture("id"), ask.capture("name"));
    let drop = |draft: &mut Draft<'_>| {
        let id = match id {
            "" => draft.directory.group_named(name).map(|group| group.id.clone()),
            id => Some(id.to_owned()),
        };
        if let Some(id) = id {
            draft.drop_group(&id);
        }
        Ok(())
    };
    ask.active()?.identity.change(drop).await?;
    Ok(Answer::Nothing)
}
