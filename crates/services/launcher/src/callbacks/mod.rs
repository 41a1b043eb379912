//! What a plugin may ask of the host, on a connection of its mount's own.

mod notices;
mod storage;
mod system_view;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use ::storage::Storage;
use goplugin::{Answering, Services};
use spans::{Span, Stored};
use tonic::{Status, body::Body};
use tower::Service;
use wire::pb::{
    events_server::{self, EventsServer},
    observations_server::{self, ObservationsServer},
    storage_server::{self, StorageServer},
    system_view_server::{self, SystemViewServer},
};

use crate::{in_flight::InFlight, system::MountSystem};

/// The largest call that a plugin may make, in bytes: a stored value and what is around it.
const LARGEST_CALL: usize = 64 << 20;

/// Lets nothing be written until a mount's set-up is over.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<AtomicBool>);

impl Gate {
    /// The set-up is over.
    pub fn open(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_open(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// The services of one mount: this view and no other storage is reached through them.
///
/// A plugin calls several times for each request, so the service is found by its name and not by a router of paths.
pub struct Callbacks {
    storage: StorageServer<storage::MountStorage>,
    system_view: SystemViewServer<system_view::SystemView>,
    events: EventsServer<notices::Notices>,
    observations: ObservationsServer<notices::Notices>,
    in_flight: Arc<InFlight>,
}

impl Callbacks {
    /// The services of a mount with this view of the storage.
    pub fn new(view: Arc<dyn Storage>, gate: Gate, system: Arc<MountSystem>) -> Self {
        Self {
            in_flight: Arc::clone(&system.in_flight),
            storage: StorageServer::new(storage::MountStorage { view, gate })
                .max_decoding_message_size(LARGEST_CALL)
                .max_encoding_message_size(wire::PLUGIN_MESSAGE_LIMIT),
            system_view: SystemViewServer::new(system_view::SystemView(Arc::clone(&system))),
            events: EventsServer::new(notices::Notices(Arc::clone(&system))),
            observations: ObservationsServer::new(notices::Notices(system)),
        }
    }

    /// A call of the storage, as a part of what it is made for.
    fn store(&self, call: http::Request<Body>) -> Answering {
        let span = self.span(&call);
        let answering = self.storage.clone().call(call);
        if span.is_nothing() {
            return answering;
        }
        Box::pin(async move { span.around(answering).await })
    }

    fn span(&self, call: &http::Request<Body>) -> Span {
        let stored = match call.uri().path().rsplit('/').next() {
            Some("Get") => Stored::Get,
            Some("List") => Stored::List,
            _ => Stored::Commit,
        };
        self.in_flight.asks(stored, call.headers())
    }
}

impl Services for Callbacks {
    fn answer(&self, call: http::Request<Body>) -> Answering {
        let service = call.uri().path().trim_start_matches('/').split('/').next().unwrap_or_default();
        match service {
            storage_server::SERVICE_NAME => self.store(call),
            system_view_server::SERVICE_NAME => self.system_view.clone().call(call),
            events_server::SERVICE_NAME => self.events.clone().call(call),
            observations_server::SERVICE_NAME => self.observations.clone().call(call),
            _ => Box::pin(async { Ok(Status::unimplemented("").into_http()) }),
        }
    }
}
