use serde_json::json;
use testkit::Server;

use super::Shell;

#[tokio::test(flavor = "multi_thread")]
async fn secrets_with_versions_are_kept() {
    let server = Server::dev().await;
    let shell = Shell::of(&server.api());
    shell.run("kv put secret/a k=1").tells(&[
        "== Secret Path ==\nsecret/data/a\n\n======= Metadata =======\nKey ",
        "version            1\n",
    ]);
    assert_eq!(
        shell.run("kv put -format=json -mount=secret a k=2 other=x").json()["data"]["version"],
        json!(2)
    );
    let told = shell.run("kv get secret/a").ok();
    assert!(
        told.ends_with(
            "version            2\n\n==== Data ====\nKey      Value\n---      -----\nk        2\nother    x\n"
        ),
        "{told}"
    );
    assert_eq!(shell.run("kv get -field=k -version=1 -mount=secret a").ok(), "1");
    assert_eq!(
        shell.run("kv get -format=json secret/a").json()["data"]["data"],
        json!({"k": "2", "other": "x"})
    );
    assert_eq!(shell.run("kv get secret/none").fails(2), "No value found at secret/data/none\n");
    assert!(shell.run("kv put -cas=7 secret/a k=3").fails(2).contains("check-and-set"));
    shell.run("kv put -cas=2 secret/a k=3").ok();

    shell.run("kv patch secret/a more=y").ok();
    shell.run("kv patch -method=rw -remove-data=more secret/a k=5").ok();
    assert_eq!(shell.run("kv get -format=json secret/a").json()["data"]["data"], json!({"k": "5"}));
    assert!(shell.run("kv patch secret/none k=1").fails(2).contains("No value found at secret/data/none"));
    shell.run("kv rollback -version=1 secret/a").tells(&["version", "6"]);
    assert_eq!(shell.run("kv get -field=k secret/a").ok(), "1");
    assert!(shell.run("kv rollback secret/a").fails(1).contains("Version flag"));

    assert_eq!(
        shell.run("kv delete secret/a").ok(),
        "Success! Data deleted (if it existed) at: secret/data/a\n"
    );
    shell.run("kv get secret/a").tells(&["deletion_time      2"]);
    assert_eq!(
        shell.run("kv undelete -versions=6 secret/a").ok(),
        "Success! Data written to: secret/undelete/a\n"
    );
    assert_eq!(shell.run("kv get -field=k secret/a").ok(), "1");
    shell.run("kv delete -versions=1,2 secret/a").ok();
    assert_eq!(
        shell.run("kv destroy -versions=1,2 secret/a").ok(),
        "Success! Data written to: secret/destroy/a\n"
    );
    assert!(shell.run("kv destroy secret/a").fails(1).contains("-versions"));
    assert_eq!(shell.run("kv list secret").ok(), "Keys\n----\na\n");
    assert_eq!(shell.run("kv list -format=json -mount=secret /").json(), json!(["a"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_noted_about_a_secret_is_kept() {
    let server = Server::dev().await;
    let shell = Shell::of(&server.api());
    shell.run("kv put secret/a k=1").ok();
    let put = "kv metadata put -max-versions=3 -cas-required=false -delete-version-after=90m -custom-metadata=who=me -custom-metadata=why=x secret/a";
    assert_eq!(shell.run(put).ok(), "Success! Data written to: secret/metadata/a\n");
    shell.run("kv metadata get secret/a").tells(&[
        "= Metadata =",
        "delete_version_after    1h30m0s",
        "max_versions",
        "3",
        "= Version 1 =",
        "created_time",
    ]);
    shell.run("kv metadata patch -custom-metadata=who=you -remove-custom-metadata=why secret/a").ok();
    let told = shell.run("kv metadata get -format=json secret/a").json();
    assert_eq!(
        (&told["data"]["custom_metadata"], &told["data"]["max_versions"]),
        (&json!({"who": "you"}), &json!(3))
    );
    assert_eq!(
        shell.run("kv metadata delete secret/a").ok(),
        "Success! Data deleted (if it existed) at: secret/metadata/a\n"
    );
    assert!(shell.run("kv metadata get secret/a").fails(2).contains("No value found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_without_versions_are_told_apart() {
    let server = Server::dev().await;
    let shell = Shell::of(&server.api());
    shell.run("secrets enable -path=old -version=1 kv").ok();
    assert_eq!(shell.run("kv put old/a k=1").ok(), "Success! Data written to: old/a\n");
    assert_eq!(shell.run("kv put -mount=old b k=2").ok(), "Success! Data written to: old/b\n");
    shell.run("kv get old/a").tells(&["refresh_interval", "k", "1"]);
    assert_eq!(shell.run("kv get -field=k -mount=old b").ok(), "2");
    assert_eq!(shell.run("kv list old").ok(), "Keys\n----\na\nb\n");
    assert_eq!(shell.run("kv delete old/b").ok(), "Success! Data deleted (if it existed) at: old/b\n");
    assert!(shell.run("kv patch old/a x=1").fails(2).contains("version 2"));
    assert!(shell.run("kv metadata get old/a").fails(1).contains("not supported on KV Version 1"));
    assert_eq!(shell.run("kv enable-versioning old").ok(), "Success! Tuned the secrets engine at: old/\n");
    let api = server.api();
    testkit::eventually(std::time::Duration::from_secs(30), "the secret has a version", async || {
        api.get("old/data/a").await.is_ok()
    })
    .await;
    assert_eq!(shell.run("kv get -field=k old/a").ok(), "1");
}
