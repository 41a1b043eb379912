//! What root generation and rekeying have in common.

use bytes::Bytes;
use domain::Operation;
use wire::catalog::v1::{
    CeremonyCancel, CeremonyKind, CeremonyRequest, CeremonyShare, CeremonyState, ceremony_request::Step,
};

use super::{Unfit, seal};
use crate::{ask::Ask, error::Result, gate::Gate, token};

/// Takes one step, while unsealed.
pub(super) async fn step(ask: &Ask, kind: CeremonyKind, step: Step) -> Result<CeremonyState> {
    let request = CeremonyRequest { kind: kind.into(), step: Some(step) };
    Ok(ask.core.clients.barrier.clone().ceremony(request).await?.into_inner())
}

/// The share that a request brings.
pub(super) fn share(ask: &Ask) -> Result<CeremonyShare> {
    let fields = ask.fields()?.in_any_case();
    let key = fields.text("key")?.unwrap_or_default();
    if key.is_empty() {
        return Err(Unfit::NoCeremonyKey.into());
    }
    let share = Bytes::from(seal::decode(&key)?);
    Ok(CeremonyShare { nonce: fields.text("nonce")?.unwrap_or_default(), share })
}

/// Ends a ceremony. What others have handed keys to is ended by holders of a token with `sudo` only.
pub(super) async fn cancel(ask: &Ask, kind: CeremonyKind, nonce: String) -> Result<CeremonyState> {
    let authorised = is_authorised(ask, kind).await?;
    step(ask, kind, Step::Cancel(CeremonyCancel { authorised, nonce })).await
}

/// A bad token is as good as none here: whoever makes a root token may have no other.
async fn is_authorised(ask: &Ask, kind: CeremonyKind) -> Result<bool> {
    let active = ask.core.active().await?;
    let Ok(caller) = token::authenticate(&active, &ask.token, None).await else { return Ok(false) };
    let path = match kind {
        CeremonyKind::Root => "sys/generate-root/attempt",
        _ => "sys/rekey/init",
    };
    let gate =
        Gate { reach: Some(caller.reach(&active)?), path, needs_sudo: true, wrap_ttl: None, body: &[] };
    Ok(gate.permits(Operation::Delete))
}
