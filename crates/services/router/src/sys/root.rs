use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use bytes::Bytes;
use domain::Operation::{Delete, Read, Update};
use domain::Token;
use serde::Serialize;
use serde_json::json;
use wire::catalog::v1::{CeremonyKind, CeremonyLook, CeremonyStart, CeremonyState, ceremony_request::Step};

use super::{Unfit, ceremony};
use crate::{
    answer::Answer,
    ask::Ask,
    endpoint::{Access, Endpoint},
    error::Result,
    random,
    token::{self, TOKEN_LENGTH},
};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new(
        "generate-root/attempt",
        Access::Direct,
        &[
            (Read, |ask| Box::pin(look(ask))),
            (Update, |ask| Box::pin(start(ask))),
            (Delete, |ask| Box::pin(cancel(ask))),
        ],
        "Begins or cancels making a root token, and tells how far it has come.",
    ),
    Endpoint::new(
        "generate-root/update",
        Access::Direct,
        &[(Update, |ask| Box::pin(hand_in(ask)))],
        "Takes one of the keys that a root token is made with; the last one that is needed makes it.",
    ),
    Endpoint::new(
        "decode-token",
        Access::Open,
        &[(Update, |ask| Box::pin(decode(ask)))],
        "Decodes a root token with the one-time password it was asked for with.",
    ),
];

#[derive(Serialize)]
struct RootView<'a> {
    nonce: String,
    started: bool,
    progress: u32,
    required: u32,
    complete: bool,
    encoded_token: &'a str,
    encoded_root_token: &'a str,
    pgp_fingerprint: &'static str,
    otp: &'a str,
    otp_length: usize,
}

fn view(state: CeremonyState, encoded: &str, otp: &str, otp_length: usize) -> Answer {
    Answer::bare(&RootView {
        nonce: state.nonce,
        started: state.started,
        progress: state.progress,
        required: state.required,
        complete: state.complete,
        encoded_token: encoded,
        encoded_root_token: encoded,
        pgp_fingerprint: "",
        otp,
        otp_length,
    })
}

async fn look(ask: Ask) -> Result<Answer> {
    let state = ceremony::step(&ask, CeremonyKind::Root, Step::Look(CeremonyLook {})).await?;
    Ok(view(state, "", "", TOKEN_LENGTH))
}

async fn start(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?.in_any_case();
    if !fields.text("pgp_key")?.unwrap_or_default().is_empty() {
        return Err(Unfit::Pgp.into());
    }
    let given = fields.text("otp")?.filter(|otp| !otp.is_empty());
    let otp = given.map_or_else(|| random::base62(TOKEN_LENGTH), Ok)?;
    if otp.len() != TOKEN_LENGTH {
        return Err(Unfit::OtpLength.into());
    }
    let note = Bytes::copy_from_slice(otp.as_bytes());
    let start = CeremonyStart { note, ..CeremonyStart::default() };
    let state = ceremony::step(&ask, CeremonyKind::Root, Step::Start(start)).await?;
    tracing::info!("root generation was started");
    Ok(view(state, "", &otp, TOKEN_LENGTH))
}

async fn hand_in(ask: Ask) -> Result<Answer> {
    let share = ceremony::share(&ask)?;
    let active = ask.core.active().await?;
    let state = ceremony::step(&ask, CeremonyKind::Root, Step::Share(share)).await?;
    if !state.complete {
        return Ok(view(state, "", "", 0));
    }
    let token = token::create_root(&active).await?;
    let encoded = STANDARD_NO_PAD.encode(xor(token.expose().as_bytes(), &state.note));
    tracing::info!("a root token was made");
    Ok(view(state, &encoded, "", 0))
}

async fn cancel(ask: Ask) -> Result<Answer> {
    ceremony::cancel(&ask, CeremonyKind::Root, String::new()).await?;
    Ok(Answer::Nothing)
}

async fn decode(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?;
    let encoded = fields.text("encoded_token")?.unwrap_or_default();
    let otp = fields.text("otp")?.unwrap_or_default();
    let bytes = STANDARD_NO_PAD.decode(encoded).map_err(|_| Unfit::EncodedToken)?;
    if bytes.is_empty() || bytes.len() != otp.len() {
        return Err(Unfit::EncodedToken.into());
    }
    let token = String::from_utf8(xor(&bytes, otp.as_bytes())).map_err(|_| Unfit::EncodedToken)?;
    Ok(Answer::data(&json!({ "token": Token::new(token).expose() })))
}

/// A one-time pad: both are of one length.
fn xor(text: &[u8], pad: &[u8]) -> Vec<u8> {
    text.iter().zip(pad).map(|(text, pad)| text ^ pad).collect()
}
