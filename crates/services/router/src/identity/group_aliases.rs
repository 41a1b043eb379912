use domain::{
    Operation::{Delete, List, Read, Update},
    identity::{Draft, Factors, Group, GroupAlias, GroupKind},
};
use serde_json::json;
use uuid::Uuid;

use super::{
    IdentityRefusal,
    changes::{answer, at_mount, given},
    login::new_name,
    view::{Places, listed},
};
use crate::{
    Error,
    answer::Answer,
    ask::Ask,
    endpoint::{Access, Endpoint},
    error::Result,
    fields::Fields,
};

const FIELDS: &[&str] = &["id", "name", "mount_accessor", "canonical_id"];

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        pattern: "group-alias",
        access: Access::Token,
        on_top: false,
        operations: &[(Update, |ask| Box::pin(write(ask)))],
        help: "Says what an auth method calls an external group.",
    },
    Endpoint {
        pattern: "group-alias/id/",
        access: Access::Token,
        on_top: false,
        operations: &[(List, |ask| Box::pin(list(ask)))],
        help: "Lists the ids of the aliases of groups.",
    },
    Endpoint {
        pattern: "group-alias/id/:id",
        access: Access::Token,
        on_top: false,
        operations: &[
            (Read, |ask| Box::pin(read(ask))),
            (Update, |ask| Box::pin(write_by_id(ask))),
            (Delete, |ask| Box::pin(delete(ask))),
        ],
        help: "Reads, changes and deletes the alias of a group.",
    },
];

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

    /// Makes or changes the alias; says its id, and that of its group.
    fn enter(self, draft: &mut Draft<'_>, id: Option<&str>) -> Result<(String, String)> {
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
        Ok((id, target))
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

async fn write(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?;
    let id = given(&fields, "id")?;
    enter(&ask, &fields, id, &[]).await
}

/// The path says which alias, whatever the body says.
async fn write_by_id(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?;
    let id = ask.capture("id").to_owned();
    enter(&ask, &fields, Some(id), &["id"]).await
}

async fn enter(ask: &Ask, fields: &Fields, id: Option<String>, captured: &[&str]) -> Result<Answer> {
    let wish = Wish::of(ask, fields)?;
    let (id, group) = ask.active()?.identity.change(|draft| wish.enter(draft, id.as_deref())).await?;
    Ok(answer(fields, FIELDS, captured, &json!({ "canonical_id": group, "id": id })))
}

async fn read(ask: Ask) -> Result<Answer> {
    let active = ask.active()?;
    let snapshot = active.mounts.snapshot();
    active.identity.read(|directory| {
        let group = directory.group_of_alias_id(ask.capture("id")).ok_or(Error::Nothing)?;
        let alias = group.alias.as_ref().ok_or(Error::Nothing)?;
        Ok(Answer::data(&Places::of(&snapshot, &ask.active()?.namespace).group_alias(group, alias)))
    })
}

async fn list(ask: Ask) -> Result<Answer> {
    let active = ask.active()?;
    let snapshot = active.mounts.snapshot();
    let places = Places::of(&snapshot, &ask.active()?.namespace);
    let list = active.identity.read(|directory| {
        let aliased = directory.groups().filter_map(|group| Some((group, group.alias.as_ref()?)));
        listed(aliased.map(|(group, alias)| (alias.id.clone(), places.group_alias_info(group, alias))))
    });
    Ok(Answer::data(&list.ok_or(Error::Nothing)?))
}

async fn delete(ask: Ask) -> Result<Answer> {
    let id = ask.capture("id");
    let remove = |draft: &mut Draft<'_>| {
        let group = draft.directory.group_of_alias_id(id).map(|group| group.id.clone());
        if let Some(group) = group.and_then(|group| draft.group(&group)) {
            without_alias(group);
        }
        Ok(())
    };
    ask.active()?.identity.change(remove).await?;
    Ok(Answer::Nothing)
}
