use std::{net::IpAddr, pin::pin, sync::Arc, time::Duration};

use domain::{Kind, Operation, Token};
use tokio::time::timeout;
use wire::{
    Failure,
    router::v1::{Nothing, Request, Response, response::Body},
};

use crate::{
    Error,
    answer::Answer,
    ask::Ask,
    audit::Trail,
    core::{Active, Core},
    cubbyhole,
    endpoint::{Access, Handler, find},
    error::Result,
    gate::Gate,
    lockout,
    mounts::{CoreMount, Mount, SYSTEM, Snapshot},
    plugin::{self, Context, Incoming},
    sys,
    token::{self, Caller},
    wrapping::{self, Origin, Wish},
};

/// What becomes of one request: sealed or not, who asks, may they, where to, what follows.
pub(crate) async fn handle(core: Arc<Core>, request: Request) -> Result<Response, Failure> {
    let (mut login, mut trail) = (false, Trail::default());
    let deadline = core.config.deadline;
    let decided = {
        // Large: pinned where it is made, and not moved into what watches the time.
        let deciding = pin!(decide(&core, request, &mut login, &mut trail));
        timeout(deadline, deciding).await
    };
    let outcome = decided.unwrap_or(Err(Error::Deadline(deadline.as_secs())));
    match trail.end(outcome).await {
        Ok(response) => Ok(response),
        Err(error) => {
            if matches!(error, Error::Sealed) {
                Box::pin(core.sealed_behind_our_back()).await;
            }
            if error.kind() == Kind::Internal {
                tracing::warn!(error = &error as &dyn std::error::Error, "a request failed");
            }
            Err(error.into_failure(login))
        }
    }
}

