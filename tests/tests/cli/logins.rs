//! Logins by auth methods that are unmodified Go plugins, each against what it asks: a directory, or an issuer's key.

use std::{path::Path, process::Command};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use testkit::{Ldap, Registration, Server, go_plugin};

use super::Shell;

const PEOPLE: &str = "dn: dc=example,dc=org
objectClass: domain
dc: example

dn: ou=people,dc=example,dc=org
objectClass: organizationalUnit
ou: people

dn: cn=ann,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
cn: ann
sn: Ann
userPassword: horse
";

/// A server with an auth method that is this Go plugin, and somebody with all rights who asks it.
async fn server_with(name: &str) -> (Server, Shell) {
    let server = Server::start().await;
    let auth = Registration { kind: "auth", ..Registration::default() };
    server.register_as(name, &go_plugin(name), auth).await;
    let root = Shell::of(&server.api());
    root.run(&format!("auth enable {name}")).ok();
    (server, root)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_a_directory_logs_in_with_its_password() {
    let directory = Ldap::start(PEOPLE).await;
    let (server, root) = server_with("ldap").await;
    let config = format!(
        "write auth/ldap/config url=ldap://127.0.0.1:{} userdn=ou=people,dc=example,dc=org userattr=cn \
         groupdn=ou=people,dc=example,dc=org",
        directory.port
    );
    assert_eq!(root.run(&config).ok(), "Success! Data written to: auth/ldap/config\n");
    root.run("write auth/ldap/users/ann policies=default").ok();

    let shell = Shell::at(&server.api());
    shell.run("login -method=ldap username=ann password=horse").tells(&[
        "Success! You are now authenticated.",
        "token_policies",
        "[\"default\"]",
        "token_meta_username",
        "ann",
    ]);
    assert_eq!(shell.run("token lookup -field=display_name").ok(), "ldap-ann");
    let made = shell.run("login -method=ldap -format=json username=ann password=horse").json();
    assert_eq!(made["auth"]["metadata"], json!({"username": "ann"}));
    shell.fed("login -method=ldap -no-print username=ann password=-", "horse\n").ok();

    for (name, password) in [("ann", "cow"), ("bob", "horse")] {
        let refused = shell.run(&format!("login -method=ldap username={name} password={password}")).fails(2);
        assert!(refused.contains("Error authenticating: ") && refused.contains("Code: 400"), "{refused}");
        assert!(!refused.contains(password), "{refused}");
    }
    assert!(shell.run("login -method=ldap password=horse").fails(1).contains("username"));
    assert_eq!(shell.run("token lookup -field=display_name").ok(), "ldap-ann", "who was there before stays");
}

fn openssl(folder: &Path, words: &str) {
    let run = Command::new("openssl").current_dir(folder).args(words.split(' ')).output().unwrap();
    assert!(run.status.success(), "openssl {words}: {}", String::from_utf8_lossy(&run.stderr));
}

/// A token that the key in `folder` has signed.
fn signed(folder: &Path, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&json!({"alg": "EdDSA", "typ": "JWT"})), part(claims));
    std::fs::write(folder.join("text"), &text).unwrap();
    openssl(folder, "pkeyutl -sign -inkey key.pem -rawin -in text -out signature");
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(std::fs::read(folder.join("signature")).unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_signed_token_logs_in_with_it() {
    let issuer = tempfile::tempdir().unwrap();
    openssl(issuer.path(), "genpkey -algorithm ed25519 -out key.pem");
    openssl(issuer.path(), "pkey -in key.pem -pubout -out public.pem");
    let (server, root) = server_with("jwt").await;
    let key = issuer.path().join("public.pem");
    root.run(&format!("write auth/jwt/config jwt_validation_pubkeys=@{}", key.display())).ok();
    root.run("write auth/jwt/role/dev role_type=jwt user_claim=sub bound_audiences=mortise policies=default")
        .ok();

    let shell = Shell::at(&server.api());
    let soon = now() + 600;
    let good = signed(
        issuer.path(),
        &json!({"sub": "ann", "aud": "mortise", "iat": now(), "nbf": now(), "exp": soon}),
    );
    let other = signed(
        issuer.path(),
        &json!({"sub": "ann", "aud": "elsewhere", "iat": now(), "nbf": now(), "exp": soon}),
    );
    shell.run(&format!("login -method=jwt role=dev jwt={good}")).tells(&["token_meta_role", "dev"]);
    assert_eq!(shell.run("token lookup -field=display_name").ok(), "jwt-ann");
    let by_input = shell.fed("login -method=jwt -format=json role=dev jwt=-", &good).json();
    assert_eq!(by_input["auth"]["metadata"]["role"], json!("dev"));
    let refused = shell.run(&format!("login -method=jwt role=dev jwt={other}")).fails(2);
    assert!(refused.contains("Code: 400") && !refused.contains(&other), "{refused}");
    assert!(shell.run("login -method=jwt role=dev").fails(1).contains("jwt"));
}

/// Seconds since 1970.
fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}
