//! Database plugins, opened by an engine: the unmodified Go ones and ours, against real databases.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on fails")]

mod support;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use domain::{Reason, Secret};
use futures::StreamExt;
use launcher::Config;
use rustix::process::Signal;
use serde_json::json;
use support::{Bench, eventually, exists, go_plugin, is_alive, signal};
use tenon::{
    System,
    database::{Change, Credential, Database, Error, NewUser, Opened, Settings, Statements, UpdateUser},
};
use testkit::{PostgreSql, Redis};
use wire::launcher::v1::{Event, EventsRequest};

const MAKE: &str = "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'; \
                    GRANT SELECT ON ALL TABLES IN SCHEMA public TO \"{{name}}\";";

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

fn settings(value: serde_json::Value) -> Settings {
    Settings(serde_json::from_value(value).unwrap())
}

fn of_postgresql(database: &PostgreSql) -> Settings {
    settings(json!({
        "connection_url": database.url(),
        "username": PostgreSql::ADMIN,
        "password": PostgreSql::PASSWORD,
    }))
}

fn new_user(statement: &str, password: &str) -> NewUser {
    NewUser {
        display_name: "token".to_owned(),
        role_name: "reader".to_owned(),
        statements: Statements(vec![statement.to_owned()]),
        rollback_statements: Statements::default(),
        credential: Credential::Password(secret(password)),
        expiration: Some(SystemTime::now() + Duration::from_secs(3600)),
    }
}

fn new_password(username: &str, password: &str) -> UpdateUser {
    let change = Change { to: secret(password), statements: Statements::default() };
    UpdateUser { username: username.to_owned(), password: Some(change), ..UpdateUser::default() }
}

async fn initialized(system: &Arc<dyn System>, plugin: &str, settings: Settings) -> Opened {
    let opened = system.open_database(plugin, "").await.unwrap();
    opened.database.initialize(settings, true).await.unwrap();
    opened
}

/// Every event so far, once one is there that the story waits for.
async fn events_until(bench: &Bench, mut last: impl FnMut(&Event) -> bool) -> Vec<Event> {
    let events = bench.client.events(EventsRequest { after: 0 }).await.unwrap().into_inner();
    let mut events = std::pin::pin!(events);
    let mut seen = Vec::new();
    loop {
        let event = events.next().await.unwrap().unwrap();
        let is_last = last(&event);
        seen.push(event);
        if is_last {
            return seen;
        }
    }
}

