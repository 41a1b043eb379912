use domain::Kind;

/// Why a cubbyhole is not read or written, in Vault's words.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum CubbyholeRefusal {
    /// The cubbyhole as a whole is neither read nor written.
    #[error("missing path")]
    NoPath,
    /// There is nothing to keep.
    #[error("missing data fields")]
    NoData,
    /// A batch token has none: nothing would end with it.
    #[error("cubbyhole operations are only supported by \"service\" type tokens")]
    Batch,
}

impl CubbyholeRefusal {
    pub(crate) const fn kind(self) -> Kind {
        Kind::Invalid
    }

    /// Whether Vault says this as an error that a handler ended with.
    pub(crate) const fn is_listed(self) -> bool {
        !matches!(self, Self::Batch)
    }
}
