//! What clients cannot do to the gateway: slow, oversized, broken and too many.

mod common;

use std::{sync::Arc, time::Duration};

use common::{LONG, Running, Scripted, raw};
use gateway::{Config, Slots};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
    time::timeout,
};

const SOON: Duration = Duration::from_millis(200);

#[tokio::test]
async fn g1_a_body_over_the_limit_is_413_however_it_is_sent() {
    let config = Config { max_body_bytes: 1 << 20, ..Config::default() };
    let gateway = Running::start(Scripted::content(), config).await;
    let client = Client::new();
    let large = vec![b'['; (1 << 20) + 1];
    let answer = client.put(gateway.url("/v1/a")).body(large.clone()).send().await.unwrap();
    assert_eq!(answer.status(), 413);
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({"errors": ["http: request body too large"]}));

    let mut chunked =
        b"PUT /v1/a HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    chunked.extend_from_slice(format!("{:x}\r\n", large.len()).as_bytes());
    chunked.extend_from_slice(&large);
    chunked.extend_from_slice(b"\r\n0\r\n\r\n");
    assert!(raw(gateway.address, &chunked).await.starts_with("HTTP/1.1 413 "));
}

#[tokio::test]
async fn g1_a_length_that_is_only_claimed_sets_nothing_aside() {
    let gateway = Running::start(Scripted::content(), Config::default()).await;
    let head = "PUT /v1/a HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999\r\n\r\n{";
    assert!(raw(gateway.address, head.as_bytes()).await.starts_with("HTTP/1.1 413 "));
}

