use domain::policy::InvalidPolicy;

/// Why policies are not changed, in the words that clients of Vault know.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the sentences say it")]
pub enum PolicyRefusal {
    #[error("'policy' parameter not supplied or empty")]
    Empty,
    #[error("cannot update {0:?} policy")]
    Update(String),
    #[error("cannot delete {0:?} policy")]
    Delete(String),
    #[error("cannot delete default policy")]
    DeleteDefault,
    #[error(transparent)]
    Text(#[from] InvalidPolicy),
}
