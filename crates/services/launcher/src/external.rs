use std::{collections::HashMap, sync::Arc, time::Duration};

use domain::PluginType;
use futures::join;
use goplugin::{
    Lost, Services,
    host::{BrokerError, Brokered},
};
use http::uri::PathAndQuery;
use prost::Message;
use storage::Storage;
use tokio::time::timeout;
use tonic::{
    Code, Request, Status,
    client::Grpc,
    metadata::{Ascii, MetadataValue},
    service::Routes,
};
use uuid::Uuid;
use wire::{launcher::v1::MountSpec, logical, pb};

use crate::{
    Error, Result,
    callbacks::{Callbacks, Gate},
    codec::Kept,
    entry::Entry,
    process::{Live, MOMENT},
    system::MountSystem,
};

/// The number by which a plugin says that it is an auth method; that of a secrets engine is one less.
const CREDENTIAL: u32 = 2;

/// The metadata by which a process tells its mounts apart.
const MULTIPLEX_ID: &str = "multiplex_id";

/// One mount in the process of an external plugin.
#[derive(Debug)]
pub struct External {
    /// Which plugin.
    pub entry: Arc<Entry>,
    /// The process.
    pub live: Arc<Live>,
    /// Paths that are not treated like the others.
    pub special_paths: pb::Paths,
    /// What the plugin says of itself; may be empty.
    pub version: String,
    id: MetadataValue<Ascii>,
    largest_answer: usize,
    /// What the mount's plugin calls us on.
    _callbacks: Brokered,
}

