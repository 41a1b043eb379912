use domain::{InvalidName, InvalidSandbox, InvalidVersion, Kind, notice::InvalidFilter};

/// Why a system endpoint does not do as asked, in the words that clients of Vault know.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[allow(missing_docs, reason = "the sentences say it")]
pub enum Unfit {
    #[error("invalid seal configuration: {0}")]
    Seal(&'static str),
    #[error("parameters recovery_shares,recovery_threshold not applicable to seal type shamir")]
    Recovery,
    #[error("incorrect number of PGP keys")]
    PgpCount,
    #[error("encrypting keys and tokens with PGP is not available on this server; leave the PGP keys out")]
    Pgp,
    #[error("Vault is already initialized")]
    Initialized,
    #[error("'key' must be specified in request body as JSON, or 'reset' set to true")]
    NoKey,
    #[error("'key' must be a valid hex or base64 string")]
    Key,
    #[error("invalid key: key is shorter than minimum 16 bytes")]
    ShortKey,
    #[error("'key' must be specified in request body as JSON")]
    NoCeremonyKey,
    #[error("OTP string is wrong length")]
    OtpLength,
    #[error("encoded_token is not a token that was encoded with this otp")]
    EncodedToken,
    #[error("provided threshold greater than the total shares")]
    RekeyThreshold,
    #[error("cannot request a backup of the new keys without providing PGP keys for encryption")]
    BackupWithoutPgp,
    #[error("no backed-up keys found")]
    NoBackup,
    #[error("recovery rekeying not supported")]
    NoRecoveryRekey,
    #[error("interval must be greater or equal to 24h0m0s")]
    RotationInterval,
    #[error("unable to parse interval: {0}")]
    RotationDuration(String),
    #[error("max_operations must be in the range [1000000,3865470566]")]
    RotationOperations,
    #[error("vault is unsealed")]
    Unsealed,
    #[error("can't perform a seal migration, no migration seal found")]
    NoMigration,
    #[error(
        "must provide at least one of sha256 or version: use sha256 for binary registration (version optional) or version only for artifact registration"
    )]
    NoShaOrVersion,
    #[error("must provide at least one of command or oci_image")]
    NoCommand,
    #[error("Could not decode SHA256 value from Hex {text}: encoding/hex: {why}")]
    Hex { text: String, why: String },
    #[error("SHA256 value {text} has {digits} hex digits; it has to have 64")]
    ShaLength { text: String, digits: usize },
    #[error(transparent)]
    Version(#[from] InvalidVersion),
    #[error("version {0:?} is not allowed because 'builtin' is a reserved metadata identifier")]
    BuiltinVersion(String),
    #[error("version {0:?} cannot be deleted")]
    DeleteBuiltin(String),
    #[error(
        "plugin version mismatch: {name} reported version ({reported}) did not match requested version ({wanted})"
    )]
    VersionMismatch { name: String, reported: String, wanted: String },
    #[error(
        "plugin {name} reported version ({reported}), which is not a semantic version: give version to register it under that"
    )]
    ReportedVersion { name: String, reported: String },
    #[error("must not specify args in command and args field")]
    ArgsTwice,
    #[error("env entry {0} is not of the form KEY=value")]
    Env(usize),
    #[error("no pinned version for this plugin")]
    NoPin,
    #[error("{0:?} is not a supported plugin runtime type")]
    RuntimeType(String),
    #[error(
        "plugins run as processes on this server, not in containers: there are no plugin runtimes of type container; register one of type sandbox"
    )]
    Runtimes,
    #[error(transparent)]
    Sandbox(#[from] InvalidSandbox),
    #[error("runtime cpu in nanos cannot be negative")]
    NegativeCpu,
    #[error("runtime memory in bytes cannot be negative")]
    NegativeMemory,
    #[error("give data, in base64, with its offset; or command, which is what the file is to be called")]
    NoPiece,
    #[error("{0} cannot be negative")]
    Negative(&'static str),
    #[error("{0} has to be a number from 1 to 4294967294")]
    Id(&'static str),
    #[error("plugin runtime not found")]
    NoRuntime,
    #[error("plugin and mounts cannot be set at the same time")]
    PluginAndMounts,
    #[error("plugin or mounts must be provided")]
    NeitherPluginNorMounts,
    #[error("reload scope must be omitted or 'global'")]
    ReloadScope,
    #[error("reload_id must be provided")]
    NoReloadId,
    #[error("no reload has the id {0:?}: only the latest are remembered, by the node that did them")]
    NoReload(String),
    #[error("cannot fetch mount entry on {0:?}")]
    NoMountToReload(String),
    #[error("download is an enterprise only feature")]
    Download,
    #[error(transparent)]
    Name(#[from] InvalidName),
    #[error(
        "say which type the plugin {0:?} has: use the path plugins/catalog/:type/:name, with auth, database or secret"
    )]
    UntypedPlugin(String),
    #[error("enterprise-only feature")]
    Enterprise,
    #[error("The functionality has been removed on this path")]
    Removed,
    #[error("The Vault configuration must set \"introspection_endpoint\" to true to enable this endpoint")]
    Introspection,
    #[error("at least one origin or the wildcard must be provided")]
    NoOrigin,
    #[error("to allow all origins the '*' must be the only value for allowed_origins")]
    WildcardOrigin,
    #[error("X-Vault headers cannot be set")]
    VaultHeader,
    #[error("this is no name of a header: use letters, digits and hyphens")]
    HeaderName,
    #[error("give at least one value in values, without line breaks")]
    HeaderValues,
    #[error("level is required")]
    NoLevel,
    #[error("invalid level provided: unknown log level: {0}")]
    Level(String),
    #[error("logger {0:?} not found")]
    Logger(String),
    #[error("unknown log level")]
    MonitorLevel,
    #[error("unknown log format")]
    MonitorFormat,
    #[error(transparent)]
    Filter(#[from] InvalidFilter),
    #[error("the last event that was seen is told by its number")]
    EventId,
    #[error("clients are not counted on this server, so counting cannot be enabled")]
    NoCounting,
    #[error("'enabled' must be one of: default, enable, disable")]
    Counting,
    #[error("paths must be supplied")]
    NoPaths,
    #[error("no token found")]
    NoToken,
    #[error("invalid token")]
    BadToken,
    #[error("invalid accessor")]
    BadAccessor,
}

impl Unfit {
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::NoMountToReload(_) | Self::NoToken => Kind::Internal,
            Self::Enterprise | Self::Removed | Self::NoPin | Self::NoReload(_) => Kind::NotFound,
            _ => Kind::Invalid,
        }
    }

    /// Whether Vault says this as an error that a handler ended with.
    pub(crate) const fn is_listed(&self) -> bool {
        matches!(
            self,
            Self::Name(_)
                | Self::NoMountToReload(_)
                | Self::NoToken
                | Self::BadToken
                | Self::BadAccessor
                | Self::NoOrigin
                | Self::NoPin
                | Self::NoRuntime
        )
    }
}
