use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use domain::{
    Operation,
    policy::{Acl, Question},
};

/// Decides whether a request may be done. The one place where that is asked.
pub(crate) struct Gate {
    /// What the caller may do; none: the path is open to everybody.
    pub(crate) acl: Option<Arc<Acl>>,
    pub(crate) path: String,
    pub(crate) needs_sudo: bool,
    pub(crate) wrap_ttl: Option<Duration>,
    pub(crate) body: Bytes,
}

impl Gate {
    /// Whether the caller's policies allow it.
    pub(crate) fn permits(&self, operation: Operation) -> bool {
        self.acl.as_ref().is_none_or(|acl| self.would_permit(acl, operation))
    }

    fn question(&self, operation: Operation) -> Question<'_> {
        Question {
            path: &self.path,
            operation,
            needs_sudo: self.needs_sudo,
            wrap_ttl: self.wrap_ttl,
            body: &self.body,
        }
    }

    /// Whether these policies alone would allow it.
    pub(crate) fn would_permit(&self, acl: &Acl, operation: Operation) -> bool {
        acl.allows(&self.question(operation))
    }

    /// The same for a write of which only the plugin can tell whether it creates or changes. What is allowed neither
    /// way does not reach the plugin.
    pub(crate) fn may_permit(&self, operation: Operation) -> bool {
        self.permits(operation) || (operation == Operation::Update && self.permits(Operation::Create))
    }
}
