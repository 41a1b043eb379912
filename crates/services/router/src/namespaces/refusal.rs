use domain::{InvalidNamespace, Kind, MountPath, NamespacePath};

/// Why a namespace is not made, changed or used as asked, in OpenBao's words where it has some.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[allow(missing_docs, reason = "the sentences say it")]
pub enum NamespaceRefusal {
    #[error("namespace not found")]
    NotFound,
    #[error(transparent)]
    Name(#[from] InvalidNamespace),
    #[error(
        "API access to this namespace has been locked by an administrator - {:?} must be unlocked to gain access.",
        .0.as_str()
    )]
    Locked(NamespacePath),
    #[error("the namespace {:?} is being deleted", .0.as_str())]
    Removing(NamespacePath),
    #[error("the namespace {path:?} cannot be used: {why}; delete it, or mend its storage", path = .path.as_str())]
    Damaged { path: NamespacePath, why: String },
    #[error("new namespace conflicts with existing mount: {0}")]
    Mount(MountPath),
    #[error("custom_metadata values must be strings")]
    Metadata,
    #[error("missing required field \"custom_metadata\"")]
    NoMetadata,
    #[error("metadata patch can only have string or null values")]
    MetadataPatch,
    #[error("namespaces with a seal of their own are not supported; leave out {0:?}")]
    Seal(&'static str),
    #[error("unable to delete namespace containing child namespaces")]
    Children,
    #[error("requested namespace does not exist")]
    Nowhere,
    #[error("root namespace cannot be locked/unlocked")]
    Root,
    #[error("cannot lock namespace {:?}: is already locked", .0.as_str())]
    LockedAlready(NamespacePath),
    #[error(
        "cannot lock namespace {:?}: ancestor namespace {:?} is already locked", .path.as_str(), .above.as_str()
    )]
    LockedAbove { path: NamespacePath, above: NamespacePath },
    #[error("namespace {:?} is not locked", .0.as_str())]
    NotLocked(NamespacePath),
    #[error("cannot unlock {:?} with namespace {:?} being locked", .path.as_str(), .above.as_str())]
    UnlockBelow { path: NamespacePath, above: NamespacePath },
    #[error("provided empty key")]
    EmptyKey,
    #[error("incorrect unlock key")]
    WrongKey,
}

impl NamespaceRefusal {
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::NotFound | Self::Removing(_) => Kind::NotFound,
            Self::Locked(_) => Kind::Unavailable,
            Self::Damaged { .. } => Kind::Internal,
            _ => Kind::Invalid,
        }
    }

    /// A status of its own, where it has one.
    pub(crate) const fn code(&self) -> Option<u16> {
        match self {
            Self::Children => Some(409),
            _ => None,
        }
    }
}
