//! What the sentences of refusals may not repeat.

use serde_json::{Value, json};

use crate::common::{Stack, bare, done};

const CANARY: &str = "canary-7731";

/// Fields whose values are secrets, or may hold some.
const SECRET: [&str; 21] = [
    "key",
    "token",
    "password",
    "secret_id",
    "otp",
    "encoded_token",
    "data",
    "value",
    "env",
    "args",
    "options",
    "config",
    "input",
    "metadata",
    "meta",
    "nonce",
    "accessor",
    "id",
    "client_token",
    "v",
    "custom_metadata",
];

fn values() -> [Value; 7] {
    let deep = json!({"a": [{"b": CANARY}]});
    [
        json!(CANARY),
        json!([CANARY]),
        json!({CANARY: CANARY}),
        deep,
        json!([[CANARY]]),
        json!(77_317_731),
        json!(true),
    ]
}

#[tokio::test]
async fn g8_no_sentence_repeats_a_value_or_says_where_we_are() {
    let stack = Stack::open().await;
    for (path, kind) in [("kv", "kv"), ("kv2", "kv-v2"), ("odd", "odd")] {
        stack.mount(path, kind).await;
    }
    done(stack.write("sys/auth/userpass", json!({"type": "userpass"})).await);
    done(stack.write("sys/auth/approle", json!({"type": "approle"})).await);
    let document = bare(stack.read("sys/internal/specs/openapi").await);
    let mut refused = 0;
    for path in document["paths"].as_object().unwrap().keys() {
        let path = path.trim_start_matches('/').replace(['{', '}'], "x");
        if matches!(path.as_str(), "sys/seal" | "sys/step-down") {
            continue;
        }
        for value in values() {
            let all = SECRET.iter().map(|name| ((*name).to_owned(), value.clone())).collect();
            let single = SECRET.iter().map(|name| json!({*name: value}));
            let asks = single.map(|body| (stack.root.as_str(), body)).chain([("", Value::Object(all))]);
            for (token, body) in asks {
                let Err(failure) = stack.ask(token, "update", &path, body.clone()).await else { continue };
                let said = failure.messages.join("; ");
                for never in [CANARY, "77317731", "/tmp", ".sock", "127.0.0.1"] {
                    assert!(!said.contains(never), "{path} {body}: {said}");
                }
                refused += 1;
            }
        }
    }
    assert!(refused > 1_000, "{refused}");
}
