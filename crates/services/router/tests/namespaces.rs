//! Namespaces: how they come and go, and what is in one that no other sees.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Outcome, Stack, data, done, envelope, eventually, issuer::known, refused, request};
use serde_json::{Value, json};
use wire::router::v1 as api;

/// A namespace of a server, and somebody who asks there.
#[derive(Clone, Copy)]
struct There<'s> {
    stack: &'s Stack,
    called: &'s str,
    token: &'s str,
}

impl<'s> There<'s> {
    fn root(stack: &'s Stack) -> Self {
        Self { stack, called: "", token: &stack.root }
    }

    fn at(self, called: &'s str) -> Self {
        Self { called, ..self }
    }

    fn with(self, token: &'s str) -> Self {
        Self { token, ..self }
    }

    async fn ask(self, operation: &str, path: &str, body: Value) -> Outcome {
        let asked = api::Request {
            token: self.token.to_owned(),
            namespace: self.called.to_owned(),
            ..request(operation, path, &body)
        };
        self.stack.send(asked).await
    }

    async fn read(self, path: &str) -> Outcome {
        self.ask("read", path, Value::Null).await
    }

    async fn list(self, path: &str) -> Outcome {
        self.ask("list", path, Value::Null).await
    }

    async fn write(self, path: &str, body: Value) -> Outcome {
        self.ask("update", path, body).await
    }

    async fn delete(self, path: &str) -> Outcome {
        self.ask("delete", path, Value::Null).await
    }

    async fn make(self, name: &str) -> Value {
        data(self.write(&format!("sys/namespaces/{name}"), Value::Null).await)
    }

    async fn mount(self, path: &str, kind: &str) {
        done(self.write(&format!("sys/mounts/{path}"), json!({ "type": kind })).await);
    }

    async fn policy(self, name: &str, text: &str) {
        done(self.write(&format!("sys/policies/acl/{name}"), json!({ "policy": text })).await);
    }

    /// A new token with a policy.
    async fn token(self, policy: &str) -> String {
        self.token_as(json!({ "policies": [policy] })).await["client_token"].as_str().unwrap().to_owned()
    }

    async fn token_as(self, wish: Value) -> Value {
        let made = envelope(self.write("auth/token/create", wish).await);
        serde_json::from_slice(&made.auth).unwrap()
    }

    async fn is_deleted(self, name: &str) {
        let is_gone = async || self.read(&format!("sys/namespaces/{name}")).await.is_err();
        eventually("the namespace is gone", is_gone).await;
    }
}

const ALL: &str =
    r#"path "*" { capabilities = ["create", "read", "update", "patch", "delete", "list", "sudo"] }"#;

fn kind(outcome: Outcome) -> &'static str {
    refused(outcome).0
}

#[tokio::test]
async fn namespaces_are_made_read_listed_changed_and_deleted() {
    let stack = Stack::open().await;
    let root = There::root(&stack);
    assert_eq!(kind(root.list("sys/namespaces/").await), "not-found");
    let made =
        data(root.write("sys/namespaces/team", json!({"custom_metadata": {"a": "1", "b": "2"}})).await);
    assert_eq!(
        (&made["path"], &made["tainted"], &made["locked"]),
        (&json!("team/"), &json!(false), &json!(false))
    );
    assert_eq!(made["id"].as_str().unwrap().len(), 5);
    assert_eq!(made["custom_metadata"], json!({"a": "1", "b": "2"}));
    assert_eq!(data(root.read("sys/namespaces/team").await), made);

    let patch = json!({"custom_metadata": {"a": null, "c": "3"}});
    let patched = data(root.ask("patch", "sys/namespaces/team", patch).await);
    assert_eq!(patched["custom_metadata"], json!({"b": "2", "c": "3"}));
    assert_eq!(patched["id"], made["id"]);

    let inner = root.at("team/").make("inner").await;
    assert_eq!(inner["path"], "team/inner/");
    let listed = data(root.list("sys/namespaces/").await);
    assert_eq!(listed["keys"], json!(["team/"]));
    assert_eq!(listed["key_info"]["team/"], patched);
    assert_eq!(data(root.at("team").list("sys/namespaces/").await)["keys"], json!(["inner/"]));
    assert_eq!(data(root.list("team/sys/namespaces/").await)["keys"], json!(["inner/"]));

    let refusal = root.delete("sys/namespaces/team").await.unwrap_err();
    assert_eq!(
        (refusal.code, refusal.messages),
        (Some(409), vec!["unable to delete namespace containing child namespaces".to_owned()])
    );
    let gone = data(root.at("team").delete("sys/namespaces/inner").await);
    assert_eq!(gone, json!({"status": "in-progress"}));
    root.at("team").is_deleted("inner").await;
    data(root.delete("sys/namespaces/team").await);
    root.is_deleted("team").await;
    assert_eq!(
        envelope(root.delete("sys/namespaces/team").await).warnings,
        ["requested namespace does not exist"]
    );
}

