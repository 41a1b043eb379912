//! A plugin lets people in, and would give them more than it may.

use serde_json::{Value, json};
use wire::router::v1::Envelope;

use crate::common::{Outcome, Stack, data, done, envelope, refused};

const HOUR: u64 = 3600;

/// With two auth methods that give what they are told to, for an hour at most.
async fn stack() -> Stack {
    let stack = Stack::open().await;
    for path in ["people", "others"] {
        let config = json!({"type": "login", "config": {"default_lease_ttl": "30m", "max_lease_ttl": "1h"}});
        done(stack.write(&format!("sys/auth/{path}"), config).await);
    }
    stack
}

async fn log_in(stack: &Stack, said: Value) -> Outcome {
    stack.ask("", "update", "auth/people/login/said", said).await
}

fn auth(envelope: &Envelope) -> Value {
    serde_json::from_slice(&envelope.auth).unwrap()
}

/// Where an auth method is known by.
async fn accessor(stack: &Stack, path: &str) -> Value {
    data(stack.read("sys/auth").await)[path]["accessor"].take()
}

#[tokio::test]
async fn l11_root_is_not_given_in_any_spelling_or_place() {
    let stack = stack().await;
    for name in ["root", "ROOT", "rOOt", " root ", "root\t", "\n\u{a0}Root\u{2003}"] {
        for place in ["policies", "token_policies"] {
            for names in [json!([name]), json!(["app", name, "web"])] {
                let refusal = refused(log_in(&stack, json!({place: names})).await);
                assert_eq!(
                    refusal,
                    ("invalid", "auth methods cannot create root tokens".to_owned()),
                    "{name:?}"
                );
            }
        }
        // What an identity may do is not for a plugin to say.
        let made = auth(&envelope(log_in(&stack, json!({"identity_policies": [name]})).await));
        assert_eq!(made["policies"], json!(["default"]), "{name:?}");
        let token = made["client_token"].as_str().unwrap();
        assert_eq!(refused(stack.ask(token, "read", "sys/mounts", Value::Null).await).0, "denied");
    }
}

#[tokio::test]
async fn l11_no_life_is_longer_than_the_mount_allows() {
    let stack = stack().await;
    let long = 10 * HOUR;
    for said in [
        json!({"ttl": long}),
        json!({"max_ttl": long}),
        json!({"ttl": long, "max_ttl": long}),
        json!({"period": long}),
        json!({"period": long, "ttl": long, "max_ttl": long, "explicit_max_ttl": long}),
        json!({"explicit_max_ttl": long, "ttl": long}),
        json!({"ttl": u64::MAX / 2_000_000_000}),
        json!({"period": u64::MAX / 2_000_000_000}),
        json!({"ttl": 60, "then": {"ttl": long}}),
        json!({"ttl": 60, "then": {"period": long, "ttl": long, "max_ttl": long}}),
    ] {
        let made = auth(&envelope(log_in(&stack, said.clone()).await));
        assert!(made["lease_duration"].as_u64().unwrap() <= HOUR, "{said}: {made}");
        let token = made["client_token"].as_str().unwrap();
        let renewed = stack.ask(token, "update", "auth/token/renew-self", json!({"increment": "10h"})).await;
        let renewed = auth(&envelope(renewed));
        assert!(renewed["lease_duration"].as_u64().unwrap() <= HOUR, "{said}: {renewed}");
        let seen = data(stack.ask(token, "read", "auth/token/lookup-self", Value::Null).await);
        let ttl = seen["ttl"].as_u64().unwrap();
        assert!(0 < ttl && ttl <= HOUR && !seen["expire_time"].is_null(), "{said}: {seen}");
    }
}

#[tokio::test]
async fn l11_a_renewal_gives_nothing_but_time() {
    let stack = stack().await;
    let then =
        json!({"policies": ["root", "more"], "token_policies": ["root"], "num_uses": 0, "entity_id": "e"});
    let said = json!({"policies": ["app"], "ttl": 60, "num_uses": 5, "then": then});
    let made = auth(&envelope(log_in(&stack, said).await));
    let token = made["client_token"].as_str().unwrap();
    let renewed = stack.ask(token, "update", "auth/token/renew-self", json!({})).await;
    assert_eq!(auth(&envelope(renewed))["policies"], json!(["app", "default"]));
    let seen = data(stack.ask(token, "read", "auth/token/lookup-self", Value::Null).await);
    assert_eq!((&seen["policies"], &seen["num_uses"]), (&json!(["app", "default"]), &json!(3)));
    assert_eq!(seen["entity_id"], json!(""));
}

#[tokio::test]
async fn l11_uses_that_are_fewer_than_none_are_not_taken_for_endless() {
    let stack = stack().await;
    let refusal = refused(log_in(&stack, json!({"num_uses": -1})).await);
    assert_eq!(refusal, ("invalid", "number of uses cannot be negative".to_owned()));
    assert_eq!(stack.stored_below("core/token/id/").await.len(), 1);
}

#[tokio::test]
async fn l11_a_plugin_speaks_for_nobody_elses_people() {
    let stack = stack().await;
    let (people, others) = (accessor(&stack, "people/").await, accessor(&stack, "others/").await);
    let alias = |mount: &Value| json!({"name": "eve", "mount_accessor": mount});
    let enter = async |path: &str, said: Value| {
        let answer = stack.ask("", "update", &format!("auth/{path}/login/said"), said).await;
        auth(&envelope(answer))["entity_id"].as_str().unwrap().to_owned()
    };
    let eve = enter("others", json!({"alias": alias(&others)})).await;
    // By the name, by the alias of another mount, or by the entity itself.
    for said in [
        json!({"alias": alias(&people)}),
        json!({"alias": alias(&others)}),
        json!({"alias": alias(&others), "entity_id": eve}),
        json!({"entity_id": eve}),
    ] {
        assert_ne!(enter("people", said.clone()).await, eve, "{said}");
    }

    let group = json!({"name": "ops", "type": "external", "policies": "ops"});
    let group = data(stack.write("identity/group", group).await)["id"].take();
    let of_others = json!({"name": "ops", "mount_accessor": others, "canonical_id": group});
    data(stack.write("identity/group-alias", of_others).await);
    let groups = json!([{"name": "ops", "mount_accessor": others}, {"name": "ops"}]);
    let members = async || data(stack.read("identity/group/name/ops").await)["member_entity_ids"].take();
    let mallory = enter("people", json!({"alias": {"name": "mallory"}, "groups": groups})).await;
    assert_eq!(members().await, json!([]), "{mallory} is in no group of the other mount");
    assert_eq!(enter("others", json!({"alias": {"name": "eve"}, "groups": groups})).await, eve);
    assert_eq!(members().await, json!([eve]));
}

#[tokio::test]
async fn l11_a_plugin_does_not_choose_the_token() {
    let stack = stack().await;
    let said = json!({"client_token": "hvs.chosen", "accessor": "chosen"});
    let made = auth(&envelope(log_in(&stack, said).await));
    assert_ne!((&made["client_token"], &made["accessor"]), (&json!("hvs.chosen"), &json!("chosen")));
    assert_eq!(
        refused(stack.ask("hvs.chosen", "read", "auth/token/lookup-self", Value::Null).await).0,
        "denied"
    );
}
