//! The server's log, told while it is written.
#![allow(clippy::unwrap_used, reason = "a test has no use for half an answer")]

mod common;

use std::time::Duration;

use common::{LONG, Running, Scripted};
use domain::Kind;
use gateway::Config;
use tokio::time::timeout;
use wire::Failure;

async fn read(response: &mut reqwest::Response, until: &str) {
    let mut text = String::new();
    while !text.ends_with(until) {
        let chunk = timeout(LONG, response.chunk()).await.unwrap().unwrap().unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
}

#[tokio::test]
async fn lines_are_told_as_they_come_though_nothing_is_said_for_longer_than_a_connection_may_be_idle() {
    let idle_timeout = Duration::from_millis(50);
    let server = Running::start(Scripted::content(), Config { idle_timeout, ..Config::default() }).await;
    let mut response = reqwest::get(server.url("/v1/sys/monitor")).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
    read(&mut response, "two\n").await;
    let silence = timeout(idle_timeout * 4, response.chunk()).await;
    assert!(silence.is_err(), "the connection was closed: {silence:?}");
}

#[tokio::test]
async fn a_reader_of_the_log_does_not_hold_up_a_server_that_is_to_end() {
    let drain = Duration::from_secs(3600);
    let mut server = Running::start(Scripted::content(), Config { drain, ..Config::default() }).await;
    let mut response = reqwest::get(server.url("/v1/sys/monitor")).await.unwrap();
    read(&mut response, "two\n").await;
    server.stop.cancel();
    timeout(LONG, &mut server.served).await.expect("the server does not end").unwrap();
    assert_eq!(response.chunk().await.unwrap(), None);
}

#[tokio::test]
async fn whoever_may_not_read_the_log_is_told_so_and_other_verbs_are_asked_of_the_router() {
    let router = Scripted::new(|_| Err(Failure::new(Kind::Denied, "permission denied").into()));
    let server = Running::start(router, Config::default()).await;
    let refused = reqwest::get(server.url("/v1/sys/monitor")).await.unwrap();
    assert_eq!(refused.status(), 403);
    let server = Running::start(Scripted::content(), Config::default()).await;
    let answer = reqwest::Client::new().post(server.url("/v1/sys/monitor")).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
}
