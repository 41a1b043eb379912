use wire::pb;

use super::{
    NULL, incoming, outgoing,
    request::{from_headers, to_headers},
    time::{from_nanos, from_timestamp, to_nanos, to_timestamp},
};
use crate::{Response, WrapInfo};

impl From<Response> for pb::Response {
    fn from(response: Response) -> Self {
        Self {
            secret: response.secret.map(Into::into),
            auth: response.auth.map(Into::into),
            data: outgoing(response.data, NULL),
            redirect: response.redirect,
            warnings: response.warnings,
            wrap_info: response.wrap_info.map(Into::into),
            headers: to_headers(response.headers),
            mount_type: String::new(),
        }
    }
}

impl From<pb::Response> for Response {
    fn from(response: pb::Response) -> Self {
        Self {
            data: incoming(response.data),
            secret: response.secret.map(Into::into),
            auth: response.auth.map(Into::into),
            warnings: response.warnings,
            redirect: response.redirect,
            headers: from_headers(response.headers),
            wrap_info: response.wrap_info.map(Into::into),
        }
    }
}

impl From<WrapInfo> for pb::ResponseWrapInfo {
    fn from(wrap: WrapInfo) -> Self {
        Self {
            ttl: to_nanos(wrap.ttl),
            token: wrap.token,
            accessor: wrap.accessor,
            creation_time: Some(to_timestamp(wrap.creation_time)),
            wrapped_accessor: wrap.wrapped_accessor,
            wrapped_entity_id: wrap.wrapped_entity_id,
            format: wrap.format,
            creation_path: wrap.creation_path,
            seal_wrap: wrap.seal_wrap,
        }
    }
}

impl From<pb::ResponseWrapInfo> for WrapInfo {
    fn from(wrap: pb::ResponseWrapInfo) -> Self {
        Self {
            ttl: from_nanos(wrap.ttl),
            token: wrap.token,
            accessor: wrap.accessor,
            creation_time: from_timestamp(wrap.creation_time),
            wrapped_accessor: wrap.wrapped_accessor,
            wrapped_entity_id: wrap.wrapped_entity_id,
            format: wrap.format,
            creation_path: wrap.creation_path,
            seal_wrap: wrap.seal_wrap,
        }
    }
}
