//! What audit devices record of requests, and that nothing is done which they do not.

use std::{fs, path::PathBuf, time::Duration};

use serde_json::{Value, json};
use tempfile::TempDir;
use wire::router::v1 as api;

use crate::common::{Outcome, Stack, data, done, envelope, header, refused, request};

/// A device that writes to a file, and the file.
struct Log {
    folder: TempDir,
    path: PathBuf,
}

impl Log {
    async fn enable(stack: &Stack) -> Self {
        let log = Self::none();
        done(stack.write("sys/audit/file", log.device()).await);
        log
    }

    fn none() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        Self { folder, path }
    }

    fn device(&self) -> Value {
        json!({"type": "file", "options": {"file_path": self.path}})
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.path).unwrap()
    }

    fn records(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The records of requests for a path.
    fn about(&self, path: &str) -> Vec<Value> {
        let mut records = self.records();
        records.retain(|record| record["request"]["path"] == path);
        records
    }

    /// Nothing can be written any more, as if the disk were gone.
    fn take_away(&self, stack: &Stack) {
        fs::rename(&self.path, self.folder.path().join("old")).unwrap();
        fs::create_dir(&self.path).unwrap();
        stack.router.reopen_audit_files();
    }

    fn bring_back(&self) {
        fs::remove_dir(&self.path).unwrap();
    }
}

async fn hash(stack: &Stack, text: &str) -> String {
    let answer = data(stack.write("sys/audit-hash/file", json!({"input": text})).await);
    answer["hash"].as_str().unwrap().to_owned()
}

/// With a secrets engine at `odd/`, and an auth method that gives everybody the policy of their name.
async fn stack() -> Stack {
    let stack = Stack::open().await;
    stack.mount("odd", "odd").await;
    done(stack.write("sys/auth/people", json!({"type": "login"})).await);
    stack
}

