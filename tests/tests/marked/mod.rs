//! Marked secrets through every field, and a look into everything that a server says about itself.

mod fields;
mod marks;
mod outputs;
mod scenes;
mod walk;

use std::{collections::BTreeMap, fs, time::Duration};

use serde_json::json;
use testkit::{Form, Options, Server, eventually, process};

use marks::{Leak, Marks};
use outputs::Outputs;
use scenes::Scenes;

use crate::traces::collector::Collector;

/// What may be told, and where; the first word of a field says what sort it is.
///
/// - A name is what policies and listings speak of: it is in paths, and no count has it.
/// - A word is what a plugin says of its own accord: it is told as such, and to nobody else.
/// - All else is secret. Who sends it may be told of a wrong setting, but never of what is made for secrets.
fn is_meant(leak: &Leak) -> bool {
    let Leak { field, output, .. } = leak;
    let (sort, _) = field.split_once(':').unwrap_or_default();
    match (sort, output.as_str()) {
        // Operators name what is configured; below a mount, paths are hidden.
        ("name", "the storage") => [" auth/token/roles/", " sys/"].iter().any(|path| field.contains(path)),
        ("name", output) => !output.starts_with("sys/metrics"),
        (_, "what plugins log" | "sys/plugins/logs" | "refusals of plugins") => true,
        ("word", "the log" | "sys/plugins/events" | "sys/plugins/processes") => true,
        ("word", output) => output.starts_with("sys/monitor"),
        (_, "the environment of plugins") => field.ends_with("a plugin's environment"),
        (_, "the command line of plugins") => field.ends_with("a plugin's argument"),
        (_, "refusals of the host") => is_setting(field),
        // As in Vault's: which clients there are, and the names of policies and paths.
        (_, "the audit log") => {
            ["User-Agent", ", policies of", ", path of", ", paths of"].iter().any(|part| field.contains(part))
        }
        _ => false,
    }
}

/// The fields that are made for secrets.
const MADE_FOR_SECRETS: [&str; 17] = [
    "args",
    "ciphertext",
    "data",
    "encoded_token",
    "env",
    "id",
    "input",
    "jwt",
    "key",
    "nonce",
    "otp",
    "password",
    "pgp_key",
    "pgp_keys",
    "secret_id",
    "token",
    "value",
];

/// Whether a mark was one of a member of a whole body or query, and not of one that is made for secrets.
fn is_setting(field: &str) -> bool {
    let Some((_, part)) = field.rsplit_once(", ") else { return false };
    let name =
        part.split_once(" of a body of").map(|(name, _)| name).or_else(|| part.strip_suffix(" of the query"));
    name.is_some_and(|name| !MADE_FOR_SECRETS.contains(&name))
}

/// What plugins log, and what the server does.
fn by_speaker(log: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let of_plugins = |line: &&[u8]| {
        let line = String::from_utf8_lossy(line);
        line.contains("\"target\":\"plugin\"") || line.split_whitespace().nth(2) == Some("plugin:")
    };
    let (theirs, ours): (Vec<_>, Vec<_>) = log.split(|byte| *byte == b'\n').partition(of_plugins);
    (theirs.join(&b'\n'), ours.join(&b'\n'))
}

fn told(leaks: &[Leak]) -> String {
    let mut by_field = BTreeMap::<_, Vec<_>>::new();
    for leak in leaks {
        by_field.entry((&leak.output, leak.field.split(',').next_back())).or_default().push(leak);
    }
    let lines = by_field.into_values().map(|alike| {
        let (Leak { field, output, spelling, around }, more) = (alike[0], alike.len() - 1);
        format!("{field}\n  is {spelling} in {output} (and {more} like it): …{around}…\n")
    });
    lines.collect()
}

