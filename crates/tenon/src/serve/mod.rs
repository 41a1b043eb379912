//! An engine as a program of its own, for Mortise, Vault and OpenBao alike.

mod database;
mod environment;
mod instances;
mod remote_storage;
mod remote_system;
mod services;

use std::{process::ExitCode, sync::Arc};

use goplugin::{Cookie, plugin};
use tonic::service::Routes;
use wire::{
    PLUGIN_MESSAGE_LIMIT, dbplugin::database_server::DatabaseServer,
    logical::plugin_version_server::PluginVersionServer,
    multiplexing::plugin_multiplexing_server::PluginMultiplexingServer, pb::backend_server::BackendServer,
};

use self::{
    database::DatabaseService,
    instances::{Instances, multiplex_id},
    services::{Multiplexing, PluginService},
};
use crate::{Factory, database::DatabaseFactory};

/// The version of the plugin protocol that is spoken: mutual TLS, made by the two sides themselves.
const VERSIONS: &[u32] = &[5];

/// The version of the protocol of database plugins: interface 5, with one process for all connections. The number 5
/// would stand for one process for each.
const DATABASE_VERSIONS: &[u32] = &[6];

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

/// A database plugin's `main`, with one process for all connections. Returns when the host wants no more, or is gone.
pub fn serve_database(factory: impl DatabaseFactory, version: &'static str) -> ExitCode {
    plugin::run(plugin::Config {
        cookie: Cookie::DATABASE,
        versions: DATABASE_VERSIONS,
        routes: |_| database_routes(factory, version),
    })
}

/// What a database plugin serves, for programs that set up the rest themselves.
pub fn database_routes(factory: impl DatabaseFactory, version: &'static str) -> Routes {
    let service = DatabaseService::new(factory, version);
    let database = DatabaseServer::from_arc(Arc::clone(&service))
        .max_decoding_message_size(PLUGIN_MESSAGE_LIMIT)
        .max_encoding_message_size(PLUGIN_MESSAGE_LIMIT);
    Routes::new(database)
        .add_service(PluginVersionServer::from_arc(service))
        .add_service(PluginMultiplexingServer::new(Multiplexing))
}
