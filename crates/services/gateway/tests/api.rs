//! What clients send and what they get, over a real socket.

mod common;

use common::{Running, Scripted, body, envelope, raw};
use domain::Kind;
use gateway::Config;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use wire::{
    Failure,
    router::v1::{self, NodeState, response::Body},
    status_of,
};

async fn content() -> (Running, Scripted, Client) {
    let router = Scripted::content();
    (Running::start(router.clone(), Config::default()).await, router, Client::new())
}

/// What came of a header.
fn header<'r>(request: &'r v1::Request, name: &str) -> Vec<&'r [u8]> {
    let lines = request.headers.iter().filter(|line| line.name == name);
    lines.map(|line| &*line.value).collect()
}

#[tokio::test]
async fn each_verb_reaches_the_router_as_its_operation() {
    let (gateway, router, client) = content().await;
    let patch = ("content-type", "application/merge-patch+json; charset=utf-8");
    let plain = ("x-a", "b");
    for (method, path, header, body, operation, asked, data) in [
        ("GET", "/v1/a/b?version=1", plain, "", "read", "a/b", r#"{"version":"1"}"#),
        ("GET", "/v1/a/b?list=true", plain, "", "list", "a/b/", ""),
        ("GET", "/v1/a?list=1&after=x", plain, "", "list", "a/", r#"{"after":"x"}"#),
        ("LIST", "/v1/a/b", plain, "", "list", "a/b/", ""),
        ("LIST", "/v1/a/b/", plain, "", "list", "a/b/", ""),
        (
            "PUT",
            "/v1/a?b=c",
            plain,
            r#"{"n":12345678901234567890}"#,
            "update",
            "a",
            r#"{"n":12345678901234567890}"#,
        ),
        ("POST", "/v1/a", plain, "null", "update", "a", ""),
        ("PATCH", "/v1/a", patch, r#"{"a":null}"#, "patch", "a", r#"{"a":null}"#),
        ("DELETE", "/v1/a?version=1", plain, r#"{"x":1}"#, "delete", "a", r#"{"version":"1"}"#),
        ("HELP", "/v1/a/", plain, "", "help", "a/", ""),
        ("GET", "/v1/sys?help=1", plain, "", "help", "sys", ""),
        ("OPTIONS", "/v1/a", plain, "", "header", "a", ""),
        ("GET", "/v1/a%2Fb%20c", plain, "", "read", "a/b c", ""),
        ("GET", "/v1/", plain, "", "read", "", ""),
    ] {
        let request = client
            .request(method.parse().unwrap(), gateway.url(path))
            .header(header.0, header.1)
            .body(body)
            .send();
        assert_eq!(request.await.unwrap().status(), 200, "{method} {path}");
        let seen = router.last();
        assert_eq!((&*seen.operation, &*seen.path), (operation, asked), "{method} {path}");
        assert_eq!(seen.data, data, "{method} {path}");
    }
}

#[tokio::test]
async fn what_is_no_request_never_reaches_the_router() {
    let (gateway, router, client) = content().await;
    let syntax = "malformed JSON, unclosed containers";
    for (method, path, content_type, body, status, errors) in [
        ("FOO", "/v1/a", "", "", 405, json!([])),
        ("SCAN", "/v1/a", "", "", 405, json!([])),
        ("POST", "/v1/sys/health", "", "{}", 405, json!([])),
        ("RECOVER", "/v1/a", "", "", 400, json!(["missing required snapshot ID"])),
        ("GET", "/v1/a?list=maybe", "", "", 400, json!([])),
        ("GET", "/v1/sys/health?uninitcode=abc", "", "", 400, json!([])),
        ("PUT", "/v1/a", "", r#"{"a":"#, 400, json!([syntax])),
        ("DELETE", "/v1/a", "", "{", 400, json!([syntax])),
        ("PUT", "/v1/a", "", "{} x", 400, json!(["invalid character 'x' after top-level value"])),
        ("PUT", "/v1/a", "", r#"{"a":"b","a":"c"}"#, 400, json!(["duplicate key 'a' in object"])),
        (
            "PUT",
            "/v1/a",
            "",
            r#"["a"]"#,
            400,
            json!([
                "error parsing JSON: failed to parse JSON input: json: cannot unmarshal array into Go value of type map[string]interface {}"
            ]),
        ),
        ("PATCH", "/v1/a", "", "{}", 400, json!(["mime: no media type"])),
        (
            "PATCH",
            "/v1/a",
            "application/json",
            "{}",
            415,
            json!(["PATCH requires Content-Type of application/merge-patch+json, provided application/json"]),
        ),
        ("GET", "/.well-known/x", "", "", 404, json!([])),
        ("GET", "/v1/a%2F..%2Fb", "", "", 400, json!(["relative paths not supported"])),
        ("GET", "/v1/%252e%252e/b", "", "", 400, json!(["relative paths not supported"])),
        ("GET", "/v1/a//b", "", "", 400, json!(["invalid path: empty segments are not allowed"])),
        (
            "GET",
            "/v1/a%00",
            "",
            "",
            400,
            json!(["invalid path: control characters and backslashes are not allowed"]),
        ),
    ] {
        let mut request = client.request(method.parse().unwrap(), gateway.url(path)).body(body);
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{method} {path} {body}");
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert_eq!(
            answer.json::<Value>().await.unwrap(),
            json!({"errors": errors}),
            "{method} {path} {body}"
        );
    }
    assert!(router.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn dot_segments_are_refused_as_they_are_written() {
    let (gateway, router, _client) = content().await;
    for path in ["/v1/a/../b", "/v1/a/./b", "/v1/..", "/v1/a/%2e%2E/b", "/v1/a\\b"] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let answer = raw(gateway.address, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{path}: {answer}");
    }
    assert!(router.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn pages_outside_the_api_are_answered_as_vault_does() {
    let (gateway, _router, _client) = content().await;
    let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let missing = client.get(gateway.url("/foo")).send().await.unwrap();
    assert_eq!(missing.status(), 404);
    assert_eq!(missing.headers()["content-type"], "text/plain; charset=utf-8");
    assert_eq!(missing.headers()["x-content-type-options"], "nosniff");
    assert_eq!(missing.text().await.unwrap(), "404 page not found\n");
    for (path, to) in [("/v1", "/v1/"), ("/v1/sys", "/v1/sys/")] {
        let moved = client.get(gateway.url(path)).send().await.unwrap();
        assert_eq!((moved.status().as_u16(), &moved.headers()["location"]), (307, &to.parse().unwrap()));
        assert_eq!(moved.headers()["content-type"], "text/html; charset=utf-8");
        assert_eq!(moved.text().await.unwrap(), format!("<a href=\"{to}\">Temporary Redirect</a>.\n\n"));
    }
}

#[tokio::test]
async fn every_answer_has_the_standard_headers_and_the_namespace() {
    let (gateway, _router, client) = content().await;
    for (method, path) in [
        (Method::GET, "/v1/a"),
        (Method::GET, "/v1/a//b"),
        (Method::HEAD, "/v1/a"),
        (Method::GET, "/v1/sys/health"),
        (Method::GET, "/foo"),
    ] {
        let request = client.request(method, gateway.url(path)).header("X-Vault-Namespace", "ns1/");
        let answer = request.send().await.unwrap();
        let headers = answer.headers();
        assert_eq!(headers["cache-control"], "no-store", "{path}");
        assert_eq!(headers["strict-transport-security"], "max-age=31536000; includeSubDomains");
        assert_eq!(headers["x-vault-namespace"], "ns1/");
        assert_eq!(headers["x-request-id"].len(), 36);
    }
}

/// Whatever is asked, and however: by a verb, a header or a parameter that some server somewhere takes for one.
#[tokio::test]
async fn r5_no_verb_header_or_parameter_asks_for_what_only_the_host_may() {
    let (gateway, router, client) = content().await;
    let internal = ["rollback", "revoke", "renew", "resolve-role", "alias-lookahead", "create"];
    let verbs =
        ["GET", "LIST", "PUT", "POST", "PATCH", "DELETE", "HELP", "OPTIONS", "HEAD", "TRACE", "RECOVER"];
    for word in internal {
        let spelled = [word.to_owned(), word.to_uppercase(), word.replace('-', ""), word.replace('-', "_")];
        for word in &spelled {
            for verb in verbs.into_iter().chain([word.as_str()]) {
                let query = format!("operation={word}&op={word}&_method={word}&method={word}&{word}=true");
                let url = gateway.url(&format!("/v1/a?{query}"));
                let mut request = client.request(verb.parse().unwrap(), url);
                for name in
                    ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Vault-Operation"]
                {
                    request = request.header(name, word);
                }
                let kind = if verb == "PATCH" { "application/merge-patch+json" } else { "application/json" };
                let body = json!({"operation": word, "op": word, "_method": word}).to_string();
                request.header("content-type", kind).body(body).send().await.unwrap();
            }
        }
    }
    let seen = router.seen.lock().unwrap();
    let asked: std::collections::BTreeSet<_> = seen.iter().map(|request| &*request.operation).collect();
    assert_eq!(
        asked.into_iter().collect::<Vec<_>>(),
        ["delete", "header", "help", "list", "patch", "read", "update"]
    );
}

/// A token is wherever a client may put one, and then nowhere but in its place.
#[tokio::test]
async fn g7_the_token_is_handed_on_in_its_place_only() {
    let (gateway, router, _client) = content().await;
    let names = [
        "X-Vault-Token",
        "x-vault-token",
        "X-VAULT-TOKEN",
        "X_Vault_Token",
        "X-Vault_Token",
        "x_vault-token",
    ];
    let schemes = [
        "Bearer ",
        "bearer ",
        "BEARER ",
        "Basic ",
        "Negotiate ",
        "Digest ",
        "AWS4-HMAC-SHA256 ",
        "Token ",
        "",
    ];
    let in_header = names.iter().map(|name| format!("{name}: hvs.canary\r\n"));
    let in_scheme = ["Authorization", "authorization", "AUTHORIZATION", "Proxy-Authorization"]
        .into_iter()
        .flat_map(|name| schemes.iter().map(move |scheme| format!("{name}: {scheme}hvs.canary\r\n")));
    let mut lines: Vec<String> = in_header.chain(in_scheme).collect();
    // Repeated, first or last, and all of them together.
    lines.push("X-Vault-Token: hvs.a\r\nX-Vault-Token: hvs.canary\r\n".to_owned());
    lines.push("X-Vault-Token: hvs.canary\r\nX-Vault-Token: hvs.a\r\n".to_owned());
    lines.push("Authorization: Basic x\r\nAuthorization: Bearer hvs.canary\r\n".to_owned());
    lines.push(lines.concat());
    for line in &lines {
        let head = format!("GET /v1/a HTTP/1.1\r\nhost: x\r\nx-kept: 1\r\n{line}connection: close\r\n\r\n");
        let answer = raw(gateway.address, head.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{line}: {answer}");
        let seen = v1::Request { token: String::new(), ..router.last() };
        assert!(!format!("{seen:?}").contains("hvs."), "{line}: {seen:?}");
        assert_eq!(header(&seen, "x-kept"), [b"1"]);
    }
}

#[tokio::test]
async fn g8_a_refusal_repeats_nothing_that_may_be_secret() {
    let (gateway, router, client) = content().await;
    let secret = "hunter2-canary";
    let long = format!("{secret}{}", "x".repeat(1 << 20));
    let long_key = format!("{secret}{}", "k".repeat(64));
    for body in [
        format!(r#"{{"password":"{secret}"#),
        format!(r#"{{"password":{secret}}}"#),
        format!(r#"{{"password":"{secret}","n":01}}"#),
        format!(r#"{{"password":"{secret}"}} {secret}"#),
        format!(r#"{{"{long_key}":1,"{long_key}":2}}"#),
        format!(r#"{{"password":"{long}"}}"#),
        format!(r#"{{"password":"{secret}\u0000\ud800"}}"#),
        format!(r#"{{"password":"{secret}","n":-}}"#),
        format!(r#"["{secret}"]"#),
        format!(r#""{secret}""#),
        format!("password={secret}"),
        secret.to_owned(),
    ] {
        let sent =
            client.put(gateway.url("/v1/a")).header("content-type", "application/json").body(body.clone());
        let answer = sent.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, 400, "{body:.80}");
        assert!(!text.contains("canary") && !text.contains("127.0.0.1"), "{text}");
    }
    // Where the path, the query or a header makes no sense, the token and the other parts are not told either.
    for (path, name, value) in [
        ("/v1/a//b?password=hunter2-canary", "x-a", "b"),
        ("/v1/a?list=hunter2-canary", "x-a", "b"),
        ("/v1/a?password=hunter2-canary", "X-Vault-MFA", "hunter2-canary:"),
        ("/v1/a?password=hunter2-canary", "X-Vault-Forward", "hunter2-canary"),
        ("/v1/sys/health?uninitcode=hunter2-canary", "x-a", "b"),
    ] {
        let sent = client.get(gateway.url(path)).header(name, value).header("X-Vault-Token", secret);
        let answer = sent.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, 400, "{path}");
        assert!(!text.contains("canary") && !text.contains("127.0.0.1"), "{text}");
    }
    assert!(router.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_token_is_taken_out_and_all_else_is_handed_on() {
    let (gateway, router, client) = content().await;
    let request = client
        .get(gateway.url("/v1/a"))
        .header("X-Vault-Token", " hvs.x ")
        .header("X-Vault-Token", "hvs.y")
        .header("Authorization", "Bearer hvs.z")
        .header("X-Vault-Namespace", "ns1/")
        .header("X-Vault-Wrap-TTL", "1m0s")
        .header("X-Vault-Wrap-Format", "jwt")
        .header("X-Custom", "1");
    request.send().await.unwrap();
    let seen = router.last();
    assert_eq!(seen.token, "hvs.x");
    assert_eq!(seen.namespace, "ns1/");
    assert_eq!((seen.wrap_ttl, &*seen.wrap_format), (60_000_000_000, "jwt"));
    assert_eq!(header(&seen, "x-custom"), [b"1"]);
    assert!(!format!("{:?}", seen.headers).contains("hvs."));
    assert_eq!(seen.connection.unwrap().remote_addr, "127.0.0.1");
    client.get(gateway.url("/v1/a")).header("Authorization", "Bearer t").send().await.unwrap();
    assert_eq!(router.last().token, "t");
}

#[tokio::test]
async fn answers_are_rendered_as_the_router_means_them() {
    let router = Scripted::new(|request| {
        Ok(match &*request.path {
            "envelope" => envelope(&request.id, r#"{"b":1.50,"a":2}"#),
            "nothing" => body(Body::Nothing(v1::Nothing {})),
            "accepted" => v1::Response { accepted: true, ..envelope("", r#"{"id":1}"#) },
            "bare" => body(Body::Bare(r#"{"type":"shamir"}"#.into())),
            "redirect" => body(Body::Redirect("https://other:8200/v1/a?b=c".to_owned())),
            "raw" => body(Body::Raw(v1::Raw {
                code: 404,
                content_type: "application/json".to_owned(),
                body: "{\"x\":1}".into(),
                cache_control: "private".to_owned(),
                ..v1::Raw::default()
            })),
            _ => return Err(Failure::silent(Kind::NotFound).into()),
        })
    });
    let gateway = Running::start(router.clone(), Config::default()).await;
    let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let get = async |path: &str| {
        let answer = client.get(gateway.url(&format!("/v1/{path}"))).send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        (status, headers, answer.text().await.unwrap())
    };
    let (status, headers, text) = get("envelope").await;
    let id = headers["x-request-id"].to_str().unwrap();
    assert_eq!(
        (status, text),
        (
            200,
            format!(
                "{{\"request_id\":\"{id}\",\"lease_id\":\"\",\"renewable\":false,\"lease_duration\":0,\"data\":{{\"b\":1.50,\"a\":2}},\"wrap_info\":null,\"warnings\":null,\"auth\":null,\"mount_type\":\"\"}}\n"
            )
        )
    );
    for (path, status, text) in [
        ("nothing", 204, ""),
        ("bare", 200, r#"{"type":"shamir"}"#),
        ("raw", 404, "{\"x\":1}"),
        ("none", 404, "{\"errors\":[]}\n"),
    ] {
        let (found, headers, body) = get(path).await;
        assert_eq!((found, &*body), (status, text), "{path}");
        assert_eq!(headers["content-type"], "application/json", "{path}");
    }
    assert_eq!(get("accepted").await.0, 202);
    assert_eq!(get("raw").await.1["cache-control"], "private");
    let (status, headers, _) = get("redirect").await;
    assert_eq!((status, &headers["location"]), (307, &"https://other:8200/v1/a?b=c".parse().unwrap()));
}

#[tokio::test]
async fn failures_have_the_status_of_their_kind_and_show_what_is_beside_them() {
    let router = Scripted::new(|request| {
        let kind = Kind::from_word(request.path.trim_end_matches('/')).unwrap_or(Kind::Internal);
        let data = if kind == Kind::NotFound { r#"{"a":1}"# } else { "" };
        let code = (kind == Kind::Internal).then_some(418);
        Err(status_of(Failure {
            kind,
            messages: vec!["why".to_owned()],
            data: data.into(),
            code,
            headers: Vec::new(),
        }))
    });
    let gateway = Running::start(router, Config::default()).await;
    let client = Client::new();
    for (kind, status) in [
        ("invalid", 400),
        ("denied", 403),
        ("not-found", 404),
        ("unsupported", 405),
        ("too-large", 413),
        ("media-type", 415),
        ("exhausted", 429),
        ("precondition", 412),
        ("sealed", 503),
        ("read-only", 503),
        ("unavailable", 503),
        ("timeout", 504),
        ("upstream", 502),
        ("internal", 418),
    ] {
        let answer = client.get(gateway.url(&format!("/v1/{kind}"))).send().await.unwrap();
        assert_eq!(answer.status(), status, "{kind}");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["errors"], json!(["why"]));
        assert_eq!(body.get("data").is_some(), kind == "not-found");
    }
}

#[tokio::test]
async fn health_is_told_by_the_routers_state() {
    let mut router = Scripted::content();
    let client = Client::new();
    let gateway = Running::start(router.clone(), Config::default()).await;
    let answer = client.get(gateway.url("/v1/sys/health?activecode=299")).send().await.unwrap();
    assert_eq!(answer.status(), 299);
    let text = answer.text().await.unwrap();
    assert!(text.starts_with(r#"{"initialized":true,"sealed":false,"standby":false,"performance_standby":false,"replication_performance_mode":"disabled","replication_dr_mode":"disabled","server_time_utc":"#), "{text}");
    assert!(text.contains(r#""cluster_name":"c","echo_duration_ms":0"#), "{text}");
    assert_eq!(client.head(gateway.url("/v1/sys/health")).send().await.unwrap().status(), 200);

    router.state = NodeState { initialized: true, sealed: true, ..NodeState::default() };
    let sealed = Running::start(router, Config::default()).await;
    for (query, status) in [("", 503), ("?sealedcode=204", 204)] {
        let answer = client.get(sealed.url(&format!("/v1/sys/health{query}"))).send().await.unwrap();
        assert_eq!(answer.status(), status);
    }
    let answer: Value = client.get(sealed.url("/v1/sys/health")).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["standby"], true);
    assert_eq!(answer["replication_dr_mode"], "unknown");
    assert!(answer.get("cluster_name").is_none());
}
