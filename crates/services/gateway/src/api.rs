use std::{panic::AssertUnwindSafe, pin::pin, sync::Arc};

use axum::response::Response;
use bytes::Bytes;
use domain::Kind;
use futures::FutureExt;
use http::{HeaderValue, Method, Request, StatusCode};
use http_body::Body;
use spans::{Attribute, Failed, Route, Span};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use wire::{
    Belonging, Failure, RequestId, failure_of,
    router::v1::{NodeState, RouterSeam, StateRequest},
};

use crate::{
    Config,
    answer::{self, NAMESPACE},
    cors::{self, Crossing},
    health, log, meters,
    parameters::Parameters,
    path,
    refusal::Refusal,
    request::{self, Peer},
    socket::Knock,
    verb::{self},
};

/// Vault's HTTP API before a router. Cheap to clone.
///
/// One handler, not a table of routes: which endpoint is meant is decided on the canonical path, never on its spelling.
#[derive(Clone, Debug)]
pub struct Api {
    router: RouterSeam,
    config: Arc<Config>,
    /// Told: what goes on for as long as it is read has to end.
    stop: CancellationToken,
}

fn panicked(id: &str) -> Response {
    let sentence = format!("internal error; see the server's log at request {id}");
    let mut response = answer::failure(&Failure::new(Kind::Internal, sentence));
    answer::finish(&mut response, id, None);
    response
}

/// What a span says of where a request goes: a path may hold anything.
fn route(path: &str) -> Route {
    match path {
        "/v1/sys/health" => Route::Health,
        path if path.starts_with("/v1/") => Route::Api,
        _ => Route::Outside,
    }
}

/// A client's mistake is no failure of ours.
fn tell(span: &Span, id: &str, status: StatusCode) {
    span.tell(Attribute::Request(id));
    span.tell(Attribute::Status(status.as_u16()));
    if status.is_server_error() {
        span.fail(Failed::Status(status.as_u16()));
    }
}

impl Api {
    pub fn new(router: RouterSeam, config: Arc<Config>) -> Self {
        Self { router, config, stop: CancellationToken::new() }
    }

    /// The same, until it is told to stop.
    pub fn until(self, stop: CancellationToken) -> Self {
        Self { stop, ..self }
    }

    /// Answers every request. A panic harms this request only.
    pub async fn handle<B>(self, request: Request<B>, peer: &Peer) -> Response
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let id = Uuid::new_v4().to_string();
        let span = Span::of_request(request.method(), route(request.uri().path()), request.headers());
        let responding = pin!(self.respond(&id, request, peer));
        let responding = span.around(responding.belonging_to(RequestId::new(&id)));
        // Nothing of the handler is looked at after a panic.
        let response = AssertUnwindSafe(responding).catch_unwind().await.unwrap_or_else(|_| panicked(&id));
        tell(&span, &id, response.status());
        response
    }

    async fn respond<B>(self, id: &str, request: Request<B>, peer: &Peer) -> Response
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let begun = Instant::now();
        let namespace = request.headers().get(NAMESPACE).cloned();
        let answered = match cors::origin(request.headers()) {
            None => self.answer(id, request, peer, begun).await,
            // Boxed, because all requests carry the room for it, and few need it.
            Some(origin) => Box::pin(self.answer_page(origin, id, request, peer, begun)).await,
        };
        let mut response = answered.unwrap_or_else(|failure| answer::failure(&failure));
        answer::finish(&mut response, id, namespace);
        meters::answered(response.status());
        tracing::debug!(status = response.status().as_u16(), took = ?begun.elapsed(), "request answered");
        response
    }

    /// Answers a browser's page from elsewhere, if such pages may ask. The router says so for each of them: a gateway
    /// remembers nothing, and nobody else pays for it.
    async fn answer_page<B>(
        self,
        origin: HeaderValue,
        id: &str,
        request: Request<B>,
        peer: &Peer,
        begun: Instant,
    ) -> Result<Response, Failure>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let Some(rules) = self.state().await?.cross_origin else {
            return self.answer(id, request, peer, begun).await;
        };
        let crossing = Crossing::admit(origin, rules)?;
        let answered = match crossing.preflight(request.method(), request.headers())? {
            Some(preflight) => Ok(preflight),
            None => self.answer(id, request, peer, begun).await,
        };
        let mut response = answered.unwrap_or_else(|failure| answer::failure(&failure));
        crossing.mark(&mut response);
        Ok(response)
    }

    async fn answer<B>(
        self,
        id: &str,
        request: Request<B>,
        peer: &Peer,
        begun: Instant,
    ) -> Result<Response, Failure>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let (mut parts, content) = request.into_parts();
        let knock = Knock::of(&mut parts);
        let uri = &parts.uri;
        let Some(raw) = uri.path().strip_prefix("/v1/") else {
            return outside(uri.path(), uri.query());
        };
        let path = path::canonical(raw)?;
        let helps = || asks_for_help(&parts.method, uri.query());
        match path.as_str() {
            "sys" if !helps() => return Ok(answer::add_slash("/v1/sys", uri.query())),
            "sys/health" if !helps() => return self.health(&parts.method, uri.query()).await,
            _ => {}
        }
        let until = begun + self.config.deadline;
        let arrived = until.min(begun + self.config.read_timeout);
        let told = log::form(&parts.method, path.as_str(), uri.query()).filter(|_| !helps());
        let request =
            request::read(id.to_owned(), path, &parts, peer, content, &self.config, arrived).await?;
        if let Some(form) = told {
            let watching = Box::pin(log::watch(&self.router, request, form, knock, self.stop.clone()));
            return timeout_at(until, watching).await.map_err(|_| self.too_late())?;
        }
        let answered = timeout_at(until, self.router.handle(request)).await.map_err(|_| self.too_late())?;
        Ok(answer::of_router(answered.map_err(|status| failure_of(&status))?.into_inner()))
    }

    async fn health(&self, method: &Method, query: Option<&str>) -> Result<Response, Failure> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Err(Refusal::Method.into());
        }
        let state = self.state().await?;
        let query = Parameters::read(query.unwrap_or_default().as_bytes());
        Ok(health::answer(&state, &query, &self.config.version)?)
    }

    async fn state(&self) -> Result<NodeState, Failure> {
        let asked = timeout_at(Instant::now() + self.config.deadline, self.router.state(StateRequest {}));
        let state = asked.await.map_err(|_| self.too_late())?.map_err(|status| failure_of(&status))?;
        Ok(state.into_inner())
    }

    fn too_late(&self) -> Failure {
        let limit = self.config.deadline.as_secs();
        Failure::new(
            Kind::Timeout,
            format!("the request took longer than {limit} s and was given up; a write may have happened"),
        )
    }
}

fn outside(path: &str, query: Option<&str>) -> Result<Response, Failure> {
    match path {
        "/v1" => Ok(answer::add_slash("/v1", query)),
        _ if path.starts_with("/.well-known/") => Err(Failure::silent(Kind::NotFound)),
        _ => Ok(answer::page_not_found()),
    }
}

fn asks_for_help(method: &Method, query: Option<&str>) -> bool {
    let mut query = Parameters::read(query.unwrap_or_default().as_bytes());
    matches!(verb::operation(method, &mut query), Ok((domain::Operation::Help, _)))
}
