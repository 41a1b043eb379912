use domain::{
    Operation::{Delete, List, Read, Update},
    identity::{Draft, Entity},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    IdentityRefusal,
    changes::{Common, answer, given, unique},
    login::new_name,
    view::{Places, listed, named, readable},
};
use crate::{
    Error,
    answer::Answer,
    ask::Ask,
    endpoint::{Access, Endpoint},
    error::Result,
    fields::Fields,
};

const FIELDS: &[&str] = &["id", "name", "metadata", "policies", "disabled"];

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        pattern: "entity",
        access: Access::Token,
        on_top: false,
        operations: &[(Update, |ask| Box::pin(write(ask)))],
        help: "Makes or changes an entity.",
    },
    Endpoint {
        pattern: "entity/id/",
        access: Access::Token,
        on_top: false,
        operations: &[(List, |ask| Box::pin(list(ask)))],
        help: "Lists the ids of the entities.",
    },
    Endpoint {
        pattern: "entity/id/:id",
        access: Access::Token,
        on_top: false,
        operations: &[
            (Read, |ask| Box::pin(read(ask))),
            (Update, |ask| Box::pin(write_by_id(ask))),
            (Delete, |ask| Box::pin(delete(ask))),
        ],
        help: "Reads, changes and deletes an entity.",
    },
    Endpoint {
        pattern: "entity/name/",
        access: Access::Token,
        on_top: false,
        operations: &[(List, |ask| Box::pin(list_names(ask)))],
        help: "Lists the names of the entities.",
    },
    Endpoint {
        pattern: "entity/name/*name",
        access: Access::Token,
        on_top: false,
        operations: &[
            (Read, |ask| Box::pin(read(ask))),
            (Update, |ask| Box::pin(write_by_name(ask))),
            (Delete, |ask| Box::pin(delete(ask))),
        ],
        help: "Reads, writes and deletes the entity with a name.",
    },
    Endpoint {
        pattern: "entity/batch-delete",
        access: Access::Token,
        on_top: false,
        operations: &[(Update, |ask| Box::pin(delete_all(ask)))],
        help: "Deletes several entities.",
    },
];

/// What an entity shall be.
struct Wish {
    common: Common,
    disabled: Option<bool>,
}

impl Wish {
    fn of(fields: &Fields) -> Result<Self> {
        Ok(Self { common: Common::of(fields)?, disabled: fields.flag("disabled")? })
    }

    /// Changes an entity, or makes a new one; says which of the two, and its id.
    fn enter(self, draft: &mut Draft<'_>, id: Option<&str>) -> Result<(bool, String)> {
        let directory = draft.directory;
        if id.is_some_and(|id| directory.entity(id).is_none()) {
            return Err(IdentityRefusal::EntityId.into());
        }
        let named = self.common.name.as_deref().and_then(|name| directory.entity_named(name));
        let known = match (id, named) {
            (Some(id), Some(named)) if named.id != id => return Err(IdentityRefusal::EntityName.into()),
            (Some(id), _) => Some(id.to_owned()),
            (None, named) => named.map(|entity| entity.id.clone()),
        };
        let new = known.is_none();
        let id = known.unwrap_or_else(|| Uuid::new_v4().to_string());
        if new {
            draft.put_entity(Entity::new(id.clone(), String::new(), draft.now()));
        }
        let entity = draft.entity(&id).ok_or(IdentityRefusal::EntityId)?;
        entity.name = self.common.name.unwrap_or(std::mem::take(&mut entity.name));
        if entity.name.is_empty() {
            entity.name = new_name("entity", directory)?;
        }
        // What was damaged is written anew.
        entity.damaged = false;
        entity.policies = self.common.policies.unwrap_or(std::mem::take(&mut entity.policies));
        entity.metadata = self.common.metadata.unwrap_or(std::mem::take(&mut entity.metadata));
        entity.disabled = self.disabled.unwrap_or(entity.disabled);
        Ok((new, id))
    }
}

async fn write(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?;
    let (wish, id) = (Wish::of(&fields)?, given(&fields, "id")?);
    let outcome = enter(&ask, wish, id).await?;
    Ok(shown(&fields, &[], outcome))
}

/// The path says which entity, whatever the body says.
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
    let name = identity.read(|directory| directory.entity(&id).map(|entity| entity.name.clone()));
    Ok((new, json!({ "aliases": null, "id": id, "name": name })))
}

fn shown(fields: &Fields, captured: &[&str], (new, data): (bool, Value)) -> Answer {
    if new { answer(fields, FIELDS, captured, &data) } else { Answer::Nothing }
}

async fn read(ask: Ask) -> Result<Answer> {
    let active = ask.active()?;
    let snapshot = active.mounts.snapshot();
    active.identity.read(|directory| {
        let entity = match ask.capture("id") {
            "" => directory.entity_named(ask.capture("name")),
            id => directory.entity(id),
        };
        let entity = entity.ok_or(Error::Nothing)?;
        let entity = readable(entity).ok_or(IdentityRefusal::DamagedEntity)?;
        Ok(Answer::data(&Places::of(&snapshot, &ask.active()?.namespace).entity(directory, entity)))
    })
}

async fn list(ask: Ask) -> Result<Answer> {
    let active = ask.active()?;
    let snapshot = active.mounts.snapshot();
    let places = Places::of(&snapshot, &ask.active()?.namespace);
    let list = active.identity.read(|directory| {
        listed(directory.entities().map(|entity| (entity.id.clone(), places.entity_info(entity))))
    });
    Ok(Answer::data(&list.ok_or(Error::Nothing)?))
}

async fn list_names(ask: Ask) -> Result<Answer> {
    let names = |directory: &domain::identity::Directory| {
        named(directory.entities().map(|entity| entity.name.clone()))
    };
    Ok(Answer::data(&ask.active()?.identity.read(names).ok_or(Error::Nothing)?))
}

async fn delete(ask: Ask) -> Result<Answer> {
    let (id, name) = (ask.capture("id"), ask.capture("name"));
    let drop = |draft: &mut Draft<'_>| {
        let id = match id {
            "" => draft.directory.entity_named(name).map(|entity| entity.id.clone()),
            id => Some(id.to_owned()),
        };
        if let Some(id) = id {
            draft.drop_entity(&id);
        }
        Ok(())
    };
    ask.active()?.identity.change(drop).await?;
    Ok(Answer::Nothing)
}

async fn delete_all(ask: Ask) -> Result<Answer> {
    let ids = unique(ask.fields()?.list("entity_ids")?.unwrap_or_default());
    if ids.is_empty() {
        return Err(IdentityRefusal::NoEntityIds.into());
    }
    let drop = |draft: &mut Draft<'_>| {
        ids.iter().for_each(|id| draft.drop_entity(id));
        Ok(())
    };
    ask.active()?.identity.change(drop).await?;
    Ok(Answer::Nothing)
}