/// The life of a PostgreSQL user, whatever plugin makes it.
async fn a_user_lives(database: &dyn Database, server: &PostgreSql) {
    assert_eq!(database.type_name().await.unwrap(), "pgx");
    let user = database.new_user(new_user(MAKE, "user-password-1")).await.unwrap();
    assert!(user.starts_with("v-token-reader-"), "{user}");
    assert!(server.lets_in(&user, "user-password-1"));
    database.update_user(new_password(&user, "user-password-2")).await.unwrap();
    assert!(!server.lets_in(&user, "user-password-1"));
    assert!(server.lets_in(&user, "user-password-2"));
    let past = SystemTime::now() - Duration::from_secs(60);
    let expiration = Some(Change { to: past, statements: Statements::default() });
    let expires = UpdateUser { username: user.clone(), expiration, ..UpdateUser::default() };
    database.update_user(expires).await.unwrap();
    assert!(!server.lets_in(&user, "user-password-2"), "it has expired");
    database.delete_user(&user, Statements::default()).await.unwrap();
    let left = format!("SELECT count(*) FROM pg_roles WHERE rolname = '{user}'");
    assert_eq!(server.ask(&left).unwrap(), "0");
    let refusal = database.new_user(new_user("CREATE NONSENSE '{{password}}'", "user-password-3")).await;
    let refusal = refusal.unwrap_err();
    assert!(matches!(&refusal, Error::Failed(why) if why.contains("syntax error")), "{refusal}");
    assert!(!refusal.to_string().contains("user-password-3"), "{refusal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn gos_postgresql_plugin_and_ours_lead_the_same_life() {
    let (bench, server) = (Bench::new(), PostgreSql::start().await);
    server.ask("CREATE TABLE things (id int)").unwrap();
    let system = bench.system("engine").await;
    bench.register_as("database", "go-postgresql", &go_plugin("postgresql"), &[]);
    bench.register_own("database", "postgresql-database-plugin");
    for plugin in ["go-postgresql", "postgresql-database-plugin"] {
        let opened = initialized(&system, plugin, of_postgresql(&server)).await;
        a_user_lives(&*opened.database, &server).await;
        opened.database.close(Reason::ConnectionDeleted).await.unwrap();
        let refusal = opened.database.new_user(new_user(MAKE, "x")).await;
        assert!(refusal.is_err(), "a closed connection makes no users");
    }
    assert!(bench.processes().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_share_a_process_which_ends_with_the_last_for_the_reason_given() {
    let (bench, server) = (Bench::new(), PostgreSql::start().await);
    let system = bench.system("engine").await;
    bench.register_as("database", "pg", &go_plugin("postgresql"), &[]);
    let one = initialized(&system, "pg", of_postgresql(&server)).await;
    let two = initialized(&system, "pg", of_postgresql(&server)).await;
    assert_eq!(one.running_sha256.len(), 64);
    let process = bench.process().await;
    assert!(process.multiplexed);
    assert_eq!((process.r#type.as_str(), process.mounts), ("database", vec!["engine/".to_owned()]));
    one.database.close(Reason::RootRotated).await.unwrap();
    assert!(is_alive(process.pid));
    let user = two.database.new_user(new_user(MAKE, "user-password")).await.unwrap();
    assert!(server.lets_in(&user, "user-password"));
    two.database.close(Reason::ConnectionReset).await.unwrap();
    assert!(!exists(process.pid));
    let events = events_until(&bench, |event| event.state == "exited").await;
    assert_eq!(events.last().unwrap().reason(), wire::launcher::v1::Reason::ConnectionReset);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_plugin_is_started_by_the_next_call_and_knows_its_settings() {
    let (bench, server) = (Bench::new(), PostgreSql::start().await);
    let system = bench.system("engine").await;
    bench.register_as("database", "pg", &go_plugin("postgresql"), &[]);
    let opened = initialized(&system, "pg", of_postgresql(&server)).await;
    let first = opened.database.new_user(new_user(MAKE, "user-password-1")).await.unwrap();
    let killed = bench.process().await.pid;
    signal(killed, Signal::KILL);
    eventually("the host has seen it", async || !exists(killed)).await;
    opened.database.update_user(new_password(&first, "user-password-2")).await.unwrap();
    assert!(server.lets_in(&first, "user-password-2"));
    let second = bench.process().await;
    assert_ne!(second.pid, killed);
    assert_eq!(second.restarts, 1);
    opened.database.delete_user(&first, Statements::default()).await.unwrap();
    assert!(!server.lets_in(&first, "user-password-2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn gos_redis_plugin_gets_a_process_for_each_connection() {
    let (bench, server) = (Bench::new(), Redis::start().await);
    let system = bench.system("engine").await;
    bench.register_as("database", "redis", &go_plugin("redis"), &[]);
    let how = settings(json!({
        "host": "127.0.0.1",
        "port": server.port,
        "username": Redis::ADMIN,
        "password": Redis::PASSWORD,
        "tls": false,
    }));
    let one = initialized(&system, "redis", how.clone()).await;
    let two = initialized(&system, "redis", how).await;
    let processes = bench.processes().await;
    assert_eq!(processes.len(), 2);
    assert!(processes.iter().all(|process| !process.multiplexed));
    let user = one.database.new_user(new_user(r#"["~*", "+@read"]"#, "user-password-1")).await.unwrap();
    assert!(server.lets_in(&user, "user-password-1"));
    two.database.update_user(new_password(&user, "user-password-2")).await.unwrap();
    assert!(!server.lets_in(&user, "user-password-1"));
    assert!(server.lets_in(&user, "user-password-2"));
    // Killed, it is told its settings again before it is asked.
    for process in &processes {
        signal(process.pid, Signal::KILL);
        eventually("the host has seen it", async || !exists(process.pid)).await;
    }
    one.database.delete_user(&user, Statements::default()).await.unwrap();
    assert!(!server.lets_in(&user, "user-password-2"));
    one.database.close(Reason::ConnectionDeleted).await.unwrap();
    assert_eq!(bench.processes().await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_opts_out_of_sharing_gets_a_process_for_each_connection() {
    let never_shared = launcher::never_shared(Some("pg"));
    let bench = Bench::with(Config { never_shared, ..Config::default() });
    let server = PostgreSql::start().await;
    let system = bench.system("engine").await;
    bench.register_as("database", "pg", &go_plugin("postgresql"), &[]);
    let one = initialized(&system, "pg", of_postgresql(&server)).await;
    let two = initialized(&system, "pg", of_postgresql(&server)).await;
    let processes = bench.processes().await;
    assert_eq!(processes.len(), 2);
    for opened in [one, two] {
        let user = opened.database.new_user(new_user(MAKE, "user-password")).await.unwrap();
        assert!(server.lets_in(&user, "user-password"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_engine_leaves_open_ends_with_its_mount() {
    let (bench, server) = (Bench::new(), PostgreSql::start().await);
    let system = bench.system("engine").await;
    bench.register_as("database", "pg", &go_plugin("postgresql"), &[]);
    let opened = initialized(&system, "pg", of_postgresql(&server)).await;
    let pid = bench.process().await.pid;
    bench.unmount("engine").await;
    assert!(!exists(pid));
    let events = events_until(&bench, |event| event.state == "exited").await;
    assert_eq!(events.last().unwrap().reason(), wire::launcher::v1::Reason::Disabled);
    assert!(opened.database.new_user(new_user(MAKE, "x")).await.is_err());
    assert!(system.open_database("pg", "").await.is_err(), "the mount has ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_reloaded_one_by_one_meet_again_in_a_new_process() {
    let (bench, server) = (Bench::new(), PostgreSql::start().await);
    let system = bench.system("engine").await;
    bench.register_as("database", "pg", &go_plugin("postgresql"), &[]);
    let one = initialized(&system, "pg", of_postgresql(&server)).await;
    let two = initialized(&system, "pg", of_postgresql(&server)).await;
    let before = bench.process().await.pid;
    one.database.close(Reason::Reloaded).await.unwrap();
    let one = initialized(&system, "pg", of_postgresql(&server)).await;
    assert!(is_alive(before), "the other connection holds it");
    two.database.close(Reason::Reloaded).await.unwrap();
    assert!(!exists(before));
    let two = initialized(&system, "pg", of_postgresql(&server)).await;
    assert_ne!(bench.process().await.pid, before);
    for opened in [one, two] {
        let user = opened.database.new_user(new_user(MAKE, "user-password")).await.unwrap();
        assert!(server.lets_in(&user, "user-password"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_engine_drops_is_closed() {
    let bench = Bench::new();
    let system = bench.system("engine").await;
    bench.register_as("database", "pg", &go_plugin("postgresql"), &[]);
    let opened = system.open_database("pg", "").await.unwrap();
    let pid = bench.process().await.pid;
    drop(opened);
    eventually("the process has ended", async || !exists(pid)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_work_is_told_plainly_and_without_passwords() {
    let bench = Bench::new();
    let system = bench.system("engine").await;
    bench.register_as("database", "pg", &go_plugin("postgresql"), &[]);
    let script = bench.register_script("broken", "#!/bin/sh\necho no >&2\nexit 3\n");
    bench.register_as("database", "broken", &script, &[]);
    let refusal = |outcome: Result<Opened, Error>| outcome.map(|_| ()).unwrap_err();
    assert!(matches!(refusal(system.open_database("nothing", "").await), Error::Unavailable(_)));
    let broken = refusal(system.open_database("broken", "").await);
    assert!(matches!(&broken, Error::Unavailable(why) if why.contains("code 3")), "{broken}");
    // Nobody listens on port 1.
    let unreachable = settings(json!({
        "connection_url": "postgresql://vault:swordfish-1@127.0.0.1:1/app?sslmode=disable&connect_timeout=5",
    }));
    let opened = system.open_database("pg", "").await.unwrap();
    let refusal = opened.database.initialize(unreachable, true).await.unwrap_err().to_string();
    assert!(refusal.starts_with("unable to initialize: rpc error: code = Internal desc = "), "{refusal}");
    assert!(!refusal.contains("swordfish-1"), "{refusal}");
    assert_eq!(bench.processes().await.len(), 1);
}
