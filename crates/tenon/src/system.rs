use std::time::Duration;

use async_trait::async_trait;
use domain::Secret;

use crate::{
    Announcement, Error, Result,
    database::{self, Opened},
};

/// What a backend may ask of the system it runs on. All but what is asynchronous is answered from memory: it does not
/// wait.
#[async_trait]
pub trait System: Send + Sync + 'static {
    /// How long a lease of this mount lasts unless something else is said.
    fn default_lease_ttl(&self) -> Duration;

    /// The longest that a lease of this mount can last.
    fn max_lease_ttl(&self) -> Duration;

    /// Whether the mount is being removed.
    fn tainted(&self) -> bool {
        false
    }

    /// Whether the backend shall not cache what it stores.
    fn caching_disabled(&self) -> bool {
        false
    }

    /// Whether the mount is not replicated.
    fn local_mount(&self) -> bool {
        false
    }

    /// Whether memory is locked.
    fn mlock_enabled(&self) -> bool {
        false
    }

    /// The host's semantic version, without a leading `v`.
    fn host_version(&self) -> String;

    /// The cluster's id, once there is one.
    fn cluster_id(&self) -> String;

    /// Whether anybody hears what is announced. Where this costs nothing to say, nothing need be made up for nobody.
    fn is_heard(&self) -> bool {
        false
    }

    /// Tells whoever has subscribed to such things. Best effort, and nobody waits for it.
    fn announce(&self, _announcement: Announcement) {}

    /// A password after the policy of that name. Asks whoever keeps the policies.
    async fn generate_password(&self, policy: &str) -> Result<Secret<String>> {
        Err(Error::Other(format!("this host makes no passwords, and so none after the policy {policy:?}")))
    }

    /// Opens the database plugin of that name and version; an empty version is the one that the catalog chooses. It is
    /// not initialised yet; an external one is started, so that one that cannot start is told here.
    async fn open_database(&self, name: &str, _version: &str) -> database::Result<Opened> {
        let refusal = format!("this host does not open database plugins for engines, and so not {name:?}");
        Err(database::Error::Unavailable(refusal))
    }
}