/// What became of a call.
#[derive(Debug)]
pub enum Trouble {
    /// The process is gone.
    Lost(Lost),
    /// All else.
    Failed(Error),
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
        let services = Callbacks::new(setup.view, gate.clone(), setup.system);
        let config = config_of(setup.spec, &setup.entry);
        let asks =
            Offer { config, backend_uuid: setup.spec.backend_uuid.clone(), services, limit: setup.limit };
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
        let asks =
            Offer { config: HashMap::new(), backend_uuid: String::new(), services: Routes::default(), limit };
        let mount = Self::offer(entry, live, wire::PLUGIN_MESSAGE_LIMIT, asks).await?;
        let kind: pb::TypeReply = mount.ask("/pb.Backend/Type", pb::Empty {}, limit).await?;
        let plugin_type = if kind.r#type == CREDENTIAL { PluginType::Auth } else { PluginType::Secret };
        Ok((plugin_type, mount.ask_own_version(limit).await?))
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
            entry,
            live,
            special_paths: pb::Paths::default(),
            version: String::new(),
            id: new_id(),
            largest_answer,
            _callbacks: callbacks,
        };
        if let Err(error) = mount._callbacks.announce().await {
            return Err(not_offered(&mount.entry, &mount.live, error).await);
        }
        let setup = pb::SetupArgs {
            broker_id: mount._callbacks.id(),
            config: offer.config,
            backend_uuid: offer.backend_uuid,
        };
        let reply: pb::SetupReply = mount.ask("/pb.Backend/Setup", setup, offer.limit).await?;
        if reply.err.is_empty() { Ok(mount) } else { Err(Error::Refused(reply.err)) }
    }

    async fn make_ready(&mut self, spec: &MountSpec, gate: &Gate, limit: Duration) -> Result<()> {
        let (kind, paths, version) = join!(
            self.ask::<_, pb::TypeReply>("/pb.Backend/Type", pb::Empty {}, limit),
            self.ask::<_, pb::SpecialPathsReply>("/pb.Backend/SpecialPaths", pb::Empty {}, limit),
            self.ask_own_version(limit),
        );
        check_type(&self.entry, spec, kind?.r#type)?;
        // Vault takes any failure for "none".
        let paths = paths.unwrap_or_default().paths.unwrap_or_default();
        let version = version.unwrap_or_default();
        (self.special_paths, self.version) = (paths, version);
        gate.open();
        let initialized =
            self.ask::<_, pb::InitializeReply>("/pb.Backend/Initialize", pb::InitializeArgs {}, limit);
        match initialized.await {
            Ok(pb::InitializeReply { err: Some(error) }) => Err(Error::Refused(error.err_msg)),
            Ok(_) | Err(Error::Rpc { code: Code::Unimplemented, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn ask_own_version(&self, limit: Duration) -> Result<String> {
        let version = self.ask("/logical.PluginVersion/Version", logical::Empty {}, limit).await;
        match version {
            Ok(logical::VersionReply { plugin_version }) => Ok(plugin_version),
            Err(Error::Rpc { code: Code::Unimplemented, .. }) => Ok(String::new()),
            Err(error) => Err(error),
        }
    }

    /// Hands one request to the plugin.
    pub async fn handle(
        &self,
        request: Arc<pb::HandleRequestArgs>,
    ) -> Result<pb::HandleRequestReply, Trouble> {
        self.call("/pb.Backend/HandleRequest", request).await
    }

    /// Asks whether what a write would touch exists.
    pub async fn exists(
        &self,
        request: Arc<pb::HandleExistenceCheckArgs>,
    ) -> Result<pb::HandleExistenceCheckReply, Trouble> {
        self.call("/pb.Backend/HandleExistenceCheck", request).await
    }

    /// Tells the plugin that the mount ends. Whether it heard is of no interest.
    pub async fn cleanup(&self, limit: Duration) {
        let _ = self.ask::<_, pb::Empty>("/pb.Backend/Cleanup", pb::Empty {}, limit).await;
    }

    /// A call of the set-up: it has its own time limit, and is not repeated.
    async fn ask<Q, A>(&self, path: &'static str, message: Q, limit: Duration) -> Result<A>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let plugin = || self.entry.to_string();
        match timeout(limit, self.call(path, Arc::new(message))).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(Trouble::Failed(error))) => Err(error),
            Ok(Err(Trouble::Lost(_))) => {
                let _ = timeout(2 * MOMENT, self.live.gone()).await;
                Err(Error::Interrupted { plugin: plugin(), how: self.live.how_it_ended() })
            }
            Err(_) => Err(Error::Timeout { plugin: plugin(), limit }),
        }
    }

    async fn call<Q, A>(&self, path: &'static str, message: Arc<Q>) -> Result<A, Trouble>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let mut request = Request::new(message);
        request.metadata_mut().insert(MULTIPLEX_ID, self.id.clone());
        let mut client = Grpc::new(self.live.connection.channel())
            .max_decoding_message_size(self.largest_answer)
            .max_encoding_message_size(wire::PLUGIN_MESSAGE_LIMIT);
        let path = PathAndQuery::from_static(path);
        match client.unary(request, path, Kept::default()).await {
            Ok(answer) => Ok(answer.into_inner()),
            Err(status) => Err(self.trouble(&status)),
        }
    }

    fn trouble(&self, status: &Status) -> Trouble {
        if let Some(lost) = Lost::of(status) {
            return Trouble::Lost(lost);
        }
        // Said by our own end, when it has seen the length and not taken the answer.
        if status.code() == Code::OutOfRange && status.message().contains("decoded message length too large")
        {
            let plugin = self.entry.to_string();
            return Trouble::Failed(Error::AnswerTooLarge { plugin, limit: self.largest_answer });
        }
        Trouble::Failed(Error::Rpc { code: status.code(), message: status.message().to_owned() })
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
}

fn config_of(spec: &MountSpec, entry: &Entry) -> HashMap<String, String> {
    let mut config = spec.options.clone();
    config.insert("plugin_name".to_owned(), entry.name.clone());
    config.insert("plugin_type".to_owned(), entry.plugin_type.word().to_owned());
    config.insert("plugin_version".to_owned(), entry.version.clone());
    config
}

fn check_type(entry: &Entry, spec: &MountSpec, found: u32) -> Result<()> {
    let (wanted, number) =
        if spec.r#type == "auth" { ("auth", CREDENTIAL) } else { ("secret", CREDENTIAL - 1) };
    if found == number {
        return Ok(());
    }
    Err(Error::WrongType { plugin: entry.to_string(), wanted, found })
}

/// Ten letters and digits, new for each set-up.
fn new_id() -> MetadataValue<Ascii> {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = Uuid::new_v4().as_u128();
    let mut id = String::with_capacity(10);
    for _ in 0..10 {
        id.push(char::from(DIGITS[(rest % 62) as usize]));
        rest /= 62;
    }
    // Letters and digits are always fit for it.
    id.parse().unwrap_or_else(|_| MetadataValue::from_static("0000000000"))
}
