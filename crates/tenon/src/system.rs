use std::time::Duration;

/// What a backend may ask of the system it runs on. Answered from memory: nothing here waits.
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
}
