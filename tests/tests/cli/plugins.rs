use serde_json::json;
use testkit::{Options, Server, go_plugin};

use super::Shell;

async fn server() -> Server {
    let extra = "plugin_upload = true".to_owned();
    Server::start_with(Options { extra, ..Options::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn plugins_are_registered_listed_pinned_watched_and_taken_out() {
    let server = server().await;
    let (shell, plugin) = (Shell::of(&server.api()), go_plugin("kv"));
    server.install(&plugin);
    let (sha256, command) = (&plugin.sha256, plugin.command());
    let register = format!("plugin register -sha256={sha256} -command={command} -version=1.0.0 secret my-kv");
    assert_eq!(shell.run(&register).ok(), "Success! Registered plugin: my-kv\n");
    let sent = format!(
        "plugin register -upload={} -command=sent -version=1.1.0 secret my-kv",
        plugin.path.display()
    );
    assert_eq!(shell.run(&sent).ok(), "Success! Registered plugin: my-kv\n");
    assert!(shell.run("plugin register -sha256=zz secret x").fails(1).contains("-sha256"));
    shell.run("plugin list secret").tells(&["Name ", "Version\n", "my-kv", "v1.0.0"]);
    shell.run("plugin list").tells(&["Name ", "Type ", "Version\n", "userpass", "auth"]);
    shell.run("plugin list -detailed").tells(&["Deprecation Status", "my-kv", "secret", "v1.1.0"]);
    assert!(shell.run("plugin list -format=json secret").json().as_array().unwrap().contains(&json!("kv")));
    shell.run("plugin info -version=1.0.0 secret my-kv").tells(&["command", command, "sha256", sha256]);
    assert_eq!(shell.run("plugin info -version=v1.0.0 -field=version secret my-kv").ok(), "v1.0.0");
    assert!(shell.run("plugin info secret none").fails(2).contains("No value found for plugin \"none\""));

    shell.run("plugin pin secret my-kv v1.0.0").tells(&["Success! Pinned plugin my-kv"]);
    shell.run("plugin pin").tells(&["Name ", "my-kv", "secret", "v1.0.0"]);
    assert_eq!(shell.run("plugin pin -format=json secret my-kv").json()["version"], json!("v1.0.0"));
    shell.run("plugin pin -remove secret my-kv").tells(&["Success! Unpinned"]);

    shell.run("secrets enable -path=m -plugin-version=v1.0.0 my-kv").ok();
    shell.run("kv put m/a k=1").ok();
    shell.run("plugin ps").tells(&["PID ", "my-kv", "v1.0.0", "running", "m/"]);
    assert_eq!(shell.run("plugin ps -format=json").json()[0]["name"], json!("my-kv"));
    assert_eq!(shell.run("plugin reload -plugin=my-kv").ok(), "Success! Reloaded plugin: my-kv\n");
    let told = shell.run("plugin reload -mounts=m/ -scope=global").ok();
    let id = told.trim().rsplit(' ').next().unwrap();
    shell.run(&format!("plugin reload-status {id}")).tells(&["Time ", "Participant ", "Success ", "true"]);
    shell.run("plugin reload").fails(1);
    shell.run("plugin logs -lines=5 secret my-kv").ok();
    assert!(shell.run("plugin logs -format=json secret my-kv").json().is_array());
    shell.run("plugin events -count=1").tells(&["my-kv secret v1.0.0"]);
    assert_eq!(shell.run("plugin events -count=1 -format=json").json()["plugin"], json!("my-kv"));

    shell.run("secrets disable m").ok();
    assert!(
        shell
            .run("plugin deregister -version=1.1.0 secret my-kv")
            .ok()
            .starts_with("Success! Deregistered plugin")
    );
    assert_eq!(
        shell.run("plugin runtime register -memory-bytes=1000000000 -best-effort small").ok(),
        "Success! Registered plugin runtime: small\n"
    );
    shell.run("plugin runtime list").tells(&["Name ", "Type ", "small", "sandbox"]);
    assert_eq!(shell.run("plugin runtime info -field=memory_bytes small").ok(), "1000000000");
    assert_eq!(
        shell.run("plugin runtime deregister small").ok(),
        "Success! Deregistered plugin runtime: small\n"
    );
    assert!(shell.run("plugin runtime info small").fails(2).contains("No value found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_takes_the_place_of_another_and_gives_it_back() {
    let server = server().await;
    let (shell, old, new) = (Shell::of(&server.api()), go_plugin("kv-before"), go_plugin("kv"));
    let apply = |plugin: &testkit::Plugin, more: &str| {
        shell.run(&format!("plugin apply -name=my-kv{more} {}", plugin.path.display()))
    };
    let first = apply(&old, " -format=json").json();
    assert_eq!(
        (&first["type"], &first["version"], &first["outcome"]),
        (&json!("secret"), &json!("v0.0.1"), &json!("registered"))
    );
    shell.run("secrets enable -path=m my-kv").ok();
    shell.run("kv put m/a k=1").ok();

    apply(&new, " -dry-run").tells(&["outcome", "starts", "sha256", &new.sha256]);
    assert_eq!(shell.run("plugin list -format=json -detailed secret").ok().matches("\"my-kv\"").count(), 1);
    apply(&new, "").tells(&["mounts", "[m/]", "outcome", "applied", "version", "v0.0.2"]);
    assert_eq!(shell.run("secrets list -format=json").json()["m/"]["running_sha256"], json!(new.sha256));
    assert_eq!(shell.run("kv get -field=k m/a").ok(), "1");
    assert!(apply(&old, " -version=v0.0.2").fails(1).contains("registered already, with another program"));
    assert!(apply(&old, " -type=auth").fails(1).contains("of type secret, not auth"));

    // What does not start does not take any place, and leaves nothing behind.
    let broken = shell.file("broken", "#!/bin/sh\nexit 3\n");
    assert!(
        shell
            .run(&format!("plugin apply -name=my-kv {broken}"))
            .fails(2)
            .contains("Error registering plugin my-kv")
    );
    assert_eq!(shell.run("secrets list -format=json").json()["m/"]["running_sha256"], json!(new.sha256));

    shell.run("plugin rollback secret my-kv").tells(&[
        "from",
        "v0.0.2",
        "outcome",
        "rolled back",
        "version",
        "v0.0.1",
    ]);
    assert_eq!(shell.run("secrets list -format=json").json()["m/"]["running_sha256"], json!(old.sha256));
    assert_eq!(shell.run("kv get -field=k m/a").ok(), "1");
    assert!(
        shell
            .run("plugin rollback secret my-kv")
            .fails(2)
            .contains("No version of plugin my-kv before v0.0.1")
    );
    assert_eq!(
        shell.run("plugin rollback -format=json -version=0.0.2 secret my-kv").json()["version"],
        json!("v0.0.2")
    );
}
