use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tonic::{body::Body, codegen::BoxFuture, server::NamedService, transport::Channel};
use tower::{BoxError, Service, ServiceExt, util::BoxCloneSyncService};

/// What lies below a generated client: the neighbour's server in the same process, or a connection to it.
///
/// Cheap to clone. Both forms run the same code; which one it is, only the composition root knows.
#[derive(Clone)]
pub struct Seam(Below);

#[derive(Clone)]
enum Below {
    /// Shared rather than cloned for every call, and its futures, which are boxed, are not boxed again.
    Here(Arc<dyn Server>),
    There(BoxCloneSyncService<Request<Body>, Response<Body>, BoxError>),
}

/// A generated server.
trait Server: Send + Sync {
    fn answer(&self, request: Request<Body>) -> BoxFuture<Response<Body>, Infallible>;
}

impl<S> Server for S
where
    S: Service<
            Request<Body>,
            Response = Response<Body>,
            Error = Infallible,
            Future = BoxFuture<Response<Body>, Infallible>,
        > + Clone
        + Send
        + Sync,
{
    fn answer(&self, request: Request<Body>) -> BoxFuture<Response<Body>, Infallible> {
        self.clone().call(request)
    }
}

impl Seam {
    /// The neighbour's generated server, in the same process and with no socket in between.
    pub fn local<S>(server: S) -> Self
    where
        S: Service<
                Request<Body>,
                Response = Response<Body>,
                Error = Infallible,
                Future = BoxFuture<Response<Body>, Infallible>,
            > + NamedService,
        S: Clone + Send + Sync + 'static,
    {
        Self(Below::Here(Arc::new(server)))
    }

    /// A connection to the neighbour's process.
    pub fn remote(channel: Channel) -> Self {
        Self(Below::There(BoxCloneSyncService::new(channel.map_err(BoxError::from))))
    }
}

/// The answer to come.
pub struct Answering(Pending);

enum Pending {
    Here(BoxFuture<Response<Body>, Infallible>),
    There(BoxFuture<Response<Body>, BoxError>),
}

impl Future for Answering {
    type Output = Result<Response<Body>, BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Pending::Here(answer) => answer.as_mut().poll(cx).map_err(BoxError::from),
            Pending::There(answer) => answer.as_mut().poll(cx),
        }
    }
}

impl Service<Request<Body>> for Seam {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Answering;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match &mut self.0 {
            Below::Here(_) => Poll::Ready(Ok(())),
            Below::There(channel) => channel.poll_ready(cx),
        }
    }

    fn call(&mut self, request: Request<Body>) -> Answering {
        Answering(match &mut self.0 {
            Below::Here(server) => Pending::Here(server.answer(request)),
            Below::There(channel) => Pending::There(channel.call(request)),
        })
    }
}

impl fmt::Debug for Seam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seam")
    }
}

impl fmt::Debug for Answering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answering")
    }
}

#[cfg(test)]
mod tests {
    use tonic::{Request, Response, Status};

    use super::*;
    use crate::catalog::v1::{
        CommitReply, CommitRequest, GetReply, GetRequest, ListReply, ListRequest,
        storage_client::StorageClient,
        storage_server::{Storage, StorageServer},
    };

    struct Echo;

    #[tonic::async_trait]
    impl Storage for Echo {
        async fn get(&self, request: Request<GetRequest>) -> Result<Response<GetReply>, Status> {
            Ok(Response::new(GetReply { value: Some(request.into_inner().key.into()) }))
        }

        async fn list(&self, _: Request<ListRequest>) -> Result<Response<ListReply>, Status> {
            Err(crate::Failure::new(domain::Kind::Sealed, "Vault is sealed").into())
        }

        async fn commit(&self, _: Request<CommitRequest>) -> Result<Response<CommitReply>, Status> {
            Ok(Response::new(CommitReply {}))
        }
    }

    #[tokio::test]
    async fn a_generated_client_lies_directly_over_its_server() {
        let mut client = StorageClient::new(Seam::local(StorageServer::new(Echo)));
        let reply = client.get(GetRequest { key: "k".to_owned() }).await.unwrap().into_inner();
        assert_eq!(reply.value.as_deref(), Some(b"k".as_slice()));
        let refused = client.list(ListRequest::default()).await.unwrap_err();
        assert_eq!(crate::failure_of(&refused).kind, domain::Kind::Sealed);
    }
}
