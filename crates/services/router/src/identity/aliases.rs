use std::collections::BTreeMap;

use domain::{
    Operation::{Delete, List, Read, Update},
    identity::{Alias, Draft, Entity, Factors, check_custom_metadata},
};
use serde_json::json;
use uuid::Uuid;

use super::{
    IdentityRefusal,
    changes::{answer, at_mount, given, pairs},
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

const FIELDS: &[&str] = &["id", "name", "mount_accessor", "canonical_id", "entity_id", "custom_metadata"];

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        pattern: "entity-alias",
        access: Access::Token,
        on_top: false,
        operations: &[(Update, |ask| Box::pin(write(ask)))],
        help: "Makes or changes an entity's name at an auth method.",
    },
    Endpoint {
        pattern: "entity-alias/id/",
        access: Access::Token,
        on_top: false,
        operations: &[(List, |ask| Box::pin(list(ask)))],
        help: "Lists the ids of the aliases of entities.",
    },
    Endpoint {
        pattern: "entity-alias/id/:id",
        access: Access::Token,
        on_top: false,
        operations: &[
            (Read, |ask| Box::pin(read(ask))),
            (Update, |ask| Box::pin(write_by_id(ask))),
            (Delete, |ask| Box::pin(delete(ask))),
        ],
        help: "Reads, changes and deletes an alias of an entity.",
    },
];

/// What an alias shall be.
struct Wish {
    name: Option<String>,
    accessor: Option<String>,
    /// Whose it shall be.
    entity: Option<String>,
    custom_metadata: Option<BTreeMap<String, String>>,
    local: bool,
}

/// What has become of an alias, and whose it is.
enum Outcome {
    Same,
    Written { id: String, entity: String },
}

impl Wish {
    fn of(ask: &Ask, fields: &Fields) -> Result<Self> {
        let custom_metadata = pairs(fields, "custom_metadata")?;
        if let Some(metadata) = &custom_metadata {
            check_custom_metadata(metadata).map_err(IdentityRefusal::from)?;
        }
        let accessor = given(fields, "mount_accessor")?;
        let local = accessor.as_deref().map(|accessor| at_mount(ask, accessor, |mount| mount.entry.local));
        // The older name of the field.
        let entity =
            given(fields, "canonical_id")?.map_or_else(|| given(fields, "entity_id"), |id| Ok(Some(id)));
        Ok(Self {
            name: given(fields, "name")?,
            accessor,
            entity: entity?,
            custom_metadata,
            local: local.transpose()?.unwrap_or_default(),
        })
    }

    fn enter(self, draft: &mut Draft<'_>, id: Option<&str>) -> Result<Outcome> {
        let directory = draft.directory;
        if let Some(id) = id {
            let (_, alias) = directory.alias(id).ok_or(IdentityRefusal::AliasId)?;
            return self.change(draft, alias);
        }
        let (Some(name), Some(accessor)) = (&self.name, &self.accessor) else {
            return Err(IdentityRefusal::NoFactors.into());
        };
        match directory.alias_of(&Factors::new(accessor, name)) {
            Some((_, alias)) => Self { name: Some(alias.name.clone()), ..self }.change(draft, alias),
            None => {
                let (name, accessor) = (name.clone(), accessor.clone());
                self.create(draft, name, accessor)
            }
        }
    }

    fn create(self, draft: &mut Draft<'_>, name: String, accessor: String) -> Result<Outcome> {
        let now = draft.now();
        let entity = match self.entity {
            Some(id) => {
                let found = draft.directory.entity(&id).ok_or(IdentityRefusal::CanonicalId)?;
                if found.alias_at(&accessor).is_some() {
                    return Err(IdentityRefusal::SecondAlias.into());
                }
                id
            }
            None => {
                let id = Uuid::new_v4().to_string();
                draft.put_entity(Entity::new(id.clone(), new_name("entity", draft.directory)?, now));
                id
            }
        };
        let alias = Alias {
            custom_metadata: self.custom_metadata.unwrap_or_default(),
            local: self.local,
            ..Alias::new(Uuid::new_v4().to_string(), entity.clone(), accessor, name, now)
        };
        let id = alias.id.clone();
        draft.entity(&entity).ok_or(IdentityRefusal::CanonicalId)?.aliases.push(alias);
        Ok(Outcome::Written { id, entity })
    }

    fn change(self, draft: &mut Draft<'_>, old: &Alias) -> Result<Outcome> {
        let directory = draft.directory;
        let mut new = old.clone();
        new.name = self.name.unwrap_or(new.name);
        if let Some(accessor) = self.accessor {
            (new.accessor, new.local) = (accessor, self.local);
        }
        new.entity = self.entity.unwrap_or(new.entity);
        new.custom_metadata = self.custom_metadata.unwrap_or(new.custom_metadata);
        if new == *old {
            return Ok(Outcome::Same);
        }
        new.updated = draft.now();
        if directory.alias_of(&new.factors()).is_some_and(|(_, other)| other.id != old.id) {
            return Err(IdentityRefusal::AliasTaken.into());
        }
        let owner = directory.entity(&new.entity).ok_or(IdentityRefusal::CanonicalId)?;
        if owner.alias_at(&new.accessor).is_some_and(|other| other.id != old.id) {
            return Err(IdentityRefusal::SecondAlias.into());
        }
        let outcome = Outcome::Written { id: new.id.clone(), entity: new.entity.clone() };
        let before = draft.entity(&old.entity).ok_or(IdentityRefusal::AliasId)?;
        before.aliases.retain(|alias| alias.id != old.id);
        draft.entity(&new.entity).ok_or(IdentityRefusal::CanonicalId)?.aliases.push(new);
        Ok(outcome)
    }
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
    let outcome = ask.active()?.identity.change(|draft| wish.enter(draft, id.as_deref())).await?;
    Ok(match outcome {
        Outcome::Same => Answer::Nothing,
        Outcome::Written { id, entity } => {
            answer(fields, FIELDS, captured, &json!({ "canonical_id": entity, "id": id }))
        }
    })
}

async fn read(ask: Ask) -> Result<Answer> {
    let active = ask.active()?;
    let snapshot = active.mounts.snapshot();
    active.identity.read(|directory| {
        let (_, alias) = directory.alias(ask.capture("id")).ok_or(Error::Nothing)?;
        Ok(Answer::data(&Places::of(&snapshot, &ask.active()?.namespace).alias(alias)))
    })
}

async fn list(ask: Ask) -> Result<Answer> {
    let active = ask.active()?;
    let snapshot = active.mounts.snapshot();
    let places = Places::of(&snapshot, &ask.active()?.namespace);
    let list = active.identity.read(|directory| {
        let aliases = directory.entities().flat_map(|entity| &entity.aliases);
        listed(aliases.map(|alias| (alias.id.clone(), places.alias_info(alias))))
    });
    Ok(Answer::data(&list.ok_or(Error::Nothing)?))
}

async fn delete(ask: Ask) -> Result<Answer> {
    let id = ask.capture("id");
    let remove = |draft: &mut Draft<'_>| {
        let owner = draft.directory.alias(id).map(|(entity, _)| entity.id.clone());
        if let Some(entity) = owner.and_then(|owner| draft.entity(&owner)) {
            entity.aliases.retain(|alias| alias.id != id);
        }
        Ok(())
    };
    ask.active()?.identity.change(remove).await?;
    Ok(Answer::Nothing)
}