#[tokio::test]
async fn g1_oversized_and_too_many_headers_are_431() {
    let gateway = Running::start(Scripted::content(), Config::default()).await;
    let long = format!("GET /v1/a HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "y".repeat(80 << 10));
    assert!(raw(gateway.address, long.as_bytes()).await.starts_with("HTTP/1.1 431 "));
    let many = format!("GET /v1/a HTTP/1.1\r\nhost: x\r\n{}\r\n", "x: y\r\n".repeat(200));
    assert!(raw(gateway.address, many.as_bytes()).await.starts_with("HTTP/1.1 431 "));
}

#[tokio::test]
async fn a_head_or_body_that_trickles_is_given_up() {
    let config = Config { header_timeout: SOON, deadline: SOON, ..Config::default() };
    let gateway = Running::start(Scripted::content(), config).await;
    for beginning in ["", "G", "GET /v1/a HTTP/1.1\r\nhost: x\r\nx-"] {
        let answer = timeout(LONG, raw(gateway.address, beginning.as_bytes())).await.unwrap();
        assert_eq!(answer, "", "{beginning:?}");
    }
    let body = "PUT /v1/a HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{";
    let answer = timeout(LONG, raw(gateway.address, body.as_bytes())).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test]
async fn an_idle_connection_outlives_the_limit_for_heads() {
    let config = Config { header_timeout: SOON, ..Config::default() };
    let gateway = Running::start(Scripted::content(), config).await;
    let mut stream = TcpStream::connect(gateway.address).await.unwrap();
    let mut into = [0; 2048];
    for _ in 0..2 {
        stream.write_all(b"GET /v1/a HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        assert!(stream.read(&mut into).await.unwrap() > 0);
        // Nothing may come within twice the limit: neither an answer nor the end.
        assert!(timeout(SOON * 2, stream.read(&mut into)).await.is_err());
    }
}

#[tokio::test]
async fn g1_more_connections_than_allowed_wait_for_their_turn() {
    let config = Config { slots: Slots::new(1), ..Config::default() };
    let gateway = Running::start(Scripted::content(), config).await;
    let first = TcpStream::connect(gateway.address).await.unwrap();
    let second = tokio::spawn(Client::new().get(gateway.url("/v1/a")).send());
    tokio::time::sleep(SOON).await;
    assert!(!second.is_finished());
    drop(first);
    assert_eq!(timeout(LONG, second).await.unwrap().unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn gateways_that_share_their_slots_share_the_limit() {
    let config = Config { slots: Slots::new(1), ..Config::default() };
    let one = Running::start(Scripted::content(), config.clone()).await;
    let other = Running::start(Scripted::content(), config).await;
    let first = TcpStream::connect(one.address).await.unwrap();
    let second = tokio::spawn(Client::new().get(other.url("/v1/a")).send());
    tokio::time::sleep(SOON).await;
    assert!(!second.is_finished());
    drop(first);
    assert_eq!(timeout(LONG, second).await.unwrap().unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn g4_garbage_and_a_panic_harm_only_themselves() {
    let router = Scripted::new(|request| match &*request.path {
        "panic" => panic!("scripted"),
        _ => Ok(common::envelope("", "{}")),
    });
    let gateway = Running::start(router, Config::default()).await;
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01"[..],
        b"\0\0\0\0\r\n\r\n",
        b"GET\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(gateway.address).await.unwrap();
        stream.write_all(garbage).await.unwrap();
    }
    let client = Client::new();
    let panicked = client.get(gateway.url("/v1/panic")).send().await.unwrap();
    assert_eq!(panicked.status(), 500);
    assert_eq!(panicked.headers()["cache-control"], "no-store");
    assert_eq!(client.get(gateway.url("/v1/a")).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_request_past_its_deadline_is_given_up_and_says_so() {
    let router = Scripted { gate: Some(Arc::new(Semaphore::new(0))), ..Scripted::content() };
    let config = Config { deadline: SOON, ..Config::default() };
    let gateway = Running::start(router.clone(), config).await;
    let answer = Client::new().get(gateway.url("/v1/a")).send().await.unwrap();
    assert_eq!(answer.status(), 504);
    assert!(answer.text().await.unwrap().contains("took longer than"));
    assert_eq!(router.waiting.lock().unwrap()[0].strong_count(), 0);
}

#[tokio::test]
async fn a_client_that_goes_away_takes_its_request_along() {
    let router = Scripted { gate: Some(Arc::new(Semaphore::new(0))), ..Scripted::content() };
    let gateway = Running::start(router.clone(), Config::default()).await;
    let mut stream = TcpStream::connect(gateway.address).await.unwrap();
    stream.write_all(b"GET /v1/a HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let waits = |count: usize| {
        let waiting = router.waiting.clone();
        async move {
            let alive = || waiting.lock().unwrap().iter().filter(|w| w.strong_count() > 0).count();
            while alive() != count {
                tokio::task::yield_now().await;
            }
        }
    };
    timeout(LONG, waits(1)).await.unwrap();
    drop(stream);
    timeout(LONG, waits(0)).await.unwrap();
}

#[tokio::test]
async fn stopping_lets_requests_in_flight_end_and_takes_no_more() {
    let gate = Arc::new(Semaphore::new(0));
    let router = Scripted { gate: Some(gate.clone()), ..Scripted::content() };
    let mut gateway = Running::start(router.clone(), Config::default()).await;
    let request = tokio::spawn(Client::new().get(gateway.url("/v1/a")).send());
    while router.seen.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    gateway.stop.cancel();
    gate.add_permits(1);
    assert_eq!(request.await.unwrap().unwrap().status(), 200);
    timeout(LONG, &mut gateway.served).await.unwrap().unwrap();
    assert!(TcpStream::connect(gateway.address).await.is_err());
}

#[tokio::test]
async fn stopping_cuts_off_what_does_not_end() {
    let router = Scripted { gate: Some(Arc::new(Semaphore::new(0))), ..Scripted::content() };
    let config = Config { drain: SOON, ..Config::default() };
    let mut gateway = Running::start(router.clone(), config).await;
    let request = tokio::spawn(Client::new().get(gateway.url("/v1/a")).send());
    while router.seen.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    gateway.stop.cancel();
    timeout(LONG, &mut gateway.served).await.unwrap().unwrap();
    assert!(request.await.unwrap().is_err());
}
