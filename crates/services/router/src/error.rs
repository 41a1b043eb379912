use bytes::Bytes;
use domain::Kind;
use tonic::Status;
use wire::Failure;

use crate::{
    audit::AuditRefusal,
    cubbyhole::CubbyholeRefusal,
    fields::InvalidField,
    identity::IdentityRefusal,
    lease::LeaseRefusal,
    mounts::Refusal,
    namespaces::NamespaceRefusal,
    policies::{PasswordRefusal, PolicyRefusal},
    quotas::QuotaRefusal,
    sys::{RawRefusal, ToolRefusal, Unfit},
    token::{self, TokenRefusal},
    wrapping::WrappingRefusal,
};

/// The outcome of anything this service does.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The barrier is closed.
    #[error("Vault is sealed")]
    Sealed,
    /// A token is needed and none was sent.
    #[error("permission denied")]
    NoToken,
    /// The token is unknown, expired or revoked; which of them is nobody's business.
    #[error("permission denied; invalid token")]
    BadToken,
    /// The token is good, and may not do this.
    #[error("permission denied")]
    Forbidden,
    /// No mount has this path.
    #[error("no handler for route {0:?}. route entry not found.")]
    NoHandler(String),
    /// The mount is there, the path inside it is not.
    #[error("unsupported path")]
    UnsupportedPath,
    /// The path is there, the operation is not.
    #[error("unsupported operation")]
    UnsupportedOperation,
    /// As above, at an endpoint that answers without Vault's envelope and does not explain itself.
    #[error("method not allowed")]
    Method,
    /// There is nothing to read or list.
    #[error("nothing found")]
    Nothing,
    /// A write to something that looks like a folder.
    #[error("cannot write to a path ending in '/'")]
    TrailingSlash,
    /// Parameters that do not make sense.
    #[error(transparent)]
    Field(#[from] InvalidField),
    /// A change of the mount table that is not possible.
    #[error(transparent)]
    Mount(#[from] Refusal),
    /// A system endpoint was asked for something that is not possible.
    #[error(transparent)]
    System(#[from] Unfit),
    /// A change of the policies that is not possible.
    #[error(transparent)]
    Policy(#[from] PolicyRefusal),
    /// A password, or a policy for passwords, that is not possible.
    #[error(transparent)]
    Password(#[from] PasswordRefusal),
    /// Something about a lease that is not possible.
    #[error(transparent)]
    Lease(#[from] LeaseRefusal),
    /// Entities, aliases or groups are not changed, or not found, like that.
    #[error(transparent)]
    Identity(#[from] IdentityRefusal),
    /// Something is not wrapped, or not unwrapped.
    #[error(transparent)]
    Wrapping(#[from] WrappingRefusal),
    /// A cubbyhole that is not read or written.
    #[error(transparent)]
    Cubbyhole(#[from] CubbyholeRefusal),
    /// An audit device, or what is recorded, cannot be as asked.
    #[error(transparent)]
    Audit(#[from] AuditRefusal),
    /// No audit device has taken the record of the request.
    #[error("no audit device could record the request, so it was not done; see the server's log")]
    NotRecorded,
    /// No audit device has taken the record of the answer.
    #[error(
        "no audit device could record the answer, so it is withheld, though the request was worked on; see the server's log"
    )]
    AnswerNotRecorded,
    /// A token that is not made, found, renewed or revoked.
    #[error(transparent)]
    Token(#[from] TokenRefusal),
    /// A namespace that is not there, or cannot be used or changed like that.
    #[error(transparent)]
    Namespace(#[from] NamespaceRefusal),
    /// One request too many, or a quota that is not set as asked.
    #[error(transparent)]
    Quota(#[from] QuotaRefusal),
    /// No random bytes, or no checksum, are made like that.
    #[error(transparent)]
    Tool(#[from] ToolRefusal),
    /// Something stored is not read or changed past everything.
    #[error(transparent)]
    Raw(#[from] RawRefusal),
    /// A login that does not yield a token.
    #[error(transparent)]
    Login(#[from] token::Refused),
    /// A plugin's answer that says what is wrong with the request.
    #[error("{message}")]
    Refused {
        /// In the plugin's words.
        message: String,
        /// JSON to be shown beside it; may be empty.
        data: Bytes,
        /// What its error, if there was one too, stands for.
        kind: Kind,
    },
    /// An error that a plugin, or a rule of ours, ended with.
    #[error("{message}")]
    Value {
        /// What sort it is.
        kind: Kind,
        /// In the plugin's words.
        message: String,
        /// The status it asked for.
        code: Option<u16>,
    },
    /// Errors that a handler ended with, one for each of several things that it did.
    #[error("{}", .messages.join("; "))]
    Several {
        /// What sort they are.
        kind: Kind,
        /// One for each.
        messages: Vec<String>,
    },
    /// What a plugin answered cannot be passed on.
    #[error("the plugin's answer is not usable: {0}")]
    BadAnswer(String),
    /// What is stored cannot be read.
    #[error("the record stored at {key} is damaged")]
    Damaged {
        /// Where it is.
        key: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// What is stored is incomplete.
    #[error("nothing is stored at {0}, where something has to be")]
    Missing(&'static str),
    /// The system has no randomness to give.
    #[error("the system gave no random bytes")]
    Random,
    /// More requests than this node can work on.
    #[error("overloaded, try again later")]
    Overloaded,
    /// The request took longer than allowed.
    #[error("the request took longer than {0} seconds and was given up")]
    Deadline(u64),
    /// A service below said no; it has found the words.
    #[error(transparent)]
    Below(Failure),
    /// What was known when the request came in does not count any more.
    #[error("this node has just stepped down; send the request again")]
    SteppedDown,
    /// The task that did the work is gone.
    #[error("the request was cut off before it was finished")]
    CutOff,
}

impl Error {
    /// The word for it at the border.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Sealed => Kind::Sealed,
            Self::NoToken | Self::BadToken | Self::Forbidden => Kind::Denied,
            Self::NoHandler(_) | Self::UnsupportedPath | Self::Nothing => Kind::NotFound,
            Self::UnsupportedOperation | Self::Method => Kind::Unsupported,
            Self::TrailingSlash | Self::Field(_) | Self::Policy(_) | Self::Audit(_) => Kind::Invalid,
            Self::Mount(refusal) => refusal.kind(),
            Self::System(unfit) => unfit.kind(),
            Self::Identity(refusal) => refusal.kind(),
            Self::Lease(refusal) => refusal.kind(),
            Self::Quota(refusal) => refusal.kind(),
            Self::Tool(refusal) => refusal.kind(),
            Self::Namespace(refusal) => refusal.kind(),
            Self::Raw(refusal) => refusal.kind(),
            Self::Password(refusal) => refusal.kind(),
            Self::Wrapping(refusal) => refusal.kind(),
            Self::Cubbyhole(refusal) => refusal.kind(),
            Self::Login(refused) => refused.kind(),
            Self::Token(refusal) => refusal.kind(),
            Self::Refused { kind, .. } | Self::Value { kind, .. } | Self::Several { kind, .. } => *kind,
            Self::BadAnswer(_)
            | Self::Damaged { .. }
            | Self::Missing(_)
            | Self::Random
            | Self::NotRecorded
            | Self::AnswerNotRecorded
            | Self::CutOff => Kind::Internal,
            Self::Overloaded | Self::SteppedDown => Kind::Unavailable,
            Self::Deadline(_) => Kind::Timeout,
            Self::Below(failure) => failure.kind,
        }
    }

    /// What the log says of it. The sentence is for who asked: a plugin may have put anything into it, and some of ours
    /// name what was asked for. The services below log their own reasons.
    pub(crate) fn in_the_log(&self) -> String {
        match self {
            Self::Damaged { source, .. } => format!("{self}: {source}"),
            Self::Missing(_)
            | Self::Random
            | Self::NotRecorded
            | Self::AnswerNotRecorded
            | Self::Overloaded
            | Self::Deadline(_)
            | Self::SteppedDown
            | Self::CutOff => self.to_string(),
            Self::Value { .. } | Self::Refused { .. } | Self::BadAnswer(_) => {
                "the plugin, or a rule of ours, ended with an error that is told to who asked".to_owned()
            }
            other => format!("{:?}: the sentence is told to who asked", other.kind()),
        }
    }

    /// The failure as callers see it. On login paths every sentence stands alone; elsewhere Vault puts the errors that
    /// a handler *ended with*, unlike those it *answered*, into a list.
    pub fn into_failure(self, login: bool) -> Failure {
        let kind = self.kind();
        let alone = |message: String| Failure::new(kind, message);
        let listed = |message: String| if login { alone(message) } else { alone(list(&[message])) };
        match self {
            Self::Nothing | Self::Method => Failure::silent(kind),
            Self::BadToken => {
                alone("2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n".to_owned())
            }
            Self::Below(failure) => failure,
            Self::Refused { message, data, .. } => Failure { data, ..alone(message) },
            Self::Several { ref messages, .. } => alone(list(messages)),
            Self::Value { message, code, .. } => Failure { code, ..listed(message) },
            Self::Quota(refusal) => Failure { headers: refusal.headers(), ..alone(refusal.to_string()) },
            Self::Namespace(refusal) => Failure { code: refusal.code(), ..alone(refusal.to_string()) },
            Self::System(ref unfit) if unfit.is_listed() => listed(self.to_string()),
            Self::Token(ref refusal) if refusal.is_listed() => listed(self.to_string()),
            Self::Cubbyhole(refusal) if refusal.is_listed() => listed(self.to_string()),
            Self::Forbidden
            | Self::Password(_)
            | Self::UnsupportedPath
            | Self::UnsupportedOperation
            | Self::BadAnswer(_)
            | Self::Damaged { .. }
            | Self::Missing(_)
            | Self::Random => listed(self.to_string()),
            Self::Sealed
            | Self::NoToken
            | Self::NoHandler(_)
            | Self::TrailingSlash
            | Self::Wrapping(_)
            | Self::Cubbyhole(_)
            | Self::Field(_)
            | Self::Mount(_)
            | Self::Policy(_)
            | Self::Identity(_)
            | Self::System(_)
            | Self::Lease(_)
            | Self::Tool(_)
            | Self::Raw(_)
            | Self::Login(_)
            | Self::Token(_)
            | Self::Audit(_)
            | Self::NotRecorded
            | Self::AnswerNotRecorded
            | Self::Overloaded
            | Self::Deadline(_)
            | Self::SteppedDown
            | Self::CutOff => alone(self.to_string()),
        }
    }
}

/// Errors as Go's multierror lists them.
fn list(messages: &[String]) -> String {
    let count = match messages.len() {
        1 => "1 error".to_owned(),
        several => format!("{several} errors"),
    };
    format!("{count} occurred:\n\t* {}\n\n", messages.join("\n\t* "))
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        let failure = wire::failure_of(&status);
        if failure.kind == Kind::Sealed { Self::Sealed } else { Self::Below(failure) }
    }
}

impl From<::audit::Refusal> for Error {
    fn from(refusal: ::audit::Refusal) -> Self {
        Self::Audit(refusal.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_a_handler_ended_with_is_listed_except_on_login_paths() {
        let error = || Error::UnsupportedOperation;
        assert_eq!(
            error().into_failure(false).messages,
            ["1 error occurred:\n\t* unsupported operation\n\n"]
        );
        assert_eq!(error().into_failure(true).messages, ["unsupported operation"]);
    }

    #[test]
    fn several_errors_are_listed_one_by_one() {
        let messages = vec!["a".to_owned(), "b".to_owned()];
        let failure = Error::Several { kind: Kind::Internal, messages }.into_failure(false);
        assert_eq!(failure.messages, ["2 errors occurred:\n\t* a\n\t* b\n\n"]);
    }

    #[test]
    fn a_missing_token_and_a_bad_one_are_told_apart_but_not_why() {
        assert_eq!(Error::NoToken.into_failure(false).messages, ["permission denied"]);
        assert_eq!(
            Error::BadToken.into_failure(false).messages,
            ["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"]
        );
    }

    #[test]
    fn nothing_found_is_said_without_words() {
        assert_eq!(Error::Nothing.into_failure(false), Failure::silent(Kind::NotFound));
    }

    #[test]
    fn a_route_is_quoted_as_it_was_asked_for() {
        let failure = Error::NoHandler("x/y".to_owned()).into_failure(false);
        assert_eq!(failure.messages, [r#"no handler for route "x/y". route entry not found."#]);
    }
}