/// Secrets for a server whose storage is not there.
async fn without_storage(server: &mut Server, marks: &mut Marks, outputs: &mut Outputs) {
    server.kill9_catalog().await;
    let api = server.api();
    for path in ["kv/data/a", "cubbyhole/a", "transit/keys/b", "auth/token/create"] {
        let body =
            json!({"data": {"word": marks.mark(format!("secret: {path}, while nothing can be stored"))}});
        outputs.add("refusals of the host", api.post(path, body).await.errors());
    }
    server.start_catalog_again().await;
    eventually(Duration::from_secs(60), "the server serves again", async || {
        server.api().get("sys/mounts").await.is_ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a3_no_secret_of_any_field_is_in_anything_that_the_server_says_about_itself() {
    let form = Form::wanted();
    let format = if form == Form::Apart { "log_format = \"json\"\n" } else { "" };
    let collector = Collector::start();
    let traces = format!("telemetry {{ otlp_endpoint = \"{}\" }}", collector.address());
    let listener = "telemetry {\n    unauthenticated_metrics_access = true\n  }".to_owned();
    let options =
        Options { log_level: "trace", listener, extra: format.to_owned() + &traces, ..Options::default() };
    let mut server = Server::start_with(options).await;
    let (mut marks, mut outputs) = (Marks::new(), Outputs::default());
    let audit = server.data_directory().join("audit.log");
    let api = server.api();
    api.put("sys/audit/file", json!({"type": "file", "options": {"file_path": audit}})).await.ok();
    outputs.follow(&api).await;

    let mut scenes = Scenes { server: &server, marks: &mut marks, outputs: &mut outputs };
    scenes.learn_keys();
    scenes.plugins().await;
    scenes.values().await;
    scenes.logins().await;
    scenes.tokens().await;
    scenes.databases().await;
    scenes.words().await;
    scenes.refusals().await;
    let document = api.get("sys/internal/specs/openapi").await.ok();
    let places = fields::places(&document);
    let count = walk::walk(&api, &places, &mut marks, &mut outputs).await;
    println!("{count} requests to {} places, {} marks", places.len(), marks.count());
    assert!(places.len() > 200, "{}", places.len());

    outputs.ask(&server).await;
    outputs.debug(&server);
    outputs.look_at("the host", &server.processes());
    outputs.look_at("plugins", &process::plugins(server.pid()));
    if form == Form::Apart {
        without_storage(&mut server, &mut marks, &mut outputs).await;
    }
    Scenes { server: &server, marks: &mut marks, outputs: &mut outputs }.ceremonies().await;
    server.stop().await;
    let folder = server.data_directory().with_file_name("");
    for service in ["server", "catalog", "launcher", "router", "gateway"] {
        let log = fs::read(folder.join(service).with_extension("log"));
        let panicked = |log: &Vec<u8>| String::from_utf8_lossy(log).contains("the server panicked");
        assert!(!log.as_ref().is_ok_and(panicked), "{service} has panicked");
        log.into_iter().for_each(|log| outputs.add("the log", log));
    }
    outputs.add("traces", collector.text());
    outputs.add("the audit log", fs::read(&audit).unwrap());
    fs::remove_file(&audit).unwrap();
    outputs.add_files("the storage", &server.data_directory());

    let mut leaks = Vec::new();
    let mut all = Vec::new();
    for (name, text) in outputs.all().await {
        if name == "the log" || name.starts_with("sys/monitor") {
            let (theirs, ours) = by_speaker(&text);
            // Apart, plugins are heard by another process than the one that is watched.
            all.extend(Some(("what plugins log".to_owned(), theirs)).filter(|(_, text)| !text.is_empty()));
            all.push((name, ours));
        } else {
            all.push((name, text));
        }
    }
    for (name, text) in all {
        println!("{:>9} bytes of {name}", text.len());
        assert!(!text.is_empty(), "nothing was caught of {name}");
        leaks.extend(marks.find(&name, &text).into_iter().filter(|leak| !is_meant(leak)));
    }
    assert!(leaks.is_empty(), "{} marks got out:\n{}", leaks.len(), told(&leaks));
}
