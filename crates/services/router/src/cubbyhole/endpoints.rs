use domain::Operation::{self, Create, Delete, List, Read, Update};

use super::{CubbyholeRefusal, Shelf, placed};
use crate::{
    Error,
    answer::Answer,
    ask::Ask,
    endpoint::{Endpoint, Handler},
    error::Result,
    token::{SaltedId, TokenKind},
};

const OPERATIONS: &[(Operation, Handler)] = &[
    (Read, |ask| Box::pin(read(ask))),
    (Update, |ask| Box::pin(write(ask))),
    (Delete, |ask| Box::pin(delete(ask))),
    (List, |ask| Box::pin(list(ask))),
];

const HELP: &str =
    "Keeps what only the token that is sent with the request can read, and that is gone with it.";

/// What lies under `cubbyhole/`.
pub(crate) const ENDPOINTS: &[Endpoint] =
    &[Endpoint::token("", OPERATIONS, HELP), Endpoint::token("*path", OPERATIONS, HELP)];

/// Whether a write creates or changes: callers may be permitted to do the one and not the other.
pub(crate) async fn known(ask: &Ask, path: &str) -> Result<Operation> {
    let exists = Shelf::of(&ask.active()?.store, &ask.caller()?.id).get(path).await?.is_some();
    Ok(if exists { Update } else { Create })
}

async fn read(ask: Ask) -> Result<Answer> {
    let object = shelf(&ask)?.get(path(&ask)?).await?.ok_or(Error::Nothing)?;
    Ok(Answer::Data { data: object, warnings: Vec::new() })
}

async fn write(ask: Ask) -> Result<Answer> {
    let path = path(&ask)?;
    if ask.fields()?.is_empty() {
        return Err(CubbyholeRefusal::NoData.into());
    }
    let owner = owner(&ask)?;
    ask.caller()?.add_belonging(ask.active()?, placed(owner, path, ask.body.clone())).await?;
    Ok(Answer::Nothing)
}

async fn delete(ask: Ask) -> Result<Answer> {
    shelf(&ask)?.delete(path(&ask)?).await?;
    Ok(Answer::Nothing)
}

async fn list(ask: Ask) -> Result<Answer> {
    let keys = shelf(&ask)?.list(ask.capture("path")).await?;
    Answer::keys(&keys)
}

fn shelf(ask: &Ask) -> Result<Shelf<'_>> {
    Ok(Shelf::of(&ask.active()?.store, owner(ask)?))
}

/// The token whose cubbyhole it is.
fn owner(ask: &Ask) -> Result<&SaltedId> {
    let caller = ask.caller()?;
    if caller.entry.kind == TokenKind::Batch {
        return Err(CubbyholeRefusal::Batch.into());
    }
    Ok(&caller.id)
}

fn path(ask: &Ask) -> Result<&str> {
    Some(ask.capture("path")).filter(|path| !path.is_empty()).ok_or_else(|| CubbyholeRefusal::NoPath.into())
}