async fn decide(
    core: &Arc<Core>,
    mut request: Request,
    login: &mut bool,
    trail: &mut Trail,
) -> Result<Response> {
    let operation = operation_of(&request)?;
    let token = Token::new(std::mem::take(&mut request.token));
    if let Some((endpoint, captures)) = request.path.strip_prefix(SYSTEM).and_then(sys::direct)
        && operation != Operation::Help
    {
        let handler = endpoint.handler(operation).ok_or(Error::Method)?;
        if sys::is_recorded(endpoint)
            && let Ok(active) = core.active().await
        {
            trail.begin(&active.audit, &request, &token, operation);
            trail.goes_to(&active.mounts.snapshot());
            trail.permitted(&active, None, operation).await?;
        }
        let ask = Ask { unsealed: None, caller: None, captures, ..ask_of(core, &request, token, operation) };
        return Ok(Box::pin(finish(handler, ask)).await?.into_response("", "", false));
    }
    let active = match core.active().await {
        Err(Error::Sealed) if request.path == "sys/seal" && operation == Operation::Update => {
            return Ok(Response { body: Some(Body::Nothing(Nothing {})), ..Response::default() });
        }
        active => active?,
    };
    let snapshot = active.mounts.snapshot();
    let allowance = active.quotas.admit(&request, &snapshot);
    if allowance.is_ok() || active.quotas.are_recorded() {
        trail.begin(&active.audit, &request, &token, operation);
    }
    let allowance = allowance?;
    refuse_trailing_slash(&snapshot, &mut request.path, operation)?;
    trail.goes_to(&snapshot);
    let route = route(&snapshot, &request.path);
    let needs = route.as_ref().map_or(Access::Token, Route::access);
    *login = needs == Access::Open && matches!(route, Some(Route::Plugin(..)));
    let token = if wrapping::claims_first(&request.path) && operation == Operation::Update {
        Box::pin(wrapping::resolve_first(&active, token, &request.data)).await?
    } else {
        token
    };
    let caller = authenticate(&active, &request, &token, needs).await?;
    trail.asked_by(&active, &token, caller.as_ref())?;
    let gate = gate(&active, &request, caller.as_deref(), needs)?;
    let known = match &route {
        Some(Route::Core(_, CoreMount::Cubbyhole, rest)) if operation == Operation::Update => {
            let caller = caller.as_deref().ok_or(Error::NoToken)?;
            Box::pin(cubbyhole::known(&core.store, caller, rest)).await?
        }
        _ => operation,
    };
    let permitted = match &route {
        Some(Route::Plugin(..)) => gate.may_permit(operation),
        _ => gate.permits(known),
    };
    if !permitted {
        return Err(Error::Forbidden);
    }
    let wish = Wish::of_caller(&request);
    let (mount, response, wish) = match route.ok_or_else(|| Error::NoHandler(request.path.clone()))? {
        Route::Core(mount, core_mount, rest) => {
            trail.permitted(&active, Some(&gate), known).await?;
            let ask = Ask {
                unsealed: Some(active.clone()),
                caller,
                connection: request.connection.take(),
                ..ask_of(core, &request, token, operation)
            };
            (mount, Box::pin(answer(mount, core_mount, rest, ask)).await?, wish)
        }
        Route::Plugin(mount, rest) => {
            let caller = caller.filter(|_| !*login);
            let caller = caller.as_deref();
            let incoming = Incoming {
                id: request.id,
                operation,
                data: request.data,
                headers: request.headers,
                connection: request.connection,
                wrap_info: wish.as_ref().map(Wish::told),
            };
            let context = Context {
                active: &active,
                mount,
                request_id: &incoming.id,
                path: &request.path,
                operation,
                login: *login,
                caller,
            };
            let launcher = &core.clients.launcher;
            let attempt = if *login {
                Box::pin(lockout::begin(launcher, &active, (mount, rest), &incoming, &token)).await?
            } else {
                None
            };
            // Whether a write creates or changes something is known by now.
            let admit = async |known| {
                if operation == Operation::Update && !gate.permits(known) {
                    return Err(Error::Forbidden);
                }
                trail.permitted(&active, Some(&gate), known).await
            };
            let sent =
                plugin::send(launcher, &active.mounts, (mount, rest), &incoming, &token, caller, admit);
            let reply = sent.await?;
            if let Some(attempt) = attempt {
                attempt.end(&active, &reply).await?;
            }
            let wanted = reply.response.as_ref().and_then(|response| response.wrap_info.as_ref());
            let wish = Wish::narrowed(wish, wanted);
            (mount, plugin::respond(context, reply).await?, wish)
        }
    };
    let mut response = match wish.filter(|_| operation != Operation::Help) {
        Some(wish) => {
            let origin = Origin { path: &request.path, plugin: &mount.entry.plugin };
            Box::pin(active.wrapping.wrap(&active, origin, &wish, response)).await?
        }
        None => response,
    };
    if let Some(allowance) = allowance {
        allowance.tell(&mut response);
    }
    Ok(response)
}

/// What decides about a request. Where a token is needed, nothing is open.
fn gate(active: &Active, request: &Request, caller: Option<&Caller>, needs: Access) -> Result<Gate> {
    let acl = match needs {
        Access::Direct | Access::Open | Access::Optional => None,
        Access::Token | Access::Sudo => Some(active.acl(&caller.ok_or(Error::NoToken)?.entry)?),
    };
    let wrap_ttl = u64::try_from(request.wrap_ttl).ok().filter(|nanos| *nanos > 0);
    Ok(Gate {
        acl,
        path: request.path.clone(),
        needs_sudo: needs == Access::Sudo,
        wrap_ttl: wrap_ttl.map(Duration::from_nanos),
        body: request.data.clone(),
    })
}

/// Where a request goes.
enum Route<'t> {
    /// To an endpoint of our own.
    Core(&'t Mount, CoreMount, &'t str),
    /// To a plugin.
    Plugin(&'t Mount, &'t str),
}

