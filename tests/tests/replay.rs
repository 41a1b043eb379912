//! Recorded exchanges with the reference server are replayed, in their order, on ours.
//!
//! Where an answer differs on purpose or because a part is not built yet, `data/differences.json` says so. A
//! difference that it does not list fails the story, and so does one that it lists and that no longer occurs.

mod exchange;
mod matching;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use exchange::{Exchange, Variables};
use serde::Deserialize;
use testkit::{Api, Options, Plugin, PostgreSql, Server, eventually, go_plugin, repository};

/// What differs, and why.
#[derive(Deserialize)]
struct Differences {
    /// Groups of exchanges that are not replayed, with the reason.
    not_in_this_release: BTreeMap<String, String>,
    /// Single exchanges, by their number, with the reason.
    known: BTreeMap<u32, String>,
}

fn data(name: &str) -> String {
    fs::read_to_string(repository().join("tests/data").join(name)).unwrap()
}

/// The plugin directory that the recording was made with, and the checksums that its requests name.
fn fixtures(server: &Server) -> Variables {
    let directory = server.plugin_directory();
    let (kv, jwt, mock) = (go_plugin("kv"), go_plugin("jwt"), go_plugin("mock"));
    for plugin in [&kv, &jwt, &mock] {
        server.install(plugin);
    }
    for (name, mode) in [("script.sh", 0o755), ("noexec", 0o644)] {
        fs::write(directory.join(name), "#!/bin/sh\necho hello\n").unwrap();
        fs::set_permissions(directory.join(name), PermissionsExt::from_mode(mode)).unwrap();
    }
    symlink("/bin/ls", directory.join("linkout")).unwrap();
    symlink(kv.command(), directory.join("linkin")).unwrap();
    fs::create_dir(directory.join("sub")).unwrap();
    fs::copy(&kv.path, directory.join("sub").join(kv.command())).unwrap();

    let script = Plugin::at(directory.join("script.sh"));
    let checksums = [("kv", &kv), ("jwt", &jwt), ("mock", &mock), ("script", &script), ("noexec", &script)];
    let audit_file = server.data_directory().join("audit.log").display().to_string();
    let checksums = checksums.iter().map(|(name, plugin)| (format!("{name}_sha"), plugin.sha256.clone()));
    checksums.chain([("audit_file".into(), audit_file)]).collect()
}

/// What the reference server does in the background after some requests, a client has to wait for.
async fn settle(exchange: &Exchange, api: &Api, variables: &Variables) {
    let api = api.with_token(variables.get("root").map_or("", String::as_str));
    match exchange.name.as_str() {
        "tidy" if exchange.group == "leases" => {
            api.delete("sys/mounts/database").await.ok();
        }
        "enable-kv2" => api.kv_serves("kv2", 2).await,
        "remount" => {
            let status = format!("sys/remount/status/{}", variables.get("mig").map_or("", String::as_str));
            eventually(Duration::from_secs(10), "the mount has moved", async || {
                let answer = api.get(&status).await;
                answer.body["data"]["migration_info"]["status"] != "in-progress"
            })
            .await;
        }
        _ => {}
    }
}

/// The database that the recording was made with, at the address that its requests name.
async fn database(variables: &mut Variables) -> PostgreSql {
    let database = PostgreSql::start().await;
    database.ask("CREATE ROLE vaultadmin SUPERUSER LOGIN PASSWORD 'vaultpw'").unwrap();
    variables.insert("pg_addr".into(), format!("127.0.0.1:{}", database.port));
    database
}

/// What has to change in the table of differences, one line each; empty when it is right.
async fn replay(server: &Server, differences: &Differences) -> Vec<String> {
    let api = server.anonymous();
    let mut variables = fixtures(server);
    let _database = database(&mut variables).await;
    let mut wrong = Vec::new();
    for line in data("exchanges.jsonl").lines() {
        let exchange: Exchange = serde_json::from_str(line).unwrap();
        if differences.not_in_this_release.contains_key(&exchange.group) {
            continue;
        }
        let answer = exchange.send(&api, &variables).await;
        exchange.capture(&answer, &mut variables);
        settle(&exchange, &api, &variables).await;

        let what = format!("\"{}\": \"{}\"", exchange.seq, exchange.name);
        match (exchange.difference(&answer, &variables), differences.known.get(&exchange.seq)) {
            (Some(difference), None) => wrong.push(format!("{what} differs: {difference}")),
            (None, Some(reason)) => wrong.push(format!("{what} no longer differs: {reason}")),
            _ => {}
        }
    }
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn every_difference_is_known_and_every_known_difference_is_one() {
    let differences: Differences = serde_json::from_str(&data("differences.json")).unwrap();
    // The recorded server kept its data in files.
    let storage = "storage \"file\" { path = \"{data}\" }";
    let server = Server::fresh(Options { storage, ..Options::default() }).await;
    let wrong = replay(&server, &differences).await;
    assert!(wrong.is_empty(), "{} exchanges:\n{}", wrong.len(), wrong.join("\n"));
}
