//! Logins: by unmodified Go auth methods, by ours that are built in, and by ours as programs of their own.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{
    Api, Options, Plugin, Registration, Server, eventually, go_plugin, own_plugin, python, repository,
};

const READ_NOTES: &str =
    r#"path "notes/*" { capabilities = ["read"] } path "pki/issue/web" { capabilities = ["update"] }"#;

/// A server with an auth method at the path of its name, and a secret that the policy `notes` lets its holders read.
async fn server_with(name: &str, plugin: &Plugin) -> Server {
    let server = Server::start().await;
    let auth = Registration { kind: "auth", ..Registration::default() };
    server.register_as(name, plugin, auth).await;
    prepare(&server, name).await;
    server
}

async fn prepare(server: &Server, name: &str) {
    let api = server.api();
    api.post(&format!("sys/auth/{name}"), json!({"type": name})).await.ok();
    api.enable_kv("notes", 1).await;
    api.put("notes/a", json!({"v": "1"})).await.ok();
    api.put("sys/policies/acl/notes", json!({"policy": READ_NOTES})).await.ok();
}

async fn log_in(server: &Server, path: &str, body: Value) -> Value {
    server.anonymous().post(path, body).await.ok()["auth"].clone()
}

fn holder(server: &Server, auth: &Value) -> Api {
    server.api().with_token(auth["client_token"].as_str().unwrap())
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let run = Command::new("openssl").current_dir(folder).args(arguments).output().unwrap();
    assert!(run.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
}

/// Whoever signs the tokens that the jwt method takes.
struct Issuer(TempDir);

impl Issuer {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        openssl(folder.path(), &["genpkey", "-algorithm", "ed25519", "-out", "key.pem"]);
        openssl(folder.path(), &["pkey", "-in", "key.pem", "-pubout", "-out", "public.pem"]);
        Self(folder)
    }

    fn public_key(&self) -> String {
        fs::read_to_string(self.0.path().join("public.pem")).unwrap()
    }

    /// A token for somebody, good for an hour.
    fn sign(&self, subject: &str, audience: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let claims = json!({"iss": "stories", "sub": subject, "aud": audience, "iat": now, "nbf": now, "exp": now + 3600});
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(json!({"alg": "EdDSA", "typ": "JWT"})), part(claims));
        fs::write(self.0.path().join("signed"), &signed).unwrap();
        let sign = ["pkeyutl", "-sign", "-rawin", "-inkey", "key.pem", "-in", "signed", "-out", "signature"];
        openssl(self.0.path(), &sign);
        let signature = fs::read(self.0.path().join("signature")).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// An engine whose secrets have leases.
async fn with_leases(server: &Server) {
    server.mount("pki", &go_plugin("pki")).await;
    let api = server.api();
    let root = json!({"common_name": "Mortise Test Root", "ttl": "24h", "key_type": "ec", "key_bits": 256});
    api.post("pki/root/generate/internal", root).await.ok();
    let role = json!({"allow_any_name": true, "ttl": "1h", "generate_lease": true, "key_type": "ec", "key_bits": 256});
    api.post("pki/roles/web", role).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_jwt_logs_in_by_the_go_plugin_and_its_token_is_renewed_and_revoked() {
    let server = server_with("jwt", &go_plugin("jwt")).await;
    with_leases(&server).await;
    let api = server.api();
    let issuer = Issuer::new();
    let config = json!({"jwt_validation_pubkeys": [issuer.public_key()], "bound_issuer": "stories"});
    api.post("auth/jwt/config", config).await.ok();
    let role = json!({
        "role_type": "jwt", "user_claim": "sub", "bound_audiences": ["mortise"],
        "token_policies": ["notes"], "token_ttl": "10m", "token_max_ttl": "1h",
    });
    api.post("auth/jwt/role/dev", role).await.ok();

    let stranger = json!({"role": "dev", "jwt": Issuer::new().sign("ann", "mortise")});
    server.anonymous().post("auth/jwt/login", stranger).await.refused(400);
    let elsewhere = json!({"role": "dev", "jwt": issuer.sign("ann", "elsewhere")});
    server.anonymous().post("auth/jwt/login", elsewhere).await.refused(400);

    let jwt = issuer.sign("ann", "mortise");
    let auth = log_in(&server, "auth/jwt/login", json!({"role": "dev", "jwt": jwt})).await;
    assert_eq!(auth["policies"], json!(["default", "notes"]));
    assert_eq!((&auth["lease_duration"], &auth["renewable"]), (&json!(600), &json!(true)));
    assert_eq!(auth["metadata"]["role"], "dev");
    let ann = holder(&server, &auth);
    assert_eq!(ann.get("notes/a").await.data(), json!({"v": "1"}));
    ann.get("sys/mounts").await.refused(403);

    let renewed = ann.post("auth/token/renew-self", json!({"increment": "20m"})).await.ok();
    assert_eq!(renewed["auth"]["lease_duration"], json!(1200));
    let issued = ann.post("pki/issue/web", json!({"common_name": "www.example.test"})).await.ok();
    let lease = json!({"lease_id": issued["lease_id"]});
    assert!(lease["lease_id"].as_str().unwrap().starts_with("pki/issue/web/"), "{issued}");
    api.put("sys/leases/lookup", lease.clone()).await.ok();

    ann.post("auth/token/revoke-self", json!({})).await.ok();
    ann.get("notes/a").await.refused(403);
    eventually(Duration::from_secs(10), "its lease ends with it", async || {
        api.put("sys/leases/lookup", lease.clone()).await.errors() == "invalid lease"
    })
    .await;

    let another = log_in(&server, "auth/jwt/login", json!({"role": "dev", "jwt": jwt})).await;
    assert_eq!(another["entity_id"], auth["entity_id"], "the same subject is the same entity");
    api.delete("auth/jwt/role/dev").await.ok();
    let refusal = holder(&server, &another).post("auth/token/renew-self", json!({})).await;
    assert!(!refusal.is_ok(), "the plugin is asked, and its role is gone: {refusal}");
}

/// A user of userpass, whichever serves it, from the first login to the last.
async fn users_log_in_and_out(server: &Server) {
    let api = server.api();
    let user =
        json!({"password": "horse", "token_policies": "notes", "token_ttl": "10m", "token_max_ttl": "1h"});
    api.post("auth/userpass/users/ann", user).await.ok();
    let wrong = server.anonymous().post("auth/userpass/login/ann", json!({"password": "cow"})).await;
    assert_eq!(wrong.refused(400), "invalid username or password");
    let auth = log_in(server, "auth/userpass/login/ann", json!({"password": "horse"})).await;
    assert_eq!(auth["policies"], json!(["default", "notes"]));
    let ann = holder(server, &auth);
    assert_eq!(ann.get("notes/a").await.data(), json!({"v": "1"}));
    let renewed = ann.post("auth/token/renew-self", json!({"increment": "30m"})).await.ok();
    assert_eq!(renewed["auth"]["lease_duration"], json!(1800));
    ann.post("auth/token/revoke-self", json!({})).await.ok();
    ann.get("notes/a").await.refused(403);

    for _ in 0..4 {
        server.anonymous().post("auth/userpass/login/ann", json!({"password": "cow"})).await.refused(400);
    }
    for password in ["cow", "horse"] {
        let locked = server.anonymous().post("auth/userpass/login/ann", json!({"password": password})).await;
        assert_eq!(locked.refused(403), "permission denied");
    }
}

async fn who_is_locked_out_stays_so_though_the_server_is_killed(mut server: Server) {
    server.kill9().await;
    server.start_again().await;
    let right = json!({"password": "horse"});
    server.anonymous().post("auth/userpass/login/ann", right.clone()).await.refused(403);
    let api = server.api();
    let locked = api.get("sys/locked-users").await.data();
    let mount = &locked["by_namespace"][0]["mount_accessors"][0];
    assert_eq!((&locked["total"], &mount["alias_identifiers"]), (&json!(1), &json!(["ann"])));
    let accessor = mount["mount_accessor"].as_str().unwrap();
    api.post(&format!("sys/locked-users/{accessor}/unlock/ann"), json!({})).await.ok();
    log_in(&server, "auth/userpass/login/ann", right).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_of_the_go_plugin_log_in_are_renewed_revoked_and_locked_out() {
    let server = server_with("userpass", &go_plugin("userpass")).await;
    users_log_in_and_out(&server).await;
    server.only_plugin();
    who_is_locked_out_stays_so_though_the_server_is_killed(server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r10_users_of_the_built_in_method_stay_locked_out_over_a_kill() {
    let server = Server::start().await;
    prepare(&server, "userpass").await;
    users_log_in_and_out(&server).await;
    assert_eq!(server.plugins(), [], "it is a part of the host");
    who_is_locked_out_stays_so_though_the_server_is_killed(server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_userpass_as_a_program_wins_over_the_built_in_one() {
    let plugin = own_plugin("userpass");
    let server = server_with("userpass", &plugin).await;
    let mount = server.api().get("sys/auth/userpass").await.data();
    assert_eq!(mount["running_sha256"], json!(plugin.sha256));
    users_log_in_and_out(&server).await;
    server.only_plugin();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_of_the_go_plugin_logs_in_as_often_as_its_secret_id_says() {
    let server = server_with("approle", &go_plugin("approle")).await;
    let api = server.api();
    let role = json!({"token_policies": "notes", "token_ttl": "10m", "secret_id_num_uses": 1});
    api.post("auth/approle/role/web", role).await.ok();
    let role_id = api.get("auth/approle/role/web/role-id").await.data()["role_id"].take();
    let made = api.post("auth/approle/role/web/secret-id", json!({})).await.data();
    let body = json!({"role_id": role_id, "secret_id": made["secret_id"]});
    let auth = log_in(&server, "auth/approle/login", body.clone()).await;
    assert_eq!(auth["metadata"], json!({"role_name": "web"}));
    let web = holder(&server, &auth);
    assert_eq!(web.get("notes/a").await.data(), json!({"v": "1"}));
    web.post("auth/token/renew-self", json!({})).await.ok();
    server.anonymous().post("auth/approle/login", body).await.refused(400);
    web.post("auth/token/revoke-self", json!({})).await.ok();
    web.get("notes/a").await.refused(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_shows_a_certificate_logs_in_by_the_go_plugin() {
    let server = Server::start_with(Options { tls: true, ..Options::default() }).await;
    let auth = Registration { kind: "auth", ..Registration::default() };
    server.register_as("cert", &go_plugin("cert"), auth).await;
    prepare(&server, "cert").await;
    let (ann, stranger) = (client_certificate("ann"), client_certificate("ann"));
    let entry = json!({"certificate": ann.certificate, "token_policies": "notes", "token_ttl": "10m"});
    server.api().post("auth/cert/certs/ann", entry).await.ok();

    let body = json!({"name": "ann"});
    let shown = server.showing(&ann.with_key);
    let auth = shown.post("auth/cert/login", body.clone()).await.ok()["auth"].take();
    assert_eq!(
        (&auth["metadata"]["common_name"], &auth["policies"]),
        (&json!("ann"), &json!(["default", "notes"]))
    );
    let holder = shown.with_token(auth["client_token"].as_str().unwrap());
    assert_eq!(holder.get("notes/a").await.data(), json!({"v": "1"}));
    holder.post("auth/token/renew-self", json!({})).await.ok();

    server.showing(&stranger.with_key).post("auth/cert/login", body.clone()).await.refused(400);
    server.anonymous().post("auth/cert/login", body).await.refused(400);
}

/// Who somebody is, as a browser or a machine shows it.
struct ClientCertificate {
    certificate: String,
    /// The same, and its key.
    with_key: String,
}

fn client_certificate(name: &str) -> ClientCertificate {
    let folder = TempDir::new().unwrap();
    let new =
        ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    let usage = ["-addext", "extendedKeyUsage=clientAuth", "-addext", "basicConstraints=critical,CA:FALSE"];
    let subject = format!("/CN={name}");
    let files = ["-subj", &subject, "-keyout", "key.pem", "-out", "certificate.pem"];
    openssl(folder.path(), &[&new[..], &usage, &files].concat());
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let certificate = read("certificate.pem");
    ClientCertificate { with_key: format!("{certificate}{}", read("key.pem")), certificate }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_go_plugin_of_ldap_is_configured_and_says_what_is_wrong_with_its_server() {
    let server = server_with("ldap", &go_plugin("ldap")).await;
    let api = server.api();
    // Nothing listens there.
    let config =
        json!({"url": "ldap://127.0.0.1:1", "userdn": "ou=users,dc=example", "request_timeout": "1s"});
    api.post("auth/ldap/config", config).await.ok();
    let config = api.get("auth/ldap/config").await.data();
    assert_eq!(config["userdn"], "ou=users,dc=example");
    api.post("auth/ldap/groups/writers", json!({"policies": "notes"})).await.ok();
    assert_eq!(api.list("auth/ldap/groups").await.data()["keys"], json!(["writers"]));
    let lockout = json!({"user_lockout_config": {"lockout_threshold": "3"}});
    api.post("sys/auth/ldap/tune", lockout).await.ok();
    let refusal = server.anonymous().post("auth/ldap/login/ann", json!({"password": "horse"})).await;
    assert!(refusal.refused(400).contains("LDAP"));
}

#[tokio::test(flavor = "multi_thread")]
async fn hvac_logs_in_by_the_methods_that_are_built_in() {
    let server = Server::start().await;
    let mut command = Command::new(python());
    command.arg(repository().join("tests/clients/hvac_auth.py"));
    let told = command.args([server.api().address(), server.api().token()]).output().unwrap();
    assert!(told.status.success(), "hvac:\n{}", String::from_utf8_lossy(&told.stderr));
}
