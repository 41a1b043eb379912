use domain::Kind;
use wire::pb::ProtoError;

use crate::Error;

/// What a plugin's error stands for: the kinds of the protocol, and texts that mean more than they say.
///
/// Kinds that the protocol does not know are errors too, though Vault takes them for success: nothing that comes with an
/// error may take effect.
pub(super) fn error_of(error: Option<ProtoError>) -> Option<Error> {
    let ProtoError { err_type, err_msg: message, err_code } = error?;
    let value = |kind, message: String| Some(Error::Value { kind, message, code: None });
    match err_type {
        0 | 3 if message == "Vault is sealed" => Some(Error::Sealed),
        0 => value(kind_of_text(&message), message),
        1 | 2 => value(Kind::Internal, message),
        3 => Some(Error::Value { kind: Kind::Internal, message, code: u16::try_from(err_code).ok() }),
        4 => value(Kind::Invalid, message),
        5 => Some(Error::UnsupportedOperation),
        6 => Some(Error::UnsupportedPath),
        7 => value(Kind::Invalid, "invalid request".to_owned()),
        8 => Some(Error::Forbidden),
        9 => value(Kind::Internal, "request needs further approval".to_owned()),
        10 => value(Kind::Internal, "unrecoverable error".to_owned()),
        _ => value(Kind::Internal, message),
    }
}

/// What a plugin's answer to the question whether something exists stands for: here the user's mistake is theirs.
pub(super) fn existence_error_of(error: Option<ProtoError>) -> Option<Error> {
    match error? {
        // The request itself will say it better.
        ProtoError { err_type: 6, .. } => None,
        ProtoError { err_type: 0, err_msg, .. } if err_msg == "unsupported path" => None,
        ProtoError { err_type: 1, err_msg: message, .. } => {
            Some(Error::Refused { kind: Kind::Invalid, message, data: bytes::Bytes::new() })
        }
        other => error_of(Some(other)),
    }
}

fn kind_of_text(text: &str) -> Kind {
    match text {
        "permission denied" => Kind::Denied,
        "unsupported operation" => Kind::Unsupported,
        "unsupported path" => Kind::NotFound,
        "invalid request"
        | "invalid credentials"
        | "relative paths not supported"
        | "wrapping token is not valid or does not exist" => Kind::Invalid,
        "overloaded, try again later" => Kind::Unavailable,
        "rate limit quota exceeded" | "lease count quota exceeded" => Kind::Exhausted,
        "upstream rate limited" => Kind::Upstream,
        "required index state not present" => Kind::Precondition,
        _ => Kind::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(err_type: u32, text: &str) -> (Kind, Vec<String>) {
        let error = ProtoError { err_type, err_msg: text.to_owned(), err_code: 403 };
        let failure = error_of(Some(error)).unwrap().into_failure(false);
        (failure.kind, failure.messages)
    }

    #[test]
    fn every_kind_of_the_protocol_has_its_word() {
        let listed = |text: &str| vec![format!("1 error occurred:\n\t* {text}\n\n")];
        assert_eq!(outcome(0, "test"), (Kind::Internal, listed("test")));
        assert_eq!(outcome(0, "permission denied"), (Kind::Denied, listed("permission denied")));
        assert_eq!(outcome(4, "test"), (Kind::Invalid, listed("test")));
        assert_eq!(outcome(5, "test"), (Kind::Unsupported, listed("unsupported operation")));
        assert_eq!(outcome(6, "test"), (Kind::NotFound, listed("unsupported path")));
        assert_eq!(outcome(7, "test"), (Kind::Invalid, listed("invalid request")));
        assert_eq!(outcome(8, "test"), (Kind::Denied, listed("permission denied")));
        assert_eq!(outcome(11, "test"), (Kind::Internal, listed("test")));
        let coded = error_of(Some(ProtoError { err_type: 3, err_msg: "test".to_owned(), err_code: 403 }));
        assert_eq!(coded.unwrap().into_failure(false).code, Some(403));
    }
}
