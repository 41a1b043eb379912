//! What happens to plugins and what they say, told to whoever may know it, wherever the launcher runs.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Api, Form, Options, Registration, Server, eventually, go_plugin};
use tokio::time::timeout;

/// Server-sent events, one after the other.
pub struct Events {
    response: reqwest::Response,
    text: String,
}

/// One of them.
#[derive(Debug)]
pub struct Event {
    pub id: Option<u64>,
    pub name: String,
    pub data: Value,
}

impl Events {
    pub async fn follow(api: &Api, path: &str, last: Option<u64>) -> Self {
        let url = format!("{}/v1/{path}", api.address());
        // The stream has no end; how long a silence may last is known below.
        let request = api.http().get(url).timeout(Duration::from_secs(3600));
        let mut request = request.header("X-Vault-Token", api.token());
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last.to_string());
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    pub async fn next(&mut self) -> Event {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                if !event.starts_with(':') {
                    return parsed(&event);
                }
                continue;
            }
            let chunk = timeout(Duration::from_secs(30), self.response.chunk()).await;
            let chunk = chunk.unwrap_or_else(|_| panic!("no event; so far: {:?}", self.text));
            self.text.push_str(std::str::from_utf8(&chunk.unwrap().unwrap()).unwrap());
        }
    }

    /// All up to the first one like that.
    async fn until(&mut self, is_last: impl Fn(&Value) -> bool) -> Vec<Event> {
        let mut all = Vec::new();
        loop {
            let event = self.next().await;
            let last = is_last(&event.data);
            all.push(event);
            if last {
                return all;
            }
        }
    }
}

fn parsed(text: &str) -> Event {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    Event {
        id: field("id").map(|id| id.parse().unwrap()),
        name: field("event").unwrap().to_owned(),
        data: serde_json::from_str(field("data").unwrap()).unwrap(),
    }
}

fn moves(events: &[Event]) -> Vec<(String, String)> {
    let word = |event: &Event, name: &str| event.data[name].as_str().unwrap().to_owned();
    events.iter().map(|event| (word(event, "state"), word(event, "reason"))).collect()
}

async fn server(form: Form) -> Server {
    let server = Server::start_with(Options { form, ..Options::default() }).await;
    let entry =
        Registration { version: "v1.2.3", env: &["TOKEN=registered-with-it"], ..Registration::default() };
    server.register_as("fixture", &go_plugin("fixture"), entry).await;
    server
}

