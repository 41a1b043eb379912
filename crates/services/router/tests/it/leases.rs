//! What plugins issue, until it ends.

use serde_json::{Value, json};
use wire::router::v1 as api;

use crate::common::{
    Outcome, Stack, data, done, envelope, eventually,
    issuer::{Mood, known, set_mood},
    refused,
};

async fn with_issuer() -> Stack {
    let stack = Stack::open().await;
    stack.mount("db", "issuer").await;
    stack
}

/// The id of the lease of a new secret.
async fn issue(stack: &Stack, path: &str) -> String {
    let answer = envelope(stack.read(path).await);
    assert!(answer.lease_id.starts_with(&format!("{path}/")), "{answer:?}");
    answer.lease_id
}

async fn lookup(stack: &Stack, id: &str) -> Result<Value, String> {
    let outcome = stack.write("sys/leases/lookup", json!({ "lease_id": id })).await;
    if outcome.is_ok() { Ok(data(outcome)) } else { Err(refused(outcome).1) }
}

async fn is_gone(stack: &Stack, id: &str) -> bool {
    lookup(stack, id).await == Err("invalid lease".to_owned())
}

async fn irrevocable(stack: &Stack) -> Value {
    let ask = json!({"type": "irrevocable"});
    data(stack.ask(&stack.root, "read", "sys/leases", ask).await)
}

fn accepted(outcome: Outcome) {
    let answer = outcome.unwrap();
    assert!(answer.accepted && matches!(answer.body, Some(api::response::Body::Nothing(_))), "{answer:?}");
}

