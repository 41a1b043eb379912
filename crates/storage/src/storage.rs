use async_trait::async_trait;
use bytes::Bytes;
use domain::Kind;

use crate::{InvalidKey, Key, Prefix};

/// The outcome of a storage operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One change of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Store this value.
    Put(Key, Bytes),
    /// Forget the key; harmless when it is not there.
    Delete(Key),
}

impl Write {
    /// The key that changes.
    pub const fn key(&self) -> &Key {
        match self {
            Self::Put(key, _) | Self::Delete(key) => key,
        }
    }

    /// The same change at another key.
    #[must_use]
    pub fn at(self, key: Key) -> Self {
        match self {
            Self::Put(_, value) => Self::Put(key, value),
            Self::Delete(_) => Self::Delete(key),
        }
    }
}

/// Values by key. Every backend, the barrier, a [`View`](crate::View) and the remote client are one of these.
#[async_trait]
pub trait Storage: Send + Sync + 'static {
    /// The value at a key, if there is one.
    async fn get(&self, key: &Key) -> Result<Option<Bytes>>;

    /// The children of a prefix, sorted bytewise: names, and names ending in `/` of what has children of its own.
    async fn list(&self, prefix: &Prefix) -> Result<Vec<String>> {
        self.page(prefix, "", usize::MAX).await
    }

    /// At most `limit` children of a prefix that sort after `after`.
    async fn page(&self, prefix: &Prefix, after: &str, limit: usize) -> Result<Vec<String>>;

    /// All of the writes or none of them; durable when it returns.
    async fn commit(&self, writes: Vec<Write>) -> Result<()>;

    /// Stores one value.
    async fn put(&self, key: Key, value: Bytes) -> Result<()> {
        self.commit(vec![Write::Put(key, value)]).await
    }

    /// Forgets one key.
    async fn delete(&self, key: Key) -> Result<()> {
        self.commit(vec![Write::Delete(key)]).await
    }
}

/// Why storage did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key itself is wrong.
    #[error(transparent)]
    Key(#[from] InvalidKey),
    /// The value is larger than storage takes.
    #[error("a stored value is at most {limit} bytes, this one has {actual}")]
    TooLarge {
        /// Bytes allowed.
        limit: usize,
        /// Bytes given.
        actual: usize,
    },
    /// The barrier is closed.
    #[error("Vault is sealed")]
    Sealed,
    /// This storage takes no writes: a standby, or a writer that another has replaced.
    #[error("cannot write to readonly storage")]
    ReadOnly,
    /// Set-up of a plugin may read but not write.
    #[error("cannot write to storage during setup")]
    Setup,
    /// What is stored does not open: damaged, or moved from another key.
    #[error("the value stored at {0} does not open: it is damaged or belongs elsewhere")]
    Damaged(Key),
    /// An earlier write failed in a way that leaves the disk's state unknown; nothing more is written.
    #[error("storage has stopped writing after a failed write; restart the server")]
    Stopped,
    /// There is no room for what was to be written; it was undone.
    #[error("storage is full, and nothing was written; make room on the disk that it is on, and try again")]
    Full(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There is more to be read than the backend gets done; nothing is wrong with what is stored.
    #[error("storage has too much to do; try again")]
    Busy,
    /// The database does not answer. A write that was under way may have taken place or not.
    #[error("storage cannot be reached; try again when its database answers")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The catalog, asked from another service, refused or could not be reached.
    #[error("{message}")]
    Refused {
        /// The word for it.
        kind: Kind,
        /// What it said.
        message: String,
    },
    /// The backend failed.
    #[error("storage failed")]
    Backend(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Wraps what a backend says.
    pub fn backend(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Backend(source.into())
    }

    /// The word for it at the border.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Key(_) => Kind::Invalid,
            Self::TooLarge { .. } => Kind::TooLarge,
            Self::Sealed => Kind::Sealed,
            Self::ReadOnly | Self::Setup => Kind::ReadOnly,
            Self::Damaged(_) | Self::Full(_) | Self::Backend(_) => Kind::Internal,
            Self::Stopped | Self::Busy | Self::Unreachable(_) => Kind::Unavailable,
            Self::Refused { kind, .. } => *kind,
        }
    }
}
