use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use domain::identity::{Entity, Person};

/// What a request needs to know of the entity behind its token. Made once, and good until something about it changes.
pub(crate) struct Standing {
    /// No other standing has it, so that what is worked out for this one can be kept under it.
    pub(crate) serial: u64,
    pub(crate) person: Person,
    /// How often groups had changed when it was made.
    pub(super) group_changes: u64,
    /// What plugins may learn of it, once one was asked something.
    pub(super) told: OnceLock<Bytes>,
}

impl Standing {
    pub(crate) fn entity_id(&self) -> &str {
        &self.person.entity.id
    }

    /// What the entity and its groups may do.
    pub(crate) fn policies(&self) -> &[String] {
        &self.person.policies
    }

    /// Whether nothing has changed since it was made.
    pub(super) fn is_current(&self, entity: &Arc<Entity>, group_changes: u64) -> bool {
        self.group_changes == group_changes && Arc::ptr_eq(&self.person.entity, entity)
    }
}

impl fmt::Debug for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Standing").field("entity", &self.entity_id()).finish_non_exhaustive()
    }
}
