//! What a plugin may ask of the host, on a connection of its mount's own.

mod notices;
mod storage;
mod system_view;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use ::storage::Storage;
use tonic::service::Routes;
use wire::pb::{
    events_server::EventsServer, observations_server::ObservationsServer, storage_server::StorageServer,
    system_view_server::SystemViewServer,
};

use crate::system::MountSystem;

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
pub fn services(view: Arc<dyn Storage>, gate: Gate, system: Arc<MountSystem>) -> Routes {
    let storage = StorageServer::new(storage::MountStorage { view, gate })
        .max_decoding_message_size(LARGEST_CALL)
        .max_encoding_message_size(wire::PLUGIN_MESSAGE_LIMIT);
    Routes::new(storage)
        .add_service(SystemViewServer::new(system_view::SystemView(system)))
        .add_service(EventsServer::new(notices::Notices))
        .add_service(ObservationsServer::new(notices::Notices))
}
