use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use domain::{PluginType, PluginVersion};
use futures::join;
use goplugin::{
    Services,
    host::{BrokerError, Brokered},
};
use storage::Storage;
use tokio::time::timeout;
use tonic::{Code, service::Routes};
use wire::{launcher::v1::MountSpec, pb};

use crate::{
    Error, Result,
    callbacks::{Callbacks, Gate},
    entry::Entry,
    in_flight::InFlight,
    line::{Line, Trouble},
    process::{Live, MOMENT},
    system::MountSystem,
};

/// The number by which a plugin says that it is an auth method; that of a secrets engine is one less.
const CREDENTIAL: u32 = 2;

/// One mount in the process of an external plugin.
#[derive(Debug)]
pub struct External {
    /// To the process.
    pub line: Line,
    /// Paths that are not treated like the others.
    pub special_paths: pb::Paths,
    /// What the plugin says of itself; may be empty.
    pub version: String,
    /// What the mount's plugin calls us on.
    callbacks: Brokered,
}

/// What a set-up needs to know.
pub struct Setup<'a> {
    /// Which plugin.
    pub entry: Arc<Entry>,
    /// Its process.
    pub live: Arc<Live>,
    /// The mount's storage.
    pub view: Arc<dyn Storage>,
    /// The mount's surroundings.
    pub system: Arc<MountSystem>,
    /// The mount's settings.
    pub spec: &'a MountSpec,
    /// How long each call may take.
    pub limit: Duration,
    /// The largest answer, in bytes, that it may give.
    pub largest_answer: usize,
}

impl External {
    /// Sets a mount up and initialises it.
    pub async fn set_up(setup: Setup<'_>) -> Result<Self> {
        let gate = Gate::default();
        let in_flight = Arc::clone(&setup.system.in_flight);
        let services = Callbacks::new(setup.view, gate.clone(), setup.system);
        let asks = Offer {
            config: config_of(setup.spec, &setup.entry),
            backend_uuid: setup.spec.backend_uuid.clone(),
            services,
            limit: setup.limit,
            in_flight,
        };
        let mut mount = Self::offer(setup.entry, setup.live, setup.largest_answer, asks).await?;
        let ready = mount.make_ready(setup.spec, &gate, setup.limit).await;
        if let Err(error) = ready {
            mount.cleanup(setup.limit).await;
            return Err(error);
        }
        Ok(mount)
    }

    /// Sets something up that is only asked who it is, which is its type and version: it has no storage and no settings.
    pub async fn ask_identity(
        entry: Arc<Entry>,
        live: Arc<Live>,
        limit: Duration,
    ) -> Result<(PluginType, String)> {
        let asks = Offer {
            config: HashMap::new(),
            backend_uuid: String::new(),
            services: Routes::default(),
            limit,
            in_flight: Arc::default(),
        };
        let mount = Self::offer(entry, live, wire::PLUGIN_MESSAGE_LIMIT, asks).await?;
        let kind: pb::TypeReply = mount.line.ask("/pb.Backend/Type", pb::Empty {}, limit).await?;
        let plugin_type = if kind.r#type == CREDENTIAL { PluginType::Auth } else { PluginType::Secret };
        Ok((plugin_type, mount.line.ask_own_version(limit).await?))
    }

    async fn offer(
        entry: Arc<Entry>,
        live: Arc<Live>,
        largest_answer: usize,
        offer: Offer<impl Services>,
    ) -> Result<Self> {
        let callbacks = match live.connection.broker().accept(offer.services) {
            Ok(callbacks) => callbacks,
            Err(error) => return Err(not_offered(&entry, &live, error).await),
        };
        let mount = Self {
            line: Line::new(entry, live, largest_answer, offer.in_flight),
            special_paths: pb::Paths::default(),
            version: String::new(),
            callbacks,
        };
        if let Err(error) = mount.callbacks.announce().await {
            return Err(not_offered(&mount.line.entry, &mount.line.live, error).await);
        }
        let setup = pb::SetupArgs {
            broker_id: mount.callbacks.id(),
            config: offer.config,
            backend_uuid: offer.backend_uuid,
        };
        let reply: pb::SetupReply = mount.line.ask("/pb.Backend/Setup", setup, offer.limit).await?;
        if reply.err.is_empty() { Ok(mount) } else { Err(Error::Refused(reply.err)) }
    }

