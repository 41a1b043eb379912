use domain::Kind;
use http::StatusCode;

/// The status of each kind of failure: the one table.
pub const fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Invalid => StatusCode::BAD_REQUEST,
        Kind::Denied => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Unsupported => StatusCode::METHOD_NOT_ALLOWED,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Kind::Exhausted => StatusCode::TOO_MANY_REQUESTS,
        Kind::Precondition => StatusCode::PRECONDITION_FAILED,
        Kind::Sealed | Kind::ReadOnly | Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        Kind::Upstream => StatusCode::BAD_GATEWAY,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The status of a failure: what the plugin asked for, if that is a failure too, else what the kind says.
pub fn status_or(kind: Kind, asked: Option<u16>) -> StatusCode {
    let asked = asked.and_then(|code| StatusCode::from_u16(code).ok());
    asked.filter(|code| code.as_u16() >= 400).unwrap_or(status(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_a_failure_for_the_client() {
        for kind in Kind::ALL {
            assert!(status(kind).is_client_error() || status(kind).is_server_error(), "{kind:?}");
        }
    }

    #[test]
    fn a_plugin_chooses_among_failures_only() {
        assert_eq!(status_or(Kind::Internal, Some(418)), StatusCode::IM_A_TEAPOT);
        for asked in [None, Some(0), Some(200), Some(307), Some(1000)] {
            assert_eq!(status_or(Kind::Invalid, asked), StatusCode::BAD_REQUEST, "{asked:?}");
        }
    }
}