#[tokio::test]
async fn a_name_that_cannot_be_one_is_refused() {
    let stack = Stack::open().await;
    let root = There::root(&stack);
    root.mount("kv", "kv").await;
    root.mount("deep/kv", "kv").await;
    for (name, sentence) in [
        ("root", r#""root/" is a reserved path and cannot be used as a namespace name"#),
        ("identity", r#""identity/" is a reserved path and cannot be used as a namespace name"#),
        ("..", r#""../" is a reserved path and cannot be used as a namespace name"#),
        ("a b", r#""a b" contains space characters that cannot be used in a namespace name"#),
        ("a/b", "namespace name cannot contain /"),
        ("kv", "new namespace conflicts with existing mount: kv/"),
        ("deep", "new namespace conflicts with existing mount: deep/kv/"),
    ] {
        let outcome = root.write(&format!("sys/namespaces/{name}"), Value::Null).await;
        assert_eq!(refused(outcome), ("invalid", sentence.to_owned()), "{name}");
    }
    root.make("team").await;
    for path in ["team", "team/kv"] {
        let outcome = root.write(&format!("sys/mounts/{path}"), json!({"type": "kv"})).await;
        // The second is a mount of the namespace's own to make, and asked for in the wrong one.
        assert_eq!(kind(outcome), "invalid", "{path}");
    }
    let outcome = root.write("sys/remount", json!({"from": "kv", "to": "team"})).await;
    assert_eq!(kind(outcome), "invalid");
}

#[tokio::test]
async fn a_namespace_is_meant_by_name_by_path_and_by_both_and_an_unknown_name_is_none() {
    let stack = Stack::open().await;
    let root = There::root(&stack);
    root.make("a").await;
    root.at("a").make("b").await;
    root.at("a/b").mount("kv", "kv").await;
    done(root.at("a/b").write("kv/x", json!({"v": 1})).await);
    for (called, path) in
        [("a/b", "kv/x"), ("/a/b/", "kv/x"), ("a", "b/kv/x"), ("", "a/b/kv/x"), ("root", "a/b/kv/x")]
    {
        assert_eq!(data(root.at(called).read(path).await), json!({"v": 1}), "{called} {path}");
    }
    for called in ["c", "a/c", "a/b/kv", "..", "a//b"] {
        let outcome = root.at(called).read("kv/x").await;
        assert_eq!(refused(outcome), ("not-found", "namespace not found".to_owned()), "{called}");
    }
    let refusal = refused(root.read("c/kv/x").await);
    assert_eq!(refusal, ("not-found", r#"no handler for route "c/kv/x". route entry not found."#.to_owned()));
}

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
async fn a_token_says_where_it_belongs_and_reaches_what_is_below_and_nothing_above_or_beside() {
    let stack = Stack::open().await;
    let root = There::root(&stack);
    let id = root.make("one").await["id"].as_str().unwrap().to_owned();
    root.make("two").await;
    root.at("one").make("inner").await;
    let one = root.at("one");
    for at in ["", "one", "two", "one/inner"] {
        root.at(at).mount("kv", "kv").await;
        root.at(at).policy("all", ALL).await;
        done(root.at(at).write("kv/x", json!({ "at": at })).await);
    }
    let made = one.token_as(json!({"policies": ["all"], "no_parent": true})).await;
    let token = made["client_token"].as_str().unwrap();
    assert!(token.starts_with("hvs.") && token.ends_with(&format!(".{id}")), "{}", token.len());
    assert!(made["accessor"].as_str().unwrap().ends_with(&format!(".{id}")));
    let batch = one.token_as(json!({"policies": ["all"], "type": "batch", "ttl": "1h"})).await;
    let batch = batch["client_token"].as_str().unwrap();
    assert!(batch.starts_with("hvb.") && batch.ends_with(&format!(".{id}")));

    for token in [token, batch] {
        for at in ["one", "one/inner"] {
            assert_eq!(data(root.at(at).with(token).read("kv/x").await), json!({ "at": at }));
        }
        for at in ["", "two"] {
            for path in ["kv/x", "sys/mounts", "auth/token/lookup-self", "sys/namespaces/one"] {
                assert_eq!(kind(root.at(at).with(token).read(path).await), "denied", "{at} {path}");
            }
        }
        let shown = data(root.at("one/inner").with(token).read("auth/token/lookup-self").await);
        assert_eq!(shown["namespace_path"], "one/");
    }
    assert_eq!(data(root.read("auth/token/lookup-self").await).get("namespace_path"), None);

    // Whoever cuts the end off, or puts another one there, has no token.
    let bare = token.strip_suffix(&format!(".{id}")).unwrap();
    let two = data(root.read("sys/namespaces/two").await)["id"].as_str().unwrap().to_owned();
    for forged in [bare.to_owned(), format!("{bare}.{two}"), format!("{bare}.xxxxx"), format!("{bare}.")] {
        for at in ["", "one", "two"] {
            assert_eq!(kind(root.at(at).with(&forged).read("kv/x").await), "denied");
        }
    }
    for (at, works) in [("", true), ("one", true), ("two", false), ("one/inner", false)] {
        let outcome = root.at(at).write("auth/token/lookup", json!({ "token": token })).await;
        assert_eq!(outcome.is_ok(), works, "{at}");
    }
}

#[tokio::test]
async fn policies_of_a_parent_name_what_is_below_by_its_path_from_there() {
    let stack = Stack::open().await;
    let root = There::root(&stack);
    root.make("team").await;
    root.at("team").make("app").await;
    for at in ["team", "team/app"] {
        root.at(at).mount("kv", "kv").await;
        done(root.at(at).write("kv/x", json!({ "at": at })).await);
    }
    root.policy("reader", r#"path "team/kv/*" { capabilities = ["read"] }"#).await;
    let deep = r#"path "team/+/kv/x" { capabilities = ["read"] }
                  path "team/app/sys/*" { capabilities = ["update"] }"#;
    root.policy("deep", deep).await;
    root.policy("plain", r#"path "kv/*" { capabilities = ["read"] }"#).await;
    let may = async |policy: &str| {
        let token = root.token(policy).await;
        [root.at("team"), root.at("team/app")]
            .map(|there| there.called)
            .map(|at| (at, token.clone()))
            .map(|(at, token)| async move { root.at(at).with(&token).read("kv/x").await.is_ok() })
    };
    for (policy, expected) in [
        ("reader", [true, false]),
        ("deep", [false, true]),
        ("plain", [false, false]),
        ("default", [false; 2]),
    ] {
        let [first, second] = may(policy).await;
        assert_eq!([first.await, second.await], expected, "{policy}");
    }
    // What the parent says of itself holds for a child's own policies as seen from the child.
    root.at("team").policy("below", r#"path "app/kv/*" { capabilities = ["read"] }"#).await;
    let token = root.at("team").token("below").await;
    data(root.at("team/app").with(&token).read("kv/x").await);
    assert_eq!(kind(root.at("team").with(&token).read("kv/x").await), "denied");
    let asked = json!({"paths": ["kv/x"]});
    let told =
        data(root.at("team/app").with(&root.token("deep").await).write("sys/capabilities-self", asked).await);
    assert_eq!(told["kv/x"], json!(["read"]));
}

#[tokio::test]
async fn whoever_may_do_everything_below_makes_tokens_there_that_end_with_their_own() {
    let stack = Stack::open().await;
    let root = There::root(&stack);
    root.make("team").await;
    let team = root.at("team");
    team.policy("all", ALL).await;
    team.mount("db", "issuer").await;
    root.policy("all", ALL).await;
    root.policy("write", r#"path "team/auth/token/create" { capabilities = ["update"] }"#).await;
    let poor = root.token("write").await;
    assert_eq!(
        refused(team.with(&poor).write("auth/token/create", Value::Null).await).1,
        "root or sudo privileges required to directly generate a token in a child namespace"
    );
    assert_eq!(
        refused(team.write("auth/token/create", json!({"policies": ["root"]})).await).1,
        "root tokens may not be created from a parent namespace"
    );
    assert_eq!(
        refused(team.write("auth/token/create", json!({"id": "mine"})).await).1,
        "token IDs can only be manually specified in the root namespace"
    );
    assert_eq!(team.token_as(Value::Null).await["policies"], json!(["default"]));

    let parent = root.token("all").await;
    let above = team.with(&parent);
    let child = above.token("all").await;
    let stays = above.token_as(json!({"policies": ["all"], "no_parent": true})).await;
    let stays = stays["client_token"].as_str().unwrap();
    let batch = above.token_as(json!({"policies": ["all"], "type": "batch", "ttl": "1h"})).await;
    let batch = batch["client_token"].as_str().unwrap();
    let grandchild = team.with(&child).token("all").await;
    let held = envelope(above.read("db/creds/abroad/600").await).lease_id;
    done(above.write("cubbyhole/mine", json!({"a": 1})).await);
    for token in [&child, &grandchild, stays, batch] {
        data(team.with(token).read("auth/token/lookup-self").await);
    }
    assert_eq!(stack.stored_below(&part_of(&team, "core/guests/").await).await.len(), 2);

    done(root.write("auth/token/revoke", json!({ "token": parent })).await);
    for token in [&child, &grandchild, batch] {
        assert_eq!(kind(team.with(token).read("auth/token/lookup-self").await), "denied");
    }
    data(team.with(stays).read("auth/token/lookup-self").await);
    eventually("its lease has ended", async || known("abroad").revoked == 1).await;
    let lookup = json!({ "lease_id": held });
    eventually("it is not known", async || team.write("sys/leases/lookup", lookup.clone()).await.is_err())
        .await;
    assert!(stack.stored_below(&part_of(&team, "core/cubbyhole/").await).await.is_empty());
    assert_eq!(stack.stored_below(&part_of(&team, "core/guests/").await).await.len(), 1);
}

/// Where something of a namespace is stored.
async fn part_of(there: &There<'_>, what: &str) -> String {
    let found = data(There::root(there.stack).read(&format!("sys/namespaces/{}", there.called)).await);
    format!("namespaces/{}/{what}", found["uuid"].as_str().unwrap())
}

#[tokio::test]
async fn children_abroad_go_on_when_their_parent_is_revoked_alone() {
    let stack = Stack::open().await;
    let root = There::root(&stack);
    root.make("team").await;
    let team = root.at("team");
    root.policy("all", ALL).await;
    let parent = root.token("all").await;
    let child = team.with(&parent).token("default").await;
    done(root.write("auth/token/revoke-orphan", json!({ "token": parent })).await);
    assert_eq!(data(team.with(&child).read("auth/token/lookup-self").await)["orphan"], json!(true));
}

#[tokio::test]
async fn what_is_of_the_whole_server_is_asked_of_the_root_namespace_only() {
    let stack = Stack::open().await;
    let root = There::root(&stack);
    root.make("team").await;
    for (operation, path) in [
        ("update", "sys/seal"),
        ("read", "sys/audit"),
        ("update", "sys/audit/file"),
        ("update", "sys/audit-hash/file"),
        ("read", "sys/generate-root/attempt"),
        ("read", "sys/rekey/init"),
        ("update", "sys/rotate"),
        ("read", "sys/key-status"),
        ("update", "sys/unseal"),
        ("read", "sys/init"),
        ("read", "sys/config/state/sanitized"),
        ("read", "sys/config/cors"),
        ("read", "sys/loggers"),
        ("list", "sys/quotas/rate-limit/"),
        ("list", "sys/plugins/catalog/secret/"),
        ("read", "sys/plugins/processes"),
        ("update", "sys/step-down"),
        ("read", "sys/replication/status"),
        ("read", "sys/raw/core/mounts"),
    ] {
        for there in [
            root.at("team").ask(operation, path, Value::Null).await,
            root.ask(operation, &format!("team/{path}"), Value::Null).await,
        ] {
            let (kind, sentence) = refused(there);
            assert_eq!(kind, "not-found", "{path}");
            assert!(sentence.contains("unsupported path"), "{path}: {sentence}");
        }
    }
    assert_eq!(common::bare(root.at("team").read("sys/seal-status").await)["sealed"], json!(false));
    data(root.at("team").read("sys/internal/ui/resultant-acl").await);
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
        let auth: Value = serde_json::from_slice(&envelope(log_in(at, at).await).auth).unwrap();
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

#[tokio::test]
async fn a_locked_namespace_answers_nobody_until_it_is_unlocked_with_its_key() {
    let mut stack = Stack::open().await;
    let key = {
        let root = There::root(&stack);
        root.make("team").await;
        root.at("team").make("inner").await;
        for at in ["team", "team/inner"] {
            root.at(at).mount("kv", "kv").await;
        }
        let locked = data(root.write("sys/namespaces/api-lock/lock/team", Value::Null).await);
        let key = locked["unlock_key"].as_str().unwrap().to_owned();
        assert_eq!(data(root.read("sys/namespaces/team").await)["locked"], json!(true));
        assert_eq!(
            refused(root.write("sys/namespaces/api-lock/lock/team", Value::Null).await).1,
            r#"cannot lock namespace "team/": is already locked"#
        );
        assert_eq!(
            refused(root.write("sys/namespaces/api-lock/lock/team/inner", Value::Null).await).1,
            r#"cannot lock namespace "team/inner/": ancestor namespace "team/" is already locked"#
        );
        key
    };
    stack.restart();
    let root = There::root(&stack);
    for at in ["team", "team/inner"] {
        for path in ["kv/x", "sys/mounts", "sys/namespaces/api-lock/unlock/inner"] {
            assert_eq!(
                refused(root.at(at).read(path).await),
                (
                    "unavailable",
                    "API access to this namespace has been locked by an administrator - \"team/\" must be unlocked to \
                     gain access."
                        .to_owned()
                ),
                "{at} {path}"
            );
        }
    }
    let team = root.at("team");
    let unlock =
        async |key: &str| team.write("sys/namespaces/api-lock/unlock", json!({ "unlock_key": key })).await;
    assert_eq!(refused(unlock("wrong").await), ("invalid", "incorrect unlock key".to_owned()));
    done(unlock(&key).await);
    data(team.read("sys/mounts").await);
    assert_eq!(
        refused(root.write("sys/namespaces/api-lock/unlock/team", json!({ "unlock_key": key })).await).1,
        r#"namespace "team/" is not locked"#
    );
    data(team.write("sys/namespaces/api-lock/lock", Value::Null).await);
    let warned = envelope(root.write("sys/namespaces/api-lock/unlock/team", Value::Null).await);
    assert_eq!(warned.warnings, ["Namespace unlocked using sudo capabilities"]);
    assert_eq!(
        refused(root.write("sys/namespaces/api-lock/lock", Value::Null).await).1,
        "root namespace cannot be locked/unlocked"
    );
}

#[tokio::test]
async fn a_deleted_namespace_takes_all_it_held_and_leaves_nothing_stored() {
    let stack = Stack::open().await;
    let root = There::root(&stack);
    let kept = stack.stored_below("").await;
    root.make("team").await;
    root.make("other").await;
    let team = root.at("team");
    team.policy("all", ALL).await;
    team.mount("db", "issuer").await;
    team.mount("kv", "kv").await;
    done(team.write("kv/x", json!({"a": 1})).await);
    done(root.write("sys/quotas/rate-limit/of-team", json!({"path": "team/kv", "rate": 1000})).await);
    let token = team.token("all").await;
    envelope(team.with(&token).read("db/creds/deleted/600").await);
    envelope(team.read("db/creds/deleted/600").await);
    data(root.delete("sys/namespaces/team").await);
    root.is_deleted("team").await;
    assert_eq!(known("deleted").revoked, 2);
    assert_eq!(kind(team.with(&token).read("kv/x").await), "not-found");
    assert_eq!(kind(root.with(&token).read("auth/token/lookup-self").await), "denied");
    assert_eq!(kind(root.read("sys/quotas/rate-limit/of-team").await), "not-found");
    assert_eq!(stack.stored_below("namespaces/").await.len(), 1);
    assert_eq!(stack.stored_below("core/namespaces/").await.len(), 1);
    data(root.delete("sys/namespaces/other").await);
    root.is_deleted("other").await;
    assert_eq!(stack.stored_below("").await, kept);

    // Whoever makes one of that name anew finds nothing of the old.
    root.make("team").await;
    assert_eq!(kind(team.read("kv/x").await), "not-found");
    assert_eq!(kind(team.with(&token).read("auth/token/lookup-self").await), "denied");
}

/// Mounts, writes and makes tokens in a namespace for as long as it answers.
async fn keep_busy(there: There<'_>, number: usize) -> usize {
    for round in 0.. {
        let path = format!("kv{number}-{round}");
        let mounted = there.write(&format!("sys/mounts/{path}"), json!({"type": "kv"})).await;
        let policy = there.write(&format!("sys/policies/acl/{path}"), json!({"policy": ALL})).await;
        let written = there.write(&format!("{path}/x"), json!({"a": 1})).await;
        let made = there.write("auth/token/create", json!({"policies": [path]})).await;
        if [mounted, policy, written, made].iter().all(Result::is_err) {
            return round;
        }
    }
    0
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_asked_while_a_namespace_is_deleted_leaves_nothing_behind() {
    let stack = Stack::open().await;
    let root = There::root(&stack);
    for name in ["first", "second", "third"] {
        root.make(name).await;
        let there = root.at(name);
        let delete = async {
            eventually("it is busy", async || {
                data(there.read("sys/mounts").await).as_object().unwrap().len() > 8
            })
            .await;
            data(root.delete(&format!("sys/namespaces/{name}")).await);
        };
        let busy = (0..8).map(|number| keep_busy(there, number));
        let (rounds, ()) = tokio::join!(futures::future::join_all(busy), delete);
        assert!(rounds.iter().sum::<usize>() > 0);
        root.is_deleted(name).await;
        assert_eq!(stack.stored_below("namespaces/").await, [""; 0]);
        assert_eq!(stack.stored_below("core/namespaces/").await, [""; 0]);
    }
}

#[tokio::test]
async fn a_restart_finds_every_namespace_as_it_was_and_goes_on_deleting() {
    let mut stack = Stack::open().await;
    let (token, uuid) = {
        let root = There::root(&stack);
        root.make("team").await;
        root.at("team").make("inner").await;
        let inner = root.at("team/inner");
        inner.mount("kv", "kv").await;
        done(inner.write("kv/x", json!({"a": 1})).await);
        inner.policy("all", ALL).await;
        let going = root.make("going").await;
        root.at("going").mount("kv", "kv").await;
        done(root.at("going").write("kv/x", json!({"a": 1})).await);
        (inner.token("all").await, going["uuid"].as_str().unwrap().to_owned())
    };
    // As a server that was killed after it had said that it would leaves it.
    let key = format!("core/namespaces/{uuid}");
    let mut record = stack.stored(&key).await.unwrap();
    record["removing"] = json!(true);
    stack.store(&key, &serde_json::to_vec(&record).unwrap()).await;
    stack.restart();
    let root = There::root(&stack);
    let inner = root.at("team/inner").with(&token);
    assert_eq!(data(inner.read("kv/x").await), json!({"a": 1}));
    assert_eq!(kind(root.at("going").read("kv/x").await), "not-found");
    root.is_deleted("going").await;
    assert_eq!(stack.stored(&key).await, None);
    assert!(!stack.stored_below("namespaces/").await.contains(&format!("{uuid}/")));
}

#[tokio::test]
async fn a_damaged_namespace_harms_only_itself_and_can_be_deleted() {
    let mut stack = Stack::open().await;
    let uuid = {
        let root = There::root(&stack);
        root.make("whole").await;
        root.make("torn").await["uuid"].as_str().unwrap().to_owned()
    };
    stack.store(&format!("namespaces/{uuid}/core/token/salt"), b"garbage").await;
    stack.restart();
    let root = There::root(&stack);
    data(root.at("whole").read("sys/mounts").await);
    let (kind, sentence) = refused(root.at("torn").read("sys/mounts").await);
    assert_eq!(kind, "internal");
    assert!(sentence.contains("delete it"), "{sentence}");
    data(root.delete("sys/namespaces/torn").await);
    root.is_deleted("torn").await;
    assert_eq!(stack.stored_below("namespaces/").await.len(), 1);
}

#[tokio::test]
async fn consoles_are_told_which_namespaces_somebody_reaches() {
    let stack = Stack::open().await;
    let root = There::root(&stack);
    root.make("one").await;
    root.make("two").await;
    root.policy("reader", r#"path "one/kv/*" { capabilities = ["read"] }"#).await;
    let path = "sys/internal/ui/namespaces";
    assert_eq!(data(root.read(path).await)["keys"], json!(["", "one/", "two/"]));
    let reader = root.token("reader").await;
    assert_eq!(data(root.with(&reader).read(path).await)["keys"], json!(["", "one/"]));
    assert_eq!(data(root.at("one").read(path).await)["keys"], json!([""]));
}

/// All names stored below a prefix, however deep, with a digest of what is stored there.
async fn all_below(stack: &Stack, prefix: &str) -> Vec<(String, Option<Value>)> {
    let mut found = Vec::new();
    let mut folders = vec![prefix.to_owned()];
    while let Some(folder) = folders.pop() {
        for name in stack.stored_below(&folder).await {
            let whole = format!("{folder}{name}");
            if name.ends_with('/') {
                folders.push(whole);
            } else {
                let value = if whole.contains("/core/") { stack.stored(&whole).await } else { None };
                found.push((whole, value));
            }
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
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
    let paths = common::bare(root.read("sys/internal/specs/openapi").await)["paths"].clone();
    let open = common::bare(root.with("").read("sys/internal/specs/openapi").await)["paths"].clone();
    let before = all_below(&stack, &format!("namespaces/{}/", uuids[1])).await;
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
    assert_eq!(all_below(&stack, &format!("namespaces/{}/", uuids[1])).await, before);
}

#[tokio::test]
async fn a_plugin_is_reloaded_by_name_in_a_namespace_and_below_and_nowhere_else() {
    let stack = Stack::open().await;
    let root = There::root(&stack);
    root.make("team").await;
    root.mount("above", "issuer").await;
    let reload = async |at: &'static str| {
        let answer = root.at(at).write("sys/plugins/reload/backend", json!({"plugin": "issuer"})).await;
        envelope(answer).warnings
    };
    assert_eq!(reload("team").await, ["no plugins were reloaded"]);
    root.at("team").mount("db", "issuer").await;
    assert_eq!(reload("team").await, [""; 0]);
    done(root.delete("sys/mounts/above").await);
    assert_eq!(reload("").await, [""; 0]);
}

#[tokio::test]
async fn a_quota_for_a_namespace_counts_what_is_asked_there_and_nowhere_else() {
    let stack = Stack::open().await;
    let root = There::root(&stack);
    root.make("one").await;
    root.make("two").await;
    let rule = json!({"path": "one/", "rate": 1, "interval": "1h"});
    done(root.write("sys/quotas/rate-limit/of-one", rule).await);
    data(root.at("one").read("sys/mounts").await);
    assert_eq!(kind(root.at("one").read("sys/mounts").await), "exhausted");
    for there in [root, root.at("two")] {
        for _ in 0..3 {
            data(there.read("sys/mounts").await);
        }
    }
}
