//! Who the holders of tokens are, and what follows from that.

use serde_json::{Value, json};
use wire::catalog::v1::{CommitRequest, Write};

use crate::common::{Outcome, Stack, auth, data, done, refused};

const FORBIDDEN: (&str, &str) = ("denied", "1 error occurred:\n\t* permission denied\n\n");

/// With a secrets engine at `odd/`, and an auth method that lets everybody in.
async fn with_login() -> Stack {
    let stack = Stack::open().await;
    stack.mount("odd", "odd").await;
    done(stack.write("sys/auth/people", json!({"type": "login"})).await);
    policy(&stack, "a", r#"path "odd/a" { capabilities = ["read"] }"#).await;
    policy(&stack, "b", r#"path "odd/b" { capabilities = ["read"] }"#).await;
    stack
}

async fn policy(stack: &Stack, name: &str, text: &str) {
    done(stack.write(&format!("sys/policies/acl/{name}"), json!({"policy": text})).await);
}

async fn log_in_at(stack: &Stack, mount: &str, name: &str) -> Outcome {
    stack.ask("", "update", &format!("auth/{mount}/login/{name}"), json!({})).await
}

/// The token, and whose it is.
async fn log_in(stack: &Stack, name: &str) -> (String, String) {
    let auth = auth(log_in_at(stack, "people", name).await);
    let text = |member: &str| auth[member].as_str().unwrap().to_owned();
    (text("client_token"), text("entity_id"))
}

async fn accessor(stack: &Stack, path: &str) -> String {
    data(stack.read("sys/auth").await)[path]["accessor"].as_str().unwrap().to_owned()
}

async fn create(stack: &Stack, path: &str, body: Value) -> String {
    data(stack.write(&format!("identity/{path}"), body).await)["id"].as_str().unwrap().to_owned()
}

async fn entity(stack: &Stack, id: &str) -> Value {
    data(stack.read(&format!("identity/entity/id/{id}")).await)
}

async fn may_read(stack: &Stack, token: &str, path: &str) -> bool {
    match stack.ask(token, "read", path, Value::Null).await {
        Ok(_) => true,
        Err(failure) => {
            assert_eq!((failure.kind.word(), failure.messages.join("; ").as_str()), FORBIDDEN);
            false
        }
    }
}

#[tokio::test]
async fn t9_one_name_at_one_mount_is_one_entity_however_often_it_logs_in() {
    let stack = with_login().await;
    let (token, bob) = log_in(&stack, "bob").await;
    assert_eq!(log_in(&stack, "bob").await.1, bob);
    assert_eq!(log_in(&stack, "BOB").await.1, bob);
    assert_ne!(log_in(&stack, "alice").await.1, bob);

    let known = entity(&stack, &bob).await;
    let aliases = known["aliases"].as_array().unwrap();
    assert_eq!(aliases.len(), 1);
    assert_eq!(aliases[0]["mount_accessor"], json!(accessor(&stack, "people/").await));
    assert_eq!(aliases[0]["mount_path"], json!("auth/people/"));
    assert_eq!(aliases[0]["metadata"], json!({"seen": "BOB"}));
    assert!(known["name"].as_str().unwrap().starts_with("entity_"));
    let own = data(stack.ask(&token, "read", "auth/token/lookup-self", Value::Null).await);
    assert_eq!(own["entity_id"], json!(bob));

    done(stack.write("sys/auth/others", json!({"type": "login"})).await);
    assert_ne!(auth(log_in_at(&stack, "others", "bob").await)["entity_id"], json!(bob));
}

#[tokio::test]
async fn the_same_people_are_known_after_a_restart() {
    let mut stack = with_login().await;
    let (_, bob) = log_in(&stack, "bob").await;
    done(
        stack
            .write(&format!("identity/entity/id/{bob}"), json!({"policies": "a", "metadata": "team=x"}))
            .await,
    );
    let group =
        create(&stack, "group", json!({"name": "ops", "policies": ["b"], "member_entity_ids": [bob]})).await;
    let before = (entity(&stack, &bob).await, data(stack.read(&format!("identity/group/id/{group}")).await));
    stack.restart();
    stack.unseal().await;
    let after = (entity(&stack, &bob).await, data(stack.read(&format!("identity/group/id/{group}")).await));
    assert_eq!(before, after);
    let auth = auth(log_in_at(&stack, "people", "bob").await);
    assert_eq!(auth["entity_id"], json!(bob));
    assert_eq!(auth["identity_policies"], json!(["a", "b"]));
    assert_eq!(auth["token_policies"], json!(["bob", "default"]));
    assert_eq!(auth["policies"], json!(["a", "b", "bob", "default"]));
}

#[tokio::test]
async fn many_logins_of_somebody_new_at_once_make_one_entity() {
    let stack = with_login().await;
    let logins = futures::future::join_all((0..20).map(|_| log_in(&stack, "new"))).await;
    assert!(logins.iter().all(|(_, id)| *id == logins[0].1));
    assert_eq!(data(stack.list("identity/entity/id/").await)["keys"], json!([logins[0].1]));
}

#[tokio::test]
async fn t6_policies_of_an_entity_and_its_groups_count_from_the_next_request() {
    let stack = with_login().await;
    let (token, bob) = log_in(&stack, "bob").await;
    let may = async |path: &str| may_read(&stack, &token, path).await;
    assert!(!may("odd/a").await && !may("odd/b").await);

    done(stack.write(&format!("identity/entity/id/{bob}"), json!({"policies": ["a"]})).await);
    assert!(may("odd/a").await && !may("odd/b").await);

    let inner = create(&stack, "group", json!({"name": "inner", "member_entity_ids": bob})).await;
    let outer = json!({"name": "outer", "policies": "b", "member_group_ids": [inner]});
    let outer = create(&stack, "group", outer).await;
    assert!(may("odd/a").await && may("odd/b").await);
    let known = entity(&stack, &bob).await;
    assert_eq!(known["direct_group_ids"], json!([inner]));
    assert_eq!(known["inherited_group_ids"], json!([outer]));
    let own = data(stack.ask(&token, "update", "sys/capabilities-self", json!({"path": "odd/b"})).await);
    assert_eq!(own["capabilities"], json!(["read"]));

    done(stack.write("identity/group/name/INNER", json!({"member_entity_ids": []})).await);
    assert!(may("odd/a").await && !may("odd/b").await);
    done(stack.write("identity/group/name/inner", json!({"member_entity_ids": [bob]})).await);
    done(stack.delete(&format!("identity/group/id/{outer}")).await);
    assert!(!may("odd/b").await);
    policy(&stack, "a", r#"path "odd/a" { capabilities = ["deny"] }"#).await;
    assert!(!may("odd/a").await);
}

#[tokio::test]
async fn t1_root_never_comes_from_identity() {
    let stack = with_login().await;
    let (token, bob) = log_in(&stack, "bob").await;
    let sentence = ("invalid", "policies cannot contain root".to_owned());
    for root in ["root", "ROOT", " Root ", "root\t"] {
        for path in [&format!("entity/id/{bob}"), "entity", "group", "entity/name/x", "group/name/x"] {
            let body = json!({"name": "x", "policies": ["a", root]});
            assert_eq!(
                refused(stack.write(&format!("identity/{path}"), body).await),
                sentence,
                "{path} {root:?}"
            );
        }
    }
    // Nor if somebody has got it into the storage.
    let key = format!("core/identity/entity/{bob}");
    let mut record = stack.stored(&key).await.unwrap();
    record["policies"] = json!(["root"]);
    stack.store(&key, &serde_json::to_vec(&record).unwrap()).await;
    let mut stack = stack;
    stack.restart();
    stack.unseal().await;
    assert!(!may_read(&stack, &token, "sys/mounts").await);
}

#[tokio::test]
async fn t3_templates_open_the_way_for_everybody_to_what_is_theirs() {
    let stack = with_login().await;
    let text = r#"path "odd/{{identity.entity.name}}/*" { capabilities = ["read"] }
        path "odd/team/{{identity.entity.metadata.team}}" { capabilities = ["read"] }
        path "odd/group/{{identity.groups.names.ops.id}}" { capabilities = ["read"] }"#;
    policy(&stack, "own", text).await;
    let (mut tokens, mut ids) = (Vec::new(), Vec::new());
    for name in ["bob", "eve"] {
        let (token, id) = log_in(&stack, name).await;
        let body = json!({"name": name, "policies": "own", "metadata": {"team": format!("team-{name}")}});
        done(stack.write(&format!("identity/entity/id/{id}"), body).await);
        tokens.push(token);
        ids.push(id);
    }
    for (at, own, other) in [(0, "bob", "eve"), (1, "eve", "bob")] {
        let may = async |path: String| may_read(&stack, &tokens[at], &path).await;
        assert!(may(format!("odd/{own}/x")).await && !may(format!("odd/{other}/x")).await);
        assert!(may(format!("odd/team/team-{own}")).await && !may(format!("odd/team/team-{other}")).await);
    }
    let ops = create(&stack, "group", json!({"name": "ops", "member_entity_ids": ids[0]})).await;
    assert!(may_read(&stack, &tokens[0], &format!("odd/group/{ops}")).await);
    assert!(!may_read(&stack, &tokens[1], &format!("odd/group/{ops}")).await);
    for value in ["*", "+", "team-bob/../x", "a/b"] {
        let body = json!({"metadata": {"team": value}});
        done(stack.write(&format!("identity/entity/id/{}", ids[1]), body).await);
        assert!(!may_read(&stack, &tokens[1], "odd/team/team-bob").await, "{value}");
        assert!(!may_read(&stack, &tokens[1], &format!("odd/team/{value}")).await, "{value}");
    }
}

#[tokio::test]
async fn who_is_disabled_or_gone_may_do_nothing_and_not_log_in() {
    let stack = with_login().await;
    let (token, bob) = log_in(&stack, "bob").await;
    let may = async || may_read(&stack, &token, "auth/token/lookup-self").await;
    assert!(may().await);
    done(stack.write(&format!("identity/entity/id/{bob}"), json!({"disabled": true})).await);
    assert!(!may().await);
    let denied = ("denied", "permission denied".to_owned());
    assert_eq!(refused(log_in_at(&stack, "people", "bob").await), denied);
    assert_eq!(refused(log_in_at(&stack, "people", "BOB+ops").await), denied);
    done(stack.write(&format!("identity/entity/id/{bob}"), json!({"disabled": "false"})).await);
    assert!(may().await);
    done(stack.delete(&format!("identity/entity/id/{bob}")).await);
    assert!(!may().await);
    assert_ne!(log_in(&stack, "bob").await.1, bob);
    assert!(!may().await);
}

#[tokio::test]
async fn l10_l11_a_refused_login_makes_nobody_and_a_plugin_does_not_choose_its_mount() {
    let stack = with_login().await;
    assert_eq!(refused(log_in_at(&stack, "people", "wrong").await).1, "that is wrong");
    assert!(log_in_at(&stack, "people", "root").await.is_err());
    assert_eq!(refused(stack.list("identity/entity/id/").await).0, "not-found");
    assert_eq!(stack.stored_below("core/identity/").await, Vec::<String>::new());
    log_in(&stack, "bob").await;
    let lookup = json!({"alias_name": "bob", "alias_mount_accessor": "made-up"});
    done(stack.write("identity/lookup/entity", lookup).await);
}

#[tokio::test]
async fn an_auth_method_says_at_each_login_who_is_in_its_groups() {
    let stack = with_login().await;
    let people = accessor(&stack, "people/").await;
    let ops = create(&stack, "group", json!({"name": "ops", "type": "external", "policies": "a"})).await;
    let alias = json!({"name": "Ops", "mount_accessor": people, "canonical_id": ops});
    let made = data(stack.write("identity/group-alias", alias).await);
    assert_eq!(made["canonical_id"], json!(ops));

    let (token, bob) = log_in(&stack, "bob+ops+unknown").await;
    assert!(may_read(&stack, &token, "odd/a").await);
    let group = data(stack.read("identity/group/name/ops").await);
    assert_eq!(group["member_entity_ids"], json!([bob]));
    assert_eq!(group["alias"]["name"], json!("Ops"));
    let by_alias = json!({"alias_name": "OPS", "alias_mount_accessor": people});
    assert_eq!(data(stack.write("identity/lookup/group", by_alias).await)["id"], json!(ops));

    log_in(&stack, "bob").await;
    assert!(!may_read(&stack, &token, "odd/a").await);
    log_in(&stack, "bob+OPS").await;
    assert!(may_read(&stack, &token, "odd/a").await);

    for (body, sentence) in [
        (json!({"member_entity_ids": bob}), "member entities can't be set manually for external groups"),
        (json!({"member_group_ids": ops}), "member groups can't be set for external groups"),
        (json!({"type": "internal"}), "group type cannot be changed"),
    ] {
        assert_eq!(refused(stack.write("identity/group/name/ops", body).await).1, sentence);
    }
    done(stack.delete(&format!("identity/group-alias/id/{}", made["id"].as_str().unwrap())).await);
    assert!(!may_read(&stack, &token, "odd/a").await);
}

#[tokio::test]
async fn a_mount_takes_its_names_with_it() {
    let stack = with_login().await;
    let people = accessor(&stack, "people/").await;
    let (_, bob) = log_in(&stack, "bob").await;
    done(stack.delete("sys/auth/people").await);
    assert_eq!(entity(&stack, &bob).await["aliases"], json!([]));
    assert_eq!(refused(stack.list("identity/entity-alias/id/").await).0, "not-found");
    assert!(stack.stored_below(&format!("core/identity/alias/{people}/")).await.is_empty());
}

#[tokio::test]
async fn who_turns_out_to_be_the_same_becomes_one() {
    let stack = with_login().await;
    done(stack.write("sys/auth/others", json!({"type": "login"})).await);
    let (_, bob) = log_in(&stack, "bob").await;
    let other = auth(log_in_at(&stack, "others", "bob").await);
    let (token, robert) = (other["client_token"].as_str().unwrap(), other["entity_id"].as_str().unwrap());
    let merge = async |body: Value| stack.write("identity/entity/merge", body).await;
    for (body, sentence) in [
        (json!({}), "missing entity id to merge to"),
        (json!({"to_entity_id": bob}), "missing entity ids to merge from"),
        (json!({"to_entity_id": "x", "from_entity_ids": [bob]}), "entity id to merge to is invalid"),
        (json!({"to_entity_id": bob, "from_entity_ids": ["x"]}), "entity id to merge from is invalid"),
        (
            json!({"to_entity_id": bob, "from_entity_ids": bob}),
            "to_entity_id should not be present in from_entity_ids",
        ),
    ] {
        assert_eq!(refused(merge(body).await), ("invalid", sentence.to_owned()));
    }
    done(stack.write(&format!("identity/entity/id/{bob}"), json!({"policies": "a"})).await);
    done(merge(json!({"to_entity_id": bob, "from_entity_ids": [robert], "force": true})).await);
    let known = entity(&stack, &bob).await;
    assert_eq!(known["aliases"].as_array().unwrap().len(), 2);
    assert_eq!(known["merged_entity_ids"], json!([robert]));
    assert!(may_read(&stack, token, "odd/a").await, "a token of the other is one of theirs");
    assert_eq!(auth(log_in_at(&stack, "others", "bob").await)["entity_id"], json!(bob));

    let (_, eve) = log_in(&stack, "eve").await;
    let clash = merge(json!({"to_entity_id": bob, "from_entity_ids": [eve]})).await.unwrap_err();
    let aliases = serde_json::from_slice::<Value>(&clash.data).unwrap();
    let keep = aliases["aliases"][0]["from_alias_id"].clone();
    assert!(clash.messages[0].starts_with("toEntity and at least one fromEntity have aliases"), "{clash:?}");
    let body =
        json!({"to_entity_id": bob, "from_entity_ids": [eve], "conflicting_alias_ids_to_keep": [keep]});
    done(merge(body).await);
    assert_eq!(log_in(&stack, "eve").await.1, bob);
    assert_ne!(log_in(&stack, "bob").await.1, bob);
}

#[tokio::test]
async fn r6_the_path_says_what_is_meant_whatever_else_is_named() {
    let stack = with_login().await;
    let people = accessor(&stack, "people/").await;
    let ids = [
        create(&stack, "entity", json!({"name": "one"})).await,
        create(&stack, "entity", json!({"name": "two"})).await,
    ];
    done(
        stack.write(&format!("identity/entity/id/{}", ids[0]), json!({"id": ids[1], "policies": "a"})).await,
    );
    assert_eq!(entity(&stack, &ids[0]).await["policies"], json!(["a"]));
    assert_eq!(entity(&stack, &ids[1]).await["policies"], json!([]));
    let alias = create(&stack, "group-alias", json!({"name": "g", "mount_accessor": people})).await;
    for (operation, path) in [("read", "entity-alias"), ("read", "entity"), ("read", "group")] {
        let outcome =
            stack.ask(&stack.root, operation, &format!("identity/{path}/id/{alias}"), Value::Null).await;
        assert_eq!(refused(outcome).0, "not-found", "{path}");
    }
    done(stack.delete(&format!("identity/entity-alias/id/{alias}")).await);
    assert!(stack.read(&format!("identity/group-alias/id/{alias}")).await.is_ok());
    let (token, _) = log_in(&stack, "bob").await;
    for path in ["entity/id/", "entity-alias/id/", "group/id/", "group-alias/id/"] {
        assert!(!may_read(&stack, &token, &format!("identity/{path}{}", ids[0])).await);
    }
}

#[tokio::test]
async fn a_damaged_record_concerns_one_person_and_nothing_else() {
    let mut stack = with_login().await;
    let (bobs, bob) = log_in(&stack, "bob").await;
    let (eves, eve) = log_in(&stack, "eve").await;
    let (anns, _) = log_in(&stack, "ann").await;
    let group = create(&stack, "group", json!({"name": "ops", "member_entity_ids": [eve]})).await;
    let folder = format!("core/identity/alias/{}/", accessor(&stack, "people/").await);
    let mut ann_alias = None;
    for name in stack.stored_below(&folder).await {
        let key = format!("{folder}{name}");
        if stack.stored(&key).await.unwrap()["name"] == json!("ann") {
            ann_alias = Some(key);
        }
    }
    stack.store(&format!("core/identity/entity/{bob}"), b"garbage").await;
    stack.store(&ann_alias.unwrap(), b"{}").await;
    stack.store(&format!("core/identity/group/{group}"), b"[]").await;
    stack.restart();
    stack.unseal().await;

    let denied = ("denied", "permission denied".to_owned());
    assert!(!may_read(&stack, &bobs, "auth/token/lookup-self").await);
    assert_eq!(refused(log_in_at(&stack, "people", "bob").await), denied, "they may have been disabled");
    assert_eq!(refused(log_in_at(&stack, "people", "ann").await), denied, "nobody knows who that was");
    assert!(may_read(&stack, &anns, "auth/token/lookup-self").await);
    assert!(may_read(&stack, &eves, "auth/token/lookup-self").await);
    assert_eq!(log_in(&stack, "eve").await.1, eve);
    assert_eq!(refused(stack.read(&format!("identity/entity/id/{bob}")).await).0, "internal");
    assert_eq!(data(stack.list("identity/entity/id/").await)["keys"].as_array().unwrap().len(), 3);

    done(stack.write(&format!("identity/entity/id/{bob}"), json!({"name": "bob"})).await);
    assert!(may_read(&stack, &bobs, "auth/token/lookup-self").await);
    done(stack.delete(&format!("identity/group/id/{group}")).await);
    let again = json!({"name": "ann", "mount_accessor": accessor(&stack, "people/").await});
    data(stack.write("identity/entity-alias", again).await);
    log_in(&stack, "ann").await;
}

#[tokio::test]
async fn groups_and_aliases_are_refused_in_the_known_words() {
    let stack = with_login().await;
    let people = accessor(&stack, "people/").await;
    let one = create(&stack, "entity", json!({"name": "one"})).await;
    create(&stack, "entity", json!({"name": "two"})).await;
    let inner = create(&stack, "group", json!({"name": "inner"})).await;
    let outer = create(&stack, "group", json!({"name": "outer", "member_group_ids": [inner]})).await;
    let alias =
        create(&stack, "entity-alias", json!({"name": "x", "mount_accessor": people, "canonical_id": one}))
            .await;
    for (path, body, sentence) in [
        (format!("entity/id/{one}"), json!({"name": "TWO"}), "entity name is already in use".to_owned()),
        ("entity/id/nope".to_owned(), json!({}), "invalid entity id".to_owned()),
        ("group/id/nope".to_owned(), json!({}), "invalid group ID".to_owned()),
        (format!("group/id/{inner}"), json!({"name": "Outer"}), "group name is already in use".to_owned()),
        ("group".to_owned(), json!({"name": "g", "type": "odd"}), "invalid group type \"odd\"".to_owned()),
        (
            format!("group/id/{inner}"),
            json!({"member_group_ids": [outer]}),
            format!("cyclic relationship detected for member group ID {outer:?}"),
        ),
        ("group".to_owned(), json!({"member_entity_ids": "x"}), "invalid entity ID \"x\"".to_owned()),
        (
            "entity-alias".to_owned(),
            json!({"name": "y"}),
            "'id' or 'mount_accessor' and 'name' must be provided".to_owned(),
        ),
        (
            "entity-alias".to_owned(),
            json!({"name": "y", "mount_accessor": "nope"}),
            "invalid mount accessor \"nope\"".to_owned(),
        ),
        (
            "entity-alias".to_owned(),
            json!({"name": "y", "mount_accessor": people, "canonical_id": one}),
            "Alias already exists for requested entity and mount accessor".to_owned(),
        ),
        ("entity-alias/id/nope".to_owned(), json!({"name": "y"}), "invalid alias ID provided".to_owned()),
        ("group-alias".to_owned(), json!({"mount_accessor": people}), "missing alias name".to_owned()),
        (
            "group-alias".to_owned(),
            json!({"name": "g", "mount_accessor": people, "canonical_id": inner}),
            "alias can't be set on an internal group".to_owned(),
        ),
        ("lookup/entity".to_owned(), json!({}), "query parameter not supplied".to_owned()),
        (
            "lookup/entity".to_owned(),
            json!({"id": "a", "name": "b"}),
            "query parameter conflict; please supply distinct set of query parameters".to_owned(),
        ),
        (
            "lookup/group".to_owned(),
            json!({"alias_name": "a"}),
            "both 'alias_name' and 'alias_mount_accessor' needs to be set".to_owned(),
        ),
        ("entity/batch-delete".to_owned(), json!({}), "missing entity ids to delete".to_owned()),
    ] {
        assert_eq!(
            refused(stack.write(&format!("identity/{path}"), body).await),
            ("invalid", sentence),
            "{path}"
        );
    }
    done(stack.write(&format!("identity/entity-alias/id/{alias}"), json!({})).await);
    let renamed = data(stack.write(&format!("identity/entity-alias/id/{alias}"), json!({"name": "z"})).await);
    assert_eq!(renamed, json!({"canonical_id": one, "id": alias}));
    assert_eq!(log_in(&stack, "z").await.1, one);
    done(stack.write("identity/entity/batch-delete", json!({"entity_ids": [one, "nope"]})).await);
    assert_eq!(refused(stack.read(&format!("identity/entity/id/{one}")).await).0, "not-found");
    assert_eq!(data(stack.list("identity/entity/name/").await), json!({"keys": ["two"]}));
}

#[tokio::test]
async fn a_store_from_before_there_was_identity_gets_its_mount() {
    let mut stack = with_login().await;
    for uuid in stack.stored_below("core/mounts/").await {
        let key = format!("core/mounts/{uuid}");
        if stack.stored(&key).await.unwrap()["path"] == json!("identity/") {
            let writes = vec![Write { key, value: None }];
            stack.catalog.storage_client().commit(CommitRequest { writes }).await.unwrap();
        }
    }
    stack.restart();
    stack.unseal().await;
    let mount = data(stack.read("sys/mounts").await)["identity/"].clone();
    assert_eq!(mount["description"], json!("identity store"));
    assert_eq!(mount["config"]["passthrough_request_headers"], json!(["Authorization"]));
    create(&stack, "entity", json!({"name": "x"})).await;
}
