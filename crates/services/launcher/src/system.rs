use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use domain::Secret;
use tenon::{
    Announcement, System,
    convert::{event_data, from_nanos},
    database::{self, Opened},
};
use wire::{
    launcher::v1::{GeneratePassword, MountSpec, Notice, answer_request::Answer, question::Asks},
    logical::EventData,
};

use crate::{
    databases::{Databases, not_opened},
    host::{Cluster, Host},
    in_flight::InFlight,
    people::People,
    processes::Processes,
    questions::Unanswered,
};

/// What one mount may know of its surroundings; all of it in memory.
#[derive(Debug)]
pub struct MountSystem {
    host: Arc<Host>,
    spec: ArcSwap<MountSpec>,
    tainted: AtomicBool,
    /// Of the plugin that runs.
    version: ArcSwap<String>,
    /// The database plugins that its engine has opened.
    pub databases: Arc<Databases>,
    /// Who is behind the requests that are under way.
    pub people: Arc<People>,
    /// The calls of its plugin that are under way.
    pub in_flight: Arc<InFlight>,
}

impl MountSystem {
    /// The surroundings of a mount.
    pub fn new(host: Arc<Host>, processes: Arc<Processes>, spec: Arc<MountSpec>) -> Self {
        Self {
            databases: Databases::new(Arc::clone(&host), processes),
            host,
            spec: ArcSwap::new(spec),
            tainted: AtomicBool::new(false),
            version: ArcSwap::default(),
            people: Arc::default(),
            in_flight: Arc::default(),
        }
    }

    /// The mount's settings as they are now.
    pub fn spec(&self) -> Arc<MountSpec> {
        self.spec.load_full()
    }

    /// The mount has other settings from now on.
    pub fn change(&self, spec: Arc<MountSpec>) {
        self.spec.store(spec);
    }

    /// The mount is being removed.
    pub fn taint(&self) {
        self.tainted.store(true, Ordering::Relaxed);
    }

    /// The plugin of the mount has this version from now on.
    pub fn runs(&self, version: &str) {
        self.version.store(Arc::new(version.to_owned()));
    }

    /// The plugin announces something.
    pub fn tell(&self, event_type: String, event: EventData) {
        if !self.host.notices.are_heard() {
            return;
        }
        let plugin_version = self.version.load().to_string();
        let spec = Some((*self.spec()).clone());
        self.host.notices.tell(Notice { event_type, event: Some(event), spec, plugin_version });
    }

    /// Has the router answer what the mount's plugin asks.
    pub async fn ask(&self, asks: Asks) -> Result<Answer, Unanswered> {
        self.host.questions.ask(self.spec().path.clone(), asks).await
    }

    /// What identifies the cluster, once that is known.
    pub fn cluster(&self) -> Cluster {
        self.host.cluster.get().cloned().unwrap_or_default()
    }
}

#[tonic::async_trait]
impl System for MountSystem {
    fn default_lease_ttl(&self) -> Duration {
        from_nanos(self.spec().default_lease_ttl)
    }

    fn max_lease_ttl(&self) -> Duration {
        from_nanos(self.spec().max_lease_ttl)
    }

    fn tainted(&self) -> bool {
        self.tainted.load(Ordering::Relaxed)
    }

    fn caching_disabled(&self) -> bool {
        self.host.config.disable_cache || self.spec().force_no_cache
    }

    fn local_mount(&self) -> bool {
        self.spec().local
    }

    fn mlock_enabled(&self) -> bool {
        self.host.config.mlock
    }

    fn host_version(&self) -> String {
        self.host.config.host_version.clone()
    }

    fn cluster_id(&self) -> String {
        self.cluster().id
    }

    fn is_heard(&self) -> bool {
        self.host.notices.are_heard()
    }

    fn announce(&self, announcement: Announcement) {
        let Announcement { event_type, metadata } = announcement;
        self.tell(event_type, event_data(metadata));
    }

    async fn generate_password(&self, policy: &str) -> tenon::Result<Secret<String>> {
        let refusal = match self.ask(Asks::Password(GeneratePassword { policy: policy.to_owned() })).await {
            Ok(Answer::Password(password)) => return Ok(Secret::new(password)),
            Ok(Answer::Refusal(why)) => why,
            Ok(Answer::WrapInfo(_)) | Err(Unanswered) => Unanswered.to_string(),
        };
        // A plugin is told no more than this, as in Vault; the reason is for the operator.
        tracing::warn!(policy, mount = self.spec().path, why = refusal, "a plugin gets no password");
        Err(tenon::Error::Internal("failed to generate password".to_owned()))
    }

    async fn open_database(&self, name: &str, version: &str) -> database::Result<Opened> {
        let path = self.spec().path.clone();
        self.databases.open(&path, name, version).await.map_err(|error| not_opened(&error))
    }
}
