use wire::pb;

use crate::Error;

/// A host that reads exactly this text kills the plugin and runs the request again.
const KILLS_THE_PLUGIN: &str = "connection is shut down";

impl From<Error> for pb::ProtoError {
    fn from(error: Error) -> Self {
        let (err_type, err_code) = match &error {
            Error::Other(_) | Error::Gone { .. } => (0, 0),
            Error::User(_) => (1, 0),
            Error::Internal(_) => (2, 0),
            Error::Coded { code, .. } => (3, i64::from(*code)),
            Error::BadRequest(_) => (4, 0),
            Error::UnsupportedOperation => (5, 0),
            Error::UnsupportedPath => (6, 0),
            Error::InvalidRequest => (7, 0),
            Error::PermissionDenied => (8, 0),
            Error::MultiAuthzPending => (9, 0),
            Error::Unrecoverable => (10, 0),
            Error::WithResponse { error, .. } => return (**error).clone().into(),
        };
        let mut err_msg = error.to_string();
        if err_msg == KILLS_THE_PLUGIN {
            err_msg.insert_str(0, "the ");
        }
        Self { err_type, err_msg, err_code }
    }
}

impl From<pb::ProtoError> for Error {
    fn from(error: pb::ProtoError) -> Self {
        let message = error.err_msg;
        match error.err_type {
            0 => Self::Other(message),
            1 => Self::User(message),
            2 => Self::Internal(message),
            3 => coded(error.err_code, message),
            4 => Self::BadRequest(message),
            5 => Self::UnsupportedOperation,
            6 => Self::UnsupportedPath,
            7 => Self::InvalidRequest,
            8 => Self::PermissionDenied,
            9 => Self::MultiAuthzPending,
            10 => Self::Unrecoverable,
            // Go hosts take these for success. They are not.
            unknown => {
                Self::Other(format!("the plugin answered with the unknown error type {unknown}: {message}"))
            }
        }
    }
}

/// A code that says "error" is kept; with any other, the sentence has to do.
fn coded(code: i64, message: String) -> Error {
    match u16::try_from(code) {
        Ok(code @ 400..=599) => Error::Coded { code, message },
        _ => Error::Other(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_error_survives_the_wire() {
        let kinds = [
            Error::Other("a".to_owned()),
            Error::User("b".to_owned()),
            Error::Internal("c".to_owned()),
            Error::Coded { code: 418, message: "d".to_owned() },
            Error::BadRequest("e".to_owned()),
            Error::UnsupportedOperation,
            Error::UnsupportedPath,
            Error::InvalidRequest,
            Error::PermissionDenied,
            Error::MultiAuthzPending,
            Error::Unrecoverable,
        ];
        for (number, error) in (0..).zip(kinds) {
            let sent = pb::ProtoError::from(error.clone());
            assert_eq!(sent.err_type, number);
            assert_eq!(Error::from(sent), error);
        }
    }

    #[test]
    fn an_unknown_type_is_still_an_error() {
        let sent = pb::ProtoError { err_type: 11, err_msg: "new".to_owned(), err_code: 0 };
        assert!(matches!(Error::from(sent), Error::Other(text) if text.ends_with(": new")));
    }

    #[test]
    fn a_code_that_is_no_error_is_not_passed_on() {
        let sent = pb::ProtoError { err_type: 3, err_msg: "fine".to_owned(), err_code: 200 };
        assert_eq!(Error::from(sent), Error::Other("fine".to_owned()));
    }

    #[test]
    fn no_error_of_ours_makes_a_host_kill_the_plugin() {
        let sent = pb::ProtoError::from(Error::Other(KILLS_THE_PLUGIN.to_owned()));
        assert_eq!(sent.err_msg, "the connection is shut down");
    }
}
