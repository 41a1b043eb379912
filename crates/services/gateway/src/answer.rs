use std::collections::HashMap;

use axum::{body::Body, response::Response};
use bytes::Bytes;
use domain::Kind;
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, PRAGMA, STRICT_TRANSPORT_SECURITY, WWW_AUTHENTICATE},
};
use serde::Serialize;
use serde_json::value::RawValue;
use wire::{
    Failure, pb,
    router::v1::{self, response},
};

use crate::{envelope, status::status_or};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// Where a request names its namespace, and its answer repeats it.
pub const NAMESPACE: HeaderName = HeaderName::from_static("x-vault-namespace");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const ONE_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000; includeSubDomains");

/// Those that say how the answer itself is sent; a plugin has no say in them.
const OURS: [&str; 7] =
    ["connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];

/// The body of every failure.
#[derive(Serialize)]
struct Errors<'f> {
    errors: &'f [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'f RawValue>,
}

/// What the router answered.
pub fn of_router(answer: v1::Response) -> Response {
    let status = if answer.accepted { StatusCode::ACCEPTED } else { StatusCode::OK };
    let mut response = match answer.body {
        None | Some(response::Body::Nothing(_)) if answer.accepted => with_body(status, Bytes::new()),
        None | Some(response::Body::Nothing(_)) => with_body(StatusCode::NO_CONTENT, Bytes::new()),
        Some(response::Body::Bare(json)) => with_body(status, json),
        Some(response::Body::Raw(raw)) => of_raw(raw),
        Some(response::Body::Redirect(to)) => redirect(&to, Bytes::new()),
        Some(response::Body::Envelope(parts)) => match envelope::render(&parts) {
            Ok(json) => with_body(status, json),
            Err(_) => failure(&Failure::new(Kind::Internal, "the backend's answer is not valid JSON")),
        },
    };
    add_allowed(response.headers_mut(), &answer.headers);
    response
}