fn types(records: &[Value]) -> Vec<&str> {
    records.iter().map(|record| record["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_request_has_a_record_before_it_is_done_and_one_of_its_answer() {
    let stack = stack().await;
    let log = Log::enable(&stack).await;
    let sent = api::Request {
        token: stack.root.clone(),
        headers: vec![header("user-agent", "curl")],
        ..request("update", "odd/new", &json!({"a": "mine", "n": 5}))
    };
    stack.send(sent).await.unwrap();
    let [asked, answered] = log.about("odd/new").try_into().unwrap();
    let token = hash(&stack, &stack.root).await;
    assert_eq!((&asked["type"], &answered["type"]), (&json!("request"), &json!("response")));
    assert_eq!(asked["request"], answered["request"]);
    let seen = &asked["request"];
    assert_eq!(seen["operation"], "create");
    assert_eq!(seen["data"], json!({"a": hash(&stack, "mine").await, "n": hash(&stack, "5").await}));
    assert_eq!(seen["headers"], json!({"user-agent": ["curl"]}));
    assert_eq!(seen["client_token"], token);
    assert_eq!(
        (&seen["id"], &seen["remote_address"], &seen["namespace"]),
        (&json!("request-id"), &json!("127.0.0.1"), &json!({"id": "root"}))
    );
    assert_eq!(
        (&seen["mount_point"], &seen["mount_type"], &seen["mount_class"], &seen["mount_running_version"]),
        (&json!("odd/"), &json!("odd"), &json!("secret"), &json!("v1.0.0+builtin"))
    );
    let auth = &asked["auth"];
    assert_eq!((&auth["client_token"], &auth["policies"]), (&json!(token), &json!(["root"])));
    assert_eq!((&auth["display_name"], &auth["token_type"]), (&json!("root"), &json!("service")));
    let granting = json!([{"name": "root", "namespace_id": "root", "type": "acl"}]);
    assert_eq!(auth["policy_results"], json!({"allowed": true, "granting_policies": granting}));
    assert!(auth["accessor"].as_str().unwrap().starts_with("hmac-sha256:"));
    assert!(asked.get("response").is_none() && answered.get("error").is_none());
    let response = &answered["response"];
    assert_eq!(response["data"]["operation"], hash(&stack, "create").await);
    assert_eq!(response["mount_running_plugin_version"], "v1.0.0+builtin");
}

#[tokio::test]
async fn enabling_and_disabling_are_recorded_as_far_as_a_device_is_there() {
    let stack = Stack::open().await;
    let log = Log::enable(&stack).await;
    let records = log.records();
    assert_eq!(types(&records), ["request", "response"]);
    assert_eq!(records[0]["request"]["path"], "sys/audit/test");
    assert_eq!(records[0]["request"].as_object().unwrap().len(), 4, "{}", records[0]);
    assert_eq!(records[1]["request"]["path"], "sys/audit/file");

    let listed = envelope(stack.read("sys/audit").await);
    assert!(listed.data_on_top);
    let listed: Value = serde_json::from_slice(&listed.data).unwrap();
    let options = json!({"file_path": log.path});
    let device =
        json!({"description": "", "local": false, "options": options, "path": "file/", "type": "file"});
    assert_eq!(listed, json!({"file/": device}));

    done(stack.delete("sys/audit/nope").await);
    done(stack.delete("sys/audit/file").await);
    assert_eq!(types(&log.about("sys/audit/file")), ["response", "request"]);
    stack.read("sys/mounts").await.unwrap();
    assert_eq!(log.about("sys/mounts").len(), 0);
    assert_eq!(data(stack.read("sys/audit").await), json!({}));
}

#[tokio::test]
async fn what_is_refused_is_recorded_too() {
    let stack = stack().await;
    let log = Log::enable(&stack).await;
    let asks = [("", "permission denied"), ("hvs.nobody", "permission denied; invalid token")];
    for (at, (token, error)) in asks.into_iter().enumerate() {
        let path = format!("odd/{at}");
        assert_eq!(refused(stack.ask(token, "read", &path, Value::Null).await).0, "denied");
        let records = log.about(&path);
        assert_eq!(types(&records), ["request", "response"], "{path}");
        for record in &records {
            assert_eq!(record["error"], error);
            assert_eq!(record["auth"]["policy_results"], json!({"allowed": false}));
        }
    }
    stack.read("nowhere/a").await.unwrap_err();
    assert_eq!(log.about("nowhere/a")[1]["error"], "no handler for route");
    stack.read("odd/other").await.unwrap_err();
    let failed = &log.about("odd/other")[1];
    assert_eq!(failed["error"], "internal error");
    assert_eq!(failed["response"]["data"]["error"], hash(&stack, "a fault").await);
}

#[tokio::test]
async fn a_login_is_recorded_with_the_token_that_it_yields() {
    let stack = stack().await;
    let log = Log::enable(&stack).await;
    let path = "auth/people/login/bob";
    let answer = envelope(stack.ask("", "update", path, json!({"password": "hidden"})).await);
    let auth: Value = serde_json::from_slice(&answer.auth).unwrap();
    let [asked, answered] = log.about(path).try_into().unwrap();
    assert_eq!(asked["auth"], json!({"policy_results": {"allowed": true}, "token_type": "default"}));
    assert_eq!(asked["request"]["data"]["password"], hash(&stack, "hidden").await);
    let token = hash(&stack, auth["client_token"].as_str().unwrap()).await;
    for seen in [&answered["auth"], &answered["response"]["auth"]] {
        assert_eq!(seen["client_token"], token);
        assert_eq!(seen["accessor"], hash(&stack, auth["accessor"].as_str().unwrap()).await);
        assert_eq!((&seen["metadata"], &seen["policies"]), (&json!({"username": "bob"}), &auth["policies"]));
    }
    // What its holder does is known to be theirs.
    let client = auth["client_token"].as_str().unwrap();
    stack.ask(client, "read", "auth/token/lookup-self", Value::Null).await.unwrap();
    let used = &log.about("auth/token/lookup-self")[0];
    assert_eq!(used["request"]["client_token"], token);
    assert_eq!(used["auth"]["policy_results"]["granting_policies"][0]["name"], "default");
    stack.ask(client, "read", "odd/a", Value::Null).await.unwrap_err();
    assert_eq!(log.about("odd/a")[0]["auth"]["policy_results"], json!({"allowed": false}));
}

#[tokio::test]
async fn a2_with_no_device_that_writes_nothing_is_done() {
    let stack = Stack::open().await;
    stack.mount("kv", "kv").await;
    let log = Log::enable(&stack).await;
    done(stack.write("kv/a", json!({"v": "1"})).await);

    log.take_away(&stack);
    let (kind, sentence) = refused(stack.write("kv/a", json!({"v": "2"})).await);
    assert_eq!(kind, "internal");
    assert!(sentence.contains("no audit device could record the request"), "{sentence}");
    for (operation, path) in [("read", "kv/a"), ("read", "sys/mounts"), ("delete", "sys/audit/file")] {
        let outcome = stack.ask(&stack.root, operation, path, Value::Null).await;
        assert_eq!(refused(outcome).0, "internal", "{path}");
    }
    // How the server stands is not recorded, and can be asked.
    assert!(stack.ask("", "read", "sys/seal-status", Value::Null).await.is_ok());

    log.bring_back();
    assert_eq!(data(stack.read("kv/a").await), json!({"v": "1"}));
    assert_eq!(types(&log.about("kv/a")), ["request", "response"]);
}

#[tokio::test]
async fn a2_one_device_that_writes_is_enough() {
    let stack = stack().await;
    let log = Log::enable(&stack).await;
    done(stack.write("sys/audit/other", json!({"type": "file", "options": {"file_path": "discard"}})).await);
    log.take_away(&stack);
    stack.read("odd/a").await.unwrap();
    // The one that does not can be disabled, and leaves nothing behind.
    done(stack.delete("sys/audit/file").await);
    stack.read("odd/b").await.unwrap();
}

#[tokio::test]
async fn r10_devices_record_again_after_a_restart_before_anything_is_served() {
    let mut stack = stack().await;
    let log = Log::enable(&stack).await;
    let before = hash(&stack, "x").await;
    stack.restart();
    stack.unseal().await;
    stack.read("odd/after").await.unwrap();
    assert_eq!(types(&log.about("odd/after")), ["request", "response"]);
    assert_eq!(hash(&stack, "x").await, before);

    log.take_away(&stack);
    stack.restart();
    stack.unseal().await;
    assert_eq!(refused(stack.read("odd/lost").await).0, "internal");
    log.bring_back();
    stack.read("odd/kept").await.unwrap();
}

/// Overwrites the record of every device with something that is none.
async fn damage_devices(stack: &mut Stack) {
    for name in stack.stored_below("core/audit/devices/").await {
        stack.store(&format!("core/audit/devices/{name}"), b"garbage").await;
    }
    stack.restart();
    stack.unseal().await;
}

#[tokio::test]
async fn r10_devices_whose_records_are_damaged_hold_up_all_requests_until_a_root_token_removes_them() {
    let mut stack = stack().await;
    let log = Log::enable(&stack).await;
    done(stack.write("sys/audit/other", json!({"type": "file", "options": {"file_path": "discard"}})).await);
    let policy = r#"path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }"#;
    done(stack.write("sys/policies/acl/all", json!({"policy": policy})).await);
    let login = envelope(stack.ask("", "update", "auth/people/login/all", json!({})).await);
    let auth: Value = serde_json::from_slice(&login.auth).unwrap();
    let operator = auth["client_token"].as_str().unwrap();
    damage_devices(&mut stack).await;

    let rest =
        [("read", "odd/a"), ("read", "sys/mounts"), ("update", "sys/audit/new"), ("read", "sys/audit/file")];
    for (operation, path) in rest {
        let outcome = stack.ask(&stack.root, operation, path, log.device()).await;
        assert_eq!(refused(outcome).0, "internal", "{path}");
    }
    for (operation, path) in [("read", "sys/audit"), ("delete", "sys/audit/file")] {
        assert_eq!(refused(stack.ask(operator, operation, path, Value::Null).await).0, "internal", "{path}");
        assert_eq!(refused(stack.ask("", operation, path, Value::Null).await).0, "internal", "{path}");
    }

    let listed = data(stack.read("sys/audit").await);
    assert_eq!(listed["file/"]["type"], json!("unknown"));
    let why = listed["file/"]["degraded"].as_str().unwrap();
    assert!(why.ends_with("is damaged"), "{why}");
    done(stack.delete("sys/audit/file").await);
    assert_eq!(refused(stack.read("odd/a").await).0, "internal");
    done(stack.delete("sys/audit/other").await);
    stack.read("odd/a").await.unwrap();
    stack.restart();
    stack.unseal().await;
    assert_eq!(data(stack.read("sys/audit").await), json!({}));
    stack.read("odd/a").await.unwrap();
}

#[tokio::test]
async fn r10_next_to_a_device_that_is_whole_a_damaged_one_is_removed_on_the_record() {
    let mut stack = stack().await;
    Log::enable(&stack).await;
    damage_devices(&mut stack).await;
    done(stack.delete("sys/audit/file").await);
    let log = Log::none();
    done(stack.write("sys/audit/whole", log.device()).await);
    done(stack.write("sys/audit/second", json!({"type": "file", "options": {"file_path": "discard"}})).await);
    stack.store("core/audit/devices/second%2F", b"garbage").await;
    stack.restart();
    stack.unseal().await;
    log.take_away(&stack);
    assert_eq!(refused(stack.delete("sys/audit/second").await).0, "internal");
    log.bring_back();
    done(stack.delete("sys/audit/second").await);
    assert_eq!(types(&log.about("sys/audit/second")).last(), Some(&"response"));
}

#[tokio::test]
async fn a_request_that_is_given_up_has_an_end_in_the_log() {
    let stack = stack().await;
    let log = Log::enable(&stack).await;
    let given_up = tokio::time::timeout(Duration::from_millis(100), stack.read("odd/hang")).await;
    assert!(given_up.is_err());
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        while log.about("odd/hang").len() < 2 {
            tokio::task::yield_now().await;
        }
    });
    waited.await.unwrap();
    assert_eq!(log.about("odd/hang")[1]["error"], "the request was given up before it was answered");
}

