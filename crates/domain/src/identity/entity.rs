use std::{collections::BTreeMap, time::SystemTime};

use serde::{Deserialize, Serialize};

use super::Factors;

/// Somebody: a person or a machine, whichever way they log in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    /// Never changes.
    pub id: String,
    /// No other entity has it, in any case of its letters.
    pub name: String,
    /// What an operator wrote about them.
    pub metadata: BTreeMap<String, String>,
    /// What they may do wherever they log in; never root.
    pub policies: Vec<String>,
    /// They may do nothing, and not log in.
    pub disabled: bool,
    /// The ids of those who turned out to be the same.
    pub merged: Vec<String>,
    /// When they were first known.
    pub created: SystemTime,
    /// When something about them last changed.
    pub updated: SystemTime,
    /// Their names at auth methods; stored one by one.
    #[serde(skip)]
    pub aliases: Vec<Alias>,
    /// What is stored about them cannot be read: who knows whether they were disabled.
    #[serde(skip)]
    pub damaged: bool,
}

/// Somebody's name at one auth method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alias {
    /// Never changes.
    pub id: String,
    /// The id of whose it is.
    pub entity: String,
    /// The accessor of the auth method's mount.
    pub accessor: String,
    /// The name there.
    pub name: String,
    /// What the auth method said at the last login.
    pub metadata: BTreeMap<String, String>,
    /// What an operator wrote about it.
    pub custom_metadata: BTreeMap<String, String>,
    /// The mount is not replicated.
    pub local: bool,
    /// The ids of the entities it belonged to before they were merged.
    pub merged_from: Vec<String>,
    /// When it was first seen.
    pub created: SystemTime,
    /// When something about it last changed.
    pub updated: SystemTime,
}

impl Entity {
    /// Somebody new, of whom nothing is known but the name.
    pub const fn new(id: String, name: String, now: SystemTime) -> Self {
        Self {
            id,
            name,
            metadata: BTreeMap::new(),
            policies: Vec::new(),
            disabled: false,
            merged: Vec::new(),
            created: now,
            updated: now,
            aliases: Vec::new(),
            damaged: false,
        }
    }

    /// Somebody whose record cannot be read. They may do nothing, and can be deleted.
    pub fn unreadable(id: String) -> Self {
        Self { damaged: true, ..Self::new(id, String::new(), SystemTime::UNIX_EPOCH) }
    }

    /// Whether they may do anything at all.
    pub const fn is_active(&self) -> bool {
        !self.disabled && !self.damaged
    }

    /// Their alias with an id.
    pub fn alias(&self, id: &str) -> Option<&Alias> {
        self.aliases.iter().find(|alias| alias.id == id)
    }

    /// Their alias at a mount. Nobody has two at one.
    pub fn alias_at(&self, accessor: &str) -> Option<&Alias> {
        self.aliases.iter().find(|alias| alias.accessor == accessor)
    }
}

impl Alias {
    /// A name that has not been seen before.
    pub fn new(id: String, entity: String, accessor: String, name: String, now: SystemTime) -> Self {
        Self {
            id,
            entity,
            accessor,
            name,
            metadata: BTreeMap::new(),
            custom_metadata: BTreeMap::new(),
            local: false,
            merged_from: Vec::new(),
            created: now,
            updated: now,
        }
    }

    /// What it is found by.
    pub fn factors(&self) -> Factors {
        Factors::new(&self.accessor, &self.name)
    }
}
