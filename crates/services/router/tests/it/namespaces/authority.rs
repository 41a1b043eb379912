//! Whose token reaches how far.

use serde_json::{Value, json};

use super::there::{ALL, There, kind};
use crate::common::{Stack, data, done, envelope, eventually, issuer::known, refused};

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
