//! An engine as a program of its own, for Mortise, Vault and OpenBao alike.

mod environment;
mod instances;
mod remote_storage;
mod remote_system;
mod services;

use std::{process::ExitCode, sync::Arc};

use goplugin::{Cookie, plugin};
use tonic::service::Routes;
use wire::{
    PLUGIN_MESSAGE_LIMIT, logical::plugin_version_server::PluginVersionServer,
    multiplexing::plugin_multiplexing_server::PluginMultiplexingServer, pb::backend_server::BackendServer,
};

use self::{
    instances::Instances,
    services::{Multiplexing, PluginService},
};
use crate::Factory;

/// The version of the plugin protocol that is spoken: mutual TLS, made by the two sides themselves.
const VERSIONS: &[u32] = &[5];

/// A plugin's `main`, with a process for each mount. Returns when the host wants no more, or is gone.
pub fn serve(factory: impl Factory) -> ExitCode {
    run(factory, false)
}

/// A plugin's `main`, with one process for all mounts. Returns when the host wants no more, or is gone.
pub fn serve_multiplexed(factory: impl Factory) -> ExitCode {
    run(factory, true)
}

fn run(factory: impl Factory, multiplexed: bool) -> ExitCode {
    plugin::run(plugin::Config {
        cookie: Cookie::BACKEND,
        versions: VERSIONS,
        routes: |session| routes(session, factory, multiplexed),
    })
}

/// What a plugin serves, for programs that set up the rest themselves.
pub fn routes(session: plugin::Session, factory: impl Factory, multiplexed: bool) -> Routes {
    let instances = Arc::new(Instances::new(multiplexed));
    let service = PluginService::new(session.broker, factory, instances, environment::metadata_mode());
    let backend = BackendServer::from_arc(Arc::clone(&service))
        .max_decoding_message_size(PLUGIN_MESSAGE_LIMIT)
        .max_encoding_message_size(PLUGIN_MESSAGE_LIMIT);
    let routes = Routes::new(backend).add_service(PluginVersionServer::from_arc(service));
    // Hosts take the mere lack of this service for "one process for each mount".
    if multiplexed { routes.add_service(PluginMultiplexingServer::new(Multiplexing)) } else { routes }
}
