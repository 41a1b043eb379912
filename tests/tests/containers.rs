//! The services in containers of a real Docker engine, as `docker-compose.yml` has them.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{Api, Engine, Keys, Registration, Stack, alone, eventually, own_plugin};

const SERVICES: [&str; 5] = ["postgresql", "catalog", "launcher", "router", "gateway"];
/// Those of our own image that are there in development.
const OURS: [&str; 5] = ["catalog", "launcher", "router", "gateway", "operator"];

const PATIENCE: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_clone_serves_a_plugin_and_every_container_may_be_killed() {
    if !alone("containers::a_fresh_clone_serves_a_plugin_and_every_container_may_be_killed") {
        return;
    }
    let engine = Engine::start().await;
    engine.make_images();
    development(&Stack::development(&engine)).await;
    let folder = TempDir::with_prefix("secrets-").unwrap();
    production(&Stack::production(&engine, &folder), &folder).await;
    for what in [["container", "--all"], ["volume", "--quiet"], ["network", "--filter=type=custom"]] {
        let left = engine.docker(&[what[0], "ls", "--quiet", what[1]]);
        assert_eq!(left, "", "{what:?}");
    }
    engine.stop().await;
}

async fn development(stack: &Stack<'_>) {
    let services = [&SERVICES[..], &["operator"]].concat();
    stack.up(&services).await;
    let api = stack.api().with_token(root_token(stack));
    assert_eq!(api.secret("demo", "greeting").await, json!({"text": "Hello from a plugin"}));
    let mounts = api.get("sys/mounts").await.data();
    assert_eq!(mounts["demo/"]["type"], "demo-kv");
    let running = api.get("sys/plugins/processes").await.data().to_string();
    assert!(running.contains("demo-kv"), "{running}");
    let warning = stack.ask(&["logs", "operator"]);
    assert!(warning.contains("THIS IS FOR TRYING") && !warning.contains(api.token()), "{warning}");
    for service in &services {
        is_confined(stack, service);
    }
    let mut written = BTreeMap::new();
    for service in &services {
        put(&api, service, &mut written).await;
        kill(stack, service).await;
        is_served_again(&api, service, &written).await;
    }
    stack.is_well(&services).await;
    stack.ask(&["stop"]);
    for service in &services {
        assert_eq!(stack.state(service, "ExitCode").unwrap(), "0", "{service}");
    }
    stack.ask(&["down", "--volumes"]);
}

/// What the operator of the development stack has put into a volume.
fn root_token(stack: &Stack<'_>) -> String {
    let keys = stack.run_in("operator", &["cat", "/var/lib/mortise/keys/init.json"]).unwrap();
    let keys: Value = serde_json::from_str(&keys).unwrap();
    keys["root_token"].as_str().unwrap().to_owned()
}

/// Nobody is root, or could become it, or could change a program.
fn is_confined(stack: &Stack<'_>, service: &str) {
    let process = stack.process(service).unwrap();
    let status = fs::read_to_string(format!("/proc/{}/status", process.pid)).unwrap();
    let says = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim_start_matches(':').split_whitespace().next().unwrap()
    };
    let user = if OURS.contains(&service) { "8200" } else { "999" };
    assert_eq!((says("Uid"), says("NoNewPrivs"), says("Seccomp")), (user, "1", "2"), "{service}");
    for rights in ["CapEff", "CapPrm", "CapBnd"] {
        assert_eq!(says(rights).trim_start_matches('0'), "", "{service}: {rights}");
    }
    for path in ["/usr/local/bin/x", "/etc/x", "/x"] {
        let refused = stack.run_in(service, &["touch", path]).unwrap_err();
        assert!(refused.contains("Read-only file system"), "{service}: {refused}");
    }
}

/// Writes a secret, and notes that it was acknowledged.
async fn put(api: &Api, name: &str, written: &mut BTreeMap<String, Value>) {
    let value = json!({ "before the end of": name });
    api.put_secret("demo", name, value.clone()).await;
    written.insert(name.to_owned(), value);
}

/// Ends a container as the kernel does. Were Docker asked to do it, it would not start it again.
async fn kill(stack: &Stack<'_>, service: &str) {
    let process = stack.process(service).unwrap();
    process.kill();
    let again = async || stack.process(service).is_some_and(|other| other != process && other.is_alive());
    eventually(PATIENCE, &format!("{service} is started again"), again).await;
}

/// Without anybody's doing, what was acknowledged is read, and something new is written.
async fn is_served_again(api: &Api, killed: &str, written: &BTreeMap<String, Value>) {
    for (name, value) in written {
        let read = async || {
            let answer = api.try_send("GET", &format!("demo/data/{name}"), None).await;
            answer.is_ok_and(|answer| answer.is_ok() && answer.body["data"]["data"] == *value)
        };
        eventually(PATIENCE, &format!("{name} is read after {killed} was killed"), read).await;
    }
    let write = async || {
        let body = json!({"data": {"after the end of": killed}});
        api.try_send("POST", "demo/data/new", Some(body)).await.is_ok_and(|answer| answer.is_ok())
    };
    eventually(PATIENCE, &format!("secrets are written after {killed} was killed"), write).await;
}

async fn production(stack: &Stack<'_>, folder: &TempDir) {
    stack.up(&SERVICES).await;
    let services = stack.ask(&["ps", "--services"]);
    assert!(!services.contains("operator") && !services.contains("prepare"), "{services}");
    let api = stack.api_over_tls(folder);
    assert_eq!(api.get("sys/seal-status").await.ok()["initialized"], json!(false), "nobody has done it");
    let keys = Keys::init(&api, 1, 1).await;
    keys.unseal(&api).await;
    let api = api.with_token(&keys.root);
    api.register(&own_plugin("kv"), "my-kv", Registration::default()).await.ok();
    api.post("sys/mounts/my-kv", json!({"type": "my-kv"})).await.ok();
    api.put("my-kv/a", json!({"v": "1"})).await.ok();
    assert_eq!(api.get("my-kv/a").await.data(), json!({"v": "1"}));
    // Each has its own secrets only.
    let secrets = stack.run_in("router", &["ls", "/run/secrets"]).unwrap();
    assert_eq!(secrets.split_whitespace().collect::<Vec<_>>(), ["ca.pem", "router-key.pem", "router.pem"]);
    let said = stack.ask(&["logs"]);
    assert!(!said.contains("canary-of-the-database") && !said.contains(&keys.root));
    stack.ask(&["down", "--volumes"]);
}