async fn events_are_told(form: Form) {
    let server = server(form).await;
    let api = server.api();
    let mut events = Events::follow(&api, "sys/plugins/events", None).await;
    // Registering it asked it who it is.
    let probed = events.until(|event| event["state"] == "exited").await;
    assert_eq!(probed.last().unwrap().data["reason"], "probed", "{probed:?}");
    let seen = probed.last().unwrap().id;

    server.enable("seen", "fixture").await;
    let pid = server.only_plugin().pid;
    api.get("seen/crash?how=kill").await;
    api.get("seen/pid").await.ok();
    server.disable("seen").await;
    let lived = events.until(|event| event["reason"] == "disabled" && event["state"] == "exited").await;
    let told = moves(&lived);
    for (state, reason) in
        [("running", ""), ("exited", "killed"), ("draining", "disabled"), ("exited", "disabled")]
    {
        assert!(told.contains(&(state.to_owned(), reason.to_owned())), "{state} {reason} in {told:?}");
    }
    let running = lived.iter().find(|event| event.data["state"] == "running").unwrap();
    for (name, value) in [("plugin", "fixture"), ("type", "secret"), ("version", "v1.2.3")] {
        assert_eq!(running.data[name], value, "{running:?}");
    }
    assert_eq!(running.data["pid"], json!(pid), "{running:?}");
    assert_eq!(running.data["sha256"].as_str().map(str::len), Some(64));
    let ids: Vec<u64> = lived.iter().map(|event| event.id.unwrap()).collect();
    assert!(ids.windows(2).all(|pair| pair[1] == pair[0] + 1), "{ids:?}");
    assert!(!format!("{lived:?}").contains("registered-with-it"));

    // Whoever comes back is told what they have missed, and all of it once.
    let mut resumed = Events::follow(&api, "sys/plugins/events", seen).await;
    let again = resumed.until(|event| event["reason"] == "disabled" && event["state"] == "exited").await;
    assert_eq!(again.iter().map(|event| event.id.unwrap()).collect::<Vec<_>>(), ids);
    // What is kept no longer is said to be missing.
    let mut late = Events::follow(&api, "sys/plugins/events?after=5", None).await;
    let gap = late.next().await;
    assert_eq!((gap.name.as_str(), &gap.data["after"], gap.id), ("gap", &json!(5), None));
    assert_eq!(late.next().await.id.unwrap(), gap.data["next"].as_u64().unwrap());

    assert!(api.get("sys/plugins/events?after=x").await.refused(400).contains("by its number"));
    assert_eq!(server.anonymous().get("sys/plugins/events").await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_plugins_is_told_while_it_happens_and_again_to_who_missed_it() {
    events_are_told(Form::One).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_plugins_in_another_process_is_told() {
    events_are_told(Form::Apart).await;
}

async fn processes_are_listed(form: Form) {
    let server = server(form).await;
    let api = server.api();
    assert_eq!(api.get("sys/plugins/processes").await.data()["processes"], json!([]));
    server.enable("one", "fixture").await;
    server.enable("two", "fixture").await;
    let plugin = server.only_plugin();
    let listed = api.get("sys/plugins/processes").await.data();
    let process = &listed["processes"][0];
    let expected = json!({
        "pid": plugin.pid, "name": "fixture", "type": "secret", "version": "v1.2.3",
        "sha256": go_plugin("fixture").sha256, "multiplexed": true, "state": "running", "restarts": 0,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&process[name], value, "{name} of {process}");
    }
    assert_eq!(process["mounts"], json!(["one/", "two/"]));
    assert!(process["rss_bytes"].as_u64() > Some(1 << 20), "{process}");
    for number in ["uptime_seconds", "cpu_seconds"] {
        assert!(process[number].is_number(), "{number} of {process}");
    }
    plugin.kill();
    api.get("one/pid").await.ok();
    let listed = api.get("sys/plugins/processes").await.data();
    assert_eq!(listed["processes"][0]["restarts"], json!(1), "{listed}");
    assert_eq!(server.anonymous().get("sys/plugins/processes").await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_processes_of_plugins_are_listed_with_what_they_use() {
    processes_are_listed(Form::One).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_processes_of_plugins_below_another_process_are_listed() {
    processes_are_listed(Form::Apart).await;
}

async fn logs_are_kept(form: Form) {
    let server = server(form).await;
    let api = server.api();
    server.enable("seen", "fixture").await;
    let log = "sys/plugins/logs/secret/fixture";
    let mut followed = Events::follow(&api, &format!("{log}?follow=true&level=warn"), None).await;
    for (level, text) in
        [("info", "one"), ("warn", "two"), ("error", "registered-with-it"), ("debug", "three")]
    {
        api.get(&format!("seen/log?level={level}&text={text}")).await.ok();
    }
    let lines = async |query: &str| api.get(&format!("{log}?{query}")).await.data()["lines"].clone();
    eventually(Duration::from_secs(10), "the last line is kept", async || {
        lines("").await.to_string().contains("\"three\"")
    })
    .await;
    let all = lines("").await;
    let all: Vec<&Value> = all.as_array().unwrap().iter().collect();
    let two = all.iter().find(|line| line["message"] == "two").unwrap();
    assert_eq!(
        (&two["level"], &two["version"], &two["mounts"]),
        (&json!("warn"), &json!("v1.2.3"), &json!(["seen/"]))
    );
    assert_eq!((&two["pid"], &two["fields"]["length"]), (&json!(server.only_plugin().pid), &json!(3)));
    assert!(two["time"].as_str().unwrap().starts_with("20") && two["id"].is_u64(), "{two}");
    assert!(!format!("{all:?}").contains("registered-with-it"), "what it was given is never told");

    let messages = |lines: Value| -> Vec<String> {
        let all = lines.as_array().unwrap().iter();
        all.map(|line| line["message"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(messages(lines("level=warn").await), ["two", "***"]);
    assert_eq!(messages(lines("limit=1&level=info").await), ["***"]);
    assert_eq!(messages(lines(&format!("after={}&level=info", two["id"])).await), ["***"]);
    assert!(messages(lines("version=v9.9.9").await).is_empty());
    assert_eq!(followed.next().await.data["message"], "two");
    assert_eq!(followed.next().await.data["level"], "error");

    assert!(api.get(&format!("{log}?level=loud")).await.refused(400).contains("a level is"));
    assert!(api.get("sys/plugins/logs/secret/unknown").await.refused(404).contains("has not run"));
    let policy = r#"path "sys/plugins/logs/*" { capabilities = ["read"] }"#;
    api.put("sys/policies/acl/curious", json!({ "policy": policy })).await.ok();
    let token = api.post("auth/token/create", json!({ "policies": ["curious"] })).await.ok();
    let token = token["auth"]["client_token"].as_str().unwrap();
    assert_eq!(api.with_token(token).get(log).await.status, 403, "it takes sudo");
    assert_eq!(api.with_token(token).get(&format!("{log}?follow=true")).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_plugin_logs_is_kept_for_a_while_and_can_be_followed() {
    logs_are_kept(Form::One).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_plugin_logs_below_another_process_is_kept() {
    logs_are_kept(Form::Apart).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_lines_leaves_the_newest_within_bounds() {
    let server = server(Form::One).await;
    let api = server.api();
    server.enable("seen", "fixture").await;
    api.get("seen/flood?mib=8&to=2").await.ok();
    api.get("seen/log?level=error&text=the-last-one").await.ok();
    let log = async || api.get("sys/plugins/logs/secret/fixture").await.data();
    eventually(Duration::from_secs(20), "the newest line is kept", async || {
        log().await.to_string().contains("the-last-one")
    })
    .await;
    let lines = log().await["lines"].as_array().unwrap().len();
    assert!((100..=1024).contains(&lines), "{lines}");
}
