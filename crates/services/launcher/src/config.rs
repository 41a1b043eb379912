use std::{path::PathBuf, sync::Arc, time::Duration};

use domain::Pauses;

use crate::{artifacts::CacheConfig, meters::Meters, sandbox::Offers};

/// How plugins are run.
#[derive(Clone, Debug)]
pub struct Config {
    /// What plugins are told as the host's version, without a leading `v`.
    pub host_version: String,
    /// Where the sockets of plugins are made; none: `$XDG_RUNTIME_DIR`, or the folder for temporary files.
    pub runtime_dir: Option<PathBuf>,
    /// From the start of a process until it has said who it is.
    pub start_deadline: Duration,
    /// The same for a process that is only asked who it is, when it is registered.
    pub probe_deadline: Duration,
    /// For each call of a mount's set-up.
    pub setup_deadline: Duration,
    /// For one request.
    pub request_deadline: Duration,
    /// For the clean-up of one mount.
    pub cleanup_deadline: Duration,
    /// How often plugins that run are asked to do what is due.
    pub housekeeping_period: Duration,
    /// A request waits for the end of a pause that is no longer than this, unless the breaker is open.
    pub patience: Duration,
    /// When and how a process that ended is started again.
    pub pauses: Pauses,
    /// The largest answer, in bytes, that a plugin may give.
    pub largest_answer: usize,
    /// The largest program, in bytes, that is run.
    pub largest_plugin: u64,
    /// Plugins are asked to lock their memory.
    pub mlock: bool,
    /// Plugins are told not to cache what they store.
    pub disable_cache: bool,
    /// Plugins, by name, that get a process for each mount although they could share one.
    pub never_shared: Vec<String>,
    /// As many events are kept for readers that come later.
    pub events_kept: usize,
    /// As many lines are kept of what each plugin writes to its standard error.
    pub log_lines_kept: usize,
    /// And no more bytes of them than this.
    pub log_bytes_kept: usize,
    /// Where programs are kept; none: each start fetches its own from the catalog.
    pub cache: Option<CacheConfig>,
    /// How long the transfer of a program waits for a catalog that is gone, before it is given up.
    pub transfer_patience: Duration,
    /// What this process counts; none: whoever asks is in the same one.
    pub meters: Option<Arc<dyn Meters>>,
    /// What the machine can confine a process by; none: it is asked.
    pub offers: Option<Offers>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            host_version: env!("CARGO_PKG_VERSION").to_owned(),
            runtime_dir: None,
            start_deadline: Duration::from_secs(60),
            probe_deadline: Duration::from_secs(10),
            setup_deadline: Duration::from_secs(60),
            request_deadline: Duration::from_secs(90),
            cleanup_deadline: Duration::from_secs(2),
            housekeeping_period: Duration::from_secs(60),
            patience: Duration::from_secs(5),
            pauses: Pauses::default(),
            largest_answer: 32 << 20,
            largest_plugin: 1 << 30,
            mlock: false,
            disable_cache: false,
            never_shared: Vec::new(),
            events_kept: 4096,
            log_lines_kept: 1024,
            log_bytes_kept: 256 << 10,
            cache: None,
            transfer_patience: Duration::from_secs(30),
            meters: None,
            offers: None,
        }
    }
}

/// The plugins that `VAULT_PLUGIN_MULTIPLEXING_OPT_OUT` names, between commas.
pub fn never_shared(named: Option<&str>) -> Vec<String> {
    let names = named.unwrap_or_default().split(',').map(str::trim);
    names.filter(|name| !name.is_empty()).map(String::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_that_never_share_are_named_between_commas() {
        assert_eq!(never_shared(Some(" kv,, pki ")), ["kv", "pki"]);
        assert!(never_shared(Some("")).is_empty() && never_shared(None).is_empty());
    }
}
