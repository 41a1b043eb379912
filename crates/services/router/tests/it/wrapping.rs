//! Answers that are put aside under a token, and taken out once.

use futures::future::join_all;
use serde_json::{Value, json};
use wire::router::v1::{self as api, response::Body};

use crate::common::{Outcome, Stack, data, done, envelope, refused, request};

const SECOND: i64 = 1_000_000_000;
const NOT_VALID: &str = "wrapping token is not valid or does not exist";
const BAD: &str = "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n";
const FORBIDDEN: &str = "1 error occurred:\n\t* permission denied\n\n";

/// Asks for a wrapped answer.
async fn asked(stack: &Stack, token: &str, what: (&str, &str), body: Value, format: &str) -> Outcome {
    let request = request(what.0, what.1, &body);
    let (token, wrap_format) = (token.to_owned(), format.to_owned());
    stack.send(api::Request { token, wrap_ttl: 60 * SECOND, wrap_format, ..request }).await
}

async fn wrapped(stack: &Stack, what: (&str, &str), body: Value) -> Value {
    let answer = envelope(asked(stack, &stack.root, what, body, "").await);
    assert_eq!((answer.request_id.as_str(), answer.mount_type.as_str()), ("", ""));
    assert!(answer.data.is_empty() && answer.auth.is_empty(), "{answer:?}");
    serde_json::from_slice(&answer.wrap_info).unwrap()
}