#[tokio::test]
async fn a_mount_says_what_of_its_data_need_not_be_hidden() {
    let stack = stack().await;
    let log = Log::enable(&stack).await;
    let keys = json!({"audit_non_hmac_request_keys": ["user"], "audit_non_hmac_response_keys": "path"});
    done(stack.write("sys/mounts/odd/tune", keys).await);
    stack.write("odd/a", json!({"user": "bob", "password": "hidden", "in": {"user": "eve"}})).await.unwrap();
    let [asked, answered] = log.about("odd/a").try_into().unwrap();
    assert_eq!(
        (&asked["request"]["data"]["user"], &asked["request"]["data"]["in"]["user"]),
        (&json!("bob"), &json!("eve"))
    );
    assert_eq!(asked["request"]["data"]["password"], hash(&stack, "hidden").await);
    assert_eq!(answered["response"]["data"]["path"], "a");
    assert_eq!(answered["response"]["data"]["mount_point"], hash(&stack, "odd/").await);
}

#[tokio::test]
async fn a3_no_canary_is_seen_wherever_it_is_put() {
    let stack = stack().await;
    let log = Log::enable(&stack).await;
    done(stack.write("sys/config/auditing/request-headers/x-hidden", json!({"hmac": true})).await);
    let keys =
        json!({"passthrough_request_headers": ["X-Hidden"], "allowed_response_headers": ["X-Let-Out"]});
    done(stack.write("sys/mounts/odd/tune", keys).await);
    let header = |name| header(name, "canary");
    let body = json!({"a": "canary", "b": {"c": ["canary", {"d": "canary"}]}, "e": "x\ncanary\"", "error": "canary"});
    for path in [
        "odd/a",
        "odd/error",
        "odd/other",
        "odd/raw",
        "odd/redirect",
        "sys/mounts/x",
        "nowhere/x",
        "sys/audit/b",
    ] {
        for (operation, token) in [
            ("update", stack.root.as_str()),
            ("read", &stack.root),
            ("update", "canary"),
            ("patch", &stack.root),
        ] {
            let sent = api::Request {
                token: token.to_owned(),
                headers: vec![header("x-hidden"), header("x-other"), header("cookie")],
                ..request(operation, path, &body)
            };
            // Whatever comes of it.
            let _ = stack.send(sent).await;
        }
    }
    for body in [json!({"num_uses": "canary"}), json!({"type": "canary"}), json!({"policy": "canary"})] {
        for path in [
            "sys/mounts/y",
            "sys/policies/acl/p",
            "sys/audit/c",
            "sys/plugins/catalog/secret/n",
            "auth/people/login/u",
        ] {
            let _: Outcome = stack.write(path, body.clone()).await;
        }
    }
    assert!(log.records().len() > 60);
    assert!(!log.text().contains("canary"), "{}", log.text());
    assert!(!log.text().contains(&stack.root));
    assert!(!log.text().contains("[secret]"));
}

