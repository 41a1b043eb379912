//! Users of databases: made when they are asked for, or kept and given another password from time to time. What is done
//! in a database is up to database plugins.

mod certificate;
mod config;
mod configs;
mod connecting;
mod connection;
mod creds;
mod paths;
mod plugins;
mod queue;
mod recipe;
mod role;
mod roles;
mod root;
mod rotate;
mod rotation;
mod rotor;
mod secret;
mod static_role;
mod static_roles;
mod store;
mod url;

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use tenon::{Backend, BackendKind, Config, Host, Result, Wal, framework::Engine};

use self::{connection::Connections, queue::Queue, rotor::Rotor};
use crate::{VERSION, locks::Locks};

pub use plugins::Compiled;

/// How old a note about something half done has to be before it is seen to: until then somebody may be at it.
const CUT_OFF_AFTER: Duration = Duration::from_secs(60);

/// What time it is.
type Clock = Box<dyn Fn() -> Timestamp + Send + Sync>;

/// One mount.
struct Databases {
    host: Host,
    plugins: Compiled,
    wal: Wal,
    connections: Connections,
    /// Changes of a role take turns, static or not.
    roles: Locks,
    queue: Arc<Queue>,
    /// The notes about changes of static roles' credentials that were cut off, by role.
    unfinished: Mutex<HashMap<String, String>>,
    rotor: Rotor,
    clock: Clock,
}

/// One table for all mounts.
static ENGINE: LazyLock<Arc<Engine<Databases>>> = LazyLock::new(|| Arc::new(engine()));

/// Sets up one mount, whose database plugins are opened by the host.
///
/// # Errors
/// None; the signature is that of a factory.
pub async fn create(_: Config, host: Host) -> Result<Arc<dyn Backend>> {
    Ok(ENGINE.mounted(Databases::new(host, Compiled::none())))
}

impl Databases {
    fn new(host: Host, plugins: Compiled) -> Self {
        Self {
            wal: Wal::new(Arc::clone(&host.storage)),
            host,
            plugins,
            connections: Connections::default(),
            roles: Locks::default(),
            queue: Arc::default(),
            unfinished: Mutex::default(),
            rotor: Rotor::default(),
            clock: Box::new(Timestamp::now),
        }
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

fn engine() -> Engine<Databases> {
    let engine = Engine::new(BackendKind::Secret)
        .version(VERSION)
        .help("Makes users of databases, and changes the passwords of those that are there.")
        .lease(creds::LEASES, Databases::renew, Databases::revoke)
        .roll_back(|mount: &Databases| &mount.wal, CUT_OFF_AFTER, Databases::undo)
        .on_initialize(Databases::start)
        .on_invalidate(Databases::invalidate)
        .on_cleanup(Databases::stop);
    paths::all().into_iter().fold(engine, Engine::path)
}
