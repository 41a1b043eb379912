use std::{sync::Arc, time::Duration};

use domain::{
    Operation,
    policy::{Acl, Question},
};

use crate::{
    Error, asked::Asked, core::Active, endpoint::Access, error::Result, reach::Reach, token::Caller,
    wrapping::Wish,
};

/// Decides whether a request may be done. The one place where that is asked.
pub(crate) struct Gate<'r> {
    /// What the caller may do; none: the path is open to everybody.
    pub(crate) reach: Option<Reach>,
    pub(crate) path: &'r str,
    pub(crate) needs_sudo: bool,
    pub(crate) wrap_ttl: Option<Duration>,
    pub(crate) body: &'r [u8],
}

impl<'r> Gate<'r> {
    /// What decides about a request. Where a token is needed, nothing is open.
    pub(crate) fn of(
        active: &Active,
        asked: &'r Asked,
        caller: Option<&Caller>,
        access: Access,
    ) -> Result<Self> {
        let reach = match access {
            Access::Direct | Access::Open | Access::Optional => None,
            Access::Token | Access::Wrapping | Access::Sudo => {
                Some(caller.ok_or(Error::NoToken)?.reach(active)?)
            }
        };
        Ok(Self {
            reach,
            path: asked.path(),
            needs_sudo: access == Access::Sudo,
            wrap_ttl: asked.wish.as_ref().map(Wish::ttl),
            body: asked.body(),
        })
    }

    /// Whether the caller's policies allow it.
    pub(crate) fn permits(&self, operation: Operation) -> bool {
        self.reach.as_ref().is_none_or(|reach| reach.allows(&self.question(operation)))
    }

    /// Whether these policies of the caller's namespace alone would allow it.
    pub(crate) fn would_permit(&self, acl: Arc<Acl>, operation: Operation) -> bool {
        self.reach.as_ref().is_some_and(|reach| reach.with(acl).allows(&self.question(operation)))
    }

    /// The same for a write of which only where it goes can tell whether it creates or changes. What is allowed neither
    /// way does not get there.
    pub(crate) fn may_permit(&self, operation: Operation) -> bool {
        self.permits(operation) || (operation == Operation::Update && self.permits(Operation::Create))
    }

    const fn question(&self, operation: Operation) -> Question<'_> {
        Question {
            path: self.path,
            operation,
            needs_sudo: self.needs_sudo,
            wrap_ttl: self.wrap_ttl,
            body: self.body,
        }
    }
}
