use bytes::Bytes;
use domain::{Operation, Token};
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use wire::pb;

use super::{headers::passed_through, visit::Visit};
use crate::wrapping::Wish;

/// The request as a plugin gets it. The caller's token stays here: the plugin sees a salted form that is of no use.
/// In its box from the start, because it is large.
pub(super) fn request_for(visit: Visit<'_>, operation: Operation, salted: &str) -> Box<pb::Request> {
    let Visit { mount, rest, asked, caller, .. } = visit;
    let incoming = &asked.request;
    let entry = &mount.entry;
    let who = caller.map(|caller| &*caller.entry);
    // No parameters are an empty object: Go's side refuses an empty text.
    let data = if incoming.data.is_empty() { Bytes::from_static(b"{}") } else { incoming.data.clone() };
    Box::new(pb::Request {
        id: incoming.id.clone(),
        operation: operation.word().to_owned(),
        path: rest.to_owned(),
        data,
        headers: passed_through(&incoming.headers, &entry.config.passthrough_request_headers),
        client_token: salted.to_owned(),
        client_token_accessor: who.map(|who| who.accessor.clone()).unwrap_or_default(),
        display_name: who.map(|who| who.display_name.clone()).unwrap_or_default(),
        entity_id: who.map(|who| who.entity_id.clone()).unwrap_or_default(),
        mount_point: entry.path.to_string(),
        mount_type: entry.plugin.clone(),
        mount_accessor: entry.accessor.clone(),
        unauthenticated: caller.is_none(),
        connection: incoming.connection.clone(),
        wrap_info: asked.wish.as_ref().map(Wish::told),
        ..pb::Request::default()
    })
}

/// The protocol says SHA-1 of the mount's identity and the token.
pub(super) fn salted(mount: &str, token: &Token) -> String {
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    context.update(mount.as_bytes());
    context.update(token.expose().as_bytes());
    hex::encode(context.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_salted_with_the_mount_it_is_used_at() {
        let token = Token::new("hvs.abc".to_owned());
        // printf '%s%s' mount-uuid hvs.abc | sha1sum
        assert_eq!(salted("mount-uuid", &token), "e68faf3bdad4ea734f5afbf5bb45341f5e34c3a2");
        assert_ne!(salted("other", &token), salted("mount-uuid", &token));
    }
}
