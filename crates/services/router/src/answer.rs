use bytes::Bytes;
use serde::Serialize;
use serde_json::json;
use wire::router::v1::{Envelope, Nothing, Response, response::Body};

use crate::{Error, error::Result};

/// What one of our own endpoints answers.
#[derive(Debug)]
pub(crate) enum Answer {
    /// It is done, and there is nothing to say.
    Nothing,
    /// In Vault's envelope.
    Data {
        /// JSON; empty: null.
        data: Bytes,
        warnings: Vec<String>,
    },
    /// Likewise; the work goes on.
    Accepted {
        /// As above.
        data: Bytes,
        warnings: Vec<String>,
    },
    /// A token that the caller gets, or has had renewed.
    Auth {
        /// The member `auth`, in JSON.
        auth: Bytes,
        warnings: Vec<String>,
    },
    /// A JSON document without envelope.
    Bare(Bytes),
    /// One that was made before.
    Whole(Box<Response>),
}

impl Answer {
    pub(crate) fn data(data: &impl Serialize) -> Self {
        Self::Data { data: json(data), warnings: Vec::new() }
    }

    /// The names in a list. An empty list is not found, as in Vault.
    pub(crate) fn keys(names: &[impl AsRef<str>]) -> Result<Self> {
        if names.is_empty() {
            return Err(Error::Nothing);
        }
        let keys: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        Ok(Self::data(&json!({ "keys": keys })))
    }

    pub(crate) fn warned(data: &impl Serialize, warning: impl Into<String>) -> Self {
        Self::Data { data: json(data), warnings: vec![warning.into()] }
    }

    pub(crate) fn warning(warning: impl Into<String>) -> Self {
        Self::Data { data: Bytes::new(), warnings: vec![warning.into()] }
    }

    pub(crate) const fn warnings(warnings: Vec<String>) -> Self {
        Self::Data { data: Bytes::new(), warnings }
    }

    /// Something that goes on without the caller.
    pub(crate) fn begun(warning: impl Into<String>) -> Self {
        Self::Accepted { data: Bytes::new(), warnings: vec![warning.into()] }
    }

    pub(crate) fn bare(document: &impl Serialize) -> Self {
        Self::Bare(json(document))
    }

    /// As it goes to the gateway.
    pub(crate) fn into_response(self, request_id: &str, mount_type: &str, on_top: bool) -> Response {
        let accepted = matches!(self, Self::Accepted { .. });
        let enveloped = |data, warnings, mount_type: &str| {
            Body::Envelope(Envelope {
                request_id: request_id.to_owned(),
                data,
                warnings,
                mount_type: mount_type.to_owned(),
                data_on_top: on_top,
                ..Envelope::default()
            })
        };
        let body = match self {
            Self::Whole(response) => return *response,
            Self::Nothing => Body::Nothing(Nothing {}),
            Self::Bare(document) => Body::Bare(document),
            // A status of its own goes without the mount's type, as in Vault.
            Self::Accepted { data, warnings } => enveloped(data, warnings, ""),
            Self::Auth { auth, warnings } => match enveloped(Bytes::new(), warnings, mount_type) {
                Body::Envelope(envelope) => Body::Envelope(Envelope { auth, ..envelope }),
                other => other,
            },
            Self::Data { data, warnings } => enveloped(data, warnings, mount_type),
        };
        Response { body: Some(body), accepted, ..Response::default() }
    }
}

/// JSON of our own types, which always have that form.
pub(crate) fn json(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value).expect("our own answers have a form in JSON").into()
}
