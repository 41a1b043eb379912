use std::{io, sync::Arc, time::Duration};

use domain::{Kind, PluginType, Sha256};
use tonic::Status;
use wire::Failure;

use crate::{diagnosis::Cause, entry::Entry, masks::Masks};

/// The outcome of what the launcher does.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the launcher did not do as asked. Every sentence is fit for the user.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are not those that were registered.
    #[error(
        "the program of plugin {plugin} has SHA256 {found}, but {expected} was registered: restore the file, or \
         register the new one"
    )]
    ChecksumMismatch {
        /// The plugin.
        plugin: String,
        /// What the catalog says.
        expected: Sha256,
        /// What the file has.
        found: Sha256,
    },
    /// More bytes than are taken.
    #[error("the program of plugin {plugin} is larger than {limit} bytes")]
    PluginTooLarge {
        /// The plugin.
        plugin: String,
        /// Bytes allowed.
        limit: u64,
    },
    /// The hash of a program has the wrong length: cannot be.
    #[error("the SHA256 of a program could not be computed")]
    Digest,
    /// The process could not be made into a plugin.
    #[error("plugin {plugin} does not start: {}", masks.hide(cause.to_string()))]
    Start {
        /// The plugin.
        plugin: String,
        /// What is wrong.
        cause: Box<Cause>,
        /// What is not to be told.
        masks: Masks,
    },
    /// What an old plugin needs cannot be put ready for it.
    #[error(
        "plugin {plugin} is an older one, which fetches its certificate from this server's API, and that cannot be put \
         ready: {why}; or rebuild the plugin with a current SDK"
    )]
    NotFetchable {
        /// The plugin.
        plugin: String,
        /// What is wrong.
        why: String,
    },
    /// It failed too often, and is left alone for a while.
    #[error("plugin {plugin} is tried again in {wait:?}; the last time: {last}")]
    Backoff {
        /// The plugin.
        plugin: String,
        /// How it ended.
        last: String,
        /// How long from now.
        wait: Duration,
    },
    /// It failed too often, and somebody else tries by now whether it has become well.
    #[error("plugin {plugin} is being tried again; the last time: {last}")]
    OnTrial {
        /// The plugin.
        plugin: String,
        /// How it ended.
        last: String,
    },
    /// It says that it is another version than the one it is registered as.
    #[error(
        "plugin version mismatch: {name} reported version ({reported}) did not match requested version ({wanted})"
    )]
    WrongVersion {
        /// The plugin's name.
        name: String,
        /// What it says.
        reported: String,
        /// What it is registered as.
        wanted: String,
    },
    /// Nothing is known of what it says.
    #[error("plugin {name} has not run since this server started, so nothing is known of its log")]
    NoLog {
        /// The plugin.
        name: String,
    },
    /// It was stopped while somebody waited for it.
    #[error("plugin {plugin} is being stopped")]
    Stopping {
        /// The plugin.
        plugin: String,
    },
    /// The plugin does not accept the mount, in its own words.
    #[error("{0}")]
    Refused(String),
    /// An auth method was mounted as a secrets engine, or the other way round.
    #[error("plugin {plugin} is no {wanted} plugin: it says that its type is {found}")]
    WrongType {
        /// The plugin.
        plugin: String,
        /// What is mounted.
        wanted: &'static str,
        /// What it says.
        found: u32,
    },
    /// Database plugins are for database engines.
    #[error(
        "plugin {plugin} is a database plugin: a database secrets engine uses it, and it cannot be mounted itself"
    )]
    NotMountable {
        /// The plugin.
        plugin: String,
    },
    /// There is no such engine in the host.
    #[error("this server has no built-in {kind} plugin called {name}")]
    NoBuiltin {
        /// Of which type.
        kind: String,
        /// The name.
        name: String,
    },
    /// A mount that the launcher was not told of.
    #[error("the mount has not been handed to the launcher")]
    UnknownMount,
    /// What was asked is malformed.
    #[error("{0}")]
    Malformed(String),
    /// A request could not be served because the mount's plugin is not there.
    #[error("{0}")]
    Degraded(Arc<Error>),
    /// The plugin may have acted on a write, or not.
    #[error(
        "plugin {plugin} {how} while it handled the request; the request may have taken effect and was not repeated"
    )]
    Interrupted {
        /// The plugin.
        plugin: String,
        /// How it ended.
        how: String,
    },
    /// The plugin died again and again; nothing was changed.
    #[error("plugin {plugin} {how} while it handled the request, again")]
    Died {
        /// The plugin.
        plugin: String,
        /// How it ended.
        how: String,
    },
    /// A call took too long.
    #[error("plugin {plugin} did not answer within {limit:?}")]
    Timeout {
        /// The plugin.
        plugin: String,
        /// The time allowed.
        limit: Duration,
    },
    /// An answer that is not taken.
    #[error("plugin {plugin} gave an answer of more than {limit} bytes, which is not taken")]
    AnswerTooLarge {
        /// The plugin.
        plugin: String,
        /// Bytes allowed.
        limit: usize,
    },
    /// The plugin failed the call itself.
    #[error("rpc error: code = {} desc = {}", go_code(*code), message)]
    Rpc {
        /// The gRPC code.
        code: tonic::Code,
        /// Its sentence.
        message: String,
    },
    /// An engine of ours has a fault.
    #[error("the {0} engine failed unexpectedly; the request may have taken effect in part")]
    Panicked(String),
    /// The catalog refused.
    #[error("{0}")]
    Catalog(Failure),
    /// The system refused.
    #[error("cannot {doing}: {source}")]
    Host {
        /// What we were doing.
        doing: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// Something that everybody who waited for it is told.
    #[error("{0}")]
    Shared(Arc<Error>),
}

