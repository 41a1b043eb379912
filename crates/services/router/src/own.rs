//! Requests that this service answers itself, from the tables of its endpoints.

use std::sync::Arc;

use domain::Operation;
use wire::{Belonging, router::v1::Response};

use crate::{
    Error,
    answer::Answer,
    ask::Ask,
    asked::Asked,
    audit::Trail,
    core::Core,
    endpoint::{Access, Captures, Endpoint, Handler, find},
    error::Result,
    mounts::{CoreMount, Mount, SYSTEM},
    sys,
};

/// An endpoint that answers whether sealed or not, if that is where a request goes.
pub(crate) fn direct(asked: &Asked) -> Option<(&'static Endpoint, Captures)> {
    let found = asked.path().strip_prefix(SYSTEM).and_then(sys::direct)?;
    (asked.operation != Operation::Help).then_some(found)
}

/// An endpoint that a listener is told to open to everybody: it answers while sealed, too.
pub(crate) fn opened(asked: &Asked) -> Option<(&'static Endpoint, Captures)> {
    sys::opened(asked)?;
    find(sys::ENDPOINTS, asked.path().strip_prefix(SYSTEM)?)
}

/// Answers from such an endpoint.
pub(crate) async fn answer_directly(
    core: &Arc<Core>,
    asked: &Asked,
    (endpoint, captures): (&Endpoint, Captures),
    trail: &mut Trail,
) -> Result<Response> {
    if sys::is_of_root(endpoint.pattern) && !asked.is_of_root() {
        return Err(Error::UnsupportedPath);
    }
    let handler = endpoint.handler(asked.operation).ok_or(Error::Method)?;
    if sys::is_recorded(endpoint)
        && let Ok(active) = core.active().await
    {
        trail.begin(&active, asked);
        trail.goes_to(&active.mounts.snapshot());
        trail.permitted(None, asked.operation).await?;
    }
    let ask = Ask { captures, ..Ask::of(core, asked) };
    Ok(finish(handler, ask).await?.into_response("", "", false))
}

/// Answers from an endpoint of a mount, once it is admitted.
pub(crate) async fn answer(
    mount: &Mount,
    core_mount: CoreMount,
    rest: &str,
    mut ask: Ask,
    admit: impl AsyncFnOnce(Operation) -> Result<()>,
) -> Result<Response> {
    admit(core_mount.known(&ask, rest).await?).await?;
    let table = core_mount.endpoints();
    if ask.operation == Operation::Help {
        let help = sys::help(&ask.core.config, table, mount.entry.path.as_str(), rest)?;
        return Ok(help.into_response("", "", false));
    }
    let (endpoint, captures) = find(table, rest).ok_or(Error::UnsupportedPath)?;
    let handler = endpoint.handler(ask.operation).ok_or(Error::UnsupportedOperation)?;
    ask.captures = captures;
    let id = ask.id.clone();
    let open = matches!(endpoint.access, Access::Open | Access::Optional);
    let mount_type = if open { "" } else { core_mount.type_shown() };
    Ok(finish(handler, ask).await?.into_response(&id, mount_type, endpoint.on_top))
}

/// Runs a handler. One that changes something is carried to its end even if the caller goes away.
async fn finish(handler: Handler, ask: Ask) -> Result<Answer> {
    if ask.operation.writes() {
        tokio::spawn(handler(ask).carried()).await.map_err(|_| Error::CutOff)?
    } else {
        handler(ask).await
    }
}
