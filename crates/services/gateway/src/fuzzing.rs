//! Doors for the fuzz targets to what nobody else calls from outside.

use bytes::Bytes;
use domain::RequestPath;
use http::HeaderMap;
use wire::router::v1::Envelope;

use crate::{JsonLimits, body, envelope, headers::Known, parameters::Parameters, path};

/// The path of a request, if it has a canonical form.
pub fn path(raw: &str) -> Option<RequestPath> {
    path::canonical(raw).ok()
}

/// The parameters that a body holds; none: it is refused.
pub fn body(body: &[u8], content_type: &str, limits: &JsonLimits) -> Option<Bytes> {
    body::data(Bytes::copy_from_slice(body), content_type, limits).ok()
}

/// The parameters that a query holds; none: it is refused.
pub fn query(query: &[u8]) -> Option<Bytes> {
    Parameters::read(query).into_query_data().ok()
}

/// What is answered to a client whose request came to these data.
pub fn answer(data: Bytes) -> Option<Bytes> {
    envelope::render(&Envelope { data, data_on_top: true, ..Envelope::default() }).ok()
}

/// The token that headers carry, if they are taken at all.
pub fn token(headers: &HeaderMap) -> Option<&str> {
    let known = Known::of(headers);
    known.check().and_then(|()| known.wrap_ttl()).ok().map(|_| known.token())
}
