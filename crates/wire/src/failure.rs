use bytes::Bytes;
use domain::Kind;
use prost::Message;
use tonic::{Code, Status};

use crate::common;

/// A failure as it crosses the border between services.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", messages.join("; "))]
pub struct Failure {
    /// What sort it is.
    pub kind: Kind,
    /// Sentences for the user; may be none.
    pub messages: Vec<String>,
    /// A JSON value to be shown beside the sentences; may be empty.
    pub data: Bytes,
    /// A status code that a plugin asked for.
    pub code: Option<u16>,
    /// Headers that the answer carries.
    pub headers: Vec<(String, String)>,
}

impl Failure {
    /// A failure with one sentence.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, messages: vec![message.into()], data: Bytes::new(), code: None, headers: Vec::new() }
    }

    /// A failure that says nothing but its kind.
    pub const fn silent(kind: Kind) -> Self {
        Self { kind, messages: Vec::new(), data: Bytes::new(), code: None, headers: Vec::new() }
    }
}

impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        status_of(failure)
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        failure_of(&status)
    }
}

/// The gRPC code of a kind.
const fn code_of(kind: Kind) -> Code {
    match kind {
        Kind::Invalid | Kind::MediaType => Code::InvalidArgument,
        Kind::Denied => Code::PermissionDenied,
        Kind::NotFound => Code::NotFound,
        Kind::Unsupported => Code::Unimplemented,
        Kind::TooLarge => Code::OutOfRange,
        Kind::Exhausted => Code::ResourceExhausted,
        Kind::Precondition | Kind::Sealed | Kind::ReadOnly => Code::FailedPrecondition,
        Kind::Unavailable => Code::Unavailable,
        Kind::Timeout => Code::DeadlineExceeded,
        Kind::Upstream => Code::Aborted,
        Kind::Internal => Code::Internal,
    }
}

/// The kind of a gRPC code that came without details: from a peer's library, or from a broken connection.
const fn kind_of(code: Code) -> Kind {
    match code {
        Code::InvalidArgument => Kind::Invalid,
        Code::PermissionDenied | Code::Unauthenticated => Kind::Denied,
        Code::NotFound => Kind::NotFound,
        Code::Unimplemented => Kind::Unsupported,
        Code::OutOfRange => Kind::TooLarge,
        Code::ResourceExhausted => Kind::Exhausted,
        Code::FailedPrecondition | Code::AlreadyExists => Kind::Precondition,
        Code::Unavailable | Code::Cancelled => Kind::Unavailable,
        Code::DeadlineExceeded => Kind::Timeout,
        Code::Aborted => Kind::Upstream,
        Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss => Kind::Internal,
    }
}

/// A failure as a gRPC status, with all that it says in the details.
pub fn status_of(failure: Failure) -> Status {
    let code = code_of(failure.kind);
    let text = failure.messages.join("; ");
    let details = common::v1::Failure {
        kind: failure.kind.word().to_owned(),
        messages: failure.messages,
        data: failure.data,
        code: failure.code.map_or(0, u32::from),
        headers: failure.headers.into_iter().collect(),
    };
    Status::with_details(code, text, details.encode_to_vec().into())
}

/// The failure that a gRPC status stands for.
pub fn failure_of(status: &Status) -> Failure {
    let details = common::v1::Failure::decode(status.details()).ok().and_then(|details| {
        let kind = Kind::from_word(&details.kind)?;
        let code = u16::try_from(details.code).ok().filter(|code| *code != 0);
        let headers = details.headers.into_iter().collect();
        Some(Failure { kind, messages: details.messages, data: details.data, code, headers })
    });
    details.unwrap_or_else(|| Failure::new(kind_of(status.code()), status.message()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_survives_the_border() {
        for kind in Kind::ALL {
            let failure = Failure {
                kind,
                messages: vec!["one".to_owned(), "two".to_owned()],
                data: Bytes::from_static(b"{}"),
                code: Some(418),
                headers: vec![("Retry-After".to_owned(), "1".to_owned())],
            };
            assert_eq!(failure_of(&status_of(failure.clone())), failure);
        }
    }

    #[test]
    fn a_foreign_status_gets_the_nearest_kind() {
        assert_eq!(failure_of(&Status::unavailable("gone")).kind, Kind::Unavailable);
        assert_eq!(failure_of(&Status::unknown("?")).messages, ["?"]);
    }
}
