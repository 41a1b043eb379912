use std::sync::Arc;

use super::{Active, Closed, Core, Shared};
use crate::{
    audit::Audit,
    error::Result,
    identity::Identity,
    lease::Leases,
    lockout::Lockouts,
    mounts::{Launch, Mounts},
    namespaces::{Guests, Namespace, Namespaces},
    policies::{Passwords, Policies},
    quotas::Quotas,
    settings::Settings,
    token::Tokens,
    wrapping::Wrapping,
};

impl Core {
    /// Reads what is stored in all namespaces.
    pub(super) async fn load(&self, epoch: u64) -> Result<Arc<Active>> {
        let store = self.store.for_term();
        // Before anything is served: what was recorded before a restart is recorded after it.
        let audit = Arc::new(Audit::open(store.clone(), &self.config).await?);
        let plugins = self.followed.record(audit.clone(), self.clients.launcher.clone());
        let namespaces = Arc::new(Namespaces::new(store.clone()));
        let shared = Shared {
            epoch,
            namespaces: namespaces.clone(),
            audit,
            settings: Arc::new(Settings::open(&store, &self.config).await?),
            quotas: Arc::new(Quotas::open(&store).await?),
            plugins: Arc::new(plugins),
            store,
        };
        let root = Arc::new(self.open(shared, Namespace::root()).await?);
        if let Err(error) = namespaces.open(self, &root).await {
            namespaces.close(Closed::Sealed);
            return Err(error);
        }
        Ok(root)
    }

    /// Reads what is stored in a namespace.
    pub(crate) async fn open(&self, shared: Shared, namespace: Namespace) -> Result<Active> {
        let store = if namespace.is_root() {
            shared.store.clone()
        } else {
            shared.store.part_of(&namespace.uuid_below_root())
        };
        let launch = Launch {
            launcher: self.clients.launcher.clone(),
            default_lease_ttl: self.config.default_lease_ttl,
            max_lease_ttl: self.config.max_lease_ttl,
            namespace: namespace.clone(),
        };
        let tokens = Tokens::open(store.clone(), namespace.clone()).await?;
        let policies = Policies::open(store.clone(), namespace.is_root()).await?;
        let identity = Arc::new(Identity::open(store.clone(), namespace.id.clone()).await?);
        let mounts = Mounts::open(store.clone(), launch, identity.clone(), shared.namespaces.clone());
        let mounts = Arc::new(mounts.await?);
        let launcher = self.clients.launcher.clone();
        let leases = Leases::new(store.clone(), mounts.clone(), launcher, self.config.lease_retry);
        let lockouts =
            Lockouts::open(store.clone(), &mounts.snapshot(), self.config.lockouts.clone()).await?;
        let passwords = Passwords::new(store.clone());
        let wrapping = Wrapping::new(store.clone(), self.config.api_addr.clone());
        let guests = Guests::open(store.clone()).await?;
        Ok(Active {
            namespace,
            store,
            shared,
            tokens,
            mounts,
            policies,
            passwords,
            leases,
            lockouts,
            identity,
            wrapping,
            guests,
        })
    }
}
