//! The token store: how tokens are made of others, and how they end.

use futures::future::join_all;
use serde_json::{Value, json};
use wire::{
    catalog::v1::{CommitRequest, Write},
    pb,
    router::v1 as api,
};

use crate::common::{Outcome, Stack, data, done, envelope, refused, request};

const BAD: &str = "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n";
const FORBIDDEN: &str = "1 error occurred:\n\t* permission denied\n\n";
/// May do everything with tokens that needs no sudo.
const MAKER: &str =
    r#"path "auth/token/*" { capabilities = ["create", "read", "update", "delete", "list"] }"#;
const LOOKUP: &str = "auth/token/lookup-self";

/// What somebody gets who asks for a token.
struct Made {
    auth: Value,
    warnings: Vec<String>,
}

impl Made {
    fn of(outcome: Outcome) -> Self {
        let envelope = envelope(outcome);
        Self { auth: serde_json::from_slice(&envelope.auth).unwrap(), warnings: envelope.warnings }
    }

    fn token(&self) -> &str {
        self.auth["client_token"].as_str().unwrap()
    }
}

async fn stack() -> Stack {
    let stack = Stack::open().await;
    done(stack.write("sys/policies/acl/maker", json!({"policy": MAKER})).await);
    stack
}

async fn create(stack: &Stack, by: &str, body: Value) -> Made {
    Made::of(stack.ask(by, "update", "auth/token/create", body).await)
}

/// A token that makes others, and a chain of children, each of the one before.
async fn chain(stack: &Stack, length: usize) -> Vec<String> {
    let mut tokens =
        vec![create(stack, &stack.root, json!({"policies": ["maker"]})).await.token().to_owned()];
    for _ in 1..length {
        let made = create(stack, tokens.last().unwrap(), json!({})).await;
        tokens.push(made.token().to_owned());
    }
    tokens
}

async fn is_good(stack: &Stack, token: &str) -> bool {
    match stack.ask(token, "read", LOOKUP, Value::Null).await {
        Ok(_) => true,
        Err(failure) => {
            assert_eq!(failure.messages, [BAD]);
            false
        }
    }
}

async fn refusal(stack: &Stack, by: &str, body: Value) -> String {
    refused(stack.ask(by, "update", "auth/token/create", body).await).1
}