/// The token of something wrapped.
async fn token(stack: &Stack) -> String {
    text(&wrapped(stack, ("update", "sys/wrapping/wrap"), json!({"a": "b", "n": 1})).await["token"])
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

async fn unwrap(stack: &Stack, token: &str) -> Outcome {
    stack.write("sys/wrapping/unwrap", json!({"token": token})).await
}

async fn unwrap_own(stack: &Stack, token: &str) -> Outcome {
    stack.ask(token, "update", "sys/wrapping/unwrap", Value::Null).await
}

async fn lookup(stack: &Stack, token: &str) -> Outcome {
    stack.ask("", "update", "sys/wrapping/lookup", json!({"token": token})).await
}

fn not_valid(outcome: Outcome) {
    assert_eq!(refused(outcome), ("invalid", NOT_VALID.to_owned()));
}

#[tokio::test]
async fn what_is_wrapped_is_taken_out_once_by_whoever_has_the_token() {
    let stack = Stack::open().await;
    let info = wrapped(&stack, ("update", "sys/wrapping/wrap"), json!({"a": "b", "n": 1})).await;
    assert_eq!((&info["ttl"], &info["creation_path"]), (&json!(60), &json!("sys/wrapping/wrap")));
    assert_eq!(info["accessor"].as_str().unwrap().len(), 24);
    assert!(info.get("wrapped_accessor").is_none());
    let token = text(&info["token"]);

    let looked = envelope(lookup(&stack, &token).await);
    assert_eq!(looked.mount_type, "");
    let looked: Value = serde_json::from_slice(&looked.data).unwrap();
    let time = &info["creation_time"];
    assert_eq!(
        looked,
        json!({"creation_path": "sys/wrapping/wrap", "creation_time": time, "creation_ttl": 60})
    );

    let answer = envelope(unwrap(&stack, &token).await);
    assert_eq!((answer.request_id.as_str(), answer.mount_type.as_str()), ("request-id", "system"));
    assert_eq!(serde_json::from_slice::<Value>(&answer.data).unwrap(), json!({"a": "b", "n": 1}));
    not_valid(unwrap(&stack, &token).await);
    not_valid(lookup(&stack, &token).await);
    not_valid(unwrap_own(&stack, &token).await);
    assert!(stack.stored_below("core/cubbyhole/").await.is_empty());
}

#[tokio::test]
async fn the_token_itself_takes_out_what_it_wraps() {
    let stack = Stack::open().await;
    let own = token(&stack).await;
    let looked = stack.ask(&own, "read", "sys/wrapping/lookup", Value::Null).await;
    assert_eq!(data(looked)["creation_ttl"], json!(60));
    assert_eq!(data(unwrap_own(&stack, &own).await), json!({"a": "b", "n": 1}));
    not_valid(unwrap_own(&stack, &own).await);

    // Some clients send it in both places.
    let own = token(&stack).await;
    let both = stack.ask(&own, "update", "sys/wrapping/unwrap", json!({"token": own})).await;
    assert_eq!(data(both), json!({"a": "b", "n": 1}));
    assert!(stack.stored_below("core/cubbyhole/").await.is_empty());
}

#[tokio::test]
async fn every_success_with_something_in_it_can_be_wrapped() {
    let stack = Stack::open().await;
    stack.mount("kv", "kv").await;
    stack.mount("odd", "odd").await;
    done(stack.write("sys/auth/people", json!({"type": "login"})).await);
    done(stack.write("kv/a", json!({"v": 1})).await);
    for (what, path) in [
        (("read", "kv/a"), "kv/a"),
        (("list", "kv/"), "kv/"),
        (("read", "sys/mounts"), "sys/mounts"),
        (("read", "odd/raw-bytes"), "odd/raw-bytes"),
    ] {
        let plain = stack.ask(&stack.root, what.0, what.1, Value::Null).await.unwrap();
        let info = wrapped(&stack, what, Value::Null).await;
        assert_eq!(info["creation_path"], json!(path));
        let unwrapped = unwrap(&stack, &text(&info["token"])).await.unwrap();
        match (plain.body, unwrapped.body) {
            (Some(Body::Envelope(plain)), Some(Body::Envelope(unwrapped))) => {
                assert_eq!(api::Envelope { data_on_top: false, ..plain }, unwrapped);
            }
            (plain, unwrapped) => assert_eq!(plain, unwrapped),
        }
    }
    let answer = envelope(asked(&stack, "", ("update", "auth/people/login/bob"), json!({}), "").await);
    let info: Value = serde_json::from_slice(&answer.wrap_info).unwrap();
    let answer = envelope(unwrap(&stack, &text(&info["token"])).await);
    let auth: Value = serde_json::from_slice(&answer.auth).unwrap();
    assert_eq!(info["wrapped_accessor"], auth["accessor"]);
    let looked = stack.ask(&text(&auth["client_token"]), "read", "auth/token/lookup-self", Value::Null).await;
    assert_eq!(data(looked)["display_name"], json!("people-bob"));
}

#[tokio::test]
async fn l10_no_error_and_no_silence_is_wrapped() {
    let stack = Stack::open().await;
    stack.mount("odd", "odd").await;
    let before = stack.stored_below("core/token/id/").await;
    let ask = async |what| asked(&stack, &stack.root, what, json!({"a": "b"}), "").await;
    done(ask(("update", "cubbyhole/a")).await);
    done(ask(("update", "odd/nothing")).await);
    let bad = ["odd/error", "odd/error-with-data", "odd/nothing", "odd/coded", "odd/garbage"];
    for path in bad {
        assert!(ask(("read", path)).await.is_err(), "{path}");
    }
    assert!(ask(("list", "odd/empty-list/")).await.is_err());
    assert!(matches!(ask(("read", "odd/raw")).await.unwrap().body, Some(Body::Raw(raw)) if raw.code == 404));
    assert_eq!(stack.stored_below("core/token/id/").await, before);
}

#[tokio::test]
async fn what_would_go_out_in_clear_is_not_wrapped() {
    let stack = Stack::open().await;
    let outcome = stack.write("sys/wrapping/wrap", json!({"a": "b"})).await;
    assert_eq!(refused(outcome), ("invalid", "endpoint requires response wrapping to be used".to_owned()));
}

#[tokio::test]
async fn a_wrapping_token_is_a_token_like_others_but_for_its_life() {
    let stack = Stack::open().await;
    let info = wrapped(&stack, ("read", "sys/mounts"), Value::Null).await;
    let paths = json!({"accessor": info["accessor"], "paths": ["cubbyhole/response", "sys/wrapping/unwrap", "sys/mounts"]});
    let can = data(stack.write("sys/capabilities-accessor", paths).await);
    assert_eq!(can["cubbyhole/response"], json!(["create", "read"]));
    assert_eq!(can["sys/wrapping/unwrap"], json!(["update"]));
    assert_eq!(can["sys/mounts"], json!(["deny"]));
}

#[tokio::test]
async fn older_clients_read_the_answer_from_the_cubbyhole() {
    let stack = Stack::open().await;
    let own = token(&stack).await;
    let read = data(stack.ask(&own, "read", "cubbyhole/response", Value::Null).await);
    let answer: Value = serde_json::from_str(read["response"].as_str().unwrap()).unwrap();
    assert_eq!(answer["data"], json!({"a": "b", "n": 1}));
    not_valid(unwrap(&stack, &own).await);
}

#[tokio::test]
async fn a_wrapping_token_that_is_used_for_anything_else_is_burnt() {
    let stack = Stack::open().await;
    for (operation, path) in [
        ("read", "auth/token/lookup-self"),
        ("update", "sys/wrapping/rewrap"),
        ("update", "cubbyhole/response"),
    ] {
        let own = token(&stack).await;
        let outcome = stack.ask(&own, operation, path, json!({"response": "{}"})).await;
        assert_eq!(refused(outcome), ("denied", FORBIDDEN.to_owned()), "{path}");
        not_valid(unwrap(&stack, &own).await);
    }
}

#[tokio::test]
async fn r6_only_a_token_that_wraps_something_can_be_unwrapped_and_others_stay_as_they_are() {
    let stack = Stack::open().await;
    done(stack.write("sys/auth/people", json!({"type": "login"})).await);
    let login = envelope(stack.ask("", "update", "auth/people/login/limited", json!({})).await);
    let auth: Value = serde_json::from_slice(&login.auth).unwrap();
    let limited = text(&auth["client_token"]);
    for victim in [&limited, &stack.root, "hvs.nope", "a.b.c"] {
        for endpoint in ["unwrap", "rewrap", "lookup"] {
            not_valid(stack.write(&format!("sys/wrapping/{endpoint}"), json!({"token": victim})).await);
        }
    }
    not_valid(unwrap_own(&stack, &limited).await);
    let looked = stack.ask(&limited, "read", "auth/token/lookup-self", Value::Null).await;
    assert_eq!(data(looked)["num_uses"], json!(2));
}

#[tokio::test]
async fn whoever_has_no_token_is_told_so_and_whoever_may_not_does_not_use_it_up() {
    let stack = Stack::open().await;
    for endpoint in ["unwrap", "rewrap", "lookup"] {
        let outcome = stack.ask("", "update", &format!("sys/wrapping/{endpoint}"), Value::Null).await;
        let empty = "error validating wrapping token: token is empty".to_owned();
        assert_eq!(refused(outcome), ("denied", empty), "{endpoint}");
    }
    done(
        stack
            .write("sys/policies/acl/default", json!({"policy": "path \"x\" { capabilities = [\"read\"] }"}))
            .await,
    );
    done(stack.write("sys/auth/people", json!({"type": "login"})).await);
    let login = envelope(stack.ask("", "update", "auth/people/login/bob", json!({})).await);
    let auth: Value = serde_json::from_slice(&login.auth).unwrap();
    let token = token(&stack).await;
    for (who, sentence) in
        [("", "permission denied"), ("hvs.nope", BAD), (auth["client_token"].as_str().unwrap(), FORBIDDEN)]
    {
        let outcome = stack.ask(who, "update", "sys/wrapping/unwrap", json!({"token": token})).await;
        assert_eq!(refused(outcome), ("denied", sentence.to_owned()));
    }
    assert_eq!(data(unwrap(&stack, &token).await), json!({"a": "b", "n": 1}));
}

#[tokio::test]
async fn a_rewrapped_answer_has_a_new_token_and_its_old_path() {
    let stack = Stack::open().await;
    let before = wrapped(&stack, ("read", "sys/mounts"), Value::Null).await;
    let old = text(&before["token"]);
    let answer = envelope(stack.write("sys/wrapping/rewrap", json!({"token": old})).await);
    assert_eq!((answer.request_id.as_str(), answer.data.len()), ("", 0));
    let info: Value = serde_json::from_slice(&answer.wrap_info).unwrap();
    assert_eq!((&info["ttl"], &info["creation_path"]), (&json!(60), &json!("sys/mounts")));
    not_valid(unwrap(&stack, &old).await);
    let new = text(&info["token"]);
    assert_ne!(new, old);
    assert_eq!(data(lookup(&stack, &new).await)["creation_path"], json!("sys/mounts"));
    assert!(data(unwrap(&stack, &new).await)["sys/"].is_object());
}

#[tokio::test]
async fn a_wrapping_token_may_be_a_signed_jwt() {
    let mut stack = Stack::open().await;
    let made = async |stack: &Stack| {
        let what = ("update", "sys/wrapping/wrap");
        let answer = envelope(asked(stack, &stack.root, what, json!({"a": 1}), "jwt").await);
        text(&serde_json::from_slice::<Value>(&answer.wrap_info).unwrap()["token"])
    };
    let (first, second) = (made(&stack).await, made(&stack).await);
    let claims: Vec<&str> = first.split('.').collect();
    assert_eq!(claims.len(), 3);
    // The key is kept.
    stack.restart();
    assert_eq!(data(lookup(&stack, &first).await)["creation_ttl"], json!(60));
    assert_eq!(data(unwrap(&stack, &first).await), json!({"a": 1}));
    not_valid(unwrap(&stack, &first).await);
    // As an external plugin does that speaks the older transport.
    assert_eq!(data(unwrap_own(&stack, &second).await), json!({"a": 1}));
    not_valid(unwrap_own(&stack, &second).await);
    let forged = second.rsplit_once('.').unwrap().0.to_owned() + ".AAAA";
    not_valid(unwrap(&stack, &forged).await);
}

#[tokio::test]
async fn t7_of_a_hundred_who_unwrap_at_once_one_gets_it() {
    let stack = Stack::open().await;
    let token = token(&stack).await;
    let outcomes = join_all((0..100).map(async |number| match number % 3 {
        0 => unwrap(&stack, &token).await,
        1 => unwrap_own(&stack, &token).await,
        _ => stack.write("sys/wrapping/rewrap", json!({"token": token})).await,
    }))
    .await;
    let got = outcomes.into_iter().filter_map(Result::ok).count();
    assert_eq!(got, 1);
}

#[tokio::test]
async fn t7_what_was_taken_out_stays_out_after_a_restart() {
    let mut stack = Stack::open().await;
    let (taken, left) = (token(&stack).await, token(&stack).await);
    assert_eq!(data(unwrap(&stack, &taken).await), json!({"a": "b", "n": 1}));
    stack.restart();
    not_valid(unwrap(&stack, &taken).await);
    assert_eq!(data(unwrap(&stack, &left).await), json!({"a": "b", "n": 1}));
}

#[tokio::test]
async fn what_is_wrapped_is_gone_when_its_time_is_over() {
    let stack = Stack::open().await;
    let asked = request("update", "sys/wrapping/wrap", &json!({"a": "b"}));
    let outcome = stack.send(api::Request { token: stack.root.clone(), wrap_ttl: SECOND, ..asked }).await;
    let info: Value = serde_json::from_slice(&envelope(outcome).wrap_info).unwrap();
    let token = text(&info["token"]);
    while lookup(&stack, &token).await.is_ok() {
        tokio::task::yield_now().await;
    }
    not_valid(unwrap(&stack, &token).await);
}

#[tokio::test]
async fn a_policy_may_ask_for_wrapping_within_bounds() {
    let stack = Stack::open().await;
    stack.mount("kv", "kv").await;
    done(stack.write("kv/a", json!({"v": 1})).await);
    let policy =
        r#"path "kv/a" { capabilities = ["read"] min_wrapping_ttl = "10s" max_wrapping_ttl = "60s" }"#;
    done(stack.write("sys/policies/acl/bob", json!({"policy": policy})).await);
    done(stack.write("sys/auth/people", json!({"type": "login"})).await);
    let login = envelope(stack.ask("", "update", "auth/people/login/bob", json!({})).await);
    let auth: Value = serde_json::from_slice(&login.auth).unwrap();
    let token = text(&auth["client_token"]);
    for (seconds, allowed) in [(0, false), (9, false), (10, true), (60, true), (61, false)] {
        let asked = request("read", "kv/a", &Value::Null);
        let (token, wrap_ttl) = (token.clone(), seconds * SECOND);
        let outcome = stack.send(api::Request { token, wrap_ttl, ..asked }).await;
        assert_eq!(outcome.is_ok(), allowed, "{seconds}");
    }
}

#[tokio::test]
async fn a_plugin_may_ask_for_wrapping_and_is_told_when_the_caller_does() {
    let stack = Stack::open().await;
    stack.mount("odd", "odd").await;
    let answer = envelope(stack.read("odd/wrap").await);
    let info: Value = serde_json::from_slice(&answer.wrap_info).unwrap();
    assert_eq!(info["ttl"], json!(30));
    assert!(answer.data.is_empty());
    let answer = envelope(unwrap(&stack, &text(&info["token"])).await);
    assert_eq!(&*answer.data, br#"{"secret":1}"#);

    let info = wrapped(&stack, ("read", "odd/wrap"), Value::Null).await;
    assert_eq!(info["ttl"], json!(30), "the shorter of both");
    let info = wrapped(&stack, ("read", "odd/told"), Value::Null).await;
    assert_eq!(data(unwrap(&stack, &text(&info["token"])).await)["wrap_ttl"], json!(60));
}

#[tokio::test]
async fn nothing_that_is_wrapped_and_no_token_is_stored_in_clear() {
    let stack = Stack::open().await;
    let token = token(&stack).await;
    for prefix in ["core/token/id/", "core/token/accessor/"] {
        for name in stack.stored_below(prefix).await {
            let record = stack.stored(&format!("{prefix}{name}")).await.unwrap().to_string();
            assert!(!record.contains(&token) && !name.contains(&token));
        }
    }
    let keys = stack.stored_below("core/cubbyhole/").await;
    assert!(keys.len() == 1 && !keys[0].contains(&token), "{keys:?}");
}
