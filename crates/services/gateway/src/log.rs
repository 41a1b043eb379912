//! What is told for as long as somebody reads it: logs, and what happens.

use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use http::{HeaderValue, Method, header::CONTENT_TYPE};
use http_body_util::BodyExt;
use tokio_util::sync::CancellationToken;
use wire::{
    Failure, failure_of,
    router::v1::{Request, RouterSeam},
};

use crate::{
    parameters::{Parameters, parse_bool},
    patience,
};

/// The log of the server.
const MONITOR: &str = "sys/monitor";
/// What happens to plugins.
const EVENTS: &str = "sys/plugins/events";
/// What plugins log; told without end for those who follow.
const LOGS: &str = "sys/plugins/logs/";

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const SENT_EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");

/// The form of what is told without end; none: this is an ordinary request.
pub fn form(method: &Method, path: &str, query: Option<&str>) -> Option<HeaderValue> {
    let follows = || {
        let query = Parameters::read(query.unwrap_or_default().as_bytes());
        parse_bool(query.first("follow")).unwrap_or_default()
    };
    match path {
        _ if method != Method::GET => None,
        MONITOR => Some(TEXT),
        EVENTS => Some(SENT_EVENTS),
        path if path.starts_with(LOGS) && follows() => Some(SENT_EVENTS),
        _ => None,
    }
}

/// Answers with what is told from now on, until the reader goes or the server ends.
pub async fn watch(
    router: &RouterSeam,
    request: Request,
    form: HeaderValue,
    stop: CancellationToken,
) -> Result<Response, Failure> {
    let lines = router.watch(request).await.map_err(|status| failure_of(&status))?.into_inner();
    let lines = lines.map_ok(|lines| lines.text).take_until(stop.cancelled_owned());
    let mut response = Response::new(Body::from_stream(lines));
    response.headers_mut().insert(CONTENT_TYPE, form);
    Ok(response)
}

/// An answer that keeps its connection busy until all of it is sent: one that goes on is no idle connection.
pub fn attended(answer: Response, busy: patience::Request) -> Response {
    if http_body::Body::size_hint(answer.body()).exact().is_some() {
        return answer;
    }
    answer.map(|body| {
        Body::new(body.map_frame(move |frame: http_body::Frame<Bytes>| {
            let _ = &busy;
            frame
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_no_end_is_told_without_end() {
        let form = |method, path, query| form(&method, path, query);
        assert_eq!(form(Method::GET, MONITOR, None), Some(TEXT));
        assert_eq!(form(Method::GET, EVENTS, Some("after=1")), Some(SENT_EVENTS));
        assert_eq!(form(Method::GET, "sys/plugins/logs/secret/kv", Some("follow=true")), Some(SENT_EVENTS));
        for (method, path, query) in [
            (Method::POST, EVENTS, None),
            (Method::GET, "sys/plugins/logs/secret/kv", None),
            (Method::GET, "sys/plugins/logs/secret/kv", Some("follow=maybe")),
            (Method::GET, "secret/sys/monitor", None),
        ] {
            assert_eq!(form(method, path, query), None, "{path}");
        }
    }
}
