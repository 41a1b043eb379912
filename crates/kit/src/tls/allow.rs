use std::task::{Context, Poll};

use futures::future::{Either, Ready, ready};
use http::{Request, Response};
use tonic::{Status, body::Body};
use tower::{Layer, Service as TowerService};

use super::peer::Peer;
use crate::Service;

/// Who may call what: a method, or with a slash at its end, every method of a service that no row before it names.
const TABLE: &[(&str, &[Service])] = &[
    ("/mortise.catalog.v1.Barrier/Status", &[Service::Router, Service::Launcher]),
    ("/mortise.catalog.v1.Barrier/", &[Service::Router]),
    ("/mortise.catalog.v1.Storage/", &[Service::Router, Service::Launcher]),
    ("/mortise.catalog.v1.Plugins/", &[Service::Router, Service::Launcher]),
    ("/mortise.launcher.v1.Launcher/", &[Service::Router]),
    ("/mortise.router.v1.Router/", &[Service::Gateway]),
    // Asked by anyone with a certificate of ours: it says only whether the service serves.
    ("/grpc.health.v1.Health/", &Service::ALL),
];

/// Whether a peer may call a path. What is not in the table, nobody may.
fn allowed(path: &str, peer: Peer) -> bool {
    let Some(service) = peer.service() else { return false };
    let covers = |row: &str| match path.strip_prefix(row) {
        Some(method) => method.is_empty() != row.ends_with('/'),
        None => false,
    };
    let row = TABLE.iter().find(|(row, _)| covers(row));
    row.is_some_and(|(_, callers)| callers.contains(&service))
}

/// Lays [`Allow`] around a server.
#[derive(Clone, Copy, Debug, Default)]
pub struct AllowLayer;

impl<S> Layer<S> for AllowLayer {
    type Service = Allow<S>;

    fn layer(&self, inner: S) -> Allow<S> {
        Allow { inner }
    }
}

/// Refuses peers that may not call what they call.
#[derive(Clone, Debug)]
pub struct Allow<S> {
    inner: S,
}

impl<S, B> TowerService<Request<B>> for Allow<S>
where
    S: TowerService<Request<B>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<Response<Body>, S::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let peer = request.extensions().get::<Peer>().copied().unwrap_or_default();
        if allowed(request.uri().path(), peer) {
            return Either::Left(self.inner.call(request));
        }
        tracing::warn!(path = request.uri().path(), ?peer, "refused a call");
        let refusal = Status::permission_denied("the certificate of this peer does not allow this call");
        Either::Right(ready(Ok(refusal.into_http())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATHS: [(&str, &[Service]); 7] = [
        ("/mortise.catalog.v1.Barrier/Status", &[Service::Router, Service::Launcher]),
        ("/mortise.catalog.v1.Barrier/Unseal", &[Service::Router]),
        ("/mortise.catalog.v1.Storage/Get", &[Service::Router, Service::Launcher]),
        ("/mortise.catalog.v1.Plugins/Resolve", &[Service::Router, Service::Launcher]),
        ("/mortise.launcher.v1.Launcher/Handle", &[Service::Router]),
        ("/mortise.router.v1.Router/Handle", &[Service::Gateway]),
        ("/grpc.health.v1.Health/Check", &Service::ALL),
    ];

    #[test]
    fn each_service_may_call_only_what_lies_below_it() {
        for (path, callers) in PATHS {
            for service in Service::ALL {
                assert_eq!(
                    allowed(path, Peer::named(service)),
                    callers.contains(&service),
                    "{service} {path}"
                );
            }
            assert!(!allowed(path, Peer::default()), "{path}");
        }
    }

    #[test]
    fn paths_that_are_not_exactly_ours_are_refused() {
        for path in [
            "",
            "/",
            "mortise.router.v1.Router/Handle",
            "//mortise.router.v1.Router/Handle",
            "/mortise.router.v1.Router",
            "/mortise.router.v1.Router/",
            "/mortise.router.v2.Router/Handle",
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        ] {
            assert!(!allowed(path, Peer::named(Service::Gateway)), "{path}");
        }
    }
}