#[tokio::test]
async fn headers_are_recorded_as_configured() {
    let mut stack = Stack::open().await;
    let all = "sys/config/auditing/request-headers";
    let plain = json!({"hmac": false});
    let defaults =
        json!({"headers": {"correlation-id": plain, "user-agent": plain, "x-correlation-id": plain}});
    assert_eq!(data(stack.read(all).await), defaults);
    done(stack.write(&format!("{all}/X-Forwarded-For"), json!({"hmac": true})).await);
    assert_eq!(
        data(stack.read(&format!("{all}/X-Forwarded-For")).await),
        json!({"X-Forwarded-For": {"hmac": true}})
    );
    stack.restart();
    assert_eq!(data(stack.read(all).await)["headers"]["x-forwarded-for"], json!({"hmac": true}));
    done(stack.delete(&format!("{all}/x-forwarded-for")).await);
    let missing = refused(stack.read(&format!("{all}/x-forwarded-for")).await);
    assert_eq!(missing, ("invalid", "Could not find header in config".to_owned()));
    assert_eq!(data(stack.read(all).await), defaults);
}

#[tokio::test]
async fn devices_that_cannot_be_are_refused_in_vaults_words() {
    let stack = Stack::open().await;
    let log = Log::enable(&stack).await;
    let enable = async |path: &str, options: Value| {
        let (kind, sentence) = refused(stack.write(&format!("sys/audit/{path}"), options).await);
        assert_eq!(kind, "invalid", "{sentence}");
        sentence
    };
    assert_eq!(
        enable("file", json!({"type": "file", "options": {"file_path": "discard"}})).await,
        "path already in use: invalid configuration"
    );
    assert_eq!(
        enable("file/sub", json!({"type": "file", "options": {"file_path": "discard"}})).await,
        "path already in use: invalid configuration"
    );
    assert_eq!(enable("two", log.device()).await, "file_path already in use: invalid configuration");
    let other = log.folder.path().join("prefixed");
    let prefixed = json!({"type": "file", "options": {"file_path": other, "prefix": "#!/bin/sh"}});
    assert!(enable("two", prefixed).await.starts_with("audit prefixing is not enabled in configuration"));
    let folder = json!({"type": "file", "options": {"file_path": log.folder.path()}});
    assert!(
        enable("two", folder)
            .await
            .starts_with("unable to create new audit backend: file sink creation failed for path")
    );
    let nobody = json!({"type": "socket", "options": {"address": log.folder.path().join("none"), "socket_type": "unix"}});
    assert!(enable("two", nobody).await.starts_with("audit backend failed test message: "));
    assert_eq!(data(stack.read("sys/audit").await).as_object().unwrap().len(), 1);
    let hash = async |path: &str, body| refused(stack.write(&format!("sys/audit-hash/{path}"), body).await).1;
    assert_eq!(hash("nope", json!({"input": "x"})).await, "unknown audit backend \"nope/\"");
    assert_eq!(hash("file", json!({"input": ""})).await, "the \"input\" parameter is empty");
}

#[tokio::test]
async fn what_happens_to_requests_at_a_seal_is_recorded() {
    let stack = Stack::open().await;
    let log = Log::enable(&stack).await;
    done(stack.write("sys/seal", Value::Null).await);
    assert_eq!(types(&log.about("sys/seal")), ["request", "response"]);
    let lines = log.records().len();
    assert_eq!(refused(stack.read("sys/mounts").await).0, "sealed");
    assert_eq!(log.records().len(), lines);
}
