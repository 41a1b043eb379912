use serde_json::json;
use testkit::Server;

use super::Shell;

#[tokio::test(flavor = "multi_thread")]
async fn engines_and_methods_are_enabled_changed_listed_moved_and_disabled() {
    let server = Server::dev().await;
    let shell = Shell::of(&server.api());
    assert_eq!(shell.run("secrets enable kv").ok(), "Success! Enabled the kv secrets engine at: kv/\n");
    let words = [
        "secrets",
        "enable",
        "-path=team/kv",
        "-description=for us",
        "-max-lease-ttl=2h",
        "-options=version=2",
        "kv",
    ];
    assert_eq!(shell.words(&words).ok(), "Success! Enabled the kv secrets engine at: team/kv/\n");
    assert!(shell.run("secrets enable kv").fails(2).contains("path is already in use at kv/"));
    shell.run("secrets list").tells(&[
        "Path ",
        "Type ",
        "Accessor ",
        "Description\n----",
        "kv/ ",
        "team/kv/",
        "for us",
    ]);
    shell.run("secrets list -detailed").tells(&[
        "Path ",
        "Plugin ",
        "Max TTL",
        "Deprecation Status",
        "team/kv/",
        "2h",
        "map[version:2]",
    ]);
    assert_eq!(
        shell.run("secrets list -format=json").json()["team/kv/"]["config"]["max_lease_ttl"],
        json!(7200)
    );
    let tune = "secrets tune -default-lease-ttl=30m -listing-visibility=unauth team/kv/";
    assert_eq!(shell.run(tune).ok(), "Success! Tuned the secrets engine at: team/kv/\n");
    assert_eq!(shell.run("read -field=default_lease_ttl sys/mounts/team/kv/tune").ok(), "1800");
    shell
        .run("secrets move team/kv moved")
        .tells(&["Started moving secrets engine team/kv/ to moved/", "Success! Finished moving"]);
    assert_eq!(
        shell.run("secrets disable moved").ok(),
        "Success! Disabled the secrets engine (if it existed) at: moved/\n"
    );
    assert!(shell.run("secrets tune none").fails(2).starts_with("Error tuning secrets engine none/: "));

    assert_eq!(
        shell.run("auth enable userpass").ok(),
        "Success! Enabled userpass auth method at: userpass/\n"
    );
    assert_eq!(
        shell.run("auth enable -path=people -token-type=batch userpass").ok(),
        "Success! Enabled userpass auth method at: people/\n"
    );
    shell.run("auth list").tells(&["Path ", "Version\n", "people/", "userpass", "token/"]);
    shell.run("auth list -detailed").tells(&["Plugin", "UUID"]);
    assert_eq!(shell.run("auth list -format=json").json()["people/"]["config"]["token_type"], json!("batch"));
    let tune = "auth tune -max-lease-ttl=1h -user-lockout-threshold=3 -user-lockout-disable=true people";
    assert_eq!(shell.run(tune).ok(), "Success! Tuned the auth method at: people/\n");
    let tuned = shell.run("read -format=json sys/auth/people/tune").json();
    assert_eq!(tuned["data"]["max_lease_ttl"], json!(3600), "{tuned}");
    shell.run("auth help people").tells(&["login -method=userpass", "username=VALUE password=VALUE"]);
    shell.run("auth help ldap").ok();
    shell.run("auth move people folk").tells(&["Success! Finished moving auth method people/ to folk/"]);
    assert_eq!(
        shell.run("auth disable folk").ok(),
        "Success! Disabled the auth method (if it existed) at: folk/\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_devices_and_namespaces_are_made_and_unmade() {
    let server = Server::dev().await;
    let shell = Shell::of(&server.api());
    let log = format!("file_path={}", shell.path("audit.log").display());
    assert_eq!(shell.run("audit list").fails(2), "No audit devices are enabled.\n");
    let enable = ["audit", "enable", "-path=first", "-description=all of it", "file", &log];
    assert_eq!(shell.words(&enable).ok(), "Success! Enabled the file audit device at: first/\n");
    shell.run("audit list").tells(&["Path ", "Type ", "Description\n", "first/", "file", "all of it"]);
    shell.run("audit list -detailed").tells(&["Replication", "Options", "replicated", "file_path="]);
    assert_eq!(shell.run("audit list -format=json").json()["first/"]["type"], json!("file"));
    assert_eq!(
        shell.run("audit disable first").ok(),
        "Success! Disabled audit device (if it was enabled) at: first/\n"
    );

    shell.run("namespace create -custom-metadata=who=us team").tells(&[
        "custom_metadata",
        "map[who:us]",
        "path",
        "team/",
    ]);
    assert_eq!(shell.run("namespace list").ok(), "Keys\n----\nteam/\n");
    shell.run("namespace list -detailed").tells(&["Keys", "path", "team/"]);
    shell
        .run("namespace patch -custom-metadata=why=x -remove-custom-metadata=who team")
        .tells(&["map[why:x]"]);
    assert_eq!(shell.run("namespace lookup -format=json team").json()["data"]["path"], json!("team/"));
    assert!(shell.run("namespace lookup none").fails(2).contains("Namespace not found"));
    shell.run("secrets enable -namespace=team kv").ok();
    shell.run("kv put -ns=team kv/a k=1").ok();
    assert_eq!(shell.run("kv get -namespace=team -field=k kv/a").ok(), "1");
    let key = shell.run("namespace lock -format=json team").json()["data"]["unlock_key"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(shell.run("kv get -namespace=team kv/a").fails(2).contains("Namespace: team"));
    assert_eq!(
        shell.run(&format!("namespace unlock -unlock-key={key} team")).ok(),
        "Namespace unlocked successfully!\n"
    );
    shell.run("secrets disable -namespace=team kv").ok();
    assert!(shell.run("namespace delete team").ok().starts_with("Success! Namespace delet"));
}