/// What went wrong, as Vault says it.
pub fn failure(failure: &Failure) -> Response {
    let data = serde_json::from_slice(&failure.data).ok();
    let errors = Errors { errors: &failure.messages, data };
    // Texts, and JSON that was just read: this cannot fail to be JSON.
    let mut json = serde_json::to_vec(&errors).unwrap_or_default();
    json.push(b'\n');
    let mut response = with_body(status_or(failure.kind, failure.code), json);
    for (name, value) in &failure.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Not part of the API.
pub fn page_not_found() -> Response {
    let mut response = with_body(StatusCode::NOT_FOUND, "404 page not found\n");
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}

/// The same address with a slash after its path.
pub fn add_slash(path: &str, query: Option<&str>) -> Response {
    let (mark, query) = if let Some(query) = query { ("?", query) } else { ("", "") };
    let to = format!("{path}/{mark}{query}");
    let shown = to.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&#34;");
    let mut response = redirect(&to, format!("<a href=\"{shown}\">Temporary Redirect</a>.\n\n"));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

/// A body with its status; a status that allows none sends none.
pub fn with_body(status: StatusCode, body: impl Into<Body>) -> Response {
    let bodiless = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let mut response = Response::new(if bodiless { Body::empty() } else { body.into() });
    *response.status_mut() = status;
    response
}

/// The headers of every answer.
pub fn finish(response: &mut Response, id: &str, namespace: Option<HeaderValue>) {
    let headers = response.headers_mut();
    headers.entry(CACHE_CONTROL).or_insert(NO_STORE);
    headers.entry(CONTENT_TYPE).or_insert(JSON);
    headers.insert(STRICT_TRANSPORT_SECURITY, ONE_YEAR);
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    if let Some(namespace) = namespace {
        headers.insert(NAMESPACE, namespace);
    }
}

fn redirect(to: &str, body: impl Into<Body>) -> Response {
    let Ok(to) = HeaderValue::from_str(to) else {
        return failure(&Failure::new(Kind::Internal, "the backend redirects to what is no address"));
    };
    let mut response = with_body(StatusCode::TEMPORARY_REDIRECT, body);
    response.headers_mut().insert(LOCATION, to);
    response
}

fn of_raw(raw: v1::Raw) -> Response {
    let code = u16::try_from(raw.code).ok().and_then(|code| StatusCode::from_u16(code).ok());
    let Some(status) = code.filter(|code| !code.is_informational()) else {
        return defective("invalid status code");
    };
    let mut response = with_body(status, raw.body);
    for (name, value) in [
        (CONTENT_TYPE, raw.content_type),
        (CACHE_CONTROL, raw.cache_control),
        (PRAGMA, raw.pragma),
        (WWW_AUTHENTICATE, raw.www_authenticate),
    ] {
        match HeaderValue::try_from(value) {
            Ok(value) if value.is_empty() => {}
            Ok(value) => drop(response.headers_mut().insert(name, value)),
            Err(_) => return defective("invalid header value"),
        }
    }
    response
}

fn defective(why: &'static str) -> Response {
    let mut response = with_body(StatusCode::INTERNAL_SERVER_ERROR, Bytes::new());
    response.headers_mut().insert("x-vault-raw-error", HeaderValue::from_static(why));
    response
}

/// Headers of a plugin. A value with a line break is no header value, and left out.
fn add_allowed(headers: &mut HeaderMap, allowed: &HashMap<String, pb::Header>) {
    for (name, values) in allowed {
        let Ok(name) = HeaderName::try_from(name.as_str()) else { continue };
        if OURS.contains(&name.as_str()) {
            continue;
        }
        headers.remove(&name);
        for value in values.header.iter().filter_map(|value| HeaderValue::from_str(value).ok()) {
            headers.append(name.clone(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(raw: v1::Raw) -> Response {
        of_router(v1::Response { body: Some(response::Body::Raw(raw)), ..v1::Response::default() })
    }

    #[test]
    fn nothing_is_204_and_accepted_is_202() {
        let nothing =
            v1::Response { body: Some(response::Body::Nothing(v1::Nothing {})), ..Default::default() };
        assert_eq!(of_router(nothing.clone()).status(), 204);
        assert_eq!(of_router(v1::Response { accepted: true, ..nothing }).status(), 202);
    }

    #[test]
    fn a_raw_answer_is_sent_as_it_is_or_not_at_all() {
        let good = v1::Raw { code: 404, content_type: "text/x".to_owned(), ..v1::Raw::default() };
        assert_eq!(raw(good.clone()).headers()[CONTENT_TYPE], "text/x");
        for bad in [
            v1::Raw { code: 0, ..good.clone() },
            v1::Raw { code: 101, ..good.clone() },
            v1::Raw { code: 70_000, ..good.clone() },
            v1::Raw { pragma: "a\r\nb: c".to_owned(), ..good },
        ] {
            let response = raw(bad);
            assert_eq!(response.status(), 500);
            assert!(response.headers().contains_key("x-vault-raw-error"));
        }
    }

    #[test]
    fn g9_a_plugin_sets_no_line_breaks_and_no_framing() {
        let values =
            |values: &[&str]| pb::Header { header: values.iter().map(ToString::to_string).collect() };
        let headers = HashMap::from([
            ("X-A".to_owned(), values(&["1", "2"])),
            ("X-B".to_owned(), values(&["1\r\nX-C: 2"])),
            ("X-D\r\nX-E".to_owned(), values(&["1"])),
            ("Content-Length".to_owned(), values(&["1"])),
            ("Transfer-Encoding".to_owned(), values(&["chunked"])),
        ]);
        let response = of_router(v1::Response { headers, ..v1::Response::default() });
        assert_eq!(response.headers().len(), 2);
        assert_eq!(response.headers().get_all("x-a").iter().count(), 2);
    }
}