#[tokio::test]
async fn a_secret_gets_a_lease_that_is_looked_up_listed_renewed_and_revoked() {
    let stack = with_issuer().await;
    let answer = envelope(stack.read("db/creds/bob/60").await);
    assert_eq!((answer.renewable, answer.lease_duration), (true, 60));
    let id = answer.lease_id;
    let random = id.strip_prefix("db/creds/bob/60/").unwrap();
    assert_eq!(random.len(), 24);

    let found = lookup(&stack, &id).await.unwrap();
    assert_eq!((&found["id"], &found["ttl"], &found["renewable"]), (&json!(id), &json!(60), &json!(true)));
    assert_eq!(found["last_renewal"], Value::Null);
    let keys = async |path: &str| data(stack.list(path).await)["keys"].clone();
    assert_eq!(keys("sys/leases/lookup/").await, json!(["db/"]));
    assert_eq!(keys("sys/leases/lookup/db/creds/bob/60/").await, json!([random]));
    assert_eq!(refused(stack.list("sys/leases/lookup/nowhere/").await).0, "not-found");

    let renewed =
        envelope(stack.write("sys/leases/renew", json!({"lease_id": id, "increment": "90s"})).await);
    assert_eq!((&renewed.lease_id, renewed.renewable, renewed.lease_duration), (&id, true, 90));
    assert!(renewed.data.is_empty());
    assert!(lookup(&stack, &id).await.unwrap()["last_renewal"].is_string());
    assert_eq!(known("bob").seen, "90s");

    done(stack.write("sys/leases/revoke", json!({ "lease_id": id })).await);
    assert_eq!(known("bob").revoked, 1);
    assert_eq!(known("bob").seen, r#"creds/bob/60 {"password":"of bob"}"#);
    assert!(is_gone(&stack, &id).await);
    done(stack.write("sys/leases/revoke", json!({ "lease_id": id })).await);
    assert_eq!(
        refused(stack.write(&format!("sys/renew/{id}"), Value::Null).await),
        ("invalid", "lease not found".to_owned())
    );
    assert_eq!(
        refused(stack.write("sys/renew", json!({})).await),
        ("invalid", "lease_id must be specified".to_owned())
    );
    for prefix in ["core/leases/id/", "core/leases/token/"] {
        assert!(stack.stored_below(prefix).await.is_empty(), "{prefix}");
    }
}

#[tokio::test]
async fn a_lease_is_stored_with_all_it_needs_and_nothing_in_clear() {
    let stack = with_issuer().await;
    issue(&stack, "db/creds/stored/60").await;
    let [name] = &stack.stored_below("core/leases/id/").await[..] else { panic!("one record") };
    let record = stack.stored(&format!("core/leases/id/{name}")).await.unwrap().to_string();
    assert!(!record.contains(&stack.root));
}

#[tokio::test]
async fn a_lease_ends_when_its_time_is_over() {
    let stack = with_issuer().await;
    let id = issue(&stack, "db/creds/brief/1").await;
    eventually("its end", async || is_gone(&stack, &id).await).await;
    assert_eq!(known("brief").revoked, 1);
}

#[tokio::test]
async fn r10_leases_outlive_a_restart_and_end_all_the_same() {
    let mut stack = with_issuer().await;
    let short = issue(&stack, "db/creds/outlives/1").await;
    let long = issue(&stack, "db/creds/outlives-too/600").await;
    stack.restart();
    stack.unseal().await;
    eventually("its end", async || is_gone(&stack, &short).await).await;
    assert_eq!(known("outlives").revoked, 1);
    assert_eq!(data(stack.list("sys/leases/lookup/db/creds/").await)["keys"], json!(["outlives-too/"]));
    assert!(lookup(&stack, &long).await.is_ok());
}

#[tokio::test]
async fn a_lease_whose_revocation_fails_six_times_is_irrevocable_until_it_is_forced() {
    let mut stack = with_issuer().await;
    set_mood("stuck", Mood::Failing);
    let id = issue(&stack, "db/creds/stuck/1").await;
    eventually("it is given up", async || irrevocable(&stack).await["lease_count"] == json!(1)).await;
    assert_eq!(known("stuck").asked, 6);

    stack.restart();
    stack.unseal().await;
    let listed = irrevocable(&stack).await;
    assert_eq!(listed["leases"][0]["lease_id"], json!(id));
    assert_eq!(listed["leases"][0]["error"], json!("the database is away"));
    let mount_id = listed["leases"][0]["mount_id"].as_str().unwrap();
    assert!(mount_id.starts_with("issuer_"), "{mount_id}");
    let counted =
        data(stack.ask(&stack.root, "read", "sys/leases/count", json!({"type": "irrevocable"})).await);
    assert_eq!(counted, json!({"lease_count": 1, "counts": {mount_id: 1}}));
    assert_eq!(refused(stack.read("sys/leases/count").await).0, "not-found");
    assert_eq!(refused(stack.read("sys/leases").await).0, "not-found");

    done(stack.write("sys/leases/revoke-force/db/creds", Value::Null).await);
    assert_eq!(irrevocable(&stack).await, json!({"lease_count": 0, "leases": []}));
    assert!(is_gone(&stack, &id).await);
    assert_eq!(known("stuck").asked, 7);
}

#[tokio::test]
async fn a_failure_that_stays_is_not_tried_again() {
    let stack = with_issuer().await;
    set_mood("unable", Mood::Unable);
    issue(&stack, "db/creds/unable/1").await;
    eventually("it is given up", async || irrevocable(&stack).await["lease_count"] == json!(1)).await;
    assert_eq!(known("unable").asked, 1);
}

#[tokio::test]
async fn a_revocation_that_somebody_waits_for_tells_its_failure_and_keeps_the_lease() {
    let stack = with_issuer().await;
    set_mood("kept", Mood::Failing);
    let id = issue(&stack, "db/creds/kept/600").await;
    for (path, body) in
        [("sys/leases/revoke", json!({"lease_id": id})), ("sys/leases/revoke-prefix/db", json!({}))]
    {
        let (kind, text) = refused(stack.write(path, body).await);
        assert_eq!((kind, text), ("invalid", format!("failed to revoke {id:?}: the database is away")));
    }
    assert!(lookup(&stack, &id).await.is_ok());
    set_mood("kept", Mood::Willing);
    accepted(stack.write("sys/revoke", json!({"lease_id": id, "sync": false})).await);
    eventually("its end", async || is_gone(&stack, &id).await).await;
    assert_eq!(known("kept").revoked, 1);
}

#[tokio::test]
async fn all_leases_below_a_path_are_revoked_at_once_and_no_others() {
    let stack = with_issuer().await;
    for name in ["one", "two", "three"] {
        issue(&stack, &format!("db/creds/prefix-{name}/600")).await;
    }
    let other = issue(&stack, "db/creds/prefix-onerous/600").await;
    done(stack.write("sys/leases/revoke-prefix/db/creds/prefix-one", Value::Null).await);
    accepted(stack.write("sys/revoke-prefix/db/creds/prefix-two", json!({"sync": false})).await);
    eventually("its end", async || known("prefix-two").revoked == 1).await;
    assert_eq!((known("prefix-one").revoked, known("prefix-three").revoked), (1, 0));
    assert!(lookup(&stack, &other).await.is_ok());
    done(stack.write("sys/leases/revoke-prefix/nowhere", Value::Null).await);
}

#[tokio::test]
async fn t5_no_renewal_takes_a_lease_past_its_longest_life() {
    let stack = with_issuer().await;
    done(
        stack.write("sys/mounts/db/tune", json!({"max_lease_ttl": "100s", "default_lease_ttl": "50s"})).await,
    );
    let answer = envelope(stack.read("db/creds/capped/600").await);
    assert_eq!(answer.lease_duration, 100);
    let warning =
        r#"TTL of "10m" exceeded the effective max_ttl of "1m40s"; TTL value is capped accordingly"#;
    assert_eq!(answer.warnings, [warning]);
    let ask = json!({"lease_id": answer.lease_id, "increment": 99999});
    let renewed = envelope(stack.write("sys/leases/renew", ask).await);
    assert!((95..=100).contains(&renewed.lease_duration), "{renewed:?}");
    assert_eq!(renewed.warnings.len(), 1);
    assert!(lookup(&stack, &answer.lease_id).await.unwrap()["ttl"].as_i64().unwrap() <= 100);
    let mounts_default = envelope(stack.read("db/creds/unsaid").await);
    assert_eq!(mounts_default.lease_duration, 50);
}

#[tokio::test]
async fn what_is_not_renewable_is_not_renewed() {
    let stack = with_issuer().await;
    let id = issue(&stack, "db/fixed/firm/60").await;
    let outcome = stack.write("sys/leases/renew", json!({ "lease_id": id })).await;
    assert_eq!(refused(outcome), ("invalid", "lease is not renewable".to_owned()));
    assert_eq!(known("firm").renewed, 0);
}

#[tokio::test]
async fn an_answer_that_only_says_how_long_it_is_good_gets_no_lease() {
    let stack = with_issuer().await;
    stack.mount("kv", "kv").await;
    done(stack.write("kv/a", json!({"ttl": "60s"})).await);
    for path in ["db/advice/free/60", "kv/a"] {
        let answer = envelope(stack.read(path).await);
        assert_eq!(
            (answer.lease_id.as_str(), answer.renewable, answer.lease_duration),
            ("", false, 60),
            "{path}"
        );
    }
    assert!(stack.stored_below("core/leases/id/").await.is_empty());
}

#[tokio::test]
async fn l10_an_answer_that_is_an_error_gets_no_lease() {
    let stack = with_issuer().await;
    let outcome = stack.read("db/wrong/nobody/60").await;
    assert_eq!(refused(outcome), ("invalid", "it went wrong".to_owned()));
    assert!(stack.stored_below("core/leases/id/").await.is_empty());
}

#[tokio::test]
async fn a_secret_for_nobody_is_revoked_and_not_shown() {
    let stack = with_issuer().await;
    let outcome = stack.ask("", "read", "db/open/nobody/60", Value::Null).await;
    assert_eq!(refused(outcome).0, "internal");
    eventually("its end", async || known("nobody").revoked == 1).await;
}

#[tokio::test]
async fn a_secret_that_cannot_be_recorded_is_revoked_and_not_shown() {
    let stack = with_issuer().await;
    let outcome = stack.read("db/huge/too-much/60").await;
    assert_eq!(refused(outcome).0, "too-large");
    assert_eq!(known("too-much").revoked, 1);
}

#[tokio::test]
async fn a_mount_that_hangs_does_not_hold_up_the_others() {
    let stack = with_issuer().await;
    stack.mount("other", "issuer").await;
    set_mood("hanging", Mood::Hanging);
    for _ in 0..100 {
        issue(&stack, "db/creds/hanging/1").await;
    }
    for _ in 0..20 {
        issue(&stack, "other/creds/swift/1").await;
    }
    eventually("the others end", async || known("swift").revoked == 20).await;
    assert_eq!(known("hanging").revoked, 0);
    assert!(known("hanging").asked <= 32);
}

#[tokio::test]
async fn r7_a_mount_that_goes_takes_along_what_it_has_issued() {
    let stack = with_issuer().await;
    let id = issue(&stack, "db/creds/leaving/600").await;
    set_mood("staying", Mood::Failing);
    let left = issue(&stack, "db/creds/staying/600").await;
    done(stack.delete("sys/mounts/db").await);
    assert_eq!(known("leaving").revoked, 1);
    assert!(is_gone(&stack, &id).await);
    let listed = irrevocable(&stack).await;
    assert_eq!(listed["leases"][0]["lease_id"], json!(left));
    assert_eq!(listed["leases"][0]["error"], json!("the database is away"));
    assert_eq!(listed["lease_count"], json!(1));
    done(stack.write("sys/leases/revoke-force/db", Value::Null).await);
    assert_eq!(irrevocable(&stack).await["lease_count"], json!(0));
}

#[tokio::test]
async fn r7_a_mount_that_was_going_when_the_server_was_killed_takes_along_what_it_has_issued() {
    let mut stack = with_issuer().await;
    set_mood("cut-off", Mood::Hanging);
    issue(&stack, "db/creds/cut-off/600").await;
    {
        let disable = stack.delete("sys/mounts/db");
        let asked = eventually("it is asked", async || known("cut-off").asked == 1);
        tokio::select! { _ = disable => panic!("it hangs"), () = asked => {} }
    }
    set_mood("cut-off", Mood::Willing);
    stack.restart();
    stack.unseal().await;
    eventually("the mount is gone", async || data(stack.read("sys/mounts").await).get("db/").is_none()).await;
    assert_eq!(known("cut-off").revoked, 1);
    assert!(stack.stored_below("core/leases/id/").await.is_empty());
}

#[tokio::test]
async fn a_mount_that_moves_leaves_nothing_issued_behind() {
    let stack = with_issuer().await;
    set_mood("moving", Mood::Failing);
    let id = issue(&stack, "db/creds/moving/600").await;
    let ask = json!({"from": "db", "to": "elsewhere"});
    let (_, text) = refused(stack.write("sys/remount", ask.clone()).await);
    assert!(text.contains("the database is away"), "{text}");
    assert!(lookup(&stack, &id).await.is_ok());
    set_mood("moving", Mood::Willing);
    envelope(stack.write("sys/remount", ask).await);
    assert!(is_gone(&stack, &id).await);
    issue(&stack, "elsewhere/creds/moving/600").await;
}

#[tokio::test]
async fn tidying_drops_what_leads_nowhere() {
    let stack = with_issuer().await;
    issue(&stack, "db/creds/tidy/600").await;
    let [folder] = &stack.stored_below("core/leases/token/").await[..] else { panic!("one token") };
    let folder = format!("core/leases/token/{folder}");
    stack.store(&format!("{folder}nowhere"), b"").await;
    let answer = stack.write("sys/leases/tidy", Value::Null).await.unwrap();
    assert!(answer.accepted);
    eventually("it is tidy", async || stack.stored_below(&folder).await.len() == 1).await;
    assert_eq!(stack.stored_below("core/leases/id/").await.len(), 1);
}

/// Lets somebody in, with a policy of this name, and answers with the token.
async fn log_in(stack: &Stack, name: &str, policy: &str) -> String {
    done(stack.write(&format!("sys/policies/acl/{name}"), json!({ "policy": policy })).await);
    let login = stack.ask("", "update", &format!("auth/people/login/{name}/600"), json!({})).await;
    let auth = crate::common::auth(login);
    auth["client_token"].as_str().unwrap().to_owned()
}

async fn with_people() -> Stack {
    let stack = with_issuer().await;
    done(stack.write("sys/auth/people", json!({"type": "voucher"})).await);
    stack
}

const DB: &str = r#"path "db/*" { capabilities = ["read"] }"#;

#[tokio::test]
async fn t6_what_was_issued_to_a_token_ends_with_it() {
    let stack = with_people().await;
    let token = log_in(&stack, "ada", DB).await;
    let id = envelope(stack.ask(&token, "read", "db/creds/of-ada/600", Value::Null).await).lease_id;
    assert!(lookup(&stack, &id).await.is_ok());
    done(stack.ask(&token, "update", "auth/token/revoke-self", Value::Null).await);
    eventually("its end", async || is_gone(&stack, &id).await).await;
    assert_eq!(known("of-ada").revoked, 1);
    assert!(stack.stored_below("core/leases/id/").await.is_empty());
    assert!(stack.stored_below("core/leases/token/").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_leases_that_are_ended_from_all_sides_at_once() {
    let stack = with_people().await;
    for _ in 0..20 {
        let token = log_in(&stack, "eve", DB).await;
        let issue = || stack.ask(&token, "read", "db/creds/of-eve/600", Value::Null);
        let id = envelope(issue().await).lease_id;
        let end = || stack.write("auth/token/revoke", json!({ "token": token }));
        let revoke = |sync: bool| stack.write("sys/leases/revoke", json!({"lease_id": id, "sync": sync}));
        let (one, other, _, _, _) = tokio::join!(end(), end(), revoke(false), issue(), revoke(true));
        assert!(one.is_ok() || other.is_ok());
    }
    for folder in ["core/leases/id/", "core/leases/token/"] {
        eventually("their end", async || stack.stored_below(folder).await.is_empty()).await;
    }
    assert_eq!(refused(stack.list("sys/leases/lookup/").await).0, "not-found");
}

#[tokio::test]
async fn a_token_of_finite_life_has_a_lease_and_ends_with_it() {
    let mut stack = with_people().await;
    for name in ["eve", "una"] {
        log_in(&stack, name, DB).await;
    }
    let token = log_in(&stack, "kay", DB).await;
    stack.restart();
    stack.unseal().await;
    let keys = data(stack.list("sys/leases/lookup/auth/people/login/kay/600/").await)["keys"].clone();
    let id = format!("auth/people/login/kay/600/{}", keys[0].as_str().unwrap());
    assert!(id.contains("/h") && lookup(&stack, &id).await.unwrap()["ttl"].as_i64() > Some(590));
    let outcome = stack.write("sys/leases/renew", json!({ "lease_id": id })).await;
    assert_eq!(refused(outcome).1, "tokens cannot be renewed through this endpoint");
    done(stack.write("sys/leases/revoke", json!({ "lease_id": id })).await);
    let outcome = stack.ask(&token, "read", "auth/token/lookup-self", Value::Null).await;
    assert_eq!(refused(outcome).0, "denied");
    done(stack.write("sys/leases/revoke-prefix/auth/people/login/eve", Value::Null).await);
    assert_eq!(data(stack.list("sys/leases/lookup/auth/people/login/").await)["keys"], json!(["una/"]));
    done(stack.delete("sys/auth/people").await);
    assert_eq!(refused(stack.list("sys/leases/lookup/auth/").await).0, "not-found");
    assert_eq!(stack.stored_below("core/token/id/").await.len(), 1, "the root token's");
}

#[tokio::test]
async fn r6_a_lease_is_for_its_owner_and_for_those_who_may_touch_the_path_that_names_it() {
    let stack = with_people().await;
    let usual = r#"
        path "db/*" { capabilities = ["read"] }
        path "sys/leases/+" { capabilities = ["update"] }
        path "sys/renew" { capabilities = ["update"] }
        path "sys/revoke" { capabilities = ["update"] }
    "#;
    let owner = log_in(&stack, "owner", usual).await;
    let other = log_in(&stack, "other", usual).await;
    let admin = r#"path "sys/leases/*" { capabilities = ["update"] }"#;
    let admin = log_in(&stack, "admin", admin).await;
    let barred = format!(r#"{usual} path "sys/leases/revoke/db/*" {{ capabilities = ["deny"] }}"#);
    let barred = log_in(&stack, "barred", &barred).await;
    let issued = async |token: &str| {
        envelope(stack.ask(token, "read", "db/creds/owned/600", Value::Null).await).lease_id
    };
    let id = issued(&owner).await;
    let ask = async |token: &str, path: &str, id: &str| {
        stack.ask(token, "update", path, json!({ "lease_id": id })).await
    };
    for path in ["sys/leases/lookup", "sys/leases/renew", "sys/renew", "sys/leases/revoke", "sys/revoke"] {
        assert_eq!(refused(ask(&other, path, &id).await).0, "denied", "{path}");
    }
    for path in ["sys/leases/lookup", "sys/leases/renew", "sys/renew"] {
        envelope(ask(&owner, path, &id).await);
    }
    envelope(ask(&admin, "sys/leases/lookup", &id).await);
    envelope(ask(&admin, "sys/leases/renew", &id).await);
    let own = issued(&barred).await;
    for path in ["sys/leases/revoke", "sys/revoke"] {
        assert_eq!(refused(ask(&barred, path, &own).await).0, "denied", "{path}");
    }
    done(ask(&admin, "sys/leases/revoke", &own).await);
    done(ask(&owner, "sys/revoke", &id).await);
    // A path that names another lease than the body is about its own.
    let id = issued(&owner).await;
    let outcome = ask(&admin, "sys/leases/revoke/db/creds/none", &id).await;
    done(outcome);
    assert!(lookup(&stack, &id).await.is_ok());
}

#[tokio::test]
async fn the_last_use_of_a_token_yields_no_secret() {
    let stack = with_people().await;
    let token = log_in(&stack, "once", DB).await;
    let outcome = stack.ask(&token, "read", "db/creds/last/600", Value::Null).await;
    assert!(refused(outcome).1.starts_with("Secret cannot be returned; token had one use left"));
    eventually("its end", async || known("last").revoked == 1).await;
}
