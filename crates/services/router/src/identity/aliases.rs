use std::collections::BTreeMap;

use domain::identity::{Alias, Directory, Draft, Entity, Factors, check_custom_metadata};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    IdentityRefusal,
    changes::{at_mount, given, pairs},
    family::Family,
    login::new_name,
    view::{Places, listed},
};
use crate::{Error, ask::Ask, endpoint::Endpoint, error::Result, fields::Fields};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::token("entity-alias", Aliases::ANY, "Makes or changes an entity's name at an auth method."),
    Endpoint::token("entity-alias/id/", Aliases::IDS, "Lists the ids of the aliases of entities."),
    Endpoint::token(
        "entity-alias/id/:id",
        Aliases::BY_ID,
        "Reads, changes and deletes an alias of an entity.",
    ),
];

/// What entities are called by auth methods.
struct Aliases;

/// What an alias shall be.
struct Wish {
    name: Option<String>,
    accessor: Option<String>,
    /// Whose it shall be.
    entity: Option<String>,
    custom_metadata: Option<BTreeMap<String, String>>,
    local: bool,
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

    /// Makes or changes the alias; of nothing new the caller is told nothing.
    fn enter(self, draft: &mut Draft<'_>, id: Option<&str>) -> Result<Option<Value>> {
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

    fn create(self, draft: &mut Draft<'_>, name: String, accessor: String) -> Result<Option<Value>> {
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
        Ok(Some(told(&id, &entity)))
    }

    fn change(self, draft: &mut Draft<'_>, old: &Alias) -> Result<Option<Value>> {
        let directory = draft.directory;
        let mut new = old.clone();
        new.name = self.name.unwrap_or(new.name);
        if let Some(accessor) = self.accessor {
            (new.accessor, new.local) = (accessor, self.local);
        }
        new.entity = self.entity.unwrap_or(new.entity);
        new.custom_metadata = self.custom_metadata.unwrap_or(new.custom_metadata);
        if new == *old {
            return Ok(None);
        }
        new.updated = draft.now();
        if directory.alias_of(&new.factors()).is_some_and(|(_, other)| other.id != old.id) {
            return Err(IdentityRefusal::AliasTaken.into());
        }
        let owner = directory.entity(&new.entity).ok_or(IdentityRefusal::CanonicalId)?;
        if owner.alias_at(&new.accessor).is_some_and(|other| other.id != old.id) {
            return Err(IdentityRefusal::SecondAlias.into());
        }
        let told = told(&new.id, &new.entity);
        let before = draft.entity(&old.entity).ok_or(IdentityRefusal::AliasId)?;
        before.aliases.retain(|alias| alias.id != old.id);
        draft.entity(&new.entity).ok_or(IdentityRefusal::CanonicalId)?.aliases.push(new);
        Ok(Some(told))
    }
}

/// What is told of an alias that was written, and of whose it is.
pub(super) fn told(id: &str, owner: &str) -> Value {
    json!({ "canonical_id": owner, "id": id })
}

impl Family for Aliases {
    const FIELDS: &'static [&'static str] =
        &["id", "name", "mount_accessor", "canonical_id", "entity_id", "custom_metadata"];

    type Wish = Wish;

    fn wish(ask: &Ask, fields: &Fields) -> Result<Wish> {
        Wish::of(ask, fields)
    }

    fn enter(wish: Wish, draft: &mut Draft<'_>, id: Option<&str>) -> Result<Option<Value>> {
        wish.enter(draft, id)
    }

    fn show(directory: &Directory, places: &Places<'_>, id: &str) -> Result<Value> {
        let (_, alias) = directory.alias(id).ok_or(Error::Nothing)?;
        Ok(places.alias(alias))
    }

    fn list(directory: &Directory, places: &Places<'_>) -> Option<Value> {
        let aliases = directory.entities().flat_map(|entity| &entity.aliases);
        listed(aliases.map(|alias| (alias.id.clone(), places.alias_info(alias))))
    }

    fn remove(draft: &mut Draft<'_>, id: &str) {
        let owner = draft.directory.alias(id).map(|(entity, _)| entity.id.clone());
        if let Some(entity) = owner.and_then(|owner| draft.entity(&owner)) {
            entity.aliases.retain(|alias| alias.id != id);
        }
    }
}
