use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use wire::router::v1::{Envelope, Raw, Response, response::Body};

use crate::{Error, answer::json, error::Result};

const ACCEPTED: u32 = 202;
const JSON: &str = "application/json";

/// An answer as it is put aside: a JSON text in the form of Vault's envelope.
pub(super) struct Content {
    pub(super) text: String,
    /// It was no envelope: its data say what is sent instead, and with which status.
    pub(super) raw: bool,
    /// Of the token, or of the secret id, that is wrapped.
    pub(super) accessor: Option<String>,
    /// What the caller is told at once, and whoever unwraps is told again.
    pub(super) warnings: Vec<String>,
}

/// Vault's envelope, in its order.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Written {
    request_id: String,
    lease_id: String,
    renewable: bool,
    lease_duration: i64,
    data: Option<Box<RawValue>>,
    wrap_info: Option<Box<RawValue>>,
    warnings: Option<Vec<String>>,
    auth: Option<Box<RawValue>>,
    mount_type: String,
}

/// The data of an answer that was no envelope.
#[derive(Serialize, Deserialize)]
struct RawData {
    http_content_type: String,
    /// In base64.
    http_raw_body: String,
    http_raw_cache_control: String,
    http_raw_pragma: String,
    http_status_code: u32,
    http_www_authenticate: String,
}

/// The parts of an answer that its wrapping tells about.
#[derive(Deserialize)]
struct Accessor {
    accessor: Option<String>,
    secret_id_accessor: Option<String>,
}

impl Content {
    /// What of an answer can be wrapped; the others are sent as they are. Only successes are.
    pub(super) fn of(response: &Response, plugin: &str) -> Result<Option<Self>> {
        Ok(match &response.body {
            Some(Body::Envelope(envelope)) if !envelope.wrap_info.is_empty() => None,
            Some(Body::Envelope(envelope)) if response.accepted => {
                Some(Self::raw(&raw(ACCEPTED, json(&Written::of(envelope)?))))
            }
            Some(Body::Envelope(envelope)) => Some(Self::enveloped(envelope, plugin)?),
            Some(Body::Bare(document)) => Some(Self::raw(&raw(200, document.clone()))),
            Some(Body::Raw(raw)) if (200..300).contains(&raw.code) => Some(Self::raw(raw)),
            Some(Body::Raw(_) | Body::Nothing(_) | Body::Redirect(_)) | None => None,
        })
    }

    /// The answer again, for whoever takes it out.
    pub(super) fn answer(text: &str, raw: bool) -> Option<Response> {
        let written: Written = serde_json::from_str(text).ok()?;
        let body = if raw {
            let data: RawData = serde_json::from_str(written.data?.get()).ok()?;
            Body::Raw(data.into_raw()?)
        } else {
            Body::Envelope(written.into_envelope())
        };
        Some(Response { body: Some(body), headers: HashMap::new(), accepted: false })
    }

    /// Data of a system endpoint.
    pub(super) fn of_data(data: Bytes) -> Result<Self> {
        Self::enveloped(&Envelope { data, mount_type: "system".to_owned(), ..Envelope::default() }, "system")
    }

    fn enveloped(envelope: &Envelope, plugin: &str) -> Result<Self> {
        let accessor = |part: &[u8]| serde_json::from_slice::<Accessor>(part).ok();
        let accessor = if !envelope.auth.is_empty() {
            accessor(&envelope.auth).and_then(|found| found.accessor)
        } else if plugin == "approle" {
            accessor(&envelope.data).and_then(|found| found.secret_id_accessor)
        } else {
            None
        };
        Ok(Self {
            text: written(&Written::of(envelope)?),
            raw: false,
            accessor: accessor.filter(|accessor| !accessor.is_empty()),
            warnings: envelope.warnings.clone(),
        })
    }

    fn raw(raw: &Raw) -> Self {
        let data = RawData::of(raw);
        let data = serde_json::value::to_raw_value(&data).expect("our own answers have a form in JSON");
        let text = written(&Written { data: Some(data), ..Written::default() });
        Self { text, raw: true, accessor: None, warnings: Vec::new() }
    }
}

fn raw(code: u32, body: Bytes) -> Raw {
    Raw { code, content_type: JSON.to_owned(), body, ..Raw::default() }
}

fn written(envelope: &Written) -> String {
    serde_json::to_string(envelope).expect("our own answers have a form in JSON")
}

impl Written {
    fn of(envelope: &Envelope) -> Result<Self> {
        Ok(Self {
            request_id: envelope.request_id.clone(),
            lease_id: envelope.lease_id.clone(),
            renewable: envelope.renewable,
            lease_duration: envelope.lease_duration,
            data: part(&envelope.data)?,
            wrap_info: None,
            warnings: Some(envelope.warnings.clone()).filter(|warnings| !warnings.is_empty()),
            auth: part(&envelope.auth)?,
            mount_type: envelope.mount_type.clone(),
        })
    }

    fn into_envelope(self) -> Envelope {
        let bytes = |part: Option<Box<RawValue>>| {
            part.map(|part| Bytes::from(Box::<str>::from(part).into_string())).unwrap_or_default()
        };
        Envelope {
            request_id: self.request_id,
            lease_id: self.lease_id,
            renewable: self.renewable,
            lease_duration: self.lease_duration,
            data: bytes(self.data),
            warnings: self.warnings.unwrap_or_default(),
            auth: bytes(self.auth),
            mount_type: self.mount_type,
            ..Envelope::default()
        }
    }
}

