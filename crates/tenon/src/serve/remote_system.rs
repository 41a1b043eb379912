use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use domain::Secret;
use goplugin::Channel;
use tokio::sync::Semaphore;
use tonic::{Code, Response, Status};
use wire::pb::{
    Empty, GeneratePasswordFromPolicyRequest, SendEventRequest, events_client::EventsClient,
    system_view_client::SystemViewClient,
};

use crate::{
    Announcement, Error, System,
    convert::{event_data, from_nanos},
};

/// How long what the host once said is believed. After that it is asked again, beside the requests.
const BELIEVED: Duration = Duration::from_secs(30);

/// How many announcements may be on their way to the host.
const ON_THEIR_WAY: usize = 1024;

/// What the host says of its surroundings, kept in memory so that no request waits for it.
pub(super) struct RemoteSystem {
    client: SystemViewClient<Channel>,
    events: EventsClient<Channel>,
    /// One for each announcement that may be on its way. Closed: this host does not listen.
    told: Arc<Semaphore>,
    known: RwLock<Known>,
}

struct Known {
    asked: Instant,
    facts: Facts,
}

/// What a host has never answered is zero, false, empty.
#[derive(Clone, Default)]
struct Facts {
    default_lease_ttl: Duration,
    max_lease_ttl: Duration,
    tainted: bool,
    caching_disabled: bool,
    local_mount: bool,
    mlock_enabled: bool,
    host_version: String,
    cluster_id: String,
}

impl RemoteSystem {
    /// Asks the host everything, at once.
    pub(super) async fn fetch(channel: Channel) -> Arc<Self> {
        let events = EventsClient::new(channel.clone());
        let client = SystemViewClient::new(channel);
        let known = RwLock::new(Known {
            asked: Instant::now(),
            facts: Facts::fetch(&client, Facts::default()).await,
        });
        Arc::new(Self { client, events, told: Arc::new(Semaphore::new(ON_THEIR_WAY)), known })
    }

    /// Asks again if it is time; the caller does not wait.
    pub(super) fn refresh_if_old(self: &Arc<Self>) {
        let fresh = |known: &Known| known.asked.elapsed() < BELIEVED;
        if fresh(&self.known.read().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if fresh(&known) {
            return;
        }
        known.asked = Instant::now();
        drop(known);
        let system = Arc::clone(self);
        tokio::spawn(async move {
            let facts = Facts::fetch(&system.client, system.fact(Facts::clone)).await;
            system.known.write().unwrap_or_else(PoisonError::into_inner).facts = facts;
        });
    }

    fn fact<T>(&self, read: impl FnOnce(&Facts) -> T) -> T {
        read(&self.known.read().unwrap_or_else(PoisonError::into_inner).facts)
    }
}

impl Facts {
    /// Asks the host; what it does not answer this time stays as it was known.
    async fn fetch(client: &SystemViewClient<Channel>, known: Self) -> Self {
        macro_rules! ask {
            ($call:ident) => {
                async {
                    let reply: Result<Response<_>, Status> = client.clone().$call(Empty {}).await;
                    reply.ok().map(Response::into_inner)
                }
            };
        }
        let (default, max, tainted, caching, local, mlock, environment, cluster) = tokio::join!(
            ask!(default_lease_ttl),
            ask!(max_lease_ttl),
            ask!(tainted),
            ask!(caching_disabled),
            ask!(local_mount),
            ask!(mlock_enabled),
            ask!(plugin_env),
            ask!(cluster_info),
        );
        Self {
            default_lease_ttl: default.map_or(known.default_lease_ttl, |reply| from_nanos(reply.ttl)),
            max_lease_ttl: max.map_or(known.max_lease_ttl, |reply| from_nanos(reply.ttl)),
            tainted: tainted.map_or(known.tainted, |reply| reply.tainted),
            caching_disabled: caching.map_or(known.caching_disabled, |reply| reply.disabled),
            local_mount: local.map_or(known.local_mount, |reply| reply.local),
            mlock_enabled: mlock.map_or(known.mlock_enabled, |reply| reply.enabled),
            host_version: environment
                .and_then(|reply| reply.plugin_environment)
                .map_or(known.host_version, |environment| environment.vault_version),
            cluster_id: cluster.map_or(known.cluster_id, |reply| reply.cluster_id),
        }
    }
}

#[tonic::async_trait]
impl System for RemoteSystem {
    fn default_lease_ttl(&self) -> Duration {
        self.fact(|facts| facts.default_lease_ttl)
    }

    fn max_lease_ttl(&self) -> Duration {
        self.fact(|facts| facts.max_lease_ttl)
    }

    fn tainted(&self) -> bool {
        self.fact(|facts| facts.tainted)
    }

    fn caching_disabled(&self) -> bool {
        self.fact(|facts| facts.caching_disabled)
    }

    fn local_mount(&self) -> bool {
        self.fact(|facts| facts.local_mount)
    }

    fn mlock_enabled(&self) -> bool {
        self.fact(|facts| facts.mlock_enabled)
    }

    fn host_version(&self) -> String {
        self.fact(|facts| facts.host_version.clone())
    }

    fn cluster_id(&self) -> String {
        self.fact(|facts| facts.cluster_id.clone())
    }

    fn is_heard(&self) -> bool {
        !self.told.is_closed()
    }

    fn announce(&self, announcement: Announcement) {
        // A host that takes no more misses some; nobody waits for it.
        let Ok(place) = Arc::clone(&self.told).try_acquire_owned() else { return };
        let Announcement { event_type, metadata } = announcement;
        let request = SendEventRequest { event_type, event: Some(event_data(metadata)) };
        let (mut events, told) = (self.events.clone(), Arc::clone(&self.told));
        tokio::spawn(async move {
            if events.send_event(request).await.is_err_and(|status| status.code() == Code::Unimplemented) {
                told.close();
            }
            drop(place);
        });
    }

    async fn generate_password(&self, policy: &str) -> crate::Result<Secret<String>> {
        let request = GeneratePasswordFromPolicyRequest { policy_name: policy.to_owned() };
        let reply = self.client.clone().generate_password_from_policy(request).await;
        let reply = reply.map_err(|status| Error::Other(status.message().to_owned()))?;
        Ok(Secret::new(reply.into_inner().password))
    }
}
