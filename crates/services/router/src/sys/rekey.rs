use base64::{Engine, engine::general_purpose::STANDARD};
use domain::Operation::{Delete, Read, Update};
use serde::Serialize;
use serde_json::json;
use wire::catalog::v1::{
    CeremonyCancel, CeremonyKind, CeremonyLook, CeremonyStart, CeremonyState, ceremony_request::Step,
};

use super::{Unfit, ceremony};
use crate::{
    answer::Answer,
    ask::Ask,
    endpoint::{Access, Endpoint},
    error::Result,
    fields::Fields,
};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new(
        "rekey/init",
        Access::Direct,
        &[
            (Read, |ask| Box::pin(look(ask))),
            (Update, |ask| Box::pin(start(ask))),
            (Delete, |ask| Box::pin(cancel(ask))),
        ],
        "Begins or cancels making new unseal keys, and tells how far it has come.",
    ),
    Endpoint::new(
        "rekey/update",
        Access::Direct,
        &[(Update, |ask| Box::pin(hand_in(ask)))],
        "Takes one of the present unseal keys; the last one that is needed makes the new ones.",
    ),
    Endpoint::new(
        "rekey/verify",
        Access::Direct,
        &[
            (Read, |ask| Box::pin(look_at_verification(ask))),
            (Update, |ask| Box::pin(verify(ask))),
            (Delete, |ask| Box::pin(restart_verification(ask))),
        ],
        "Takes the new unseal keys, which are in force once enough of them have been seen.",
    ),
    Endpoint::token(
        "rekey/backup",
        &[
            (Read, |_| Box::pin(async { Err(Unfit::NoBackup.into()) })),
            (Delete, |_| Box::pin(async { Ok(Answer::Nothing) })),
        ],
        "Holds the new unseal keys that were encrypted with PGP; this server makes none.",
    )
    .on_top(),
    Endpoint::token(
        "rekey/recovery-key-backup",
        &[
            (Read, |_| Box::pin(async { Err(Unfit::NoBackup.into()) })),
            (Delete, |_| Box::pin(async { Ok(Answer::Nothing) })),
        ],
        "Holds the new recovery keys that were encrypted with PGP; this server makes none.",
    )
    .on_top(),
    Endpoint::new(
        "rekey-recovery-key/:step",
        Access::Direct,
        &[
            (Read, |_| Box::pin(async { Err(Unfit::NoRecoveryRekey.into()) })),
            (Update, |_| Box::pin(async { Err(Unfit::NoRecoveryRekey.into()) })),
            (Delete, |_| Box::pin(async { Err(Unfit::NoRecoveryRekey.into()) })),
        ],
        "Makes new recovery keys, where the seal has some; this server's has none.",
    ),
];

#[derive(Serialize)]
struct RekeyView {
    nonce: String,
    started: bool,
    t: u32,
    n: u32,
    progress: u32,
    required: u32,
    pgp_fingerprints: Option<()>,
    backup: bool,
    verification_required: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    verification_nonce: String,
}

#[derive(Serialize)]
struct Rekeyed {
    nonce: String,
    complete: bool,
    keys: Vec<String>,
    keys_base64: Vec<String>,
    pgp_fingerprints: Option<()>,
    backup: bool,
    verification_required: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    verification_nonce: String,
}

fn view(state: CeremonyState) -> Answer {
    Answer::bare(&RekeyView {
        nonce: state.nonce,
        started: state.started,
        t: state.threshold,
        n: state.shares,
        progress: state.progress,
        required: state.required,
        pgp_fingerprints: None,
        backup: false,
        verification_required: state.verify,
        verification_nonce: state.verification_nonce,
    })
}

async fn look(ask: Ask) -> Result<Answer> {
    Ok(view(ceremony::step(&ask, CeremonyKind::Rekey, Step::Look(CeremonyLook {})).await?))
}

async fn start(ask: Ask) -> Result<Answer> {
    let start = wish(&ask.fields()?.in_any_case())?;
    let state = ceremony::step(&ask, CeremonyKind::Rekey, Step::Start(start)).await?;
    tracing::info!("rekeying was started");
    Ok(view(state))
}

