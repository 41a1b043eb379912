//! One name for a request: in its answer, in the audit log, and in every line of every service's log about it.

use std::{fs, path::Path};

use serde_json::{Value, json};
use testkit::{Form, Options, Registration, Server, go_plugin};

/// A line of the log, by whom it was written and what it says.
struct Line {
    target: String,
    text: String,
    request: Option<String>,
}

fn parsed(format: &str, line: &str) -> Option<Line> {
    if format == "json" {
        let line: Value = serde_json::from_str(line).ok()?;
        let word = |name: &str| line[name].as_str().map(str::to_owned);
        return Some(Line { target: word("target")?, text: line.to_string(), request: word("request_id") });
    }
    let (_, rest) = line.split_once('Z')?;
    let mut words = rest.split_whitespace();
    let target = words.nth(1)?.strip_suffix(':')?.to_owned();
    let request = words.find_map(|word| word.strip_prefix("request_id=")).map(str::to_owned);
    Some(Line { target, text: rest.to_owned(), request })
}

/// What the audit log calls the requests for a path.
fn names(audit: &Path, path: &str) -> Vec<String> {
    let text = fs::read_to_string(audit).unwrap();
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let about = records.filter(|record| record["type"] == "response" && record["request"]["path"] == path);
    about.map(|record| record["request"]["id"].as_str().unwrap().to_owned()).collect()
}

async fn lines_belong_to_their_requests(form: Form, format: &'static str) {
    let extra = format!("log_format = \"{format}\"");
    let server = Server::start_with(Options { form, log_level: "trace", extra, ..Options::default() }).await;
    let audit = server.data_directory().join("audit.log");
    let api = server.api();
    api.put("sys/audit/file", json!({"type": "file", "options": {"file_path": audit}})).await.ok();

    let version = Registration { version: "v1.2.3", ..Registration::default() };
    server.register_as("fixture", &go_plugin("fixture"), version).await;
    server.enable("named", "fixture").await;
    let answered = api.get("named/pid").await.ok();
    assert_eq!(names(&audit, "named/pid"), [answered["request_id"].as_str().unwrap()]);

    let log = server.log();
    let lines: Vec<Line> = log.lines().filter_map(|line| parsed(format, line)).collect();
    // Whoever writes it, and whatever it says: it is said for this request.
    for (path, target, said) in [
        ("sys/plugins/catalog/secret/fixture", "catalog", "plugin registered"),
        ("sys/plugins/catalog/secret/fixture", "launcher", "plugin process"),
        ("sys/plugins/catalog/secret/fixture", "gateway", "request answered"),
        ("sys/mounts/named", "launcher", "plugin process"),
        ("sys/mounts/named", "router", "mounted"),
        ("sys/mounts/named", "gateway", "request answered"),
        ("named/pid", "gateway", "request answered"),
    ] {
        let [id] = &names(&audit, path)[..] else { panic!("{path} was asked once") };
        let found = lines.iter().find(|line| {
            line.target.starts_with(target) && line.text.contains(said) && line.request.as_deref() == Some(id)
        });
        assert!(found.is_some(), "no line of {target} says {said:?} for {path}, which is {id}:\n{log}");
    }
    // What no request asked for has no such name.
    let own = lines.iter().find(|line| line.text.contains("core dumps") || line.target.starts_with("kit"));
    assert!(own.is_none_or(|line| line.request.is_none()), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_text_have_the_names_of_their_requests() {
    lines_belong_to_their_requests(Form::One, "standard").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_json_in_four_processes_have_the_names_of_their_requests() {
    lines_belong_to_their_requests(Form::Apart, "json").await;
}
