//! A request and its answer, as records tell of them.

use std::collections::BTreeMap;

use ::audit::{
    Auth, Mount as AtMount, Policy, PolicyResults, Record, Request, Response, Secret, Veiled, VeiledJson,
    WrapInfo,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{MountFacts, MountKind, Operation};
use ring::digest::{SHA256, digest};

use super::{
    Headers,
    answer::{LoggedIn, Outcome, Wrapped},
    table::now,
    trail::Steps,
};
use crate::{mounts::Mount, token::Caller};

/// The namespace that all others are in.
const ROOT: &str = "root";

/// A record that only shows whether a device writes.
pub(super) fn probe(id: &str) -> Record<'_> {
    let namespace = BTreeMap::from([("id", ROOT)]);
    let request =
        Request { id, namespace, operation: "update", path: "sys/audit/test", ..Request::default() };
    Record { request: Some(request), time: now(), r#type: "request", ..Record::default() }
}

/// What was asked, before anything is done for it.
pub(super) fn request<'a>(
    steps: &'a Steps,
    facts: &'a MountFacts,
    headers: &'a Headers,
    error: &'a str,
) -> Record<'a> {
    Record {
        auth: Some(auth(steps)),
        error,
        request: Some(asked(steps, facts, headers)),
        time: now(),
        r#type: "request",
        ..Record::default()
    }
}

/// What was answered.
pub(super) fn response<'a>(
    steps: &'a Steps,
    facts: &'a MountFacts,
    headers: &'a Headers,
    said: &'a Outcome<'a>,
    error: &'a str,
) -> Record<'a> {
    Record {
        auth: Some(said.auth.as_ref().map_or_else(|| auth(steps), new_token)),
        error,
        request: Some(asked(steps, facts, headers)),
        response: Some(answered(steps, facts, said)),
        time: now(),
        r#type: "response",
        ..Record::default()
    }
}

fn auth(steps: &Steps) -> Auth<'_> {
    let home = steps.asker.as_ref().map_or(ROOT, |asker| &asker.caller.home.namespace.id);
    let granting = steps.granting.iter().map(|name| Policy { name, namespace_id: home, r#type: "acl" });
    let policy_results =
        steps.allowed.map(|allowed| PolicyResults { allowed, granting_policies: granting.collect() });
    let Some(asker) = &steps.asker else {
        return Auth { policy_results, token_type: "default", ..Auth::default() };
    };
    let entry = &asker.caller.entry;
    Auth {
        accessor: Veiled::Secret(&entry.accessor),
        client_token: Veiled::Secret(steps.token.expose()),
        display_name: &entry.display_name,
        entity_id: &entry.entity_id,
        metadata: entry.meta.as_ref(),
        identity_policies: asker.of_entity(),
        policies: &asker.policies,
        policy_results,
        remaining_uses: entry.num_uses.max(0),
        token_issue_time: entry.created.to_string(),
        token_policies: &entry.policies,
        token_ttl: entry.ttl,
        token_type: entry.kind.word(),
        ..Auth::default()
    }
}

fn new_token(made: &LoggedIn) -> Auth<'_> {
    Auth {
        accessor: Veiled::Secret(&made.accessor),
        client_token: Veiled::Secret(&made.client_token),
        entity_id: &made.entity_id,
        identity_policies: made.identity_policies.as_deref().unwrap_or_default(),
        metadata: made.metadata.as_ref(),
        num_uses: made.num_uses,
        policies: made.policies.as_deref().unwrap_or_default(),
        token_policies: made.token_policies.as_deref().unwrap_or_default(),
        token_ttl: made.lease_duration,
        token_type: &made.token_type,
        ..Auth::default()
    }
}

fn asked<'a>(steps: &'a Steps, facts: &'a MountFacts, headers: &'a Headers) -> Request<'a> {
    let request = &steps.request;
    let caller = steps.asker.as_ref().map(|asker| &*asker.caller);
    let connection = request.connection.as_ref();
    let mut namespace = BTreeMap::from([("id", steps.namespace.as_str())]);
    if !request.namespace.is_empty() {
        namespace.insert("path", request.namespace.as_str());
    }
    let nanos = u64::try_from(request.wrap_ttl).unwrap_or(0);
    Request {
        client_id: caller.map(client_id).unwrap_or_default(),
        client_token: Veiled::Secret(steps.token.expose()),
        client_token_accessor: Veiled::Secret(caller.map_or("", |caller| &caller.entry.accessor)),
        data: VeiledJson::Secret(&request.data),
        headers: headers.of(&request.headers),
        id: &request.id,
        mount: steps
            .mount
            .as_deref()
            .map(|mount| AtMount { running_version: &facts.running_version, ..at(mount, facts) }),
        namespace,
        operation: steps.operation.word(),
        path: &request.path,
        remote_address: connection.map_or("", |connection| &connection.remote_addr),
        remote_port: connection.map_or(0, |connection| connection.remote_port),
        wrap_ttl: nanos / 1_000_000_000,
        clear_keys: steps
            .mount
            .as_deref()
            .map_or(&[], |mount| &mount.entry.config.audit_non_hmac_request_keys),
    }
}

fn answered<'a>(steps: &'a Steps, facts: &'a MountFacts, said: &'a Outcome<'a>) -> Response<'a> {
    let mount = steps.mount.as_deref();
    let headers = said.headers.into_iter().flatten();
    let hidden = |values: &'a [String]| values.iter().map(|value| Veiled::Secret(value)).collect();
    Response {
        auth: said.auth.as_ref().map(new_token),
        data: VeiledJson::Secret(&said.data),
        headers: headers.map(|(name, values)| (name.as_str(), hidden(&values.header))).collect(),
        mount: mount
            .map(|mount| AtMount { running_plugin_version: &facts.running_version, ..at(mount, facts) }),
        redirect: Veiled::Secret(said.redirect),
        secret: (!said.lease_id.is_empty()).then_some(Secret { lease_id: said.lease_id }),
        warnings: hidden(said.warnings),
        wrap_info: said.wrapped.as_ref().map(wrapped),
        clear_keys: mount.map_or(&[], |mount| &mount.entry.config.audit_non_hmac_response_keys),
        is_list: steps.operation == Operation::List,
    }
}

fn wrapped(wrapped: &Wrapped) -> WrapInfo<'_> {
    WrapInfo {
        accessor: Veiled::Secret(&wrapped.accessor),
        creation_path: &wrapped.creation_path,
        creation_time: &wrapped.creation_time,
        token: Veiled::Secret(&wrapped.token),
        ttl: wrapped.ttl,
        wrapped_accessor: Veiled::Secret(&wrapped.wrapped_accessor),
    }
}

fn at<'a>(mount: &'a Mount, facts: &'a MountFacts) -> AtMount<'a> {
    AtMount {
        accessor: &mount.entry.accessor,
        class: if mount.entry.kind == MountKind::Auth { "auth" } else { "secret" },
        is_external_plugin: !facts.running_sha256.is_empty(),
        point: mount.entry.path.as_str(),
        running_sha256: &facts.running_sha256,
        sort: &mount.entry.plugin,
        ..AtMount::default()
    }
}

/// Who is counted as one client: an entity, or all tokens without one that have the same policies.
fn client_id(caller: &Caller) -> String {
    let entry = &caller.entry;
    if !entry.entity_id.is_empty() {
        return entry.entity_id.clone();
    }
    let mut policies = entry.policies.clone();
    policies.sort_unstable();
    STANDARD
        .encode(digest(&SHA256, format!("{}.{}", policies.join(","), caller.home.namespace.id).as_bytes()))
}
