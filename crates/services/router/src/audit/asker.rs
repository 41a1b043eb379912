use std::sync::Arc;

use domain::Operation;

use crate::{error::Result, gate::Gate, identity::Standing, token::Caller};

/// The policy of root tokens.
const ROOT: &str = "root";

/// Who asks, and what follows from who they are.
pub(super) struct Asker {
    pub(super) caller: Arc<Caller>,
    standing: Option<Arc<Standing>>,
    /// The token's own policies and those of its entity.
    pub(super) policies: Vec<String>,
}

impl Asker {
    pub(super) fn of(caller: &Arc<Caller>) -> Result<Self> {
        let standing = caller.home.identity.standing(&caller.entry.entity_id)?;
        let theirs = standing.as_deref().map_or(&[][..], Standing::policies);
        let mut policies: Vec<String> = caller.entry.policies.iter().chain(theirs).cloned().collect();
        policies.sort_unstable();
        policies.dedup();
        Ok(Self { caller: caller.clone(), standing, policies })
    }

    /// Whether it is a root token, which may do everything.
    pub(super) fn is_root(&self) -> bool {
        self.caller.entry.policies.iter().any(|name| name == ROOT)
    }

    /// The policies of the entity and its groups.
    pub(super) fn of_entity(&self) -> &[String] {
        self.standing.as_deref().map_or(&[], Standing::policies)
    }

    /// The policies that would each allow it alone.
    pub(super) fn granting(&self, gate: &Gate<'_>, operation: Operation) -> Vec<String> {
        if gate.reach.is_none() {
            return Vec::new();
        }
        let book = self.caller.home.policies.book();
        let alone =
            |name: &&String| gate.would_permit(book.single(name, self.standing.as_deref()), operation);
        self.policies.iter().filter(alone).cloned().collect()
    }
}
