//! The mount table over its endpoints, and what a kill leaves of it.

use serde_json::{Value, json};

use crate::common::{Stack, data, done, envelope, invalid, refused};

/// How many mounts are always there; one of them is an auth method.
const ALWAYS: usize = 4;

#[tokio::test]
async fn what_is_always_there_is_listed() {
    let stack = Stack::open().await;
    let answer = envelope(stack.read("sys/mounts").await);
    assert!(answer.data_on_top);
    assert_eq!(answer.mount_type, "system");
    let mounts: Value = serde_json::from_slice(&answer.data).unwrap();
    assert_eq!(mounts["sys/"]["type"], json!("system"));
    assert_eq!(mounts["sys/"]["options"], json!(null));
    assert_eq!(mounts["sys/"]["config"]["passthrough_request_headers"], json!(["Accept"]));
    let auth = data(stack.read("sys/auth").await);
    assert_eq!(auth["token/"]["config"]["token_type"], json!("default-service"));
}

#[tokio::test]
async fn an_engine_is_mounted_with_all_its_settings() {
    let stack = Stack::open().await;
    let body = json!({
        "type": "kv-v2", "description": "d", "local": true, "seal_wrap": true, "external_entropy_access": false,
        "config": {
            "default_lease_ttl": "1h", "max_lease_ttl": "24h", "force_no_cache": true, "options": null,
            "audit_non_hmac_response_keys": "c,d", "listing_visibility": "unauth",
            "passthrough_request_headers": ["X-A"], "trim_request_trailing_slashes": true,
        },
        "options": {"foo": "bar"},
    });
    done(stack.write("sys/mounts/full", body).await);
    let mut full = data(stack.read("sys/mounts/full").await);
    let accessor = full["accessor"].take();
    assert!(accessor.as_str().unwrap().starts_with("kv_"));
    full["uuid"].take();
    full["running_plugin_version"].take();
    assert_eq!(
        full,
        json!({
            "accessor": null, "uuid": null, "running_plugin_version": null, "running_sha256": "",
            "config": {
                "default_lease_ttl": 3600, "force_no_cache": true, "max_lease_ttl": 86400,
                "audit_non_hmac_response_keys": ["c", "d"], "listing_visibility": "unauth",
                "passthrough_request_headers": ["X-A"], "trim_request_trailing_slashes": true,
            },
            "deprecation_status": "supported", "description": "d", "external_entropy_access": false, "local": true,
            "options": {"foo": "bar", "version": "2"}, "plugin_version": "", "seal_wrap": true, "type": "kv",
        })
    );
    let tune = data(stack.read("sys/mounts/full/tune").await);
    assert_eq!(tune["max_lease_ttl"], json!(86400));
    assert_eq!(tune["options"], json!({"foo": "bar", "version": "2"}));
    let answer = data(stack.read("sys/internal/ui/mounts/full/data/x").await);
    assert_eq!((&answer["path"], &answer["options"]["version"]), (&json!("full/"), &json!("2")));
    let shown = data(stack.ask("", "read", "sys/internal/ui/mounts", Value::Null).await);
    assert_eq!(shown["secret"]["full/"]["type"], json!("kv"));
    assert_eq!(shown["secret"].as_object().unwrap().len(), 1);
}

