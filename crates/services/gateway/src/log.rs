//! The server's log, told while it is written, for as long as somebody reads it.

use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use http::{HeaderValue, header::CONTENT_TYPE};
use http_body_util::BodyExt;
use tokio_util::sync::CancellationToken;
use wire::{
    Failure, failure_of,
    router::v1::{Request, RouterSeam},
};

use crate::patience;

/// Where it is read.
pub const PATH: &str = "sys/monitor";

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// Answers with what is logged from now on, until the reader goes or the server ends.
pub async fn watch(
    router: &RouterSeam,
    request: Request,
    stop: CancellationToken,
) -> Result<Response, Failure> {
    let lines = router.watch(request).await.map_err(|status| failure_of(&status))?.into_inner();
    let lines = lines.map_ok(|lines| lines.text).take_until(stop.cancelled_owned());
    let mut response = Response::new(Body::from_stream(lines));
    response.headers_mut().insert(CONTENT_TYPE, TEXT);
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