impl Route<'_> {
    fn access(&self) -> Access {
        match self {
            Self::Core(_, core, rest) => {
                find(core.endpoints(), rest).map_or(Access::Token, |(endpoint, _)| endpoint.access)
            }
            Self::Plugin(mount, rest) => {
                let facts = mount.facts();
                if facts.special_paths.is_open(rest) {
                    Access::Open
                } else if facts.special_paths.needs_sudo(rest) {
                    Access::Sudo
                } else {
                    Access::Token
                }
            }
        }
    }
}

fn route<'t>(snapshot: &'t Snapshot, path: &'t str) -> Option<Route<'t>> {
    let (_, mount, rest) = snapshot.resolve(path)?;
    if !mount.serves() {
        return None;
    }
    Some(match mount.core() {
        Some(core) => Route::Core(mount, core, rest),
        None => Route::Plugin(mount, rest),
    })
}

/// Only these can be asked for from outside; the others are between the host and its plugins.
fn operation_of(request: &Request) -> Result<Operation> {
    match request.operation.parse() {
        Ok(Operation::Create) => Ok(Operation::Update),
        Ok(
            operation @ (Operation::Read
            | Operation::List
            | Operation::Update
            | Operation::Patch
            | Operation::Delete
            | Operation::Header
            | Operation::Help),
        ) => Ok(operation),
        _ => Err(Error::UnsupportedOperation),
    }
}

/// A write to a folder is a mistake, unless the mount is told to overlook it.
fn refuse_trailing_slash(snapshot: &Snapshot, path: &mut String, operation: Operation) -> Result<()> {
    if !path.ends_with('/') || !matches!(operation, Operation::Update | Operation::Patch) {
        return Ok(());
    }
    let mount = snapshot.resolve(path).map(|(_, mount, _)| mount);
    if mount.is_some_and(|mount| mount.entry.config.trim_request_trailing_slashes) {
        path.truncate(path.trim_end_matches('/').len());
        return Ok(());
    }
    Err(Error::TrailingSlash)
}

/// Who asks. Where no token is needed a bad one is overlooked, except by the endpoints that answer more to those who
/// have one.
async fn authenticate(
    active: &Arc<Active>,
    request: &Request,
    token: &Token,
    needs: Access,
) -> Result<Option<Arc<Caller>>> {
    if needs == Access::Open || needs == Access::Optional && token.expose().is_empty() {
        return Ok(None);
    }
    let remote =
        request.connection.as_ref().and_then(|connection| connection.remote_addr.parse::<IpAddr>().ok());
    token::authenticate(active, token, remote).await.map(Some)
}

async fn answer(mount: &Mount, core: CoreMount, rest: &str, mut ask: Ask) -> Result<Response> {
    let table = core.endpoints();
    if ask.operation == Operation::Help {
        return Ok(
            sys::help(&ask.core.config, table, mount.entry.path.as_str(), rest)?.into_response("", "", false)
        );
    }
    let (endpoint, captures) = find(table, rest).ok_or(Error::UnsupportedPath)?;
    let handler = endpoint.handler(ask.operation).ok_or(Error::UnsupportedOperation)?;
    ask.captures = captures;
    let id = ask.id.clone();
    let open = matches!(endpoint.access, Access::Open | Access::Optional);
    let mount_type = if open { "" } else { core.type_shown() };
    Ok(finish(handler, ask).await?.into_response(&id, mount_type, endpoint.on_top))
}

/// Runs a handler of ours. One that changes something is carried to its end even if the caller goes away.
async fn finish(handler: Handler, ask: Ask) -> Result<Answer> {
    if ask.operation.writes() {
        let span = tracing::Span::current();
        let work = tracing::Instrument::instrument(handler(ask), span);
        tokio::spawn(work).await.map_err(|_| Error::CutOff)?
    } else {
        handler(ask).await
    }
}

fn ask_of(core: &Arc<Core>, request: &Request, token: Token, operation: Operation) -> Ask {
    Ask {
        core: core.clone(),
        unsealed: None,
        caller: None,
        token,
        id: request.id.clone(),
        operation,
        captures: Default::default(),
        body: request.data.clone(),
        connection: None,
        wish: Wish::of_caller(request),
    }
}
