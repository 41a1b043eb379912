use std::{net::IpAddr, pin::pin, sync::Arc, time::Instant};

use domain::{Kind, Operation};
use spans::{Attribute, note};
use tokio::time::timeout;
use wire::{
    Failure,
    router::v1::{Request, Response},
};

use crate::{
    Error,
    answer::Answer,
    ask::Ask,
    asked::Asked,
    audit::Trail,
    core::{Active, Core},
    endpoint::Access,
    error::Result,
    gate::Gate,
    meters,
    namespaces::Namespaces,
    own,
    plugin::{self, Visit},
    route::{Route, refuse_trailing_slash},
    sys,
    token::{self, Caller},
    wrapping::{self, Origin},
};

/// What becomes of one request: it has so much time, its records are written, and its errors are put into words.
pub(crate) async fn handle(core: Arc<Core>, request: Request) -> Result<Response, Failure> {
    let begun = Instant::now();
    let mut trail = Trail::default();
    let deadline = core.config.deadline;
    let decided = {
        // Large: pinned where it is made, and not moved into what watches the time.
        let deciding = pin!(decide(&core, request, &mut trail));
        timeout(deadline, deciding).await
    };
    let outcome = decided.unwrap_or(Err(Error::Deadline(deadline.as_secs())));
    let login = trail.is_login();
    meters::handled(login, begun);
    match trail.end(outcome).await {
        Ok(response) => Ok(response),
        Err(error) => {
            if matches!(error, Error::Sealed) {
                Box::pin(core.sealed_behind_our_back()).await;
            }
            if error.kind() == Kind::Internal {
                tracing::warn!(error = error.in_the_log(), "a request failed");
            }
            Err(error.into_failure(login))
        }
    }
}

/// What a request means: in which namespace, how often may be asked, where it goes, who asks, may they, what is answered,
/// what follows.
async fn decide(core: &Arc<Core>, request: Request, trail: &mut Trail) -> Result<Response> {
    let mut asked = Asked::new(request)?;
    let boarding = core.in_flight.enter(&asked);
    if let Some(endpoint) = own::direct(&asked) {
        return Box::pin(own::answer_directly(core, &asked, endpoint, trail)).await;
    }
    let active = match core.active().await {
        Err(Error::Sealed) if sys::is_done_while_sealed(&asked) => {
            return Ok(Answer::Nothing.into_response("", "", false));
        }
        Err(Error::Sealed) if let Some(endpoint) = own::opened(&asked) => {
            return Box::pin(own::answer_directly(core, &asked, endpoint, trail)).await;
        }
        active => active?,
    };
    let active = enter(&active.shared.namespaces, &mut asked)?;
    let mounts = active.mounts.snapshot();

    let quotas = &active.shared.quotas;
    let allowance = quotas.admit(&asked.request, &mounts);
    if allowance.is_ok() || quotas.are_recorded() {
        trail.begin(&active, &asked);
    }
    let allowance = allowance?;

    refuse_trailing_slash(&mounts, &mut asked)?;
    trail.goes_to(&mounts);
    let route = Route::of(&active.namespace, &mounts, &asked.request.path)?;
    note(Attribute::Namespace(&active.namespace.id));
    route.note();
    let access = sys::opened(&asked).unwrap_or_else(|| route.access());
    trail.may_log_in(route.is_login(access));

    if access == Access::Wrapping && asked.operation == Operation::Update {
        let first = Box::pin(wrapping::resolve_first(&active, asked.token, &asked.request.data));
        (asked.token, asked.named) = first.await?;
    }
    let caller = authenticate(&active, &asked, access).await?;
    trail.asked_by(&asked.token, caller.as_ref())?;
    boarding.asked_by(caller.as_ref().map_or("", |caller| &caller.entry.entity_id));

    let gate = Gate::of(&active, &asked, caller.as_deref(), access)?;
    if !gate.may_permit(asked.operation) {
        return Err(Error::Forbidden);
    }
    // Whether a write creates or changes something is known only where it goes, and nothing is done there before.
    let admit = async |known| {
        if asked.operation == Operation::Update && !gate.permits(known) {
            return Err(Error::Forbidden);
        }
        trail.permitted(Some(&gate), known).await
    };

    let sent = Instant::now();
    let (mount, response, wish) = match route {
        Route::Own(mount, core_mount, rest) => {
            let ask = Ask {
                unsealed: Some(active.clone()),
                connection: asked.request.connection.clone(),
                caller,
                ..Ask::of(core, &asked)
            };
            let response = Box::pin(own::answer(mount, core_mount, rest, ask, admit)).await?;
            (mount, response, asked.wish.clone())
        }
        Route::Plugin(mount, rest) => {
            let launcher = &core.clients.launcher;
            let caller = caller.as_deref();
            let visit = Visit { launcher, active: &active, mount, rest, asked: &asked, caller };
            let (response, wish) = plugin::answer(visit, admit).await?;
            (mount, response, wish)
        }
        Route::Nowhere if gate.permits(asked.operation) => {
            return Err(Error::NoHandler(asked.request.path));
        }
        Route::Nowhere => return Err(Error::Forbidden),
    };

    mount.meters.answered(asked.operation, sent);
    let mut response = match wish.filter(|_| asked.operation != Operation::Help) {
        Some(wish) => {
            let origin = Origin { path: asked.path(), plugin: &mount.entry.plugin };
            Box::pin(active.wrapping.wrap(&active, origin, &wish, response)).await?
        }
        None => response,
    };
    if let Some(allowance) = allowance {
        allowance.tell(&mut response);
    }
    Ok(response)
}

/// The namespace that a request means. What is about its own wrapping token is done in that token's, wherever it is sent.
fn enter(namespaces: &Namespaces, asked: &mut Asked) -> Result<Arc<Active>> {
    let active = namespaces.enter(&mut asked.request)?;
    if wrapping::is_about_own(asked)
        && let Some(home) = active.home_of(&asked.token)?
        && !Arc::ptr_eq(&home, &active)
    {
        asked.request.namespace = home.namespace.path.to_string();
        return namespaces.enter(&mut asked.request);
    }
    Ok(active)
}

/// Who asks. Where no token is needed a bad one is overlooked, except by the endpoints that answer more to those who
/// have one.
async fn authenticate(active: &Arc<Active>, asked: &Asked, access: Access) -> Result<Option<Arc<Caller>>> {
    if access == Access::Open || access == Access::Optional && asked.token.expose().is_empty() {
        return Ok(None);
    }
    let connection = asked.request.connection.as_ref();
    let remote = connection.and_then(|connection| connection.remote_addr.parse::<IpAddr>().ok());
    token::authenticate(active, &asked.token, remote).await.map(Some)
}
