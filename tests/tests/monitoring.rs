//! What an operator watches: the metrics, the pages about them, the dashboard and the alerts speak of the same.

use std::{
    collections::BTreeSet,
    fs::{self, Permissions},
    io::Write,
    os::unix::fs::PermissionsExt,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};
use testkit::{Form, Options, Plugin, Registration, Server, bad_plugin, go_plugin, repository};

/// Those that only the processes of gateways and of the catalog count, which tell nobody when they are apart.
const ELSEWHERE: [&str; 4] =
    ["vault_barrier_get", "vault_barrier_list", "vault_barrier_put", "vault_core_response_status_code"];

fn file(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A server to which everything has happened that is counted.
async fn server(form: Form) -> Server {
    let listener = "telemetry {\n    unauthenticated_metrics_access = true\n  }".to_owned();
    let extra = "telemetry {\n  disable_hostname = true\n}".to_owned();
    let server = Server::start_with(Options { form, listener, extra, ..Options::default() }).await;
    let api = server.api();
    let audit = server.data_directory().join("audit.log");
    api.put("sys/audit/file", json!({"type": "file", "options": {"file_path": audit}})).await.ok();
    let version = Registration { version: "v1.2.3", ..Registration::default() };
    server.register_as("fixture", &go_plugin("fixture"), version).await;
    server.enable("fixture", "fixture").await;
    api.get("fixture/creds/ann").await.ok();
    api.get("fixture/crash?how=exit").await;
    api.get("fixture/pid").await.ok();
    // What runs, and ends at once, and what cannot be run.
    let ending = Registration { args: &["exit"], ..Registration::default() };
    server.register_as("ending", &bad_plugin(), ending).await;
    let nonsense = server.data_directory().join("nonsense");
    fs::write(&nonsense, "no program").unwrap();
    fs::set_permissions(&nonsense, Permissions::from_mode(0o700)).unwrap();
    server.register("broken", &Plugin::at(&nonsense)).await;
    for plugin in ["ending", "broken"] {
        assert!(!api.post(&format!("sys/mounts/{plugin}"), json!({ "type": plugin })).await.is_ok());
    }
    api.post("sys/auth/userpass", json!({"type": "userpass"})).await.ok();
    api.post("auth/userpass/users/ann", json!({"password": "word"})).await.ok();
    server.anonymous().post("auth/userpass/login/ann", json!({"password": "word"})).await.ok();
    server
}

async fn told(server: &Server) -> String {
    let text = server.anonymous().get("sys/metrics?format=prometheus").await.ok();
    text.as_str().unwrap().to_owned()
}

/// The names of all samples, or with `families` of what they belong to.
fn names(text: &str) -> (BTreeSet<&str>, BTreeSet<&str>) {
    let samples = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let samples = samples.map(|line| line.split(['{', ' ']).next().unwrap());
    let families = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    (samples.collect(), families.collect())
}

/// What is told, without the numbers.
fn series(text: &str) -> BTreeSet<&str> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| Some(line.rsplit_once(' ')?.0))
        .collect()
}

/// Every name of a metric of ours in a text.
fn mentioned(text: &str) -> BTreeSet<&str> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(|word| word.starts_with("vault_")).collect()
}

/// What a dashboard asks: its panels and its variables.
fn asked(dashboard: &Value) -> Vec<String> {
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.filter_map(|panel| panel["targets"].as_array()).flatten();
    let asked = targets.map(|target| target["expr"].as_str().unwrap().to_owned());
    let variables = dashboard["templating"]["list"].as_array().unwrap().iter();
    asked.chain(variables.filter_map(|one| one["query"]["query"].as_str().map(str::to_owned))).collect()
}

fn promtool(arguments: &[&str], input: &str) -> Output {
    let folder = repository().join("deploy/prometheus");
    let mut tool = Command::new("promtool");
    tool.args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut running = tool.spawn().expect("Debian's prometheus is installed");
    // It may have refused the input before its end.
    let _ = running.stdin.take().unwrap().write_all(input.as_bytes());
    running.wait_with_output().unwrap()
}

