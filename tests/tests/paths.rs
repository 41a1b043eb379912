//! A path has one form: no way to write it leads around a policy, and no other form is let in.

use std::fs;

use serde_json::json;
use testkit::{Api, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends a path as it is written, which no client library does.
async fn get(api: &Api, path: &str, token: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(api.address().strip_prefix("http://").unwrap()).await.unwrap();
    let request =
        format!("GET /v1/{path} HTTP/1.1\r\nhost: x\r\nx-vault-token: {token}\r\nconnection: close\r\n\r\n");
    // What is no request at all may be answered, and the connection closed, before it is read to its end.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
    (status, answer)
}

/// A byte encoded once, in either case.
fn once(byte: u8) -> [String; 2] {
    [format!("%{byte:02x}"), format!("%{byte:02X}")]
}

/// A byte encoded twice: the percent sign, the digits, or all of it.
fn twice(byte: u8) -> Vec<String> {
    let mut all = Vec::new();
    for single in once(byte) {
        let [_, high, low] = single.as_bytes() else { unreachable!("three characters") };
        let (high, low) = (*high, *low);
        all.push(single.replace('%', "%25"));
        all.push(format!("%%{high:02x}{}", low as char));
        all.push(format!("%{}%{low:02x}", high as char));
        all.push(format!("%%{high:02x}%{low:02x}"));
        all.push(format!("%25%{high:02x}%{low:02x}"));
    }
    all
}

/// A byte as it is and in all its encodings.
fn spellings(byte: u8) -> Vec<String> {
    let plain = (byte != 0).then(|| char::from(byte).to_string());
    plain.into_iter().chain(once(byte)).chain(twice(byte)).collect()
}

/// Paths that mean, or could mean to somebody, another path than they seem to.
fn ambiguous() -> Vec<String> {
    let mut all = Vec::new();
    for dot in spellings(b'.') {
        all.extend([format!("kv/{dot}/a"), format!("kv/a/{dot}"), format!("{dot}/kv/a"), dot.clone()]);
        for other in spellings(b'.') {
            all.extend([format!("kv/open/{dot}{other}/shut/a"), format!("{dot}{other}/kv/shut/a")]);
        }
        for slash in spellings(b'/') {
            all.extend([format!("kv{slash}..{slash}a"), format!("kv/open/{dot}{dot}{slash}shut/a")]);
        }
    }
    for byte in [b'\\', 0, b'\n', b'\r', 0x7f] {
        all.extend(
            spellings(byte)
                .into_iter()
                .filter(|text| text.starts_with('%'))
                .map(|text| format!("kv/open/a{text}b")),
        );
    }
    for slash in once(b'/') {
        all.extend([format!("kv/{slash}a"), format!("kv{slash}{slash}a"), format!("{slash}kv/a")]);
    }
    all.extend(
        ["kv//a", "kv/open//shut/a", "kv/%c0%ae%c0%ae/a", "kv/%e0%80%af/a", "kv/%ff"].map(str::to_owned),
    );
    all
}

/// A server with a secret that the policy of a token forbids to read, beside one that it allows.
async fn server() -> (Server, String) {
    let server = Server::start().await;
    let api = server.api();
    api.enable_kv("kv", 1).await;
    for path in ["kv/open/a", "kv/shut/a"] {
        api.put(path, json!({"v": "the value"})).await.ok();
    }
    let policy = r#"path "kv/*" { capabilities = ["read"] } path "kv/shut/*" { capabilities = ["deny"] }"#;
    api.put("sys/policies/acl/bob", json!({"policy": policy})).await.ok();
    let made = api.post("auth/token/create", json!({"policies": "bob"})).await.ok();
    (server, made["auth"]["client_token"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn r1_what_has_another_form_is_refused_before_anything_is_decided() {
    let (server, bob) = server().await;
    let api = server.api();
    let log = server.data_directory().join("audit.log");
    api.put("sys/audit/file", json!({"type": "file", "options": {"file_path": log}})).await.ok();
    let recorded = || fs::read_to_string(&log).unwrap().lines().count();
    let before = recorded();
    let all = ambiguous();
    assert!(all.len() > 400, "{}", all.len());
    for path in &all {
        for token in ["", &bob, api.token()] {
            let (status, answer) = get(&api, path, token).await;
            assert_eq!(status, 400, "{path}: {answer}");
        }
    }
    // Neither the policies nor a mount was asked.
    assert_eq!(recorded(), before);
    for path in ["kv/open/a\\b", "kv/open/a\tb", "kv/open/a\0b", "kv/open/a\rb", "kv/open/\x01"] {
        let (status, answer) = get(&api, path, api.token()).await;
        assert!(matches!(status, 400 | 0), "{path:?}: {answer}");
    }
    assert_eq!(recorded(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn r1_no_way_to_write_a_path_leads_around_a_policy() {
    let (server, bob) = server().await;
    let api = server.api();
    assert_eq!(get(&api, "kv/open/a", &bob).await.0, 200);
    assert_eq!(get(&api, "kv/shut/a", &bob).await.0, 403);
    let shut = "kv/shut/a";
    for at in 0..shut.len() {
        let (begin, byte, end) = (&shut[..at], shut.as_bytes()[at], &shut[at + 1..]);
        for single in once(byte) {
            let path = format!("{begin}{single}{end}");
            assert_eq!(get(&api, &path, &bob).await.0, 403, "{path}");
            assert_eq!(get(&api, &path, api.token()).await.0, 200, "{path} is the same path");
        }
        for double in twice(byte) {
            let path = format!("{begin}{double}{end}");
            let (status, answer) = get(&api, &path, &bob).await;
            assert!(status != 200 && !answer.contains("the value"), "{path}: {answer}");
        }
        for more in ["/", "./", "../shut/", ";x", "%00", "%20", "//", "\\", "#", "?", "%3b", "%23", "%3f"] {
            let path = format!("{begin}{more}{}", &shut[at..]);
            let (status, answer) = get(&api, &path, &bob).await;
            assert!(status != 200 && !answer.contains("the value"), "{path}: {answer}");
        }
    }
    for path in [
        "KV/SHUT/A",
        "kv/Shut/a",
        "kv/shut/a/",
        "kv/shut",
        "kv/shut/",
        "v1/kv/shut/a",
        "kv/shut/a%20",
        "/kv/shut/a",
    ] {
        let (status, answer) = get(&api, path, &bob).await;
        assert!(status != 200 && !answer.contains("the value"), "{path}: {answer}");
    }
}
