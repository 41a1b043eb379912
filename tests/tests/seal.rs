//! Initialising, unsealing with shares, sealing, and rotating.

use serde_json::{Value, json};
use testkit::{Options, Server};

async fn submit(server: &Server, key: &str) -> testkit::Answer {
    server.anonymous().put("sys/unseal", json!({"key": key})).await
}

async fn health(server: &Server, query: &str) -> u16 {
    server.anonymous().get(&format!("sys/health{query}")).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn three_of_five_shares_unseal_in_any_order() {
    let mut server = Server::fresh(Options::default()).await;
    assert_eq!(health(&server, "").await, 501);
    let keys = server.init(5, 3).await.clone();
    assert_eq!(keys.shares.len(), 5);
    assert_eq!(health(&server, "").await, 503);

    for (place, progress) in [(4, 1), (4, 1), (0, 2)] {
        let status = submit(&server, &keys.shares[place]).await.ok();
        assert_eq!((&status["progress"], &status["sealed"]), (&json!(progress), &json!(true)), "{status}");
    }
    let status = submit(&server, &keys.shares[2]).await.ok();
    assert_eq!((&status["sealed"], &status["t"], &status["n"]), (&json!(false), &json!(3), &json!(5)));
    assert_eq!(health(&server, "").await, 200);
    let again = server.anonymous().put("sys/init", json!({"secret_shares": 1, "secret_threshold": 1})).await;
    assert!(again.refused(400).contains("already initialized"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_share_costs_the_progress_and_nothing_else() {
    let mut server = Server::fresh(Options::default()).await;
    let keys = server.init(3, 2).await.clone();
    submit(&server, &keys.shares[0]).await.ok();
    // Of the right form and wrong: the first share with its last but one byte changed.
    let mut wrong = keys.shares[1].clone().into_bytes();
    let at = wrong.len() - 4;
    wrong[at] = if wrong[at] == b'0' { b'1' } else { b'0' };
    let refusal = submit(&server, std::str::from_utf8(&wrong).unwrap()).await;
    assert_eq!(refusal.status, 400, "{refusal}");
    let status = server.anonymous().get("sys/seal-status").await.ok();
    assert_eq!((&status["progress"], &status["sealed"]), (&json!(0), &json!(true)), "{status}");
    server.unseal().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_server_answers_nothing_else_and_loses_nothing() {
    let server = Server::start().await;
    let api = server.api();
    api.enable_kv("kv", 2).await;
    api.put_secret("kv", "a", json!({"v": "1"})).await;

    assert_eq!(server.anonymous().put("sys/seal", json!({})).await.status, 403);
    api.put("sys/seal", json!({})).await.ok();
    for path in ["kv/data/a", "sys/mounts", "auth/token/lookup-self", "nowhere"] {
        assert!(api.get(path).await.refused(503).contains("Vault is sealed"));
    }
    assert_eq!(health(&server, "?sealedcode=299").await, 299);
    server.unseal().await;
    assert_eq!(api.secret("kv", "a").await, json!({"v": "1"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_before_a_rotation_opens_after_it() {
    let mut server = Server::start().await;
    let api = server.api();
    api.enable_kv("kv", 2).await;
    for term in 1..=3 {
        assert_eq!(api.get("sys/key-status").await.data()["term"], json!(term));
        api.put_secret("kv", &format!("of-term-{term}"), json!({"term": term})).await;
        api.put("sys/rotate", json!({})).await.ok();
    }
    server.kill9().await;
    server.start_again().await;
    let read = of_each_term(&server, 3).await;
    assert_eq!(read, [json!({"term": 1}), json!({"term": 2}), json!({"term": 3})]);
}

async fn of_each_term(server: &Server, terms: u32) -> Vec<Value> {
    let mut read = Vec::new();
    for term in 1..=terms {
        read.push(server.api().secret("kv", &format!("of-term-{term}")).await);
    }
    read
}
