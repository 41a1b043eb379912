use std::time::Duration;

use domain::{InvalidDuration, InvalidPath, Kind, MountPath, PathInUse, PluginType, PluginVersion};

/// Why the mount table is not changed as asked, in the words that clients of Vault know.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[allow(missing_docs, reason = "the sentences say it")]
pub enum Refusal {
    #[error("backend type must be specified as a string")]
    NoType,
    #[error("plugin_name must be provided for plugin backend")]
    NoPluginName,
    #[error("plugin not found in the catalog: {0}")]
    NoPlugin(String),
    #[error("plugin not found in the catalog: {0}, version={1}")]
    NoPluginVersion(String, String),
    #[error(
        "cannot specify plugin_version for {plugin_type} plugin {plugin:?}, as it is pinned to version {pinned}"
    )]
    PinnedElsewhere { plugin_type: PluginType, plugin: String, pinned: PluginVersion },
    #[error(
        "plugin_version cannot be set for {plugin_type} plugin {plugin:?} as a pinned version {pinned} is in effect"
    )]
    PinInEffect { plugin_type: PluginType, plugin: String, pinned: PluginVersion },
    #[error("unable to parse {which} TTL of {text}: {why}")]
    Ttl { which: &'static str, text: String, why: InvalidDuration },
    #[error("given default lease TTL greater than given max lease TTL")]
    DefaultAboveMax,
    #[error("given default lease TTL greater than system max lease TTL of {}", .0.as_secs())]
    DefaultAboveSystem(Duration),
    #[error("backend max lease TTL of {} would be less than backend default lease TTL of {}", .0.as_secs(), .1.as_secs())]
    MaxBelowDefault(Duration, Duration),
    #[error("invalid listing_visibility {0}")]
    Visibility(String),
    #[error("invalid value for 'token_type'")]
    TokenType,
    #[error("'token_type' can only be modified on auth mounts")]
    TokenTypeOfSecrets,
    #[error("'token_type' cannot be set for 'token' or 'ns_token' auth mounts")]
    TokenTypeOfToken,
    #[error("key {0:?} does not exist")]
    NoIdentityKey(String),
    #[error("secrets engine {0:?} does not allow setting a version")]
    SecretVersion(String),
    #[error("auth method {0:?} does not allow setting a version")]
    AuthVersion(String),
    #[error("invalid version provided: {0}")]
    OptionVersion(String),
    #[error("cannot downgrade mount from version {0}")]
    Downgrade(u64),
    #[error("cannot mount at {:?}: a namespace is in the way", .0.as_str())]
    Namespace(MountPath),
    #[error(transparent)]
    InUse(#[from] PathInUse),
    #[error(transparent)]
    Path(#[from] InvalidPath),
    #[error("cannot mount {:?}", .0.as_str())]
    Reserved(MountPath),
    #[error("mount type of {0:?} is not mountable")]
    Singleton(String),
    #[error("token credential backend cannot be instantiated")]
    TokenSingleton,
    #[error("cannot unmount {:?}", .0.as_str())]
    CannotUnmount(MountPath),
    #[error("token credential backend cannot be disabled")]
    CannotDisableToken,
    #[error("cannot tune {:?}", .0.as_str())]
    CannotTune(MountPath),
    #[error("tune of path {:?} failed: no mount entry found", .0.as_str())]
    NothingToTune(MountPath),
    #[error("cannot fetch sysview for path {:?}", .0.as_str())]
    NoSettings(MountPath),
    #[error("tuning of user lockout configuration for auth type {0:?} not allowed")]
    Lockout(String),
    #[error("user_lockout_config: {0} {1:?} is not a number of failed logins")]
    LockoutNumber(&'static str, String),
    #[error("user_lockout_config: {name} {text:?} is not a duration: {why}")]
    LockoutTime { name: &'static str, text: String, why: InvalidDuration },
    #[error("plugin_name can only be changed on a mount whose record is damaged")]
    PluginNameIsFixed,
    #[error("No secret engine mount at {0}")]
    NoSecretMount(String),
    #[error("No auth engine at {0}")]
    NoAuthMount(String),
    #[error("both 'from' and 'to' path must be specified as a string")]
    NoFromOrTo,
    #[error("no matching mount at {:?}", .0.as_str())]
    NothingToMove(MountPath),
    #[error("path already in use at {:?}", .0.as_str())]
    TargetInUse(MountPath),
    #[error("cannot remount {:?}", .0.as_str())]
    CannotMove(MountPath),
    #[error("cannot remount to destination {0}")]
    CannotMoveTo(MountPath),
    #[error("cannot remount auth mount to non-auth mount {:?}", .0.as_str())]
    AuthToSecret(MountPath),
    #[error("cannot remount secret mount to auth mount {:?}", .0.as_str())]
    SecretToAuth(MountPath),
    #[error("invalid destination mount: path '{given}' does not match cleaned path '{clean}'")]
    UncleanTarget { given: String, clean: String },
    #[error("'to' path cannot contain trailing whitespace")]
    TargetWhitespace,
    #[error("the mount at {at} is degraded: {reason}")]
    Degraded { at: MountPath, reason: String },
    #[error("the mount at {0} is being removed")]
    Removing(MountPath),
    #[error("the mount at {0} was changed by somebody else; try again")]
    Changed(MountPath),
}

impl Refusal {
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::Degraded { .. } => Kind::Internal,
            _ => Kind::Invalid,
        }
    }
}
