use domain::{
    Kind,
    Operation::Update,
    identity::{Clash, MergeRefusal},
};
use serde_json::{Value, json};

use super::{
    IdentityRefusal,
    changes::{given, unique},
};
use crate::{
    Error,
    answer::{Answer, json as bytes},
    ask::Ask,
    endpoint::Endpoint,
    error::Result,
};

pub(super) const ENDPOINTS: &[Endpoint] = &[Endpoint::token(
    "entity/merge",
    &[(Update, |ask| Box::pin(merge(ask)))],
    "Makes one entity of several.",
)];

/// `force` is about the secrets of a second factor, which entities do not have here.
async fn merge(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?;
    let to = given(&fields, "to_entity_id")?.ok_or(IdentityRefusal::NoMergeTo)?;
    let from = unique(fields.list("from_entity_ids")?.unwrap_or_default());
    if from.is_empty() {
        return Err(IdentityRefusal::NoMergeFrom.into());
    }
    let keep = fields.list("conflicting_alias_ids_to_keep")?.unwrap_or_default();
    fields.flag("force")?;
    let merged = ask.active()?.identity.change(|draft| draft.merge(&to, &from, &keep).map_err(refused));
    merged.await?;
    Ok(Answer::Nothing)
}

/// With the aliases of which some have to be named, where it is that which is missing.
fn refused(refusal: MergeRefusal) -> Error {
    let MergeRefusal::Clashes(clashes) = &refusal else { return IdentityRefusal::from(refusal).into() };
    let aliases: Vec<Value> = clashes.iter().map(shown).collect();
    Error::Refused {
        message: refusal.to_string(),
        data: bytes(&json!({ "aliases": aliases })),
        kind: Kind::Invalid,
    }
}

fn shown(clash: &Clash) -> Value {
    json!({
        "mount_accessor": clash.accessor,
        "to_alias_id": clash.ours,
        "from_alias_id": clash.theirs,
        "from_entity_id": clash.from,
    })
}