impl Error {
    /// For `map_err` around a system call.
    pub fn host(doing: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::Host { doing, source }
    }

    /// The word for it at the border.
    pub fn kind(&self) -> Kind {
        match self {
            Self::ChecksumMismatch { .. }
            | Self::PluginTooLarge { .. }
            | Self::Start { .. }
            | Self::NotFetchable { .. }
            | Self::Refused(_)
            | Self::WrongType { .. }
            | Self::NotMountable { .. }
            | Self::WrongVersion { .. }
            | Self::NoBuiltin { .. }
            | Self::Malformed(_) => Kind::Invalid,
            Self::Backoff { .. } | Self::OnTrial { .. } | Self::Stopping { .. } => Kind::Unavailable,
            // What is wrong with the plugin is not the caller's mistake; all else is what it is.
            Self::Degraded(error) => match error.kind() {
                Kind::Invalid => Kind::Unavailable,
                kind => kind,
            },
            Self::Shared(error) => error.kind(),
            Self::NoLog { .. } => Kind::NotFound,
            Self::UnknownMount => Kind::Precondition,
            Self::Timeout { .. } => Kind::Timeout,
            Self::Catalog(failure) => failure.kind,
            Self::Interrupted { .. }
            | Self::Died { .. }
            | Self::AnswerTooLarge { .. }
            | Self::Rpc { .. }
            | Self::Panicked(_)
            | Self::Digest
            | Self::Host { .. } => Kind::Internal,
        }
    }
}

impl Error {
    /// Whether a start failed because the plugin is to be greeted in the older manner.
    pub fn is_of_an_old_plugin(&self, entry: &Entry) -> bool {
        let is_old = matches!(self, Self::Start { cause, .. } if cause.is_of_an_old_plugin());
        is_old && entry.plugin_type != PluginType::Database
    }
}

/// A gRPC code as Go writes it, which is what users of Vault search for.
fn go_code(code: tonic::Code) -> &'static str {
    use tonic::Code::{
        Aborted, AlreadyExists, Cancelled, DataLoss, DeadlineExceeded, FailedPrecondition, Internal,
        InvalidArgument, NotFound, Ok, OutOfRange, PermissionDenied, ResourceExhausted, Unauthenticated,
        Unavailable, Unimplemented, Unknown,
    };
    match code {
        Ok => "OK",
        Cancelled => "Canceled",
        Unknown => "Unknown",
        InvalidArgument => "InvalidArgument",
        DeadlineExceeded => "DeadlineExceeded",
        NotFound => "NotFound",
        AlreadyExists => "AlreadyExists",
        PermissionDenied => "PermissionDenied",
        ResourceExhausted => "ResourceExhausted",
        FailedPrecondition => "FailedPrecondition",
        Aborted => "Aborted",
        OutOfRange => "OutOfRange",
        Unimplemented => "Unimplemented",
        Internal => "Internal",
        Unavailable => "Unavailable",
        DataLoss => "DataLoss",
        Unauthenticated => "Unauthenticated",
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let kind = error.kind();
        match error {
            Error::Catalog(failure) => failure,
            other => Self::new(kind, other.to_string()),
        }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        Failure::from(error).into()
    }
}

/// What the catalog answered instead.
pub fn from_catalog(status: Status) -> Error {
    Error::Catalog(status.into())
}
