use std::{fmt, future::Future, pin::Pin, sync::Arc};

use tonic::{Response, Status};

/// What a caller holds of a service: the service itself in the same process, or a client with a connection to it.
///
/// The methods are generated for every service of ours, with the same form as those of the server trait. In one process
/// a call is a call of that trait: messages move, and nothing is encoded. What a caller sees is the same in both forms:
/// the code that answers, its statuses, and that a call ends when the caller drops it. Cheap to clone; which form it is,
/// only the composition root knows.
pub enum Seam<S: ?Sized, C> {
    /// The service, in this process.
    Here(Arc<S>),
    /// A client of the service in another process.
    There(C),
}

/// The answer to come.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<Response<T>, Status>> + Send + 'a>>;

impl<S: ?Sized, C> Seam<S, C> {
    /// The service in the same process, with no socket in between.
    pub const fn local(service: Arc<S>) -> Self {
        Self::Here(service)
    }
}

impl<S: ?Sized, C: Clone> Clone for Seam<S, C> {
    fn clone(&self) -> Self {
        match self {
            Self::Here(service) => Self::Here(Arc::clone(service)),
            Self::There(client) => Self::There(client.clone()),
        }
    }
}

impl<S: ?Sized, C> fmt::Debug for Seam<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Here(_) => "Seam::Here",
            Self::There(_) => "Seam::There",
        })
    }
}

#[cfg(test)]
mod tests {
    use tonic::{Request, Response, Status};

    use super::*;
    use crate::catalog::v1::{
        CommitReply, CommitRequest, GetReply, GetRequest, ListReply, ListRequest, StorageSeam,
        storage_server::Storage,
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

        async fn commit(&self, request: Request<CommitRequest>) -> Result<Response<CommitReply>, Status> {
            let value = request.into_inner().writes.into_iter().find_map(|write| write.value);
            assert_eq!(value.map(|value| value.as_ptr()), Some(VALUE.as_ptr()), "a body was copied");
            Ok(Response::new(CommitReply {}))
        }
    }

    const VALUE: &[u8] = b"a value";

    #[tokio::test]
    async fn a_call_in_one_process_is_a_call_of_the_service() {
        let seam = StorageSeam::local(Arc::new(Echo));
        let reply = seam.get(GetRequest { key: "k".to_owned() }).await.unwrap().into_inner();
        assert_eq!(reply.value.as_deref(), Some(b"k".as_slice()));
        let refused = seam.list(ListRequest::default()).await.unwrap_err();
        assert_eq!(crate::failure_of(&refused).kind, domain::Kind::Sealed);
    }

    #[tokio::test]
    async fn no_body_is_copied_on_its_way_over_a_seam_in_one_process() {
        let write =
            crate::catalog::v1::Write { key: "k".to_owned(), value: Some(bytes::Bytes::from_static(VALUE)) };
        let seam = StorageSeam::local(Arc::new(Echo));
        seam.clone().commit(CommitRequest { writes: vec![write] }).await.unwrap();
    }
}
