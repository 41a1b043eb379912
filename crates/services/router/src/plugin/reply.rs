use bytes::Bytes;
use domain::{Kind, Operation};
use serde::Deserialize;
use serde_json::value::RawValue;
use wire::{
    pb::{self, HandleRequestReply},
    router::v1::{Envelope, Nothing, Raw, Response, response::Body},
};

use super::{
    failure::error_of,
    headers::let_out,
    inspect::{Data, text_of},
    visit::Visit,
};
use crate::{
    Error,
    error::Result,
    lease::{Issued, register},
    token::{Login, Refused, log_in},
};

/// What a plugin's reply means for the caller.
pub(super) async fn respond(visit: Visit<'_>, reply: HandleRequestReply) -> Result<Response> {
    let error = error_of(reply.err);
    let Some(mut response) = reply.response else {
        return match error {
            Some(error) => Err(error),
            None => silence(visit.asked.operation),
        };
    };
    let body = std::mem::take(&mut response.data);
    let data = Data::of(&body)?;
    refuse_errors(error, &data)?;
    let headers =
        let_out(std::mem::take(&mut response.headers), &visit.mount.entry.config.allowed_response_headers);
    let body = if !response.redirect.is_empty() {
        Body::Redirect(response.redirect)
    } else if data.http_content_type.is_some() {
        Body::Raw(raw(&data, &response)?)
    } else if visit.asked.operation == Operation::Help {
        Body::Bare(body)
    } else {
        if visit.asked.operation == Operation::List {
            check_keys(&data, &response)?;
        }
        Body::Envelope(envelope(visit, response, body).await?)
    };
    Ok(Response { body: Some(body), headers, accepted: false })
}

/// A plugin that has nothing to say.
fn silence(operation: Operation) -> Result<Response> {
    match operation {
        Operation::Read | Operation::List | Operation::Header | Operation::Help => Err(Error::Nothing),
        _ => Ok(Response { body: Some(Body::Nothing(Nothing {})), ..Response::default() }),
    }
}

/// An answer that is an error takes the place of the error's own words, but not of what it stands for.
pub(super) fn refuse_errors(error: Option<Error>, data: &Data<'_>) -> Result<()> {
    let more = || data.data.map(|data| Bytes::copy_from_slice(data.get().as_bytes())).unwrap_or_default();
    match (error, data.error_text()) {
        (None, Some(message)) if data.is_error() => {
            Err(Error::Refused { kind: Kind::Invalid, message, data: more() })
        }
        (None, _) => Ok(()),
        (Some(error), Some(message)) => {
            Err(Error::Refused { kind: softened(error.kind()), message, data: more() })
        }
        (Some(Error::Value { kind, message, .. }), None) => {
            Err(Error::Value { kind: softened(kind), message, code: None })
        }
        (Some(error), None) => Err(error),
    }
}

/// With an answer beside it, an error that would be the server's fault is the caller's.
const fn softened(kind: Kind) -> Kind {
    match kind {
        Kind::Internal => Kind::Invalid,
        kind => kind,
    }
}

/// Only lists of texts are lists, and an empty one is nothing.
fn check_keys(data: &Data<'_>, response: &pb::Response) -> Result<()> {
    let Some(keys) = data.keys else {
        return if data.count > 0 || !response.warnings.is_empty() { Ok(()) } else { Err(Error::Nothing) };
    };
    let keys: Vec<&RawValue> = serde_json::from_str(keys.get()).map_err(|_| not_a_list())?;
    if keys.is_empty() {
        return Err(Error::Nothing);
    }
    if keys.iter().all(|key| key.get().starts_with('"')) { Ok(()) } else { Err(not_a_list()) }
}

fn not_a_list() -> Error {
    Error::BadAnswer("the keys of a list have to be a list of texts".to_owned())
}

/// What is sent without envelope, and with a status of the plugin's choice.
fn raw(data: &Data<'_>, response: &pb::Response) -> Result<Raw> {
    let bad = |why: &str| Error::BadAnswer(why.to_owned());
    if response.secret.is_some() || response.auth.is_some() {
        return Err(bad("raw responses cannot have a secret or an auth"));
    }
    let status = data.http_status_code.ok_or_else(|| bad("no status code given"))?;
    let code = code_of(status).ok_or_else(|| bad("the status code is not one of HTTP"))?;
    let text = |value: Option<&RawValue>| value.map(text_of).unwrap_or_default();
    let body = text(data.http_raw_body);
    Ok(Raw {
        code: code.into(),
        content_type: text(data.http_content_type),
        body: decoded(body),
        cache_control: text(data.http_raw_cache_control),
        pragma: text(data.http_raw_pragma),
        www_authenticate: text(data.http_www_authenticate),
    })
}

fn code_of(status: &RawValue) -> Option<u16> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Code {
        Number(f64),
        Text(String),
    }
    let code = match serde_json::from_str(status.get()).ok()? {
        Code::Number(number) => number.to_string().parse().ok()?,
        Code::Text(text) => text.parse().ok()?,
    };
    (200..600).contains(&code).then_some(code)
}

/// Bytes travel as base64; a text that is not base64 is meant as it is.
fn decoded(body: String) -> Bytes {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.decode(&body).map_or_else(|_| body.into(), Bytes::from)
}

async fn envelope(visit: Visit<'_>, response: Box<pb::Response>, data: Bytes) -> Result<Envelope> {
    let mut envelope = Envelope {
        request_id: visit.asked.request.id.clone(),
        data,
        warnings: response.warnings,
        ..Envelope::default()
    };
    if let Some(secret) = response.secret {
        Box::pin(lease(visit, secret, &mut envelope)).await?;
    }
    if let Some(auth) = response.auth {
        if !visit.is_login() {
            return Err(Refused::Unexpected.into());
        }
        let mount = visit.mount;
        let ttl = visit.active.mounts.ttl(&mount.entry);
        let login = Login {
            mount: mount.entry.path.as_str(),
            path: visit.asked.path(),
            token_type: &mount.entry.config.token_type,
            limits: ttl,
        };
        let logged_in = Box::pin(log_in(visit.active, &mount.entry, login, auth)).await?;
        envelope.auth = logged_in.auth;
        envelope.warnings.extend(logged_in.warnings);
    }
    if !visit.is_login() {
        envelope.mount_type.clone_from(&visit.mount.entry.plugin);
    }
    Ok(envelope)
}

/// What the caller is told about the lease of a secret.
async fn lease(visit: Visit<'_>, secret: pb::Secret, envelope: &mut Envelope) -> Result<()> {
    let Visit { active, mount, asked, caller, .. } = visit;
    let issued = Issued { active, mount, path: asked.path(), caller, secret, data: envelope.data.clone() };
    let granted = register(issued).await?;
    envelope.lease_id = granted.id;
    envelope.renewable = granted.renewable;
    envelope.lease_duration = i64::try_from(granted.lasts.as_secs()).unwrap_or(i64::MAX);
    envelope.warnings.extend(granted.warning);
    Ok(())
}
