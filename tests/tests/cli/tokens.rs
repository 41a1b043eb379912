use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;
use testkit::Server;

use super::Shell;

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_made_looked_up_renewed_and_revoked() {
    let server = Server::dev().await;
    let shell = Shell::of(&server.api());
    shell.run("token create -ttl=1h -policy=default -display-name=me -metadata=a=b").tells(&[
        "Key ",
        "token ",
        "token_accessor",
        "token_duration",
        "1h",
        "token_policies",
        "[\"default\"]",
    ]);
    let made = shell.run("token create -format=json -orphan -ttl=30m -use-limit=9").json();
    let text = |name: &str| made["auth"][name].as_str().unwrap().to_owned();
    let (token, accessor) = (text("client_token"), text("accessor"));
    assert_eq!(made["auth"]["lease_duration"], json!(1800));
    shell.run(&format!("token lookup {token}")).tells(&["accessor", &accessor, "orphan", "true"]);
    assert_eq!(shell.run(&format!("token lookup -field=id -accessor {accessor}")).ok(), "");
    assert_eq!(shell.run("token lookup -format=json").json()["data"]["path"], json!("auth/token/root"));
    shell.run(&format!("token renew -increment=20m {token}")).tells(&["token_duration", "20m"]);
    shell.run(&format!("token renew -format=json -accessor {accessor}")).json();
    assert_eq!(shell.run(&format!("token capabilities {token} secret/a")).ok(), "root\n");
    assert_eq!(shell.run("token capabilities -format=json sys/mounts").json(), json!(["root"]));
    assert_eq!(
        shell.run(&format!("token revoke -accessor {accessor}")).ok(),
        "Success! Revoked token (if it existed)\n"
    );
    assert!(shell.run(&format!("token lookup {token}")).fails(2).contains("bad token"));
    shell.run("token revoke").fails(1);
    shell.run("token revoke -self -accessor").fails(1);
    let own = shell.run("token create -field=token").line();
    let gone = shell.command(&["token", "revoke", "-self"]).env("VAULT_TOKEN", &own).output().unwrap();
    assert!(gone.status.success(), "{gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_logs_in_is_known_to_the_commands_that_follow() {
    let server = Server::dev().await;
    let root = Shell::of(&server.api());
    root.run("auth enable userpass").ok();
    root.run("write auth/userpass/users/ann password=secret-word").ok();
    root.run("auth enable approle").ok();
    root.run("write -force auth/approle/role/job").ok();
    let role = root.run("read -field=role_id auth/approle/role/job/role-id").line();
    let secret = root.run("write -force -field=secret_id auth/approle/role/job/secret-id").line();

    let shell = Shell::at(&server.api());
    assert!(shell.run("token lookup").fails(2).contains("Code: 403"));
    shell.run("login -method=userpass username=ann password=secret-word").tells(&[
        "Success! You are now authenticated.",
        "token_meta_username",
        "ann",
    ]);
    let kept = fs::metadata(shell.path(".vault-token")).unwrap();
    assert_eq!(kept.permissions().mode() & 0o777, 0o600);
    assert_eq!(shell.run("token lookup -field=display_name").ok(), "userpass-ann");
    assert_eq!(shell.run("print token").ok().trim(), fs::read_to_string(shell.path(".vault-token")).unwrap());

    shell.fed("login -method=userpass -no-print username=ann password=-", "secret-word\n").ok();
    let words = format!("login -method=approle -token-only role_id={role} secret_id={secret}");
    let token = shell.run(&words).line();
    assert!(token.starts_with("hvs."), "{token}");
    assert_eq!(shell.run("token lookup -field=display_name").ok(), "userpass-ann", "it was not kept");
    assert_eq!(shell.fed("login -format=json -", &token).json()["auth"]["client_token"], json!(token));
    assert_eq!(shell.run("token lookup -field=display_name").ok(), "approle");
    assert!(
        shell
            .run("login -method=userpass username=ann password=wrong")
            .fails(2)
            .contains("invalid username or password")
    );
    assert!(shell.run("login -method=userpass username=ann").fails(1).contains("password is missing"));
    assert!(shell.run("login -method=nonsense").fails(1).contains("Unknown auth method"));
    let warned = root.run("login root");
    assert!(warned.err.contains("VAULT_TOKEN environment variable is set"), "{warned:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_program_may_keep_the_token() {
    let server = Server::dev().await;
    let shell = Shell::at(&server.api());
    let kept = shell.path("kept");
    let script = format!(
        "#!/bin/sh\ncase $1 in get) cat {0} 2>/dev/null || true;; store) cat > {0};; erase) rm {0};; esac\n",
        kept.display()
    );
    let helper = shell.file("helper", &script);
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o700)).unwrap();
    shell.file(".vault", &format!("token_helper = \"{helper}\"\n"));
    shell.run("login root").ok();
    assert_eq!(fs::read_to_string(&kept).unwrap(), "root");
    assert!(!shell.path(".vault-token").exists());
    assert_eq!(shell.run("token lookup -field=id").ok(), "root");
}
