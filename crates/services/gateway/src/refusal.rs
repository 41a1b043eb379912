use domain::{InvalidDuration, InvalidPath, Kind};
use wire::Failure;

use crate::json;

/// Why a request goes no further than the gateway. Clients match the sentences, so they are Vault's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The path has no canonical form.
    #[error(transparent)]
    Path(#[from] InvalidPath),
    /// The path does not decode to text.
    #[error("invalid path: not valid UTF-8")]
    PathEncoding,
    /// A verb that asks for nothing we have. Said without words.
    #[error("unsupported method")]
    Method,
    /// A query parameter that decides something has no meaning. Said without words.
    #[error("invalid query parameter")]
    Parameter,
    /// The verb RECOVER.
    #[error("missing required snapshot ID")]
    Snapshot,
    /// A PATCH that does not say what it is.
    #[error("mime: no media type")]
    NoMediaType,
    /// A PATCH of another type than JSON merge patch.
    #[error("PATCH requires Content-Type of application/merge-patch+json, provided {0}")]
    MediaType(String),
    /// The header is no duration.
    #[error("error parsing X-Vault-Wrap-TTL header: {0}")]
    WrapTtl(InvalidDuration),
    /// The header is a negative duration.
    #[error("error parsing X-Vault-Wrap-TTL header: requested wrap ttl cannot be negative")]
    NegativeWrapTtl,
    /// The header is no truth value.
    #[error(
        "failed to parse X-Vault-Policy-Override header: cannot parse '' as bool: strconv.ParseBool: parsing {0:?}: invalid syntax"
    )]
    PolicyOverride(String),
    /// The header lacks a part.
    #[error("failed to parse X-Vault-MFA header: invalid data in header \"X-Vault-MFA\"; missing method {0}")]
    Mfa(&'static str),
    /// A header that asks for forwarding.
    #[error("forwarding via header {0} disabled in configuration")]
    Forward(&'static str),
    /// The body is longer than allowed.
    #[error("http: request body too large")]
    BodyTooLarge,
    /// The connection broke, or the framing is wrong.
    #[error("the request body ended early or is badly framed; send it again")]
    BodyBroken,
    /// The body did not arrive in time.
    #[error("the request body took too long to arrive")]
    BodySlow,
    /// The body is not what we take for JSON.
    #[error(transparent)]
    Json(#[from] json::Refused),
}

impl Refusal {
    const fn kind(&self) -> Kind {
        match self {
            Self::Method => Kind::Unsupported,
            Self::MediaType(_) => Kind::MediaType,
            Self::BodyTooLarge => Kind::TooLarge,
            Self::BodySlow => Kind::Timeout,
            Self::Path(_)
            | Self::PathEncoding
            | Self::Parameter
            | Self::Snapshot
            | Self::NoMediaType
            | Self::WrapTtl(_)
            | Self::NegativeWrapTtl
            | Self::PolicyOverride(_)
            | Self::Mfa(_)
            | Self::Forward(_)
            | Self::BodyBroken
            | Self::Json(_) => Kind::Invalid,
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let kind = refusal.kind();
        match refusal {
            Refusal::Method | Refusal::Parameter => Self::silent(kind),
            // The client's slowness, not ours: no 5xx, on which clients resend.
            Refusal::BodySlow => Self { code: Some(408), ..Self::new(kind, refusal.to_string()) },
            _ => Self::new(kind, refusal.to_string()),
        }
    }
}
