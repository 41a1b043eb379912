use domain::{
    Operation::Update,
    identity::{Directory, Draft, Entity},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    IdentityRefusal,
    changes::{Common, unique},
    family::{Family, Named, change},
    login::new_name,
    view::{Places, listed, readable},
};
use crate::{Error, answer::Answer, ask::Ask, endpoint::Endpoint, error::Result, fields::Fields};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::token("entity", Entities::ANY, "Makes or changes an entity."),
    Endpoint::token("entity/id/", Entities::IDS, "Lists the ids of the entities."),
    Endpoint::token("entity/id/:id", Entities::BY_ID, "Reads, changes and deletes an entity."),
    Endpoint::token("entity/name/", Entities::NAMES, "Lists the names of the entities."),
    Endpoint::token(
        "entity/name/*name",
        Entities::BY_NAME,
        "Reads, writes and deletes the entity with a name.",
    ),
    Endpoint::token(
        "entity/batch-delete",
        &[(Update, |ask| Box::pin(delete_all(ask)))],
        "Deletes several entities.",
    ),
];

/// Who holds tokens.
struct Entities;

/// What an entity shall be.
struct Wish {
    common: Common,
    disabled: Option<bool>,
}

impl Wish {
    fn of(fields: &Fields) -> Result<Self> {
        Ok(Self { common: Common::of(fields)?, disabled: fields.flag("disabled")? })
    }

    /// Changes an entity, or makes a new one, of which the caller is told.
    fn enter(self, draft: &mut Draft<'_>, id: Option<&str>) -> Result<Option<Value>> {
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
        Ok(new.then(|| json!({ "aliases": null, "id": id, "name": entity.name })))
    }
}

impl Family for Entities {
    const FIELDS: &'static [&'static str] = &["id", "name", "metadata", "policies", "disabled"];

    type Wish = Wish;

    fn wish(_: &Ask, fields: &Fields) -> Result<Wish> {
        Wish::of(fields)
    }

    fn enter(wish: Wish, draft: &mut Draft<'_>, id: Option<&str>) -> Result<Option<Value>> {
        wish.enter(draft, id)
    }

    fn show(directory: &Directory, places: &Places<'_>, id: &str) -> Result<Value> {
        let entity = directory.entity(id).ok_or(Error::Nothing)?;
        let entity = readable(entity).ok_or(IdentityRefusal::DamagedEntity)?;
        Ok(places.entity(directory, entity))
    }

    fn list(directory: &Directory, places: &Places<'_>) -> Option<Value> {
        listed(directory.entities().map(|entity| (entity.id.clone(), places.entity_info(entity))))
    }

    fn remove(draft: &mut Draft<'_>, id: &str) {
        draft.drop_entity(id);
    }
}

impl Named for Entities {
    fn name(wish: &mut Wish) -> &mut Option<String> {
        &mut wish.common.name
    }

    fn id(directory: &Directory, name: &str) -> Option<String> {
        directory.entity_named(name).map(|entity| entity.id.clone())
    }

    fn names(directory: &Directory) -> impl Iterator<Item = String> {
        directory.entities().map(|entity| entity.name.clone())
    }
}

async fn delete_all(ask: Ask) -> Result<Answer> {
    let ids = unique(ask.fields()?.list("entity_ids")?.unwrap_or_default());
    if ids.is_empty() {
        return Err(IdentityRefusal::NoEntityIds.into());
    }
    change(&ask, |draft| ids.iter().for_each(|id| draft.drop_entity(id))).await
}
