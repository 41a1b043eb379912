//! Pages from elsewhere that ask in a browser.
#![allow(clippy::unwrap_used, reason = "a test has no use for half an answer")]

mod common;

use common::{Running, Scripted};
use gateway::Config;
use reqwest::{Client, Method, Response};
use wire::router::v1::{CrossOrigin, NodeState};

const ALLOWED: &str = "http://a.example";

async fn gateway(origins: &[&str]) -> (Running, Scripted) {
    let mut router = Scripted::content();
    let origins: Vec<String> = origins.iter().map(ToString::to_string).collect();
    let headers = vec!["X-Vault-Token".to_owned(), "X-Custom".to_owned()];
    let cross_origin = (!origins.is_empty()).then_some(CrossOrigin { origins, headers });
    router.state = NodeState { cross_origin, ..router.state };
    (Running::start(router.clone(), Config::default()).await, router)
}

async fn ask(gateway: &Running, method: Method, headers: &[(&str, &str)]) -> Response {
    let mut request = Client::new().request(method, gateway.url("/v1/a"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

fn header<'r>(response: &'r Response, name: &str) -> &'r str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn browsers_are_told_nothing_where_nobody_has_allowed_pages_from_elsewhere() {
    let (gateway, router) = gateway(&[]).await;
    let answer = ask(&gateway, Method::GET, &[("origin", ALLOWED)]).await;
    assert_eq!((answer.status().as_u16(), header(&answer, "access-control-allow-origin")), (200, ""));
    let preflight = [("origin", ALLOWED), ("access-control-request-method", "GET")];
    ask(&gateway, Method::OPTIONS, &preflight).await;
    assert_eq!(router.last().operation, "header");
}

#[tokio::test]
async fn an_allowed_page_sees_the_answer_and_a_foreign_one_is_refused_before_anything_is_done() {
    let (gateway, router) = gateway(&[ALLOWED]).await;
    let answer = ask(&gateway, Method::GET, &[("origin", ALLOWED)]).await;
    assert_eq!(
        (header(&answer, "access-control-allow-origin"), header(&answer, "vary")),
        (ALLOWED, "Origin")
    );
    let before = router.seen.lock().unwrap().len();
    for foreign in ["http://b.example", "http://a.example.b", "null", "*"] {
        let answer = ask(&gateway, Method::GET, &[("origin", foreign)]).await;
        assert_eq!(answer.status(), 403, "{foreign}");
        assert_eq!(header(&answer, "access-control-allow-origin"), "", "{foreign}");
        assert_eq!(answer.text().await.unwrap(), "{\"errors\":[\"origin not allowed\"]}\n");
    }
    assert_eq!(router.seen.lock().unwrap().len(), before);
    // Programs say nothing of an origin, and are not asked for one.
    assert_eq!(header(&ask(&gateway, Method::GET, &[]).await, "access-control-allow-origin"), "");
}

#[tokio::test]
async fn a_preflight_is_answered_here() {
    let (gateway, router) = gateway(&["*"]).await;
    let preflight = |method| [("origin", ALLOWED), ("access-control-request-method", method)];
    let answer = ask(&gateway, Method::OPTIONS, &preflight("LIST")).await;
    assert_eq!(answer.status(), 200);
    for (name, expected) in [
        ("access-control-allow-origin", ALLOWED),
        ("access-control-allow-methods", "DELETE,GET,OPTIONS,POST,PUT,PATCH,LIST"),
        ("access-control-allow-headers", "X-Vault-Token,X-Custom"),
        ("access-control-max-age", "300"),
    ] {
        assert_eq!(header(&answer, name), expected);
    }
    assert_eq!(ask(&gateway, Method::OPTIONS, &preflight("TRACE")).await.status(), 405);
    assert_eq!(ask(&gateway, Method::OPTIONS, &[("origin", ALLOWED)]).await.status(), 405);
    assert!(router.seen.lock().unwrap().is_empty());
}
