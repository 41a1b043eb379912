//! What is stored, past everything but the barrier, where the configuration lets it.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use domain::{
    Kind,
    Operation::{Delete, List, Read, Update},
};
use serde_json::json;
use wire::catalog::v1::Write;

use crate::{
    Error,
    answer::Answer,
    ask::Ask,
    endpoint::{Endpoint, Handler, Operations},
    error::Result,
    fields::Fields,
};

/// What nobody reads or changes, whatever they may do: what the barrier and the cluster stand on.
const PROTECTED: [&str; 2] = ["core/keyring", "core/cluster"];

const LIST: (domain::Operation, Handler) = (List, |ask| Box::pin(list(ask)));

const fn endpoint(pattern: &'static str, operations: Operations) -> Endpoint {
    let help = "Reads, lists, writes and deletes what is stored, where raw_storage_endpoint is on.";
    Endpoint::sudo(pattern, operations, help)
}

pub(super) const ENDPOINTS: &[Endpoint] = &[
    endpoint("raw", &[LIST]),
    endpoint("raw/", &[LIST]),
    endpoint(
        "raw/*path",
        &[
            (Read, |ask| Box::pin(read(ask))),
            (Update, |ask| Box::pin(write(ask))),
            (Delete, |ask| Box::pin(delete(ask))),
            LIST,
        ],
    ),
];

/// Why something stored is not read or changed, in Vault's words.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[allow(missing_docs, reason = "the sentences say it")]
pub enum RawRefusal {
    #[error("cannot {verb} '{path}'")]
    Protected { verb: &'static str, path: String },
    #[error("invalid encoding {0:?}; leave it out, or set it to \"base64\"")]
    Encoding(String),
    #[error("what is stored at '{0}' is no text; read it with encoding=base64")]
    NoText(String),
    #[error("value is not base64")]
    NoBase64,
    #[error("missing value")]
    NoValue,
    #[error("values are not compressed on this server; leave compression_type out")]
    Compression,
}

impl RawRefusal {
    pub(crate) const fn kind(&self) -> Kind {
        Kind::Invalid
    }
}

/// Whether what is sent and told is in base64.
fn encoded(fields: &Fields) -> Result<bool> {
    match fields.text("encoding")?.as_deref() {
        None | Some("") => Ok(false),
        Some("base64") => Ok(true),
        Some(other) => Err(RawRefusal::Encoding(other.to_owned()).into()),
    }
}

/// Where something is stored, if it may be touched.
fn place(ask: &Ask, verb: &'static str) -> Result<String> {
    if !ask.core.config.raw_storage {
        return Err(Error::UnsupportedPath);
    }
    let path = ask.capture("path").to_owned();
    if PROTECTED.contains(&path.trim_end_matches('/')) {
        return Err(RawRefusal::Protected { verb, path }.into());
    }
    Ok(path)
}

async fn read(ask: Ask) -> Result<Answer> {
    let path = place(&ask, "read")?;
    let encoded = encoded(&ask.fields()?)?;
    let value = ask.core.store.get(&path).await?.ok_or(Error::Nothing)?;
    let text = if encoded { STANDARD.encode(&value) } else { text(&value, path)? };
    Ok(Answer::data(&json!({ "value": text })))
}

fn text(value: &[u8], path: String) -> Result<String, RawRefusal> {
    str::from_utf8(value).map(str::to_owned).map_err(|_| RawRefusal::NoText(path))
}

async fn write(ask: Ask) -> Result<Answer> {
    let key = place(&ask, "write")?;
    let fields = ask.fields()?;
    if fields.text("compression_type")?.is_some_and(|compression| !compression.is_empty()) {
        return Err(RawRefusal::Compression.into());
    }
    let value = fields.text("value")?.ok_or(RawRefusal::NoValue)?;
    let value = match encoded(&fields)? {
        true => STANDARD.decode(value).map_err(|_| RawRefusal::NoBase64)?,
        false => value.into_bytes(),
    };
    ask.core.store.commit(vec![Write { key, value: Some(Bytes::from(value)) }]).await?;
    Ok(Answer::Nothing)
}

async fn delete(ask: Ask) -> Result<Answer> {
    let path = place(&ask, "delete")?;
    ask.core.store.delete(path).await?;
    Ok(Answer::Nothing)
}

async fn list(ask: Ask) -> Result<Answer> {
    let keys = ask.core.store.list(&place(&ask, "list")?).await?;
    Answer::keys(&keys)
}
