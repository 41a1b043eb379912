//! Every request is recorded, nothing secret with it, and nothing is done that is not recorded.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use testkit::{Options, Plugin, Server, eventually, go_plugin};

const PATIENCE: Duration = Duration::from_secs(20);

/// Enables a device that writes to a file of the server's own.
async fn enable(server: &Server) -> PathBuf {
    let path = server.data_directory().join("audit.log");
    server.api().put("sys/audit/file", file(&path)).await.ok();
    path
}

fn file(path: &Path) -> Value {
    json!({"type": "file", "options": {"file_path": path}})
}

fn records(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn about(path: &Path, asked: &str) -> usize {
    records(path).iter().filter(|record| record["request"]["path"] == asked).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_begins_the_file_anew() {
    let server = Server::start().await;
    let path = enable(&server).await;
    server.api().get("sys/mounts").await.ok();
    let old = path.with_extension("1");
    fs::rename(&path, &old).unwrap();
    server.router().signal(Signal::HUP);
    eventually(PATIENCE, "the new file is begun", async || {
        server.api().get("sys/auth").await.ok();
        path.exists()
    })
    .await;
    assert_eq!((about(&old, "sys/mounts"), about(&path, "sys/mounts")), (2, 0));
    server.api().get("sys/policy").await.ok();
    assert_eq!((about(&old, "sys/policy"), about(&path, "sys/policy")), (0, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn r10_what_was_recorded_before_a_kill_is_recorded_after_it() {
    let mut server = Server::start().await;
    let path = enable(&server).await;
    server.api().enable_kv("kv", 2).await;
    server.kill9().await;
    server.start_again().await;
    server.api().get("sys/auth").await.ok();
    assert_eq!(about(&path, "sys/auth"), 2);

    server.kill9().await;
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    // It is unsealed, but does nothing that it cannot record.
    server.start_again().await;
    for refused in [
        server.api().get("sys/mounts").await,
        server.api().put("kv/data/a", json!({"data": {"v": "1"}})).await,
        server.api().delete("sys/audit/file").await,
    ] {
        let sentence = refused.refused(500);
        assert!(sentence.contains("no audit device could record the request"), "{sentence}");
    }
    fs::remove_dir(&path).unwrap();
    assert_eq!(server.api().get("kv/data/a").await.status, 404);
    assert_eq!(about(&path, "kv/data/a"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a1_no_audit_file_is_a_plugin() {
    let server = Server::start().await;
    let plugins = server.plugin_directory();
    let way = server.data_directory().join("way");
    symlink(&plugins, &way).unwrap();
    for path in
        [plugins.join("tool"), plugins.join("sub/tool"), way.join("tool"), way.join("../plugins/tool")]
    {
        let refused = server.api().put("sys/audit/file", file(&path)).await;
        assert_eq!(refused.refused(400), "audit file target may not be in the plugin directory", "{path:?}");
    }
    assert_eq!(fs::read_dir(&plugins).unwrap().count(), 0);
    for (option, value) in [("mode", "0755"), ("mode", "4600"), ("prefix", "#!/bin/sh\n")] {
        let mut device = file(&server.data_directory().join("audit.log"));
        device["options"][option] = json!(value);
        server.api().put("sys/audit/file", device).await.refused(400);
    }
    assert_eq!(server.api().get("sys/audit").await.data(), json!({}));
}

/// The records of a request, without what belongs to this one time.
fn told(path: &Path, asked: &str) -> Vec<Value> {
    let mut records = records(path);
    records.retain(|record| record["request"]["path"] == asked);
    records.into_iter().map(of_no_time).collect()
}

fn of_no_time(mut record: Value) -> Value {
    record["time"].take();
    for name in ["id", "remote_port"] {
        record["request"][name].take();
    }
    record
}

#[tokio::test(flavor = "multi_thread")]
async fn a5_a_request_is_recorded_the_same_however_it_was_sent_and_served() {
    let server = Server::start().await;
    server.mount("my-kv", &go_plugin("kv")).await;
    let api = server.api();
    // Created before, so that both writes below change it.
    api.put("my-kv/a", json!({"v": "0"})).await.ok();
    let path = enable(&server).await;
    api.put("my-kv/a", json!({"v": "1"})).await.ok();
    api.post("my-kv/a", json!({"v": "1"})).await.ok();
    let [asked, answered, again @ ..] = &told(&path, "my-kv/a")[..] else { panic!("nothing is recorded") };
    assert_eq!(again, [asked.clone(), answered.clone()]);

    // Listed with a verb, and with a parameter.
    api.list("my-kv").await.ok();
    api.get("my-kv?list=true").await.ok();
    let lists = told(&path, "my-kv/");
    assert_eq!((lists.len(), &lists[..2]), (4, &lists[2..]));

    // Read with either header and an encoded path; then by a process that is new, or is started for this very request.
    let seen = || told(&path, "my-kv/a").split_off(4);
    api.get("my-kv/a").await.ok();
    let first = seen();
    assert_eq!(first.len(), 2);
    let bearer = server.anonymous().http().get(format!("{}/v1/m%79-kv%2F%61", api.address()));
    let bearer = bearer.bearer_auth(api.token()).build().unwrap();
    api.execute(bearer).await.unwrap().ok();
    api.put("sys/plugins/reload/backend", json!({"mounts": "my-kv/"})).await;
    api.get("my-kv/a").await.ok();
    server.only_plugin().kill();
    api.get("my-kv/a").await.ok();
    let all = seen();
    assert_eq!(all.len(), 8, "each once, the one that was sent again too");
    for pair in all.chunks(2) {
        assert_eq!(pair, first);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a5_a_namespace_is_recorded_the_same_named_in_the_path_and_in_a_header() {
    let server = Server::start().await;
    let api = server.api();
    api.put("sys/namespaces/team", json!({})).await.ok();
    api.post("team/sys/mounts/kv", json!({"type": "kv"})).await.ok();
    api.put("team/kv/a", json!({"v": "1"})).await.ok();
    let path = enable(&server).await;
    let read = |path: &str, namespace: &str| {
        let request = api.http().get(format!("{}/v1/{path}", api.address())).bearer_auth(api.token());
        request.header("X-Vault-Namespace", namespace).build().unwrap()
    };
    for (path, namespace) in [("team/kv/a", ""), ("kv/a", "team"), ("kv/a", "team/"), ("kv/a", "/team/")] {
        assert_eq!(api.execute(read(path, namespace)).await.unwrap().data(), json!({"v": "1"}));
    }
    let mut records = records(&path);
    records.retain(|record| record["request"]["mount_point"].as_str().is_some_and(|at| at.ends_with("kv/")));
    let all: Vec<Value> = records.into_iter().map(of_no_time).collect();
    assert_eq!(all.len(), 8);
    for pair in all.chunks(2) {
        assert_eq!(pair, &all[..2]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a6_what_happens_to_plugins_is_recorded() {
    let server = Server::start().await;
    let path = enable(&server).await;
    let kv = go_plugin("kv");
    server.mount("my-kv", &kv).await;
    let happened = async |state: &str, reason: &str| {
        eventually(PATIENCE, &format!("{state} {reason} is recorded"), async || {
            records(&path).iter().any(|record| {
                let plugin = &record["plugin"];
                record["type"] == "plugin"
                    && (&plugin["name"], &plugin["sha256"]) == (&json!("my-kv"), &json!(kv.sha256))
                    && plugin["state"] == state
                    && plugin["reason"].as_str().unwrap_or_default() == reason
            })
        })
        .await;
    };
    happened("running", "").await;
    server.only_plugin().kill();
    happened("exited", "killed").await;
    fs::copy("/bin/true", server.plugin_directory().join(kv.command())).unwrap();
    assert!(Plugin::at(server.plugin_directory().join(kv.command())).sha256 != kv.sha256);
    assert!(server.api().get("my-kv/a").await.status >= 500);
    happened("exited", "checksum-mismatch").await;
}

/// What must be seen nowhere.
const CANARY: &str = "canary-7f3a9c";

/// Puts the canary wherever a client can put something.
async fn sing(server: &Server) {
    let api = server.api();
    let body = json!({"data": {"a": CANARY, "b": [CANARY, {"c": CANARY}], "d": format!("x\n{CANARY}\"")}});
    for path in
        ["kv/data/a", "my-kv/a", "sys/mounts/x", "sys/policies/acl/x", "cubbyhole/a", "auth/none/login/x"]
    {
        for method in ["PUT", "GET", "DELETE"] {
            api.send(method, path, Some(body.clone())).await;
            api.with_token(CANARY).send(method, path, Some(body.clone())).await;
        }
    }
    for body in
        [json!({"type": CANARY}), json!({"sha256": CANARY, "command": CANARY}), json!({"key": CANARY})]
    {
        for path in ["sys/mounts/y", "sys/plugins/catalog/secret/y", "sys/unseal", "sys/wrapping/unwrap"] {
            api.put(path, body.clone()).await;
        }
    }
    let http = api.http();
    for name in ["X-Vault-Token", "Authorization", "Cookie", "X-Hidden", "X-Vault-Wrap-TTL", "X-Vault-MFA"] {
        let request = http.get(format!("{}/v1/kv/data/a", api.address())).header(name, CANARY);
        api.execute(request.build().unwrap()).await.unwrap();
    }
    let broken = http.post(format!("{}/v1/kv/data/b", api.address())).header("X-Vault-Token", api.token());
    api.execute(broken.body(format!("{{\"data\": {CANARY}")).build().unwrap()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a3_no_secret_reaches_a_record_or_the_servers_log() {
    let server = Server::start_with(Options { log_level: "trace", ..Options::default() }).await;
    let path = enable(&server).await;
    let api = server.api();
    api.enable_kv("kv", 2).await;
    server.mount("my-kv", &go_plugin("kv")).await;
    api.put("sys/config/auditing/request-headers/X-Hidden", json!({"hmac": true})).await.ok();
    api.put_secret("kv", "kept", json!({"v": CANARY})).await;
    api.post("my-kv/kept", json!({"v": CANARY})).await.ok();
    assert_eq!(api.secret("kv", "kept").await, json!({"v": CANARY}));
    assert_eq!(api.get("my-kv/kept").await.data(), json!({"v": CANARY}));
    sing(&server).await;

    let recorded = fs::read_to_string(&path).unwrap();
    assert!(recorded.lines().count() > 100, "{}", recorded.lines().count());
    for secret in [CANARY, api.token()] {
        assert!(!recorded.contains(secret), "{:?}", recorded.lines().find(|line| line.contains(secret)));
        let log = server.log();
        assert!(!log.contains(secret), "{:?}", log.lines().find(|line| line.contains(secret)));
    }
    let hash = api.put("sys/audit-hash/file", json!({"input": CANARY})).await.data();
    assert!(recorded.contains(hash["hash"].as_str().unwrap()), "what is hidden can be looked for");
}
