use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use http::{Request, Response};
use tonic::{body::Body, server::NamedService, transport::Channel};
use tower::{BoxError, Service, ServiceExt, util::BoxCloneSyncService};

/// What lies below a generated client: the neighbour's server in the same process, or a connection to it.
///
/// Cheap to clone. Both forms run the same code; which one it is, only the composition root knows.
#[derive(Clone)]
pub struct Seam(BoxCloneSyncService<Request<Body>, Response<Body>, BoxError>);

impl Seam {
    /// The neighbour's generated server, in the same process and with no socket in between.
    pub fn local<S>(server: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + NamedService,
        S: Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        Self(BoxCloneSyncService::new(server.map_err(BoxError::from)))
    }

    /// A connection to the neighbour's process.
    pub fn remote(channel: Channel) -> Self {
        Self(BoxCloneSyncService::new(channel.map_err(BoxError::from)))
    }
}

impl Service<Request<Body>> for Seam {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.0.call(request)
    }
}

impl fmt::Debug for Seam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seam")
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
