//! What is in one namespace is not seen from another.

use serde_json::{Value, json};
use wire::router::v1 as api;

use super::there::{ALL, There, kind};
use crate::common::{Stack, bare, data, done, envelope, eventually, issuer::known, refused, request};

/// Everything that there is in a namespace, by what makes it, what shows it, and what shows that it is there.
#[tokio::test]
async fn nothing_of_one_namespace_is_seen_from_another() {
    let stack = Stack::open().await;
    let root = There::root(&stack);
    let one_id = root.make("one").await["id"].clone();
    root.make("two").await;
    root.at("one").make("inner").await;
    let one = root.at("one");
    one.mount("db", "issuer").await;
    done(one.write("sys/auth/people", json!({"type": "userpass"})).await);
    one.policy("all", ALL).await;
    let entity = data(one.write("identity/entity", json!({"name": "bob"})).await);
    let id = entity["id"].as_str().unwrap();
    let group = data(one.write("identity/group", json!({"name": "crew"})).await);
    done(one.write("auth/token/roles/maker", json!({"orphan": true})).await);
    let token = one.token("all").await;
    let accessor = data(one.with(&token).read("auth/token/lookup-self").await)["accessor"].clone();
    let lease = envelope(one.with(&token).read("db/creds/seen/600").await).lease_id;
    assert!(lease.ends_with(&format!(".{}", one_id.as_str().unwrap())), "{lease}");
    done(one.with(&token).write("cubbyhole/mine", json!({"a": 1})).await);

    let list_shows = [
        ("sys/policies/acl/", "all"),
        ("identity/entity/id/", id),
        ("identity/group/name/", "crew"),
        ("auth/token/roles/", "maker"),
        ("auth/token/accessors/", accessor.as_str().unwrap()),
        ("sys/leases/lookup/", "db/"),
    ];
    let reads = [
        ("sys/mounts/db", Value::Null),
        ("sys/auth/people", Value::Null),
        ("sys/policies/acl/all", Value::Null),
        ("identity/entity/name/bob", Value::Null),
        ("auth/token/roles/maker", Value::Null),
    ];
    let writes = [
        ("sys/leases/lookup", json!({ "lease_id": lease })),
        ("auth/token/lookup-accessor", json!({ "accessor": accessor })),
    ];
    for (path, name) in list_shows {
        assert!(data(one.list(path).await)["keys"].as_array().unwrap().contains(&json!(name)), "{path}");
    }
    for (path, _) in &reads {
        data(one.read(path).await);
    }
    for (path, body) in &writes {
        data(one.write(path, body.clone()).await);
    }
    for elsewhere in ["", "two", "one/inner"] {
        let there = root.at(elsewhere);
        for (path, name) in list_shows {
            if let Ok(outcome) = there.list(path).await {
                let keys = data(Ok(outcome))["keys"].clone();
                assert!(!keys.as_array().unwrap().contains(&json!(name)), "{elsewhere} {path} {keys}");
            }
        }
        for (path, _) in &reads {
            assert!(there.read(path).await.is_err(), "{elsewhere} {path}");
        }
        for (path, body) in &writes {
            assert!(there.write(path, body.clone()).await.is_err(), "{elsewhere} {path}");
        }
        assert!(there.read("db/creds/unseen/60").await.is_err());
        assert!(there.write("auth/people/login/bob", json!({"password": "x"})).await.is_err());
        let query = json!({"name": "bob"});
        assert!(there.write("identity/lookup/entity", query).await.unwrap().body.is_some());
        let mounts = data(there.read("sys/mounts").await);
        assert_eq!(mounts.get("db/"), None);
        assert!(mounts.get("sys/").is_some() && mounts.get("identity/").is_some(), "{mounts}");
        assert_eq!(data(there.read("sys/auth").await).get("people/"), None);
        assert_eq!(
            kind(there.with(&token).read("cubbyhole/mine").await),
            if elsewhere == "one/inner" { "not-found" } else { "denied" }
        );
        assert_eq!(kind(there.read("cubbyhole/mine").await), "not-found");
    }
    // Numbers and names that are the same everywhere do not help.
    let twin = data(root.at("two").write("identity/group", json!({"name": "crew"})).await);
    assert_ne!(twin["id"], group["id"]);
    assert!(
        root.at("two").read(&format!("identity/group/id/{}", group["id"].as_str().unwrap())).await.is_err()
    );
}

