use base64::{Engine, engine::general_purpose::STANDARD};
use domain::Operation::{Read, Update};
use serde::Serialize;
use serde_json::json;
use wire::catalog::v1::InitRequest;

use super::Unfit;
use crate::{
    answer::Answer,
    ask::Ask,
    endpoint::{Access, Endpoint},
    error::Result,
    fields::Fields,
    mounts,
    token::FirstToken,
};

pub(super) const ENDPOINTS: &[Endpoint] = &[Endpoint::new(
    "init",
    Access::Direct,
    &[(Read, |ask| Box::pin(read(ask))), (Update, |ask| Box::pin(init(ask)))],
    "Tells whether the server is initialised, and initialises it: makes the keys that unseal it and the root token.",
)];

#[derive(Serialize)]
struct Initialised<'a> {
    keys: Vec<String>,
    keys_base64: Vec<String>,
    root_token: &'a str,
}

async fn read(ask: Ask) -> Result<Answer> {
    let status = ask.core.status().await?;
    Ok(Answer::bare(&json!({ "initialized": status.initialized })))
}

async fn init(ask: Ask) -> Result<Answer> {
    let (shares, threshold) = shares(&ask.fields()?.in_any_case())?;
    if ask.core.status().await?.initialized {
        return Err(Unfit::Initialized.into());
    }
    let first = FirstToken::make(ask.core.config.first_token.clone())?;
    let mut first_writes = first.writes;
    first_writes.extend(mounts::first_writes()?);
    let request = InitRequest { shares, threshold, first_writes };
    let keys = ask.core.clients.barrier.init(request).await?.into_inner().shares;
    tracing::info!(shares, threshold, "initialised");
    Ok(Answer::bare(&Initialised {
        keys: keys.iter().map(hex::encode).collect(),
        keys_base64: keys.iter().map(|key| STANDARD.encode(key)).collect(),
        root_token: first.token.expose(),
    }))
}

/// How many shares there shall be, and how many of them open the barrier.
fn shares(fields: &Fields) -> Result<(u32, u32)> {
    if fields.number("recovery_shares")?.unwrap_or(0) != 0
        || fields.number("recovery_threshold")?.unwrap_or(0) != 0
    {
        return Err(Unfit::Recovery.into());
    }
    let shares = fields.number("secret_shares")?.unwrap_or(0);
    let threshold = fields.number("secret_threshold")?.unwrap_or(0);
    let seal = |why| Err(Unfit::Seal(why).into());
    if shares < 1 {
        return seal("shares must be at least one");
    }
    if threshold < 1 {
        return seal("threshold must be at least one");
    }
    if threshold > shares {
        return seal("threshold cannot be larger than shares");
    }
    if shares > 1 && threshold == 1 {
        return seal("threshold must be greater than one for multiple shares");
    }
    if shares > 255 {
        return seal("shares must be less than 256");
    }
    let pgp = fields.list("pgp_keys")?.unwrap_or_default();
    if !pgp.is_empty() && i64::try_from(pgp.len()) != Ok(shares) {
        return Err(Unfit::PgpCount.into());
    }
    if !pgp.is_empty() || !fields.text("root_token_pgp_key")?.unwrap_or_default().is_empty() {
        return Err(Unfit::Pgp.into());
    }
    Ok((u32::try_from(shares).unwrap_or(0), u32::try_from(threshold).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &str) -> Option<String> {
        shares(&Fields::parse(body.as_bytes()).unwrap()).err().map(|error| error.to_string())
    }

    #[test]
    fn only_shares_that_make_sense_are_made() {
        for (body, expected) in [
            ("", "invalid seal configuration: shares must be at least one"),
            (
                r#"{"secret_shares":1,"secret_threshold":2}"#,
                "invalid seal configuration: threshold cannot be larger than shares",
            ),
            (
                r#"{"secret_shares":5,"secret_threshold":1}"#,
                "invalid seal configuration: threshold must be greater than one for multiple shares",
            ),
            (
                r#"{"secret_shares":1,"secret_threshold":1,"recovery_shares":1,"recovery_threshold":1}"#,
                "parameters recovery_shares,recovery_threshold not applicable to seal type shamir",
            ),
            (r#"{"secret_shares":2,"secret_threshold":2,"pgp_keys":["a"]}"#, "incorrect number of PGP keys"),
        ] {
            assert_eq!(refused(body).as_deref(), Some(expected));
        }
        // As the command line sends it: everything, and what is not set as nothing.
        let cli = r#"{"secret_shares":5,"secret_threshold":3,"stored_shares":0,"pgp_keys":null,
            "recovery_shares":0,"recovery_threshold":0,"recovery_pgp_keys":null,"root_token_pgp_key":""}"#;
        assert_eq!(refused(cli), None);
    }
}
