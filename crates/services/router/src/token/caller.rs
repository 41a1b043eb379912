use std::sync::Arc;

use super::{entry::TokenEntry, store::SaltedId};

/// Who asks, as their token says.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) id: SaltedId,
    pub(crate) entry: Arc<TokenEntry>,
}

impl Caller {
    /// Whether they may do everything.
    pub(crate) fn is_root(&self) -> bool {
        self.has_policy("root")
    }

    pub(crate) fn has_policy(&self, name: &str) -> bool {
        self.entry.policies.iter().any(|policy| policy == name)
    }
}
