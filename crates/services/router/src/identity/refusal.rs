use domain::{
    Kind,
    identity::{InvalidMetadata, MergeRefusal, RootPolicy},
};

/// Why identity is not changed or looked up, in the words that clients of Vault know.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the sentences say it")]
pub enum IdentityRefusal {
    #[error(transparent)]
    Root(#[from] RootPolicy),
    #[error(transparent)]
    Metadata(#[from] InvalidMetadata),
    #[error(transparent)]
    Merge(#[from] MergeRefusal),
    #[error("the stored record of the entity is damaged; write it anew, or delete the entity")]
    DamagedEntity,
    #[error("the stored record of the group is damaged; write it anew, or delete the group")]
    DamagedGroup,
    #[error("invalid entity id")]
    EntityId,
    #[error("entity name is already in use")]
    EntityName,
    #[error("missing entity ids to delete")]
    NoEntityIds,
    #[error("missing entity id to merge to")]
    NoMergeTo,
    #[error("missing entity ids to merge from")]
    NoMergeFrom,
    #[error("'id' or 'mount_accessor' and 'name' must be provided")]
    NoFactors,
    #[error("invalid mount accessor {0:?}")]
    Accessor(String),
    #[error("invalid alias ID provided")]
    AliasId,
    #[error("invalid canonical ID")]
    CanonicalId,
    #[error("Alias already exists for requested entity and mount accessor")]
    SecondAlias,
    #[error("alias with combination of mount accessor and name already exists")]
    AliasTaken,
    #[error("invalid group ID")]
    GroupId,
    #[error("group name is already in use")]
    GroupName,
    #[error("invalid group type {0:?}")]
    GroupType(String),
    #[error("group type cannot be changed")]
    GroupTypeChange,
    #[error("member entities can't be set manually for external groups")]
    ExternalEntities,
    #[error("member groups can't be set for external groups")]
    ExternalGroups,
    #[error("invalid entity ID {0:?}")]
    MemberEntity(String),
    #[error("invalid group ID {0:?}")]
    MemberGroup(String),
    #[error("cyclic relationship detected for member group ID {0:?}")]
    Cycle(String),
    #[error("invalid group alias ID")]
    GroupAliasId,
    #[error("missing alias name")]
    NoAliasName,
    #[error("missing mount_accessor")]
    NoAccessor,
    #[error("mount accessor {0:?} is a local mount")]
    LocalMount(String),
    #[error("alias can't be set on an internal group")]
    InternalAlias,
    #[error("group alias is already tied to a different group")]
    GroupAliasTaken,
    #[error("query parameter not supplied")]
    NoQuery,
    #[error("query parameter conflict; please supply distinct set of query parameters")]
    ManyQueries,
    #[error("both 'alias_name' and 'alias_mount_accessor' needs to be set")]
    HalfAlias,
}

impl IdentityRefusal {
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::DamagedEntity | Self::DamagedGroup => Kind::Internal,
            _ => Kind::Invalid,
        }
    }
}
