use serde_json::json;
use testkit::Server;

use super::Shell;

const RULES: &str = "path \"secret/*\" {\n  capabilities = [\"read\"]\n}\n";

#[tokio::test(flavor = "multi_thread")]
async fn policies_are_written_read_listed_formatted_and_deleted() {
    let server = Server::dev().await;
    let shell = Shell::of(&server.api());
    let file = shell.file("rules.hcl", RULES);
    assert_eq!(shell.run(&format!("policy write first {file}")).ok(), "Success! Uploaded policy: first\n");
    assert_eq!(shell.fed("policy write Second -", RULES).ok(), "Success! Uploaded policy: second\n");
    assert_eq!(shell.run("policy list").ok(), "default\nfirst\nsecond\nroot\n");
    assert_eq!(shell.run("policy list -format=json").json()[0], json!("default"));
    assert_eq!(shell.run("policy read first").ok(), RULES);
    assert_eq!(shell.run("policy read -format=json first").json()["policy"], json!(RULES));
    assert_eq!(shell.run("policy delete first").ok(), "Success! Deleted policy: first\n");
    assert_eq!(shell.run("policy read first").fails(2), "No policy named: first\n");
    assert!(shell.run("policy write x /no/such/file").fails(1).contains("/no/such/file"));

    let untidy = shell.file("untidy.hcl", "path \"secret/*\"{\ncapabilities=[\"read\"]\n  }");
    shell.run(&format!("policy fmt {untidy}")).tells(&["Success! Formatted policy: "]);
    assert_eq!(std::fs::read_to_string(&untidy).unwrap(), RULES);
    let broken = shell.file("broken.hcl", "path {");
    shell.run(&format!("policy fmt {broken}")).fails(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_are_looked_up_renewed_and_revoked() {
    let server = Server::dev().await;
    let shell = Shell::of(&server.api());
    shell.run("auth enable userpass").ok();
    shell.run("write auth/userpass/users/ann password=secret-word token_ttl=1h").ok();
    shell.run("login -method=userpass -no-store username=ann password=secret-word").ok();
    let leases = server.api().list("sys/leases/lookup/auth/userpass/login/ann").await.data();
    let id = format!("auth/userpass/login/ann/{}", leases["keys"][0].as_str().unwrap());
    shell.run(&format!("lease lookup {id}")).tells(&["id", "auth/userpass/login/ann/", "ttl"]);
    assert_eq!(shell.run(&format!("lease lookup -format=json {id}")).json()["data"]["id"], json!(id));
    assert!(shell.run("lease lookup none").fails(2).starts_with("error looking up lease id none"));
    shell.run("lease renew none").fails(2);
    assert!(shell.run("lease revoke -force x").fails(1).contains("-prefix"));
    assert_eq!(
        shell.run(&format!("lease revoke -sync {id}")).ok(),
        format!("Success! Revoked lease: {id}\n")
    );
    assert_eq!(
        shell.run("lease revoke -prefix auth/userpass").ok(),
        "All revocation operations queued successfully!\n"
    );
    shell
        .run("lease revoke -prefix -force auth/userpass")
        .tells(&["Success! Force revoked any leases with prefix"]);
}
