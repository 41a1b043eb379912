/// Why a process ends, or did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Its last mount was disabled.
    Disabled,
    /// The barrier was sealed.
    Sealed,
    /// The node is no longer the active one.
    SteppedDown,
    /// The host ends.
    Shutdown,
    /// Asked for, or its catalog entry or options changed.
    Reloaded,
    /// A database connection got another configuration.
    ConnectionChanged,
    /// A database connection was reset.
    ConnectionReset,
    /// A database connection was deleted.
    ConnectionDeleted,
    /// Root credentials were rotated.
    RootRotated,
    /// A rotation that was cut off was rolled back.
    WalRolledBack,
    /// It ended by itself.
    Crashed,
    /// A signal ended it that was not ours.
    Killed,
    /// Its bytes are not those that were registered.
    ChecksumMismatch,
    /// It was started, but never became a plugin.
    HandshakeFailed,
    /// It was only asked who it is.
    Probed,
}

impl Reason {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Sealed => "sealed",
            Self::SteppedDown => "stepped-down",
            Self::Shutdown => "shutdown",
            Self::Reloaded => "reloaded",
            Self::ConnectionChanged => "connection-changed",
            Self::ConnectionReset => "connection-reset",
            Self::ConnectionDeleted => "connection-deleted",
            Self::RootRotated => "root-rotated",
            Self::WalRolledBack => "wal-rolled-back",
            Self::Crashed => "crashed",
            Self::Killed => "killed",
            Self::ChecksumMismatch => "checksum-mismatch",
            Self::HandshakeFailed => "handshake-failed",
            Self::Probed => "probed",
        }
    }
}