#[test]
fn alerts_are_sound_and_fire_when_they_should() {
    for arguments in [["check", "rules", "alerts.yaml"], ["test", "rules", "alerts-test.yaml"]] {
        let run = promtool(&arguments, "");
        let said = [run.stdout, run.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
        assert!(run.status.success() && said.contains("SUCCESS"), "{arguments:?}: {said}");
    }
    let (rules, tests) = (file("deploy/prometheus/alerts.yaml"), file("deploy/prometheus/alerts-test.yaml"));
    let operations = file("docs/operations.md");
    let anchors = operations.lines().filter(|line| line.starts_with('#')).map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        title.replace(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-', "")
    });
    let anchors: BTreeSet<String> = anchors.collect();
    let each = rules.split("- alert: ").skip(1);
    for rule in each {
        let name = rule.lines().next().unwrap();
        for needed in ["severity: ", "summary: ", "description: ", "runbook_url: docs/operations.md#"] {
            assert!(rule.contains(needed), "{name} has no {needed}");
        }
        let anchor = rule.split("docs/operations.md#").nth(1).and_then(|rest| rest.lines().next()).unwrap();
        assert!(anchors.contains(anchor), "{name}: docs/operations.md has no #{anchor}; it has {anchors:?}");
        assert!(tests.contains(&format!("alertname=\"{name}\"")), "nobody tests when {name} fires");
    }
}

async fn everything_that_is_watched_is_told(form: Form) {
    let server = server(form).await;
    let text = told(&server).await;
    let lint = promtool(&["check", "metrics"], &text);
    // What it has to say of names is Vault's business; it ends with 1 at what cannot be read.
    assert_ne!(lint.status.code(), Some(1), "{}\n{text}", String::from_utf8_lossy(&lint.stderr));
    let (samples, families) = names(&text);

    let elsewhere = |name: &str| form == Form::Apart && ELSEWHERE.iter().any(|one| name.starts_with(one));
    let dashboard: Value = serde_json::from_str(&file("deploy/grafana/mortise.json")).unwrap();
    let panels = asked(&dashboard).join("\n");
    for (what, asked) in [("the dashboard", &panels), ("an alert", &file("deploy/prometheus/alerts.yaml"))] {
        let mentioned = mentioned(asked);
        assert!(mentioned.len() > 8, "{what}: {mentioned:?}");
        for name in mentioned.into_iter().filter(|name| !elsewhere(name)) {
            assert!(samples.contains(name), "{what} asks for {name}, which is not told:\n{text}");
        }
    }

    let page = file("docs/telemetry.md");
    let listed = |title: &str| -> BTreeSet<String> {
        let part = page.split(&format!("### {title}\n")).nth(1).unwrap();
        let part = part.split("\n#").next().unwrap();
        let rows = part.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        rows.map(|name| name.replace('.', "_")).collect()
    };
    let (vaults, own) = (listed("Under Vault's names"), listed("Of plugins"));
    let here: BTreeSet<&str> = vaults.iter().chain(&own).map(String::as_str).collect();
    for name in here.iter().filter(|name| !elsewhere(name)) {
        assert!(families.contains(name), "docs/telemetry.md tells of {name}, which is not told:\n{text}");
    }
    for name in families.iter().filter(|name| !name.starts_with("vault_route_")) {
        assert!(here.contains(name), "docs/telemetry.md does not tell of {name}");
    }
    for name in listed("Not told") {
        assert!(!families.contains(&*name), "docs/telemetry.md says that {name} is not told");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dashboard_alerts_and_pages_speak_of_what_is_told() {
    everything_that_is_watched_is_told(Form::One).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dashboard_alerts_and_pages_speak_of_what_is_told_by_services_apart() {
    everything_that_is_watched_is_told(Form::Apart).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_does_not_grow_with_paths_users_and_tokens() {
    let server = server(Form::One).await;
    let api = server.api();
    api.enable_kv("kv", 1).await;
    let ask = async |number: usize| {
        let path = format!("kv/path-{number}/of-a-value");
        api.post(&path, json!({"v": number})).await.ok();
        api.get(&path).await.ok();
        api.list(&format!("kv/path-{number}")).await.ok();
        api.delete(&path).await.ok();
        api.get(&format!("fixture/creds/user-{number}")).await.ok();
        api.get(&format!("nowhere-{number}/a")).await;
        let token =
            api.post("auth/token/create", json!({"display_name": format!("user-{number}")})).await.ok();
        let token = token["auth"]["client_token"].as_str().unwrap().to_owned();
        api.with_token(token).in_namespace(format!("none-{number}")).get("kv/a").await;
    };
    ask(0).await;
    // To be told is a request as well.
    told(&server).await;
    let before = told(&server).await;
    for number in 1..40 {
        ask(number).await;
    }
    let text = told(&server).await;
    let new: Vec<&str> = series(&text).difference(&series(&before)).copied().collect();
    assert!(new.is_empty(), "{new:?}");
    assert!(!text.contains("path-") && !text.contains("user-") && !text.contains("none-"), "{text}");
}
