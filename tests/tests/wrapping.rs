//! What is wrapped is taken out once, by whatever client, and whatever happens to the server meanwhile.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, RandomState},
    process::Command,
    time::Duration,
};

use serde_json::json;
use testkit::{Api, Server, python, repository, soak};
use tokio::task::JoinSet;

const CLIENTS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn hvac_wraps_and_unwraps() {
    let server = Server::start().await;
    let api = server.api();
    let mut command = Command::new(python());
    command.arg(repository().join("tests/clients/hvac_wrapping.py"));
    let told = command.args([api.address(), api.token()]).output().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
}

/// Wraps its own number.
async fn wrap(api: &Api, number: usize) -> String {
    let url = format!("{}/v1/sys/wrapping/wrap", api.address());
    let request = api.http().post(url).header("X-Vault-Token", api.token()).header("X-Vault-Wrap-TTL", "10m");
    let request = request.body(json!({ "number": number }).to_string()).build().unwrap();
    let answer = api.execute(request).await.unwrap().ok();
    answer["wrap_info"]["token"].as_str().unwrap().to_owned()
}

/// Tries to take everything out, until the server is gone; returns what it got.
async fn unwrap_all(api: Api, tokens: Vec<String>) -> Vec<usize> {
    let mut got = Vec::new();
    for (number, token) in tokens.iter().enumerate() {
        match api.try_send("POST", "sys/wrapping/unwrap", Some(json!({ "token": token }))).await {
            Ok(answer) if answer.is_ok() => {
                assert_eq!(answer.data(), json!({ "number": number }));
                got.push(number);
            }
            Ok(answer) => assert_eq!(answer.status, 400, "{answer}"),
            Err(_) => break,
        }
    }
    got
}

#[tokio::test(flavor = "multi_thread")]
async fn t7_nothing_is_taken_out_twice_though_the_server_is_killed_meanwhile() {
    let mut server = Server::start().await;
    for life in 0..soak(3, 50) {
        let mut tokens = Vec::new();
        for number in 0..100 {
            tokens.push(wrap(&server.api(), number).await);
        }
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            clients.spawn(unwrap_all(server.api(), tokens.clone()));
        }
        tokio::time::sleep(Duration::from_micros(5_000 + RandomState::new().hash_one(life) % 295_000)).await;
        server.kill9().await;
        let mut got = clients.join_all().await.concat();
        server.start_again().await;
        got.extend(unwrap_all(server.api(), tokens).await);

        let mut times: BTreeMap<usize, usize> = BTreeMap::new();
        got.iter().for_each(|number| *times.entry(*number).or_default() += 1);
        assert!(times.values().all(|times| *times == 1), "{times:?}");
        // Lost is at most what was under way when the server was killed.
        assert!(times.len() >= 100 - CLIENTS, "{} of 100 were taken out", times.len());
    }
}
