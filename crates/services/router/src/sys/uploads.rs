//! Programs of plugins that come over the API, in pieces: each is an ordinary request, with its token, its limits and its
//! record, and one that was cut off goes on where it was.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use domain::{
    Kind,
    Operation::{Delete, Read, Update},
};
use serde_json::json;
use wire::catalog::v1::{PlaceRequest, UploadPiece, UploadRequest};

use super::{Unfit, register::sha256};
use crate::{Error, answer::Answer, ask::Ask, endpoint::Endpoint, error::Result};

pub(super) const ENDPOINTS: &[Endpoint] = &[Endpoint::sudo(
    "plugins/upload/:sha256",
    &[
        (Read, |ask| Box::pin(read(ask))),
        (Update, |ask| Box::pin(update(ask))),
        (Delete, |ask| Box::pin(delete(ask))),
    ],
    "Takes the program of a plugin in pieces, tells how much has arrived, puts it into the plugin directory, or gives it up.",
)];

async fn read(ask: Ask) -> Result<Answer> {
    match ask.core.clients.plugins.get_upload(named(&ask)?).await.map_err(Error::from) {
        Ok(reply) => Ok(Answer::data(&json!({ "received": reply.into_inner().received }))),
        Err(Error::Below(failure)) if failure.kind == Kind::NotFound => Err(Error::Nothing),
        Err(error) => Err(error),
    }
}

/// A piece; or with a command, the end: the file gets that name.
async fn update(ask: Ask) -> Result<Answer> {
    let UploadRequest { sha256 } = named(&ask)?;
    let fields = ask.fields()?;
    let plugins = &ask.core.clients.plugins;
    if let Some(command) = fields.text("command")?.filter(|command| !command.is_empty()) {
        plugins.place_upload(PlaceRequest { sha256, command }).await?;
        return Ok(Answer::Nothing);
    }
    let offset = fields.number("offset")?.unwrap_or_default();
    let offset = u64::try_from(offset).map_err(|_| Unfit::Negative("offset"))?;
    let data = fields.text("data")?.ok_or(Unfit::NoPiece)?;
    let data: Bytes = STANDARD.decode(data).map_err(|_| Unfit::NoPiece)?.into();
    let reply = plugins.upload(UploadPiece { sha256, offset, data }).await?;
    Ok(Answer::data(&json!({ "received": reply.into_inner().received })))
}

async fn delete(ask: Ask) -> Result<Answer> {
    ask.core.clients.plugins.drop_upload(named(&ask)?).await?;
    Ok(Answer::Nothing)
}

fn named(ask: &Ask) -> Result<UploadRequest> {
    let sha256 = sha256(ask.capture("sha256"))?;
    Ok(UploadRequest { sha256: Bytes::copy_from_slice(sha256.as_bytes()) })
}
