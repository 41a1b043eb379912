use std::sync::Arc;

use domain::Operation;
use wire::{launcher::v1::LauncherSeam, router::v1::Response};

use super::{reply::respond, send::send};
use crate::{
    asked::Asked, core::Active, error::Result, lockout, mounts::Mount, token::Caller, wrapping::Wish,
};

/// One request on its way to a mount's plugin.
#[derive(Clone, Copy)]
pub(crate) struct Visit<'r> {
    pub(crate) launcher: &'r LauncherSeam,
    pub(crate) active: &'r Arc<Active>,
    pub(crate) mount: &'r Mount,
    /// What of the path lies below the mount.
    pub(crate) rest: &'r str,
    pub(crate) asked: &'r Asked,
    /// Absent where no token is asked for: it may be a login.
    pub(crate) caller: Option<&'r Caller>,
}

impl Visit<'_> {
    pub(super) const fn is_login(&self) -> bool {
        self.caller.is_none()
    }
}

/// What a plugin answers to a request, once it is admitted, and how that shall be wrapped.
pub(crate) async fn answer(
    visit: Visit<'_>,
    admit: impl AsyncFnOnce(Operation) -> Result<()>,
) -> Result<(Response, Option<Wish>)> {
    let attempt = if visit.is_login() { Box::pin(lockout::begin(visit)).await? } else { None };
    let reply = send(visit, admit).await?;
    if let Some(attempt) = attempt {
        attempt.end(visit.active, &reply).await?;
    }
    let wanted = reply.response.as_ref().and_then(|response| response.wrap_info.as_ref());
    let wish = Wish::narrowed(visit.asked.wish.clone(), wanted);
    Ok((respond(visit, reply).await?, wish))
}
