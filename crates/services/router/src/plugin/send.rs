use domain::{Kind, Operation};
use wire::{Failure, launcher::v1::Call, pb::HandleRequestReply};

use super::{
    failure::{error_of, existence_error_of},
    request::{request_for, salted},
    visit::Visit,
};
use crate::{
    Error,
    error::Result,
    identity::told,
    mounts::{Mount, Mounts},
};

/// Sends one request to a mount's plugin: a write asks first whether what it touches exists, for the caller may be
/// permitted to create and not to change, or the other way round.
///
/// A launcher that has been restarted does not know the mount; it is told, and asked again. It has done nothing then,
/// so even a write may be repeated.
pub(crate) async fn send(
    visit: Visit<'_>,
    admit: impl AsyncFnOnce(Operation) -> Result<()>,
) -> Result<HandleRequestReply> {
    let Visit { launcher, active, mount, asked, caller, .. } = visit;
    let mounts = &active.mounts;
    mounts.make_ready(mount).await?;
    let mut operation = asked.operation;
    let person = caller.map(|caller| told(&caller.home.mounts, &caller.entry.entity_id)).unwrap_or_default();
    let salted = salted(&mount.entry.uuid, &asked.token);
    // Made anew for each call, which takes it along: a call is seldom repeated, and a copy costs as much.
    let call = |operation| {
        let request = request_for(visit, operation, &salted);
        Call { mount: mount.entry.uuid.clone(), request: Some(request), person: person.clone() }
    };
    if operation == Operation::Update {
        // Boxed, because reads carry the room for it, too.
        let reply = Box::pin(retold(mounts, mount, || launcher.exists(call(operation)))).await?;
        if let Some(error) = existence_error_of(reply.err) {
            return Err(error);
        }
        if reply.check_found && !reply.exists {
            operation = Operation::Create;
        }
    }
    admit(operation).await?;
    retold(mounts, mount, || launcher.handle(call(operation))).await
}

/// Asks a plugin who would log in by this request, which does nothing else. None: it does not say.
pub(crate) async fn look_ahead(visit: Visit<'_>) -> Result<Option<String>> {
    let Visit { launcher, active, mount, asked, .. } = visit;
    let mounts = &active.mounts;
    mounts.make_ready(mount).await?;
    let salted = salted(&mount.entry.uuid, &asked.token);
    let call = || {
        let request = request_for(visit, Operation::AliasLookahead, &salted);
        Call { mount: mount.entry.uuid.clone(), request: Some(request), ..Call::default() }
    };
    let reply = retold(mounts, mount, || launcher.handle(call())).await?;
    match error_of(reply.err) {
        Some(Error::Sealed) => Err(Error::Sealed),
        Some(_) => Ok(None),
        None => {
            let alias = reply.response.and_then(|response| response.auth).and_then(|auth| auth.alias);
            Ok(alias.map(|alias| alias.name).filter(|name| !name.is_empty()))
        }
    }
}

pub(super) async fn retold<T, F>(mounts: &Mounts, mount: &Mount, ask: impl Fn() -> F) -> Result<T>
where
    F: Future<Output = Result<tonic::Response<T>, tonic::Status>>,
{
    match ask().await.map_err(Error::from) {
        Ok(reply) => Ok(reply.into_inner()),
        Err(Error::Below(failure)) if failure.kind == Kind::Precondition => {
            mount.forgotten();
            Box::pin(mounts.make_ready(mount)).await?;
            Box::pin(ask())
                .await
                .map(tonic::Response::into_inner)
                .map_err(|status| noted(mount, status.into()))
        }
        Err(error) => Err(noted(mount, error)),
    }
}

/// A plugin that is not there any more makes its mount a degraded one; what the plugin's side failed with is told as
/// an error that it ended with.
fn noted(mount: &Mount, error: Error) -> Error {
    match error {
        Error::Below(failure) if failure.kind == Kind::Unavailable => {
            mount.failed(failure.to_string());
            Error::Below(failure)
        }
        Error::Below(Failure { kind: Kind::Internal, messages, code, .. }) => {
            Error::Value { kind: Kind::Internal, message: messages.join("; "), code }
        }
        other => other,
    }
}
