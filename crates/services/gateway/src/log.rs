//! What is told for as long as somebody reads it: logs, and what happens.

use axum::{body::Body, response::Response};
use bytes::Bytes;
use domain::parse_bool;
use futures::{StreamExt, TryStreamExt};
use http::{HeaderValue, Method, header::CONTENT_TYPE};
use http_body_util::BodyExt;
use tokio_util::sync::CancellationToken;
use wire::{
    Failure, failure_of,
    router::v1::{Request, RouterSeam},
};

use crate::{
    parameters::Parameters,
    patience,
    socket::{self, Knock},
};

/// The log of the server.
const MONITOR: &str = "sys/monitor";
/// What happens to plugins.
const EVENTS: &str = "sys/plugins/events";
/// What plugins log; told without end for those who follow.
const LOGS: &str = "sys/plugins/logs/";
/// What plugins announce; over a websocket.
const SUBSCRIBE: &str = "sys/events/subscribe/";

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const SENT_EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");

/// In what form something is told that has no end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// As the body of the answer, which is of this type.
    Body(HeaderValue),
    /// Each as a message of its own, as text or not.
    Messages {
        /// JSON.
        as_text: bool,
    },
}

/// The form of what is told without end; none: this is an ordinary request.
pub fn form(method: &Method, path: &str, query: Option<&str>) -> Option<Form> {
    let says = |name| {
        let query = Parameters::read(query.unwrap_or_default().as_bytes());
        parse_bool(query.first(name)).unwrap_or_default()
    };
    match path {
        _ if method != Method::GET => None,
        MONITOR => Some(Form::Body(TEXT)),
        EVENTS => Some(Form::Body(SENT_EVENTS)),
        path if path.starts_with(LOGS) && says("follow") => Some(Form::Body(SENT_EVENTS)),
        path if is_subscription(path) => Some(Form::Messages { as_text: says("json") }),
        _ => None,
    }
}

/// In whatever namespace.
fn is_subscription(path: &str) -> bool {
    path.split_once(SUBSCRIBE).is_some_and(|(namespace, _)| namespace.is_empty() || namespace.ends_with('/'))
}

/// Answers with what is told from now on, until the reader goes or the server ends.
pub async fn watch(
    router: &RouterSeam,
    request: Request,
    form: Form,
    knock: Option<Knock>,
    stop: CancellationToken,
) -> Result<Response, Failure> {
    let lines = router.watch(request).await.map_err(|status| failure_of(&status))?.into_inner();
    match (form, knock) {
        (Form::Messages { as_text }, Some(knock)) => Ok(knock.tell(lines, as_text, stop)),
        (Form::Messages { .. }, None) => Ok(socket::required()),
        (Form::Body(kind), _) => {
            let lines = lines.map_ok(|lines| lines.text).take_until(stop.cancelled_owned());
            let mut response = Response::new(Body::from_stream(lines));
            response.headers_mut().insert(CONTENT_TYPE, kind);
            Ok(response)
        }
    }
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
        assert_eq!(form(Method::GET, MONITOR, None), Some(Form::Body(TEXT)));
        assert_eq!(form(Method::GET, EVENTS, Some("after=1")), Some(Form::Body(SENT_EVENTS)));
        assert_eq!(
            form(Method::GET, "sys/plugins/logs/secret/kv", Some("follow=true")),
            Some(Form::Body(SENT_EVENTS))
        );
        for (path, query, as_text) in [
            ("sys/events/subscribe/kv*", Some("json=true"), true),
            ("team/sys/events/subscribe/kv*", None, false),
        ] {
            assert_eq!(form(Method::GET, path, query), Some(Form::Messages { as_text }), "{path}");
        }
        for (method, path, query) in [
            (Method::POST, EVENTS, None),
            (Method::GET, "sys/plugins/logs/secret/kv", None),
            (Method::GET, "sys/plugins/logs/secret/kv", Some("follow=maybe")),
            (Method::GET, "secret/sys/monitor", None),
            (Method::GET, "mysys/events/subscribe/kv", None),
        ] {
            assert_eq!(form(method, path, query), None, "{path}");
        }
    }
}