fn wish(fields: &Fields) -> Result<CeremonyStart> {
    let number = |name| fields.number(name).map(|number| number.unwrap_or(0));
    let (shares, threshold) = (number("secret_shares")?, number("secret_threshold")?);
    let pgp = !fields.list("pgp_keys")?.unwrap_or_default().is_empty();
    if fields.flag("backup")?.unwrap_or(false) && !pgp {
        return Err(Unfit::BackupWithoutPgp.into());
    }
    if pgp {
        return Err(Unfit::Pgp.into());
    }
    if threshold > shares {
        return Err(Unfit::RekeyThreshold.into());
    }
    Ok(CeremonyStart {
        shares: u32::try_from(shares).unwrap_or(0),
        threshold: u32::try_from(threshold).unwrap_or(0),
        verify: fields.flag("require_verification")?.unwrap_or(false),
        ..CeremonyStart::default()
    })
}

async fn hand_in(ask: Ask) -> Result<Answer> {
    let share = ceremony::share(&ask)?;
    let state = ceremony::step(&ask, CeremonyKind::Rekey, Step::Share(share)).await?;
    if !state.complete {
        return Ok(view(state));
    }
    tracing::info!(verify = state.verify, "new unseal keys were made");
    let keys = &state.new_shares;
    Ok(Answer::bare(&Rekeyed {
        complete: true,
        keys: keys.iter().map(hex::encode).collect(),
        keys_base64: keys.iter().map(|key| STANDARD.encode(key)).collect(),
        pgp_fingerprints: None,
        backup: false,
        verification_required: state.verify,
        nonce: state.nonce,
        verification_nonce: state.verification_nonce,
    }))
}

/// The nonce is in the body, as in Vault; the command line sends none, and means whichever it is.
async fn cancel(ask: Ask) -> Result<Answer> {
    let nonce = ask.fields()?.in_any_case().text("nonce")?.unwrap_or_default();
    ceremony::cancel(&ask, CeremonyKind::Rekey, nonce).await?;
    Ok(Answer::Nothing)
}

fn verification_view(state: CeremonyState) -> Answer {
    if state.complete {
        return Answer::bare(&json!({ "nonce": state.nonce, "complete": true }));
    }
    Answer::bare(&json!({
        "nonce": state.nonce,
        "started": state.started,
        "t": state.threshold,
        "n": state.shares,
        "progress": state.progress,
    }))
}

async fn look_at_verification(ask: Ask) -> Result<Answer> {
    let look = Step::Look(CeremonyLook {});
    Ok(verification_view(ceremony::step(&ask, CeremonyKind::Verification, look).await?))
}

async fn verify(ask: Ask) -> Result<Answer> {
    let share = ceremony::share(&ask)?;
    let state = ceremony::step(&ask, CeremonyKind::Verification, Step::Share(share)).await?;
    if state.complete {
        tracing::info!("the new unseal keys are in force");
    }
    Ok(verification_view(state))
}

async fn restart_verification(ask: Ask) -> Result<Answer> {
    let cancel = Step::Cancel(CeremonyCancel::default());
    Ok(verification_view(ceremony::step(&ask, CeremonyKind::Verification, cancel).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &str) -> Option<String> {
        wish(&Fields::parse(body.as_bytes()).unwrap().in_any_case()).err().map(|error| error.to_string())
    }

    #[test]
    fn only_new_keys_that_make_sense_are_made() {
        for (body, expected) in [
            (
                r#"{"secret_shares":1,"secret_threshold":2}"#,
                Some("provided threshold greater than the total shares"),
            ),
            (
                r#"{"secret_shares":1,"secret_threshold":1,"Backup":true}"#,
                Some("cannot request a backup of the new keys without providing PGP keys for encryption"),
            ),
            (r#"{"secret_shares":5,"secret_threshold":3,"Backup":false,"pgp_keys":null}"#, None),
        ] {
            assert_eq!(refused(body).as_deref(), expected);
        }
    }
}