#[tokio::test]
async fn mounts_that_cannot_be_are_refused_in_vaults_words() {
    let stack = Stack::open().await;
    stack.mount("full", "kv").await;
    for (path, body, expected) in [
        ("mounts/m1", json!({}), "backend type must be specified as a string"),
        ("mounts/m1", json!({"type": "nope"}), "plugin not found in the catalog: nope"),
        ("mounts/m1", json!({"type": "login"}), "plugin not found in the catalog: login"),
        (
            "mounts/m1",
            json!({"type": "kv", "config": {"plugin_version": "v3.0.0"}}),
            "plugin not found in the catalog: kv, version=v3.0.0",
        ),
        ("mounts/full", json!({"type": "kv"}), "path is already in use at full/"),
        ("mounts/full/inner", json!({"type": "kv"}), "path is already in use at full/"),
        ("mounts/sys/foo", json!({"type": "kv"}), r#"cannot mount "sys/foo/""#),
        ("mounts/auth/foo", json!({"type": "kv"}), r#"cannot mount "auth/foo/""#),
        ("mounts/m9", json!({"type": "cubbyhole"}), r#"mount type of "cubbyhole" is not mountable"#),
        ("mounts/full/", json!({"type": "kv"}), "cannot write to a path ending in '/'"),
        (
            "mounts/m1",
            json!({"type": "odd", "options": {"version": "2"}}),
            r#"secrets engine "odd" does not allow setting a version"#,
        ),
        ("mounts/m1", json!({"type": "broken"}), "it does not start"),
        ("auth/a1", json!({"type": "nope"}), "plugin not found in the catalog: nope"),
        ("auth/a1", json!({"type": "token"}), "token credential backend cannot be instantiated"),
        ("auth/token", json!({"type": "login"}), "path is already in use at token/"),
    ] {
        assert_eq!(refused(stack.write(&format!("sys/{path}"), body).await), invalid(expected), "{path}");
    }
    assert_eq!(stack.stored_below("core/mounts/").await.len(), ALWAYS + 1);
    for (path, expected) in [
        ("mounts/nope", "No secret engine mount at nope/"),
        ("auth/nope", "No auth engine at nope/"),
        ("mounts/nope/tune", r#"cannot fetch sysview for path "nope/""#),
    ] {
        assert_eq!(refused(stack.read(&format!("sys/{path}")).await), invalid(expected));
    }
    for (path, expected) in [
        ("mounts/sys", r#"cannot unmount "sys/""#),
        ("auth/token", "token credential backend cannot be disabled"),
    ] {
        assert_eq!(refused(stack.delete(&format!("sys/{path}")).await), invalid(expected));
    }
    done(stack.delete("sys/mounts/nope").await);
    done(stack.delete("sys/mounts/full/inner").await);
    assert_eq!(refused(stack.read("sys/mounts/").await).1, "1 error occurred:\n\t* unsupported path\n\n");
    assert_eq!(
        refused(stack.delete("sys/mounts").await).1,
        "1 error occurred:\n\t* unsupported operation\n\n"
    );
    assert_eq!(
        refused(stack.read("nope/a").await).1,
        r#"no handler for route "nope/a". route entry not found."#
    );
}

#[tokio::test]
async fn r7_what_is_disabled_is_gone_with_its_data() {
    let stack = Stack::open().await;
    stack.mount("kv", "kv").await;
    for n in 0..25 {
        done(stack.write(&format!("kv/a/{n}"), json!({"v": n})).await);
    }
    assert_eq!(stack.stored_below("logical/").await.len(), 1);
    done(stack.delete("sys/mounts/kv").await);
    assert_eq!(refused(stack.read("kv/a/1").await).0, "not-found");
    assert_eq!(stack.stored_below("logical/").await, Vec::<String>::new());
    assert_eq!(stack.stored_below("core/mounts/").await.len(), ALWAYS);
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let mut stack = Stack::open().await;
    stack.mount("kv", "kv").await;
    done(stack.write("sys/auth/people", json!({"type": "login"})).await);
    done(stack.write("kv/a", json!({"v": 1})).await);
    done(stack.write("sys/mounts/kv/tune", json!({"description": "tuned", "max_lease_ttl": "2h"})).await);
    let before = data(stack.read("sys/mounts").await);
    stack.restart();
    assert_eq!(data(stack.read("sys/mounts").await), before);
    assert_eq!(data(stack.read("kv/a").await), json!({"v": 1}));
    // Known to be open before its plugin runs again.
    envelope(stack.ask("", "update", "auth/people/login/bob", json!({})).await);
}

async fn set_state(stack: &Stack, path: &str, state: &str) -> String {
    for uuid in stack.stored_below("core/mounts/").await {
        let key = format!("core/mounts/{uuid}");
        let mut record = stack.stored(&key).await.unwrap();
        if record["path"] == json!(path) {
            record["state"] = json!(state);
            stack.store(&key, record.to_string().as_bytes()).await;
            return uuid;
        }
    }
    panic!("no record of {path}");
}

#[tokio::test]
async fn c11_what_a_kill_left_half_done_is_finished() {
    for state in ["removing", "enabling"] {
        let mut stack = Stack::open().await;
        stack.mount("kv", "kv").await;
        done(stack.write("kv/a", json!({"v": 1})).await);
        let uuid = set_state(&stack, "kv/", state).await;
        stack.restart();
        assert_eq!(refused(stack.read("kv/a").await).0, "not-found");
        while stack.stored(&format!("core/mounts/{uuid}")).await.is_some() {
            tokio::task::yield_now().await;
        }
        assert_eq!(stack.stored_below("logical/").await, Vec::<String>::new());
        stack.mount("kv", "kv").await;
        assert_eq!(refused(stack.read("kv/a").await).0, "not-found");
    }
}

#[tokio::test]
async fn c2_a_damaged_record_is_a_degraded_mount_that_can_be_mended_and_deleted() {
    let mut stack = Stack::open().await;
    stack.mount("kv", "kv").await;
    stack.mount("other", "kv").await;
    for path in ["kv/a", "other/a"] {
        done(stack.write(path, json!({"v": 1})).await);
    }
    let uuid = set_state(&stack, "kv/", "no such state").await;
    stack.restart();
    assert_eq!(data(stack.read("other/a").await), json!({"v": 1}));
    let reason = data(stack.read("sys/mounts").await)["kv/"]["degraded"].take();
    assert!(reason.as_str().unwrap().contains("damaged"), "{reason}");
    assert!(refused(stack.read("kv/a").await).1.contains("damaged"));
    done(stack.write("sys/mounts/kv/tune", json!({"description": "mended"})).await);
    assert_eq!(data(stack.read("kv/a").await), json!({"v": 1}));
    assert_eq!(data(stack.read("sys/mounts").await)["kv/"].get("degraded"), None);

    stack.store(&format!("core/mounts/{uuid}"), b"garbage").await;
    stack.restart();
    let lost = format!("damaged-{uuid}");
    assert_eq!(data(stack.read(&format!("sys/mounts/{lost}")).await)["uuid"], json!(uuid));
    let tune = json!({"plugin_name": "kv"});
    done(stack.write(&format!("sys/mounts/{lost}/tune"), tune).await);
    envelope(stack.write("sys/remount", json!({"from": lost, "to": "kv"})).await);
    assert_eq!(data(stack.read("kv/a").await), json!({"v": 1}));

    stack.store(&format!("core/mounts/{uuid}"), b"garbage").await;
    stack.restart();
    done(stack.delete(&format!("sys/mounts/{lost}")).await);
    assert_eq!(stack.stored_below("logical/").await.len(), 1);
}

#[tokio::test]
async fn the_systems_endpoints_survive_damage_to_their_own_record() {
    let mut stack = Stack::open().await;
    for uuid in stack.stored_below("core/mounts/").await {
        stack.store(&format!("core/mounts/{uuid}"), b"garbage").await;
    }
    stack.restart();
    assert_eq!(data(stack.read("sys/mounts").await).as_object().unwrap().len(), ALWAYS + (ALWAYS - 1));
    assert_eq!(data(stack.read("auth/token/lookup-self").await)["display_name"], json!("root"));
}

#[tokio::test]
async fn an_engine_is_upgraded_by_tuning_and_never_downgraded() {
    let stack = Stack::open().await;
    stack.mount("kv", "kv").await;
    let tune = async |body: Value| stack.write("sys/mounts/kv/tune", body).await;
    let answer = envelope(tune(json!({"options": {"version": "2"}})).await);
    assert!(answer.warnings[0].starts_with("Upgrading mount from version 0 to version 2."));
    let refusal = refused(tune(json!({"options": {"version": "1"}})).await);
    assert_eq!(refusal, invalid("cannot downgrade mount from version 2"));
    assert_eq!(
        refused(tune(json!({"token_type": "batch"})).await),
        invalid("'token_type' can only be modified on auth mounts")
    );
    assert_eq!(
        refused(tune(json!({"plugin_version": "v7.0.0"})).await),
        invalid("plugin not found in the catalog: kv, version=v7.0.0")
    );
    assert_eq!(
        refused(stack.write("sys/mounts/nope/tune", json!({"description": "x"})).await),
        invalid(r#"tune of path "nope/" failed: no mount entry found"#)
    );
    assert_eq!(
        refused(stack.write("sys/mounts/sys/tune", json!({"description": "x"})).await),
        invalid(r#"cannot tune "sys/""#)
    );
}

#[tokio::test]
async fn a_mount_moves_with_its_data_and_accessor() {
    let mut stack = Stack::open().await;
    stack.mount("kv", "kv").await;
    stack.mount("taken", "kv").await;
    done(stack.write("kv/a", json!({"v": 1})).await);
    let before = data(stack.read("sys/mounts/kv").await);
    let remount = async |body: Value| stack.write("sys/remount", body).await;
    for (body, expected) in [
        (json!({"from": "kv"}), "both 'from' and 'to' path must be specified as a string"),
        (json!({"from": "nope", "to": "x"}), r#"no matching mount at "nope/""#),
        (json!({"from": "kv", "to": "taken"}), r#"path already in use at "taken/""#),
        (json!({"from": "kv", "to": "sys/x"}), "cannot remount to destination sys/x/"),
    ] {
        assert_eq!(refused(remount(body).await), invalid(expected));
    }
    let answer = envelope(remount(json!({"from": "kv", "to": "moved/there"})).await);
    assert!(answer.data_on_top && answer.warnings[0].starts_with("Mount move has been queued."));
    let id: Value = serde_json::from_slice(&answer.data).unwrap();
    let id = id["migration_id"].as_str().unwrap();
    assert_eq!(
        data(stack.read(&format!("sys/remount/status/{id}")).await)["migration_info"],
        json!({"source_mount": "kv/", "target_mount": "moved/there/", "status": "success"})
    );
    assert_eq!(refused(stack.read("sys/remount/status/other").await).0, "not-found");
    for _ in 0..2 {
        assert_eq!(data(stack.read("moved/there/a").await), json!({"v": 1}));
        assert_eq!(refused(stack.read("kv/a").await).0, "not-found");
        assert_eq!(data(stack.read("sys/mounts/moved/there").await), before);
        stack.restart();
    }
}

#[tokio::test]
async fn one_path_is_mounted_once_however_many_ask_at_the_same_time() {
    let stack = Stack::open().await;
    let asks = (0..8).map(|n| {
        let path = if n % 2 == 0 { "sys/mounts/a" } else { "sys/mounts/a/b" };
        stack.write(path, json!({"type": "kv"}))
    });
    let outcomes = futures::future::join_all(asks).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(stack.stored_below("core/mounts/").await.len(), ALWAYS + 1);
}
