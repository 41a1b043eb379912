use std::{
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};

use serde::{Deserialize, Serialize};

use super::Factors;

/// Some entities, and other groups, that have policies in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Never changes.
    pub id: String,
    /// No other group has it, in any case of its letters.
    pub name: String,
    /// Who says who is in it; never changes.
    pub kind: GroupKind,
    /// What its members may do; never root.
    pub policies: Vec<String>,
    /// What an operator wrote about it.
    pub metadata: BTreeMap<String, String>,
    /// The ids of the entities in it.
    pub entities: BTreeSet<String>,
    /// The ids of the groups in it, whose members are its members.
    pub groups: BTreeSet<String>,
    /// What an auth method calls it.
    pub alias: Option<GroupAlias>,
    /// Counts the changes.
    pub changes: u64,
    /// When it was made.
    pub created: SystemTime,
    /// When something about it last changed.
    pub updated: SystemTime,
    /// What is stored about it cannot be read.
    #[serde(skip)]
    pub damaged: bool,
}

/// Who says who is in a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupKind {
    /// Operators.
    #[default]
    Internal,
    /// The auth method that its alias names.
    External,
}

/// What an auth method calls a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupAlias {
    /// Never changes.
    pub id: String,
    /// The accessor of the auth method's mount.
    pub accessor: String,
    /// The name there.
    pub name: String,
    /// When it was made.
    pub created: SystemTime,
    /// When it last changed.
    pub updated: SystemTime,
}

impl GroupKind {
    /// As operators write it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::External => "external",
        }
    }

    /// The kind that a word means.
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Internal, Self::External].into_iter().find(|kind| kind.word() == word)
    }
}

impl Group {
    /// A group with nobody in it.
    pub const fn new(id: String, name: String, kind: GroupKind, now: SystemTime) -> Self {
        Self {
            id,
            name,
            kind,
            policies: Vec::new(),
            metadata: BTreeMap::new(),
            entities: BTreeSet::new(),
            groups: BTreeSet::new(),
            alias: None,
            changes: 0,
            created: now,
            updated: now,
            damaged: false,
        }
    }

    /// A group whose record cannot be read. It gives nobody anything, and can be deleted.
    pub fn unreadable(id: String) -> Self {
        Self { damaged: true, ..Self::new(id, String::new(), GroupKind::Internal, SystemTime::UNIX_EPOCH) }
    }
}

impl GroupAlias {
    /// What it is found by.
    pub fn factors(&self) -> Factors {
        Factors::new(&self.accessor, &self.name)
    }
}
