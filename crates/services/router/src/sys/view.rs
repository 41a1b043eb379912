use std::{collections::HashMap, time::Duration};

use domain::{LeaseLimits, MountConfig, MountKind, PluginVersion};
use serde::Serialize;

use crate::{Config, ask::Ask, error::Result, mounts::Mount, plugins::Catalog};

/// A mount as clients see it.
#[derive(Serialize)]
pub(super) struct MountView<'a> {
    accessor: &'a str,
    config: ConfigView<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    degraded: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deprecation_status: Option<&'static str>,
    description: &'a str,
    external_entropy_access: bool,
    local: bool,
    options: &'a Option<HashMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    plugin_version: String,
    running_plugin_version: String,
    running_sha256: String,
    seal_wrap: bool,
    r#type: &'a str,
    uuid: &'a str,
}

#[derive(Serialize)]
struct ConfigView<'a> {
    default_lease_ttl: u64,
    force_no_cache: bool,
    max_lease_ttl: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_lockout_config: Option<LockoutView>,
    #[serde(flatten)]
    optional: OptionalView<'a>,
}

/// Settings that are shown only when they are set.
#[derive(Serialize)]
pub(super) struct OptionalView<'a> {
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    audit_non_hmac_request_keys: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    audit_non_hmac_response_keys: &'a [String],
    #[serde(skip_serializing_if = "str::is_empty")]
    listing_visibility: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    passthrough_request_headers: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    allowed_response_headers: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    allowed_managed_keys: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    delegated_auth_accessors: &'a [String],
    #[serde(skip_serializing_if = "str::is_empty")]
    identity_token_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trim_request_trailing_slashes: Option<bool>,
}

/// How a mount locks users out, as it was set.
#[derive(Serialize)]
pub(super) struct LockoutView {
    user_lockout_threshold: u64,
    user_lockout_duration: u64,
    user_lockout_counter_reset_duration: u64,
    user_lockout_disable: bool,
}

impl<'a> MountView<'a> {
    /// As it is set: zero for times that are the system's.
    pub(super) fn new(config: &Config, mount: &'a Mount) -> Self {
        let set = &mount.entry.config;
        Self::with_ttl(config, mount, LeaseLimits { default: set.default_lease_ttl, max: set.max_lease_ttl })
    }

    /// As it works out, and with its path.
    pub(super) fn resolved(config: &Config, mount: &'a Mount, ttl: LeaseLimits) -> Self {
        Self { path: Some(mount.entry.path.as_str()), ..Self::with_ttl(config, mount, ttl) }
    }

    /// As it works out.
    pub(super) fn with_ttl(config: &Config, mount: &'a Mount, ttl: LeaseLimits) -> Self {
        let entry = &mount.entry;
        let facts = mount.facts();
        let core = mount.is_core();
        Self {
            accessor: &entry.accessor,
            config: ConfigView {
                default_lease_ttl: ttl.default.as_secs(),
                force_no_cache: entry.config.force_no_cache,
                max_lease_ttl: ttl.max.as_secs(),
                token_type: shown_token_type(entry.kind, &entry.config),
                user_lockout_config: LockoutView::of(&entry.config),
                optional: OptionalView::new(&entry.config),
            },
            degraded: mount.trouble(),
            deprecation_status: (facts.builtin && !core).then_some("supported"),
            description: &entry.description,
            external_entropy_access: entry.external_entropy_access,
            local: entry.local,
            options: &entry.options,
            path: None,
            plugin_version: entry.plugin_version.to_string(),
            running_plugin_version: if core {
                format!("v{}+builtin", config.version)
            } else {
                facts.running_version.clone()
            },
            running_sha256: facts.running_sha256.clone(),
            seal_wrap: entry.seal_wrap,
            r#type: &entry.plugin,
            uuid: &entry.uuid,
        }
    }
}

impl<'a> OptionalView<'a> {
    /// As `tune` shows them, which leaves one out.
    pub(super) fn tuned(config: &'a MountConfig) -> Self {
        Self { delegated_auth_accessors: &[], ..Self::new(config) }
    }

    fn new(config: &'a MountConfig) -> Self {
        Self {
            audit_non_hmac_request_keys: &config.audit_non_hmac_request_keys,
            audit_non_hmac_response_keys: &config.audit_non_hmac_response_keys,
            listing_visibility: &config.listing_visibility,
            passthrough_request_headers: &config.passthrough_request_headers,
            allowed_response_headers: &config.allowed_response_headers,
            allowed_managed_keys: &config.allowed_managed_keys,
            delegated_auth_accessors: &config.delegated_auth_accessors,
            identity_token_key: &config.identity_token_key,
            trim_request_trailing_slashes: config.trim_request_trailing_slashes.then_some(true),
        }
    }
}

impl LockoutView {
    /// None: nothing was set.
    pub(super) fn of(config: &MountConfig) -> Option<Self> {
        config.user_lockout.as_ref().map(|set| Self {
            user_lockout_threshold: set.threshold,
            user_lockout_duration: seconds(set.duration),
            user_lockout_counter_reset_duration: seconds(set.counter_reset),
            user_lockout_disable: set.disable,
        })
    }
}

/// Auth methods always have one.
pub(super) fn shown_token_type(kind: MountKind, config: &MountConfig) -> Option<&str> {
    let set = if config.token_type.is_empty() { "default-service" } else { &config.token_type };
    (kind == MountKind::Auth).then_some(set)
}

/// A warning for readers when the plugin that runs is not the one that was asked for.
pub(super) async fn version_warning(ask: &Ask, mount: &Mount) -> Result<Option<String>> {
    let wanted = mount.entry.plugin_version.to_string();
    let running = mount.facts().running_version.clone();
    if wanted.is_empty() || running.is_empty() || wanted == running || !mount.is_ready() {
        return Ok(None);
    }
    let pinned = pinned(ask, mount).await?.is_some_and(|pinned| pinned.to_string() == running);
    let why = if pinned {
        "because that version is pinned"
    } else {
        "either due to a pinned version or because the plugin was upgraded and not yet reloaded"
    };
    Ok(Some(format!("Plugin version is configured as {wanted:?}, but running {running:?} {why}")))
}

/// The same for those who look at what is set.
pub(super) async fn pin_warning(ask: &Ask, mount: &Mount) -> Result<Option<String>> {
    let wanted = &mount.entry.plugin_version;
    if wanted.is_none() || mount.is_core() {
        return Ok(None);
    }
    let pinned = pinned(ask, mount).await?.filter(|pinned| pinned != wanted);
    Ok(pinned.map(|pinned| {
        format!("plugin_version is configured as {wanted} but a version pin for {pinned} is in effect")
    }))
}

async fn pinned(ask: &Ask, mount: &Mount) -> Result<Option<PluginVersion>> {
    let catalog = Catalog(ask.core.clients.plugins.clone());
    catalog.pinned(&mount.entry.plugin, mount.entry.kind.plugin_type()).await
}

/// Whole seconds.
pub(super) const fn seconds(duration: Duration) -> u64 {
    duration.as_secs()
}