#[tokio::test]
async fn a_new_namespace_has_what_every_namespace_has_and_nothing_else() {
    let stack = Stack::open().await;
    let root = There::root(&stack);
    root.mount("secret", "kv").await;
    root.policy("mine", ALL).await;
    root.make("team").await;
    let team = root.at("team");
    let names = |views: Value| views.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(data(team.read("sys/mounts").await)), ["cubbyhole/", "identity/", "sys/"]);
    assert_eq!(names(data(team.read("sys/auth").await)), ["token/"]);
    assert_eq!(data(team.list("sys/policies/acl/").await)["keys"], json!(["default"]));
    assert_eq!(kind(team.read("sys/policies/acl/root").await), "not-found");
    data(team.read("sys/policies/acl/default").await);
}

#[tokio::test]
async fn logins_identities_and_leases_live_and_end_in_their_namespace() {
    let stack = Stack::open().await;
    let root = There::root(&stack);
    let ids = [root.make("one").await["id"].clone(), root.make("two").await["id"].clone()];
    for at in ["one", "two"] {
        let there = root.at(at);
        done(there.write("sys/auth/people", json!({"type": "userpass"})).await);
        done(there.write("auth/people/users/bob", json!({"password": at, "token_policies": "all"})).await);
        there.policy("all", ALL).await;
        there.mount("db", "issuer").await;
    }
    let log_in = async |at: &'static str, password: &str| {
        let open = root.at(at).with("");
        open.write("auth/people/login/bob", json!({ "password": password })).await
    };
    assert!(log_in("two", "one").await.is_err());
    let mut seen = Vec::new();
    for (at, id) in [("one", &ids[0]), ("two", &ids[1])] {
        let auth = crate::common::auth(log_in(at, at).await);
        let token = auth["client_token"].as_str().unwrap();
        assert!(token.ends_with(&format!(".{}", id.as_str().unwrap())));
        let there = root.at(at).with(token);
        let entity = auth["entity_id"].as_str().unwrap();
        let shown = data(there.read(&format!("identity/entity/id/{entity}")).await);
        assert_eq!(&shown["namespace_id"], id);
        let lease = envelope(there.read(&format!("db/creds/live-{at}/600")).await).lease_id;
        data(there.write("sys/leases/lookup", json!({ "lease_id": lease })).await);
        seen.push(entity.to_owned());
        done(there.write("auth/token/revoke-self", Value::Null).await);
        eventually("its lease has ended", async || known(&format!("live-{at}")).revoked == 1).await;
    }
    assert_ne!(seen[0], seen[1]);
}