    async fn make_ready(&mut self, spec: &MountSpec, gate: &Gate, limit: Duration) -> Result<()> {
        let (kind, paths, version) = join!(
            self.line.ask::<_, pb::TypeReply>("/pb.Backend/Type", pb::Empty {}, limit),
            self.line.ask::<_, pb::SpecialPathsReply>("/pb.Backend/SpecialPaths", pb::Empty {}, limit),
            self.line.ask_own_version(limit),
        );
        check_type(&self.line.entry, spec, kind?)?;
        // Vault takes any failure for "none".
        let paths = paths.unwrap_or_default().paths.unwrap_or_default();
        let version = version.unwrap_or_default();
        check_version(&self.line.entry, &version)?;
        (self.special_paths, self.version) = (paths, version);
        gate.open();
        let initialized =
            self.line.ask::<_, pb::InitializeReply>("/pb.Backend/Initialize", pb::InitializeArgs {}, limit);
        match initialized.await {
            Ok(pb::InitializeReply { err: Some(error) }) => Err(Error::Refused(error.err_msg)),
            Ok(_) | Err(Error::Rpc { code: Code::Unimplemented, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Hands one request to the plugin.
    pub async fn handle(
        &self,
        request: Arc<pb::HandleRequestArgs>,
    ) -> Result<pb::HandleRequestReply, Trouble> {
        self.line.call("/pb.Backend/HandleRequest", request).await
    }

    /// Asks whether what a write would touch exists.
    pub async fn exists(
        &self,
        request: Arc<pb::HandleExistenceCheckArgs>,
    ) -> Result<pb::HandleExistenceCheckReply, Trouble> {
        self.line.call("/pb.Backend/HandleExistenceCheck", request).await
    }

    /// Tells the plugin that the mount ends. Whether it heard is of no interest.
    ///
    /// When thousands of mounts end together, those that do not get their turn in time are not told: their process ends.
    pub async fn cleanup(&self, limit: Duration) {
        self.callbacks.end();
        let turn = timeout(limit, self.line.live.cleanups.acquire()).await;
        if !matches!(turn, Ok(Ok(_))) {
            return;
        }
        let _ = self.line.ask::<_, pb::Empty>("/pb.Backend/Cleanup", pb::Empty {}, limit).await;
    }
}

/// Why a plugin cannot be offered anything: most often because it is gone, be it that nobody has noticed yet.
async fn not_offered(entry: &Entry, live: &Live, error: BrokerError) -> Error {
    if timeout(2 * MOMENT, live.gone()).await.is_ok() {
        return Error::Interrupted { plugin: entry.to_string(), how: live.how_it_ended() };
    }
    Error::host("offer the host's services to a plugin")(std::io::Error::other(error))
}

/// What a plugin is offered at set-up.
struct Offer<S> {
    config: HashMap<String, String>,
    backend_uuid: String,
    services: S,
    limit: Duration,
    in_flight: Arc<InFlight>,
}

fn config_of(spec: &MountSpec, entry: &Entry) -> HashMap<String, String> {
    let mut config = spec.options.clone();
    config.insert("plugin_name".to_owned(), entry.name.clone());
    config.insert("plugin_type".to_owned(), entry.plugin_type.word().to_owned());
    config.insert("plugin_version".to_owned(), entry.version.clone());
    config
}

/// Whether a plugin is of the type that is mounted.
pub fn check_type(plugin: impl fmt::Display, spec: &MountSpec, found: pb::TypeReply) -> Result<()> {
    let (wanted, number) =
        if spec.r#type == "auth" { ("auth", CREDENTIAL) } else { ("secret", CREDENTIAL - 1) };
    match found.r#type {
        found if found == number => Ok(()),
        found => Err(Error::WrongType { plugin: plugin.to_string(), wanted, found }),
    }
}

/// A plugin may say nothing of its version, or nothing that is one; but not that it is another one.
fn check_version(entry: &Entry, reported: &str) -> Result<()> {
    let (Ok(wanted), Ok(found)) = (entry.version.parse::<PluginVersion>(), reported.parse::<PluginVersion>())
    else {
        return Ok(());
    };
    if wanted.is_none() || found.is_none() || wanted == found {
        return Ok(());
    }
    let (name, reported) = (entry.name.clone(), reported.to_owned());
    Err(Error::WrongVersion { name, reported, wanted: entry.version.clone() })
}
