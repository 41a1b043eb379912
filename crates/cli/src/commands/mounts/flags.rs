use crate::leaf::{
    Flag,
    Kind::{Duration, List, Pairs, Text, Truth},
};

/// What a mount is made with, beside its settings.
pub(super) const MADE: &[Flag] = &[
    Flag::own(Text, "path", "Where it is enabled; its type by itself."),
    Flag::new(Truth, "local", "local", "It stays in this cluster."),
    Flag::new(Truth, "seal-wrap", "seal_wrap", "What it keeps is sealed twice."),
    Flag::new(Truth, "external-entropy-access", "external_entropy_access", "It may use outside entropy."),
];

/// What a mount is made with and can be changed later.
pub(super) const SAID: &[Flag] = &[
    Flag::new(Text, "description", "description", "What it is for."),
    Flag::new(Pairs, "options", "options", "An option of the plugin, as KEY=VALUE."),
    Flag::new(Text, "version", "options.version", "The version of the engine, where it has several."),
];

/// The settings of a mount; while it is made, they are in a part of their own.
pub(super) const SETTINGS: &[Flag] = &[
    Flag::new(Duration, "default-lease-ttl", "default_lease_ttl", "How long leases last."),
    Flag::new(Duration, "max-lease-ttl", "max_lease_ttl", "How long leases may be made to last."),
    Flag::new(
        List,
        "audit-non-hmac-request-keys",
        "audit_non_hmac_request_keys",
        "Keys of requests that audit devices record as they are.",
    ),
    Flag::new(
        List,
        "audit-non-hmac-response-keys",
        "audit_non_hmac_response_keys",
        "Keys of answers that audit devices record as they are.",
    ),
    Flag::new(Text, "listing-visibility", "listing_visibility", "hidden, or unauth: all may see it."),
    Flag::new(
        List,
        "passthrough-request-headers",
        "passthrough_request_headers",
        "Headers of requests that the plugin sees.",
    ),
    Flag::new(
        List,
        "allowed-response-headers",
        "allowed_response_headers",
        "Headers of answers that the plugin may set.",
    ),
    Flag::new(Text, "plugin-version", "plugin_version", "Which version of the plugin runs."),
];

/// A setting that can only be made once.
pub(super) const NO_CACHE: &[Flag] =
    &[Flag::new(Truth, "force-no-cache", "force_no_cache", "What it keeps is never cached.")];

/// A setting that auth methods have.
pub(super) const TOKENS: &[Flag] =
    &[Flag::new(Text, "token-type", "token_type", "service, batch, default-service or default-batch.")];

/// What is done about those who guess.
pub(super) const LOCKOUT: &[Flag] = &[
    Flag::new(
        Text,
        "user-lockout-threshold",
        "user_lockout_config.lockout_threshold",
        "After how many failures in a row a user is locked out.",
    ),
    Flag::new(
        Duration,
        "user-lockout-duration",
        "user_lockout_config.lockout_duration",
        "For how long a user is locked out.",
    ),
    Flag::new(
        Duration,
        "user-lockout-counter-reset-duration",
        "user_lockout_config.lockout_counter_reset_duration",
        "After how long failures are forgotten.",
    ),
    Flag::new(
        Truth,
        "user-lockout-disable",
        "user_lockout_config.lockout_disable",
        "No user is ever locked out.",
    ),
];

pub(super) const LIST: &[Flag] = &[Flag::own(Truth, "detailed", "Tells the settings, too.")];