#[tokio::test]
async fn what_is_wrapped_in_a_namespace_is_taken_out_anywhere_once() {
    let stack = Stack::open().await;
    let root = There::root(&stack);
    root.make("one").await;
    root.make("two").await;
    root.at("two").policy("all", ALL).await;
    let outsider = root.at("two").token("all").await;
    let wrapped = async || {
        let asked = api::Request {
            token: stack.root.clone(),
            namespace: "one".to_owned(),
            wrap_ttl: 60_000_000_000,
            ..request("update", "sys/wrapping/wrap", &json!({"a": 1}))
        };
        let answer = envelope(stack.send(asked).await);
        let info: Value = serde_json::from_slice(&answer.wrap_info).unwrap();
        info["token"].as_str().unwrap().to_owned()
    };
    for at in ["", "one", "two"] {
        let token = wrapped().await;
        let told = data(root.at(at).with("").write("sys/wrapping/lookup", json!({ "token": token })).await);
        assert_eq!(told["creation_path"], "sys/wrapping/wrap");
        let own = root.at(at).with(&token);
        assert_eq!(data(own.write("sys/wrapping/unwrap", Value::Null).await), json!({"a": 1}), "{at}");
        assert!(own.write("sys/wrapping/unwrap", Value::Null).await.is_err());
        // It is good for nothing else, wherever that is.
        let token = wrapped().await;
        assert_eq!(kind(root.at(at).with(&token).read("auth/token/lookup-self").await), "denied");
    }
    // Nothing gets out of a locked namespace, not even for those who have the token.
    let token = wrapped().await;
    data(root.write("sys/namespaces/api-lock/lock/one", Value::Null).await);
    for there in [root.with(&token), root.at("two").with(&outsider)] {
        let body = if there.token == token { Value::Null } else { json!({ "token": token }) };
        assert_eq!(kind(there.write("sys/wrapping/unwrap", body).await), "unavailable");
    }
    envelope(root.write("sys/namespaces/api-lock/unlock/one", Value::Null).await);
    let there = root.at("two").with(&outsider);
    assert_eq!(data(there.write("sys/wrapping/unwrap", json!({ "token": token })).await), json!({"a": 1}));
}

/// What is stored of a namespace: the names, and what its core keeps under them.
async fn held_by(stack: &Stack, uuid: &str) -> Vec<(String, Option<Value>)> {
    let mut found = Vec::new();
    for key in stack.all_stored_below(&format!("namespaces/{uuid}/")).await {
        let value = if key.contains("/core/") { stack.stored(&key).await } else { None };
        found.push((key, value));
    }
    found
}

#[tokio::test]
async fn whoever_may_do_everything_in_a_namespace_may_do_nothing_above_or_beside_it() {
    let stack = Stack::open().await;
    let root = There::root(&stack);
    let mut uuids = Vec::new();
    for at in ["one", "two"] {
        uuids.push(root.make(at).await["uuid"].as_str().unwrap().to_owned());
        root.at(at).policy("all", ALL).await;
        root.at(at).mount("kv", "kv").await;
        done(root.at(at).write("kv/x", json!({ "at": at })).await);
    }
    root.mount("kv", "kv").await;
    let token = root.at("one").token("all").await;
    let paths = bare(root.read("sys/internal/specs/openapi").await)["paths"].clone();
    let open = bare(root.with("").read("sys/internal/specs/openapi").await)["paths"].clone();
    let before = held_by(&stack, &uuids[1]).await;
    let mut asked = 0;
    // There the wrapping token comes first, and a token that is none is told so.
    let wrapping = ["/sys/wrapping/unwrap", "/sys/wrapping/rewrap"];
    let closed = paths.as_object().unwrap().keys();
    let closed =
        closed.filter(|path| open.get(path.as_str()).is_none() && !wrapping.contains(&path.as_str()));
    for path in closed {
        let filled = path.split('/').map(|segment| if segment.starts_with('{') { "x" } else { segment });
        let path = filled.collect::<Vec<_>>().join("/");
        let path = path.trim_start_matches('/');
        for operation in ["read", "list", "update", "patch", "delete"] {
            let path = if operation == "list" {
                format!("{}/", path.trim_end_matches('/'))
            } else {
                path.to_owned()
            };
            for at in ["", "two"] {
                let (kind, sentence) =
                    refused(root.at(at).with(&token).ask(operation, &path, json!({})).await);
                let of_root = kind == "not-found" && sentence.contains("unsupported path");
                let no_folder = kind == "invalid" && sentence.contains("path ending in '/'");
                assert!(
                    kind == "denied" || of_root || no_folder,
                    "{at} {operation} {path}: {kind} {sentence}"
                );
                asked += 1;
            }
        }
    }
    assert!(asked > 1000, "{asked}");
    assert_eq!(held_by(&stack, &uuids[1]).await, before);
}
