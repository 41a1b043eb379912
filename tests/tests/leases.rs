//! What plugins issue has a lease, over restarts and kills, until it is revoked.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Answer, Server, eventually, go_plugin};

const PATIENCE: Duration = Duration::from_secs(20);

async fn server_with_issuer() -> Server {
    let server = Server::start().await;
    server.mount("db", &go_plugin("fixture")).await;
    server
}

fn lease_id(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{answer}");
    answer.body["lease_id"].as_str().unwrap().to_owned()
}

async fn revoked(server: &Server) -> Value {
    let answer = server.api().list("db/revoked").await;
    if answer.status == 404 { json!([]) } else { answer.data()["keys"].clone() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_outlives_a_kill_and_ends_when_its_time_is_over() {
    let mut server = server_with_issuer().await;
    let short = server.api().get("db/creds/short?ttl=2").await;
    let long = server.api().get("db/creds/long").await;
    assert_eq!((&short.body["lease_duration"], &short.body["renewable"]), (&json!(2), &json!(true)));
    let id = lease_id(&long);
    server.kill9().await;
    server.start_again().await;

    eventually(PATIENCE, "the short one is revoked", async || revoked(&server).await == json!(["short"]))
        .await;
    let api = server.api();
    let found = api.put("sys/leases/lookup", json!({ "lease_id": id })).await.data();
    assert!(found["ttl"].as_i64().unwrap() > 3500, "{found}");
    let renewed = api.put("sys/leases/renew", json!({"lease_id": id, "increment": 7200})).await;
    assert_eq!((&renewed.body["lease_duration"], &renewed.body["lease_id"]), (&json!(7200), &json!(id)));
    api.put("sys/leases/revoke", json!({ "lease_id": id })).await.ok();
    assert_eq!(revoked(&server).await, json!(["long", "short"]));
    let unknown = api.put("sys/leases/lookup", json!({ "lease_id": lease_id(&short) })).await;
    assert_eq!(unknown.refused(400), "invalid lease");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_refuses_a_revocation_is_asked_again() {
    let server = server_with_issuer().await;
    let api = server.api();
    api.put("db/refuse", json!({"revocations": true})).await.ok();
    let id = lease_id(&api.get("db/creds/kept").await);
    let refusal = api.put("sys/leases/revoke", json!({ "lease_id": id })).await.refused(400);
    assert!(refusal.contains("revocations are refused"), "{refusal}");
    api.put("sys/leases/lookup", json!({ "lease_id": id })).await.ok();

    let asked = api.put("sys/leases/revoke", json!({"lease_id": id, "sync": false})).await;
    assert_eq!(asked.status, 202, "{asked}");
    api.put("db/refuse", json!({"revocations": false})).await.ok();
    api.put("sys/leases/revoke-prefix/db", json!({})).await.ok();
    assert_eq!(revoked(&server).await, json!(["kept"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mount_goes_with_what_it_has_issued_even_if_its_plugin_refuses() {
    let server = server_with_issuer().await;
    let api = server.api();
    let id = lease_id(&api.get("db/creds/left").await);
    api.put("db/refuse", json!({"revocations": true})).await.ok();
    server.disable("db").await;
    let listed = api.get("sys/leases?type=irrevocable").await.data();
    assert_eq!((&listed["lease_count"], &listed["leases"][0]["lease_id"]), (&json!(1), &json!(id)));
    api.put("sys/leases/revoke-force/db", json!({})).await.ok();
    assert_eq!(api.get("sys/leases?type=irrevocable").await.data()["lease_count"], json!(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_the_go_pki_is_revoked_with_its_lease() {
    let server = Server::start().await;
    server.mount("pki", &go_plugin("pki")).await;
    let api = server.api();
    api.post("pki/root/generate/internal", json!({"common_name": "test", "ttl": "24h"})).await.ok();
    let role =
        json!({"allow_any_name": true, "enforce_hostnames": false, "generate_lease": true, "max_ttl": "1h"});
    api.post("pki/roles/web", role).await.ok();
    let issued = api.post("pki/issue/web", json!({"common_name": "a.test", "ttl": "30m"})).await;
    let id = lease_id(&issued);
    assert!(id.starts_with("pki/issue/web/"), "{id}");
    let serial = issued.data()["serial_number"].as_str().unwrap().to_owned();
    let certificate = format!("pki/cert/{serial}");
    assert_eq!(api.get(&certificate).await.data()["revocation_time"], json!(0));
    api.put("sys/leases/revoke", json!({ "lease_id": id })).await.ok();
    assert_ne!(api.get(&certificate).await.data()["revocation_time"], json!(0));
}