#[tokio::test]
async fn a_token_is_what_was_asked_for() {
    let stack = stack().await;
    let body = json!({"policies": ["b", "A", "missing"], "ttl": "1h", "meta": {"a": "b"}, "display_name": "My Tok!en",
        "num_uses": 3, "explicit_max_ttl": "30m"});
    let made = create(&stack, &stack.root, body).await;
    assert_eq!(made.auth["policies"], json!(["a", "b", "default", "missing"]));
    assert_eq!((&made.auth["lease_duration"], &made.auth["num_uses"]), (&json!(1800), &json!(3)));
    assert!(made.warnings[0].starts_with(r#"TTL of "1h" exceeded the effective max_ttl of "30m""#));
    assert!(made.warnings.contains(&r#"Policy "missing" does not exist"#.to_owned()));
    let seen = data(stack.write("auth/token/lookup", json!({"token": made.token()})).await);
    assert_eq!(seen["display_name"], json!("token-My-Tok-en"));
    assert_eq!(
        (&seen["meta"], &seen["orphan"], &seen["num_uses"]),
        (&json!({"a": "b"}), &json!(false), &json!(3))
    );
    let by_accessor =
        data(stack.write("auth/token/lookup-accessor", json!({"accessor": made.auth["accessor"]})).await);
    assert_eq!(by_accessor["id"], json!(""));
    let keys = data(stack.list("auth/token/accessors/").await);
    assert!(keys["keys"].as_array().unwrap().contains(&made.auth["accessor"]));
}

#[tokio::test]
async fn t4_a_child_is_never_stronger_than_its_parent() {
    let stack = stack().await;
    let parent = create(&stack, &stack.root, json!({"policies": ["maker"]})).await;
    let parent = parent.token();
    for (body, sentence) in [
        (json!({"policies": ["other"]}), "child policies must be subset of parent"),
        (json!({"policies": ["ROOT "]}), "child policies must be subset of parent"),
        (json!({"period": "1h"}), "root or sudo privileges required to create periodic token"),
        (json!({"no_parent": true}), "root or sudo privileges required to create orphan token"),
        (json!({"id": "mine"}), "root or sudo privileges required to specify token id"),
    ] {
        assert_eq!(refusal(&stack, parent, body).await, sentence);
    }
    let limited = create(&stack, &stack.root, json!({"policies": ["maker"], "num_uses": 1})).await;
    let sentence = "restricted use token cannot generate child tokens";
    assert_eq!(refusal(&stack, limited.token(), json!({})).await, sentence);
    let batch = create(&stack, &stack.root, json!({"policies": ["maker"], "type": "batch"})).await;
    assert_eq!(refusal(&stack, batch.token(), json!({})).await, "batch tokens cannot create more tokens");
}

#[tokio::test]
async fn t4_a_child_is_bound_to_where_its_parent_is_and_an_orphan_too() {
    let stack = stack().await;
    let role = json!({"token_bound_cidrs": ["10.0.0.0/8"], "allowed_policies": ["maker"]});
    done(stack.write("auth/token/roles/bound", role).await);
    let parent = Made::of(stack.write("auth/token/create/bound", json!({})).await);
    let from = async |token: &str, address: &str, operation: &str, path: &str| {
        let connection =
            Some(pb::Connection { remote_addr: address.to_owned(), ..pb::Connection::default() });
        let asked = request(operation, path, &Value::Null);
        stack.send(api::Request { token: token.to_owned(), connection, ..asked }).await
    };
    for path in ["auth/token/create", "auth/token/create-orphan"] {
        let child = Made::of(from(parent.token(), "10.1.1.1", "update", path).await);
        assert_eq!(refused(from(child.token(), "127.0.0.1", "read", LOOKUP).await).1, FORBIDDEN, "{path}");
        envelope(from(child.token(), "10.1.1.1", "read", LOOKUP).await);
    }
}

#[tokio::test]
async fn t1_sudo_does_not_make_root() {
    let stack = stack().await;
    let policy = r#"path "auth/token/*" { capabilities = ["update", "sudo"] }"#;
    done(stack.write("sys/policies/acl/almighty", json!({"policy": policy})).await);
    let sudo = create(&stack, &stack.root, json!({"policies": ["almighty"]})).await;
    let sentence = "root tokens may not be created without parent token being root";
    for name in ["root", " Root", "ROOT\t"] {
        assert_eq!(refusal(&stack, sudo.token(), json!({"policies": [name]})).await, sentence);
        done(stack.write("auth/token/roles/r", json!({"allowed_policies": [name]})).await);
        let by_role = stack.ask(sudo.token(), "update", "auth/token/create/r", json!({})).await;
        assert_eq!(refused(by_role).1, sentence);
    }
    // What sudo is for.
    let made =
        create(&stack, sudo.token(), json!({"policies": ["other"], "period": "1h", "no_parent": true})).await;
    assert_eq!((&made.auth["orphan"], &made.auth["lease_duration"]), (&json!(true), &json!(3600)));
}

#[tokio::test]
async fn t5_of_a_hundred_who_use_a_token_for_the_last_time_one_succeeds() {
    let stack = stack().await;
    for uses in [1, 7] {
        let made = create(&stack, &stack.root, json!({"num_uses": uses, "policies": ["default"]})).await;
        let asks = (0..100).map(|_| stack.ask(made.token(), "read", LOOKUP, Value::Null));
        let good = join_all(asks).await.into_iter().filter(Result::is_ok).count();
        assert_eq!(good, uses);
        assert!(!is_good(&stack, made.token()).await);
    }
}

#[tokio::test]
async fn t5_no_renewal_makes_a_finite_life_infinite_or_outlasts_its_limit() {
    let stack = stack().await;
    let renew = async |token: &str, increment: &str| {
        stack.write("auth/token/renew", json!({"token": token, "increment": increment})).await
    };
    let made =
        create(&stack, &stack.root, json!({"policies": ["default"], "ttl": "1h", "explicit_max_ttl": "2h"}))
            .await;
    let renewed = Made::of(renew(made.token(), "9000h").await);
    let lasts = renewed.auth["lease_duration"].as_u64().unwrap();
    assert!((7190..=7200).contains(&lasts), "{lasts}");
    let renewed = Made::of(renew(made.token(), "0").await);
    assert!(renewed.auth["lease_duration"].as_u64().unwrap() > 0);
    let seen = data(stack.write("auth/token/lookup", json!({"token": made.token()})).await);
    assert_eq!((&seen["creation_ttl"], &seen["explicit_max_ttl"]), (&json!(3600), &json!(7200)));
    assert!(seen["expire_time"].is_string() && seen["last_renewal_time"].is_i64());

    let root = create(&stack, &stack.root, json!({"ttl": "1h"})).await;
    assert_eq!(root.auth["policies"], json!(["root"]));
    let sentence = "expiring root tokens cannot create non-expiring root tokens";
    assert_eq!(refusal(&stack, root.token(), json!({})).await, sentence);
    assert_eq!(refused(renew(&stack.root, "1h").await).1, "invalid lease ID");
    let fixed = create(&stack, &stack.root, json!({"policies": ["default"], "renewable": false})).await;
    assert_eq!(refused(renew(fixed.token(), "1h").await).1, "lease is not renewable");
}

#[tokio::test]
async fn t6_children_die_with_their_parent_however_deep() {
    let stack = stack().await;
    let tokens = chain(&stack, 12).await;
    for token in &tokens {
        assert!(is_good(&stack, token).await);
    }
    done(stack.write("auth/token/revoke", json!({"token": tokens[2]})).await);
    for (place, token) in tokens.iter().enumerate() {
        assert_eq!(is_good(&stack, token).await, place < 2, "{place}");
    }
    done(stack.ask(&tokens[0], "update", "auth/token/revoke-self", Value::Null).await);
    assert!(!is_good(&stack, &tokens[1]).await);
    for folder in ["core/token/ending/", "core/token/parent/"] {
        assert_eq!(stack.stored_below(folder).await, Vec::<String>::new());
    }
    assert_eq!(stack.stored_below("core/token/id/").await.len(), 1);
    assert_eq!(stack.stored_below("core/token/accessor/").await.len(), 1);
}

#[tokio::test]
async fn r10_a_revocation_that_was_cut_off_is_finished_before_the_next_request() {
    let mut stack = stack().await;
    let tokens = chain(&stack, 5).await;
    let batch = create(&stack, &tokens[0], json!({"type": "batch"})).await;
    // As a kill leaves it right after the first write: the token is gone and marked, its children are not.
    let names = stack.stored_below("core/token/parent/").await;
    let mut top = None;
    for name in names {
        let children = stack.stored_below(&format!("core/token/parent/{name}")).await;
        let record = stack.stored(&format!("core/token/id/{}", name.trim_end_matches('/'))).await.unwrap();
        if record["policies"] == json!(["root"]) {
            top = children.into_iter().next();
        }
    }
    let top = top.unwrap();
    stack.store(&format!("core/token/ending/{top}"), br#"{"children":"Die"}"#).await;
    let write = Write { key: format!("core/token/id/{top}"), value: None };
    stack.catalog.storage_client().commit(CommitRequest { writes: vec![write] }).await.unwrap();
    stack.restart();
    for token in tokens.iter().map(String::as_str).chain([batch.token()]) {
        assert!(!is_good(&stack, token).await);
    }
}

#[tokio::test]
async fn t6_nothing_is_born_of_a_token_while_it_ends() {
    let stack = stack().await;
    let parent = create(&stack, &stack.root, json!({"policies": ["maker"]})).await;
    let parent = parent.token();
    let births = join_all((0..40).map(|_| stack.ask(parent, "update", "auth/token/create", json!({}))));
    let (born, ended) =
        tokio::join!(births, stack.ask(parent, "update", "auth/token/revoke-self", Value::Null));
    done(ended);
    for made in born.into_iter().filter(Result::is_ok) {
        assert!(!is_good(&stack, Made::of(made).token()).await);
    }
    assert_eq!(stack.stored_below("core/token/id/").await.len(), 1);
}

#[tokio::test]
async fn orphans_outlive_the_token_that_made_them() {
    let stack = stack().await;
    let tokens = chain(&stack, 3).await;
    let orphan = Made::of(stack.ask(&tokens[0], "update", "auth/token/create-orphan", json!({})).await);
    let no_sudo =
        stack.ask(&tokens[1], "update", "auth/token/revoke-orphan", json!({"token": tokens[0]})).await;
    assert_eq!(refused(no_sudo).1, FORBIDDEN);
    done(stack.write("auth/token/revoke-orphan", json!({"token": tokens[0]})).await);
    assert!(!is_good(&stack, &tokens[0]).await);
    assert!(is_good(&stack, orphan.token()).await && is_good(&stack, &tokens[2]).await);
    let seen = data(stack.ask(&tokens[1], "read", LOOKUP, Value::Null).await);
    assert_eq!(seen["orphan"], json!(true));
    done(stack.write("auth/token/revoke", json!({"token": tokens[1]})).await);
    assert!(!is_good(&stack, &tokens[2]).await);
}

#[tokio::test]
async fn a_batch_token_is_stored_nowhere_and_ends_with_its_parent() {
    let mut stack = stack().await;
    let parent = create(&stack, &stack.root, json!({"policies": ["maker"]})).await;
    let before = stack.stored_below("core/token/id/").await.len();
    let batch = create(&stack, parent.token(), json!({"type": "batch", "ttl": "20m"})).await;
    assert!(batch.token().starts_with("hvb."));
    assert_eq!((&batch.auth["accessor"], &batch.auth["renewable"]), (&json!(""), &json!(false)));
    assert_eq!(stack.stored_below("core/token/id/").await.len(), before);
    let seen = data(stack.ask(batch.token(), "read", LOOKUP, Value::Null).await);
    assert_eq!((&seen["type"], &seen["creation_ttl"]), (&json!("batch"), &json!(1200)));
    for (path, sentence) in [
        ("auth/token/renew-self", "batch tokens cannot be renewed"),
        ("auth/token/revoke-self", "batch tokens cannot be revoked"),
    ] {
        assert_eq!(refused(stack.ask(batch.token(), "update", path, json!({})).await).1, sentence);
    }
    let cubbyhole = stack.ask(batch.token(), "read", "cubbyhole/a", Value::Null).await;
    let sentence = r#"cubbyhole operations are only supported by "service" type tokens"#;
    assert!(refused(cubbyhole).1.contains(sentence));
    stack.restart();
    assert!(is_good(&stack, batch.token()).await);
    done(stack.write("auth/token/revoke", json!({"token": parent.token()})).await);
    assert!(!is_good(&stack, batch.token()).await);
    for (body, sentence) in [
        (
            json!({"type": "batch", "num_uses": 3, "policies": ["a"]}),
            r#"batch tokens cannot have "num_uses" set"#,
        ),
        (
            json!({"type": "batch", "period": "1h", "policies": ["a"]}),
            r#"batch tokens cannot have "period" set"#,
        ),
        (json!({"type": "batch"}), "batch tokens cannot be root tokens"),
    ] {
        assert_eq!(refusal(&stack, &stack.root, body).await, sentence);
    }
}

#[tokio::test]
async fn a_role_says_what_its_tokens_are_like() {
    let stack = stack().await;
    assert_eq!(refused(stack.list("auth/token/roles/").await).0, "not-found");
    let role = json!({"allowed_policies": "default,nosudo", "orphan": true, "token_period": "1h", "path_suffix": "suf",
        "token_num_uses": 5, "allowed_entity_aliases": ["Al*"]});
    done(stack.write("auth/token/roles/r1", role).await);
    let seen = data(stack.read("auth/token/roles/r1").await);
    assert_eq!((&seen["token_period"], &seen["period"]), (&json!(3600), &json!(0)));
    let made = Made::of(stack.write("auth/token/create/r1", json!({"entity_alias": "Alice"})).await);
    assert_eq!(made.auth["policies"], json!(["default", "nosudo"]));
    assert_eq!((&made.auth["orphan"], &made.auth["num_uses"]), (&json!(true), &json!(5)));
    assert!(!made.auth["entity_id"].as_str().unwrap().is_empty());
    let seen = data(stack.write("auth/token/lookup", json!({"token": made.token()})).await);
    assert_eq!((&seen["role"], &seen["path"]), (&json!("r1"), &json!("auth/token/create/r1/suf")));
    assert_eq!(seen["period"], json!(3600));
    let ask = async |body: Value| refused(stack.write("auth/token/create/r1", body).await).1;
    assert_eq!(ask(json!({"entity_alias": "mallory"})).await, "invalid 'entity_alias' value");
    assert!(ask(json!({"policies": ["other"]})).await.starts_with("token policies ("));
    done(stack.delete("auth/token/roles/r1").await);
    assert_eq!(ask(json!({})).await, "unknown role r1");
    let gone = stack.write("auth/token/renew", json!({"token": made.token()})).await;
    assert_eq!(refused(gone).1, r#"original token role "r1" could not be found, not renewing"#);
}

#[tokio::test]
async fn a_chosen_token_is_good_once_and_looks_like_none_of_ours() {
    let stack = stack().await;
    let made = create(&stack, &stack.root, json!({"id": "mine", "policies": ["default"]})).await;
    assert_eq!((made.token(), made.warnings.len()), ("mine", 1));
    assert!(is_good(&stack, "mine").await);
    for (id, sentence) in [
        ("mine", "cannot create a token with a duplicate ID"),
        ("my.custom", "custom token ID cannot have a '.' in the value"),
        ("hvs.custom", "custom token ID cannot have the 'hvs.' prefix"),
        ("a b", "custom token ID cannot have blanks or control characters in the value"),
    ] {
        assert_eq!(refusal(&stack, &stack.root, json!({"id": id, "policies": ["default"]})).await, sentence);
    }
}

#[tokio::test]
async fn questions_about_tokens_that_are_not_there_are_answered_as_vault_does() {
    let stack = stack().await;
    for (path, body, word, sentence) in [
        ("lookup", json!({"token": "hvs.nope"}), "denied", "bad token"),
        ("lookup", json!({"token": null}), "denied", "invalid token"),
        (
            "lookup-accessor",
            json!({"accessor": "nope"}),
            "invalid",
            "1 error occurred:\n\t* invalid accessor\n\n",
        ),
        ("lookup-accessor", json!({}), "invalid", "1 error occurred:\n\t* missing accessor\n\n"),
        ("renew", json!({}), "invalid", "missing token ID"),
        ("renew", json!({"token": "hvs.nope"}), "invalid", "token not found"),
        ("revoke", json!({}), "invalid", "missing token ID"),
        ("revoke-orphan", json!({"token": "hvs.nope"}), "invalid", "token to revoke not found"),
    ] {
        let outcome = stack.write(&format!("auth/token/{path}"), body).await;
        assert_eq!(refused(outcome), (word, sentence.to_owned()), "{path}");
    }
    done(stack.write("auth/token/revoke", json!({"token": "hvs.nope"})).await);
    let unknown = envelope(stack.write("auth/token/revoke-accessor", json!({"accessor": "nope"})).await);
    assert_eq!(unknown.warnings, ["No token found with this accessor"]);
    let own = data(stack.write("auth/token/lookup", json!({})).await);
    assert_eq!(own["path"], json!("auth/token/root"));
}

#[tokio::test]
async fn r6_accessors_are_listed_for_sudo_only() {
    let stack = stack().await;
    let maker = create(&stack, &stack.root, json!({"policies": ["maker"]})).await;
    let outcome = stack.ask(maker.token(), "list", "auth/token/accessors/", Value::Null).await;
    assert_eq!(refused(outcome), ("denied", FORBIDDEN.to_owned()));
}

#[tokio::test]
async fn tidying_removes_names_of_tokens_that_are_not_there() {
    let stack = stack().await;
    let made = create(&stack, &stack.root, json!({"policies": ["default"]})).await;
    let id = "ab".repeat(32);
    let stray = [format!("core/token/accessor/{id}"), format!("core/token/parent/{id}/{id}")];
    stack.store(&stray[0], json!({"token": id, "accessor": "a"}).to_string().as_bytes()).await;
    stack.store(&stray[1], b"null").await;
    let answer = stack.write("auth/token/tidy", Value::Null).await.unwrap();
    assert!(answer.accepted);
    while stack.stored(&stray[0]).await.is_some() || stack.stored(&stray[1]).await.is_some() {
        tokio::task::yield_now().await;
    }
    assert!(is_good(&stack, made.token()).await);
    assert_eq!(stack.stored_below("core/token/id/").await.len(), 2);
}
