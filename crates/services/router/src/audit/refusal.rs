/// Why an endpoint of auditing does not do as asked, in the words that clients of Vault know.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the sentences say it")]
pub enum AuditRefusal {
    #[error(transparent)]
    Device(#[from] ::audit::Refusal),
    #[error("the \"input\" parameter is empty")]
    NoInput,
    #[error("unknown audit backend {0:?}")]
    Unknown(String),
    #[error("Could not find header in config")]
    NoHeader,
}
