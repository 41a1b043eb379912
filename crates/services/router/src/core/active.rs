use std::sync::Arc;

use domain::policy::Acl;
use tokio_util::task::AbortOnDropHandle;

use crate::{
    audit::Audit,
    error::Result,
    identity::Identity,
    lease::Leases,
    lockout::Lockouts,
    mounts::Mounts,
    namespaces::{Guests, Namespace, Namespaces},
    policies::{Passwords, Policies},
    quotas::Quotas,
    settings::Settings,
    store::Store,
    token::{TokenEntry, Tokens},
    wrapping::Wrapping,
};

/// What this service knows of one namespace while the barrier is open. Dropped when it closes.
#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) namespace: Namespace,
    /// Its part of what is stored.
    pub(crate) store: Store,
    pub(crate) shared: Shared,
    pub(crate) tokens: Tokens,
    pub(crate) mounts: Arc<Mounts>,
    pub(crate) policies: Policies,
    pub(crate) passwords: Passwords,
    pub(crate) leases: Leases,
    pub(crate) lockouts: Lockouts,
    pub(crate) identity: Arc<Identity>,
    pub(crate) wrapping: Wrapping,
    pub(crate) guests: Guests,
}

/// What all namespaces have in common.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    /// Which opening of the barrier this belongs to.
    pub(super) epoch: u64,
    /// All that is stored, for as long as this node is the active one.
    pub(super) store: Store,
    pub(crate) namespaces: Arc<Namespaces>,
    pub(crate) audit: Arc<Audit>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) quotas: Arc<Quotas>,
    /// Records what happens to plugins.
    pub(super) plugins: Arc<AbortOnDropHandle<()>>,
}

impl Active {
    /// What the holder of a token may do: by the token's own policies, and by those of whoever they are.
    pub(crate) fn acl(&self, entry: &TokenEntry) -> Result<Arc<Acl>> {
        let standing = self.identity.standing(&entry.entity_id)?;
        Ok(self.policies.book().acl(&entry.policies, standing.as_deref()))
    }
}
