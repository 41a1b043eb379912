use std::{pin::pin, sync::Arc};

use spans::{Attribute, Failed, Span, Work};
use tonic::{Request, Response, Status, codegen::BoxStream};
use tower::{
    BoxError, Service, ServiceBuilder, ServiceExt, load_shed::error::Overloaded, util::BoxCloneSyncService,
};
use wire::{
    Belonging, Failure, RequestId,
    router::v1::{self as api, Lines, NodeState, StateRequest, router_server},
};

use crate::{Clients, Config, Error, core::Core, handle::handle, meters, sys};

/// Every request passes here: who may ask, where it goes, what follows.
#[derive(Clone, Debug)]
pub struct Router {
    core: Arc<Core>,
    pipeline: BoxCloneSyncService<api::Request, api::Response, Failure>,
}

impl Router {
    /// A router over the services below it.
    pub fn new(clients: Clients, config: Config) -> Self {
        meters::begin();
        let core = Arc::new(Core::new(clients, config));
        Self { pipeline: pipeline(core.clone()), core }
    }

    /// Opens the files of audit devices anew: they may have been moved away.
    pub fn reopen_audit_files(&self) {
        self.core.reopen_audit_files();
    }
}

/// The life of a request, from top to bottom. Deadline and audit are below, around what is let in.
fn pipeline(core: Arc<Core>) -> BoxCloneSyncService<api::Request, api::Response, Failure> {
    let layers = ServiceBuilder::new()
        .map_err(from_layer) // tower boxes its errors; opened here and nowhere else
        .load_shed()
        .concurrency_limit(core.config.in_flight) // full: refuse now rather than queue
        // Boxed, because the layers above move it about.
        .service_fn(move |request: api::Request| Box::pin(belonging(core.clone(), request)));
    BoxCloneSyncService::new(layers)
}

async fn belonging(core: Arc<Core>, request: api::Request) -> Result<api::Response, Failure> {
    let id = RequestId::new(&request.id);
    let span = Span::begin(&Work::Routed);
    span.tell(Attribute::Request(&request.id));
    if let Ok(operation) = request.operation.parse() {
        span.tell(Attribute::Operation(operation));
    }
    let outcome = span.around(pin!(handle(core, request)).belonging_to(id)).await;
    if let Err(failure) = &outcome {
        span.fail(Failed::Kind(failure.kind));
    }
    outcome
}

fn from_layer(error: BoxError) -> Failure {
    match error.downcast::<Failure>() {
        Ok(failure) => *failure,
        Err(error) if error.is::<Overloaded>() => Error::Overloaded.into_failure(false),
        Err(_) => Error::CutOff.into_failure(false),
    }
}

#[tonic::async_trait]
impl router_server::Router for Router {
    async fn handle(&self, request: Request<api::Request>) -> Result<Response<api::Response>, Status> {
        let mut pipeline = self.pipeline.clone();
        let ready = pipeline.ready().await?;
        Ok(Response::new(ready.call(request.into_inner()).await?))
    }

    type WatchStream = BoxStream<Lines>;

    async fn watch(&self, request: Request<api::Request>) -> Result<Response<Self::WatchStream>, Status> {
        let request = request.into_inner();
        let wanted = request.clone();
        // Decided, recorded and refused as any other request.
        router_server::Router::handle(self, Request::new(request)).await?;
        let lines = sys::watch(&self.core, wanted).await.map_err(|error| error.into_failure(false))?;
        Ok(Response::new(lines))
    }

    async fn state(&self, _: Request<StateRequest>) -> Result<Response<NodeState>, Status> {
        let status = self.core.status().await.map_err(|error| error.into_failure(false))?;
        Ok(Response::new(NodeState {
            initialized: status.initialized,
            sealed: status.sealed,
            standby: false,
            cluster_name: status.cluster_name,
            cluster_id: status.cluster_id,
            cross_origin: self.core.cross_origin(),
        }))
    }
}
