use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use domain::Operation;
use proptest::{collection::vec, prelude::*};
use wire::pb;

use super::*;
use crate::{Alias, Auth, Connection, Error, LeaseOptions, Request, Response, Secret, WrapInfo, WrapRequest};

fn text() -> impl Strategy<Value = String> {
    "[a-z/é ]{0,8}"
}

fn json() -> impl Strategy<Value = Bytes> {
    prop_oneof![Just(Bytes::new()), "[a-z]{0,9}".prop_map(|word| format!(r#"{{"a":"{word}"}}"#).into())]
}

fn duration() -> impl Strategy<Value = Duration> {
    (0..i64::MAX.cast_unsigned()).prop_map(Duration::from_nanos)
}

fn time() -> impl Strategy<Value = Option<SystemTime>> {
    proptest::option::of(duration().prop_map(|since| SystemTime::UNIX_EPOCH + since))
}

fn pairs() -> impl Strategy<Value = HashMap<String, String>> {
    proptest::collection::hash_map(text(), text(), 0..3)
}

fn headers() -> impl Strategy<Value = HashMap<String, Vec<String>>> {
    proptest::collection::hash_map(text(), vec(text(), 0..3), 0..3)
}

prop_compose! {
    fn lease()(ttl in duration(), max_ttl in duration(), renewable: bool, increment in duration(), issue_time in time())
        -> LeaseOptions {
        LeaseOptions { ttl, max_ttl, renewable, increment, issue_time }
    }
}

prop_compose! {
    fn secret()(lease in lease(), internal_data in json(), lease_id in text()) -> Secret {
        Secret { lease, internal_data, lease_id }
    }
}

prop_compose! {
    fn alias()(name in text(), metadata in pairs(), id in text(), custom_metadata in pairs(), local: bool) -> Alias {
        Alias { name, metadata, id, custom_metadata, local, ..Alias::default() }
    }
}

prop_compose! {
    fn auth()(
        lease in lease(), internal_data in json(), display_name in text(), policies in vec(text(), 0..3),
        metadata in pairs(), period in duration(), explicit_max_ttl in duration(), num_uses: i64,
        alias in proptest::option::of(alias()), group_aliases in vec(alias(), 0..3), token_type in 0..5_u32,
        no_default_policy: bool,
    ) -> Auth {
        Auth {
            lease, internal_data, display_name, policies, metadata, period, explicit_max_ttl, num_uses, alias,
            group_aliases, token_type, no_default_policy, ..Auth::default()
        }
    }
}

prop_compose! {
    fn wrap_info()(ttl in duration(), token in text(), creation_time in time(), seal_wrap: bool) -> WrapInfo {
        WrapInfo { ttl, token, creation_time, seal_wrap, ..WrapInfo::default() }
    }
}

prop_compose! {
    fn response()(
        data in json(), secret in proptest::option::of(secret()), auth in proptest::option::of(auth()),
        warnings in vec(text(), 0..3), redirect in text(), headers in headers(),
        wrap_info in proptest::option::of(wrap_info()),
    ) -> Response {
        Response { data, secret, auth, warnings, redirect, headers, wrap_info }
    }
}

fn request() -> impl Strategy<Value = Request> {
    let certificates = vec(vec(any::<u8>(), 1..4).prop_map(Bytes::from), 0..3);
    let connection =
        (text(), any::<u16>(), certificates).prop_map(|(remote_addr, remote_port, peer_certificates)| {
            Connection { remote_addr, remote_port, peer_certificates }
        });
    let wrap = (duration(), text(), any::<bool>()).prop_map(|(ttl, format, seal_wrap)| WrapRequest {
        ttl,
        format,
        seal_wrap,
    });
    (
        (text(), text(), json(), headers(), any::<bool>()),
        proptest::option::of(secret()),
        proptest::option::of(auth()),
        proptest::option::of(connection),
        proptest::option::of(wrap),
    )
        .prop_map(|((id, path, data, headers, unauthenticated), secret, auth, connection, wrap)| {
            Request {
                id,
                path,
                data,
                headers,
                unauthenticated,
                secret,
                auth,
                connection,
                wrap,
                ..Request::new(Operation::Update, "")
            }
        })
}

proptest! {
    #[test]
    fn requests_survive_the_wire(request in request()) {
        let sent = pb::Request::from(request.clone());
        prop_assert!(!sent.data.is_empty());
        let mut expected = request;
        if expected.data.is_empty() {
            expected.data = Bytes::from_static(b"{}");
        }
        prop_assert_eq!(Request::try_from(sent), Ok(expected));
    }

    #[test]
    fn responses_survive_the_wire(response in response()) {
        let sent = pb::Response::from(response.clone());
        prop_assert!(!sent.data.is_empty());
        prop_assert_eq!(Response::from(sent), response);
    }

    #[test]
    fn an_outcome_survives_the_wire(response in proptest::option::of(response()), failed: bool) {
        let outcome = match (failed, response) {
            (false, response) => Ok(response),
            (true, None) => Err(Error::InvalidRequest),
            (true, Some(response)) => Err(Error::WithResponse {
                error: Box::new(Error::InvalidRequest),
                response: Box::new(response),
            }),
        };
        prop_assert_eq!(outcome_of(reply(outcome.clone())), outcome);
    }
}

#[test]
fn a_body_is_moved_and_not_copied() {
    let body = Bytes::from(br#"{"a":1}"#.to_vec());
    let request = Request { data: body.clone(), ..Request::new(Operation::Update, "x") };
    assert_eq!(pb::Request::from(request).data.as_ptr(), body.as_ptr());
}

#[test]
fn an_unknown_operation_is_refused_as_hosts_expect() {
    let request = pb::Request { operation: "rotate".to_owned(), ..pb::Request::default() };
    assert_eq!(Request::try_from(request).map(|_| ()), Err(Error::UnsupportedOperation));
}

#[test]
fn existence_survives_the_wire() {
    for found in [Ok(None), Ok(Some(true)), Ok(Some(false)), Err(Error::PermissionDenied)] {
        assert_eq!(existence_of(existence_reply(found.clone())), found);
    }
}

#[test]
fn leases_always_carry_an_issue_time() {
    let sent = pb::Secret::from(Secret::default());
    assert!(sent.lease_options.and_then(|lease| lease.issue_time).is_some());
    assert_eq!(sent.internal_data, "null");
}
