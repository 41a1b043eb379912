use domain::{Lockout, Operation};
use jiff::Timestamp;
use wire::pb::HandleRequestReply;

use super::table::User;
use crate::{
    Error,
    core::Active,
    error::Result,
    plugin::{Visit, look_ahead},
    token::Refused,
};

/// What a plugin ends a login with that fails by what was sent.
const WRONG: &str = "invalid credentials";

/// A login that counts.
pub(crate) struct Attempt {
    rule: Lockout,
    user: User,
}

/// Before a login: somebody who is locked out does not get as far as the plugin. None: nobody counts here.
pub(crate) async fn begin(visit: Visit<'_>) -> Result<Option<Attempt>> {
    let entry = &visit.mount.entry;
    let rule = visit.active.lockouts.rule_of(entry);
    let Some(rule) = rule.filter(|_| visit.asked.operation != Operation::Help) else {
        return Ok(None);
    };
    let name = look_ahead(visit).await?;
    let name = Lockout::counted_name(&entry.plugin, &name.ok_or(Refused::Unnamed)?);
    let attempt = Attempt { rule, user: User::new(&entry.accessor, &name) };
    attempt.refuse_locked(visit.active)?;
    Ok(Some(attempt))
}

impl Attempt {
    /// After a login: counts it. Who has been locked out meanwhile stays out, even with the right password.
    pub(crate) async fn end(self, active: &Active, reply: &HandleRequestReply) -> Result<()> {
        self.refuse_locked(active)?;
        match &reply.err {
            Some(error) if error.err_msg == WRONG => {
                active.lockouts.failed(&self.rule, self.user.clone(), now()).await?;
                self.refuse_locked(active)
            }
            None if reply.response.as_ref().is_some_and(|response| response.auth.is_some()) => {
                active.lockouts.forget(&self.user).await
            }
            _ => Ok(()),
        }
    }

    fn refuse_locked(&self, active: &Active) -> Result<()> {
        if active.lockouts.is_locked(&self.rule, &self.user, now()) { Err(Error::Forbidden) } else { Ok(()) }
    }
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    u64::try_from(Timestamp::now().as_second()).unwrap_or(0)
}