/// A part of an envelope, as it was written.
fn part(json: &Bytes) -> Result<Option<Box<RawValue>>> {
    if json.is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(json).map_err(|error| Error::BadAnswer(error.to_string()))
}

impl RawData {
    fn of(raw: &Raw) -> Self {
        Self {
            http_content_type: raw.content_type.clone(),
            http_raw_body: STANDARD.encode(&raw.body),
            http_raw_cache_control: raw.cache_control.clone(),
            http_raw_pragma: raw.pragma.clone(),
            http_status_code: raw.code,
            http_www_authenticate: raw.www_authenticate.clone(),
        }
    }

    fn into_raw(self) -> Option<Raw> {
        Some(Raw {
            code: self.http_status_code,
            content_type: self.http_content_type,
            body: STANDARD.decode(self.http_raw_body).ok()?.into(),
            cache_control: self.http_raw_cache_control,
            pragma: self.http_raw_pragma,
            www_authenticate: self.http_www_authenticate,
        })
    }
}

#[cfg(test)]
mod tests {
    use wire::router::v1::Nothing;

    use super::*;

    fn response(body: Body) -> Response {
        Response { body: Some(body), ..Response::default() }
    }

    fn enveloped() -> Envelope {
        Envelope {
            request_id: "id".to_owned(),
            lease_id: "kv/a/b".to_owned(),
            renewable: true,
            lease_duration: 60,
            data: Bytes::from_static(br#"{"big":12345678901234567890,"f":1.50}"#),
            warnings: vec!["careful".to_owned()],
            mount_type: "kv".to_owned(),
            ..Envelope::default()
        }
    }

    #[test]
    fn an_envelope_comes_back_as_it_was() {
        let before = response(Body::Envelope(enveloped()));
        let content = Content::of(&before, "kv").unwrap().unwrap();
        assert_eq!(Content::answer(&content.text, content.raw), Some(before));
        assert_eq!((content.accessor, content.warnings), (None, vec!["careful".to_owned()]));
    }

    #[test]
    fn what_is_no_envelope_comes_back_with_its_status_and_type() {
        let text =
            Raw { code: 200, content_type: "text/plain".to_owned(), body: "a\u{1}".into(), ..Raw::default() };
        let content = Content::of(&response(Body::Raw(text.clone())), "x").unwrap().unwrap();
        assert_eq!(Content::answer(&content.text, content.raw), Some(response(Body::Raw(text))));

        let accepted = Response { accepted: true, ..response(Body::Envelope(enveloped())) };
        let content = Content::of(&accepted, "x").unwrap().unwrap();
        let Some(Body::Raw(raw)) = Content::answer(&content.text, content.raw).unwrap().body else {
            panic!()
        };
        assert_eq!((raw.code, raw.content_type.as_str()), (202, "application/json"));
        assert!(
            std::str::from_utf8(&raw.body).unwrap().starts_with(r#"{"request_id":"id","lease_id":"kv/a/b""#)
        );
    }

    #[test]
    fn data_that_look_like_a_raw_answer_are_data() {
        let data = br#"{"http_status_code":200,"http_content_type":"text/html","http_raw_body":"PGI+"}"#;
        let before =
            response(Body::Envelope(Envelope { data: Bytes::from_static(data), ..Envelope::default() }));
        let content = Content::of(&before, "x").unwrap().unwrap();
        assert_eq!(Content::answer(&content.text, content.raw), Some(before));
    }

    #[test]
    fn l10_nothing_but_a_success_with_something_in_it_is_wrapped() {
        for body in [
            Body::Nothing(Nothing {}),
            Body::Redirect("/v1/x".to_owned()),
            Body::Raw(Raw { code: 404, ..Raw::default() }),
            Body::Raw(Raw { code: 500, ..Raw::default() }),
            Body::Envelope(Envelope { wrap_info: Bytes::from_static(b"{}"), ..Envelope::default() }),
        ] {
            assert!(Content::of(&response(body), "x").unwrap().is_none());
        }
    }

    #[test]
    fn the_accessor_of_a_token_and_of_a_secret_id_is_told() {
        let accessor = |envelope: Envelope, plugin: &str| {
            Content::of(&response(Body::Envelope(envelope)), plugin).unwrap().unwrap().accessor
        };
        let auth = Envelope { auth: Bytes::from_static(br#"{"accessor":"a"}"#), ..Envelope::default() };
        assert_eq!(accessor(auth.clone(), "userpass"), Some("a".to_owned()));
        let batch = Envelope { auth: Bytes::from_static(br#"{"accessor":""}"#), ..Envelope::default() };
        assert_eq!(accessor(batch, "userpass"), None);
        let data = Bytes::from_static(br#"{"secret_id":"s","secret_id_accessor":"b"}"#);
        let secret = Envelope { data, ..Envelope::default() };
        assert_eq!(accessor(secret.clone(), "approle"), Some("b".to_owned()));
        assert_eq!(accessor(secret, "kv"), None);
    }
}
