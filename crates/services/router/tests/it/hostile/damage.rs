//! Everything that is stored is damaged, one piece after the other.

use domain::Kind;
use serde_json::{Map, Value, json};
use wire::catalog::v1::{CommitRequest, GetRequest, SealRequest, Write};

use crate::common::{Stack, bare, data, done, envelope};

/// With some of everything that is stored.
async fn furnished() -> Stack {
    let stack = Stack::open().await;
    stack.mount("kv", "kv").await;
    stack.mount("odd", "odd").await;
    stack.mount("issuer", "issuer").await;
    for (path, body) in [
        ("sys/auth/people", json!({"type": "login"})),
        ("kv/a", json!({"v": 1})),
        ("sys/policies/acl/bob", json!({"policy": r#"path "kv/*" { capabilities = ["read"] }"#})),
        ("auth/token/roles/r", json!({"allowed_policies": "bob"})),
        ("sys/quotas/rate-limit/q", json!({"rate": 1000, "path": "odd/"})),
        ("sys/config/cors", json!({"enabled": true, "allowed_origins": "https://a.example"})),
        ("sys/config/auditing/request-headers/x-a", json!({"hmac": true})),
        ("sys/config/ui/headers/x-a", json!({"values": ["1"]})),
        ("sys/rotate/config", json!({"max_operations": 2_000_000})),
        ("cubbyhole/a", json!({"v": 1})),
    ] {
        assert!(stack.write(path, body).await.is_ok(), "{path}");
    }
    for path in ["auth/people/login/bob+ops", "auth/people/login/eve"] {
        envelope(stack.ask("", "update", path, json!({})).await);
    }
    envelope(stack.read("issuer/creds/damaged/600").await);
    data(stack.write("identity/group", json!({"name": "g", "policies": "bob"})).await);
    envelope(stack.write("auth/token/create", json!({"policies": "bob", "ttl": "1h"})).await);
    stack
}

async fn get(stack: &Stack, key: &str) -> Option<bytes::Bytes> {
    let request = GetRequest { key: key.to_owned() };
    stack.catalog.storage_client().get(request).await.unwrap().into_inner().value
}

async fn put(stack: &Stack, key: &str, value: Option<bytes::Bytes>) {
    let writes = vec![Write { key: key.to_owned(), value }];
    stack.catalog.storage_client().commit(CommitRequest { writes }).await.unwrap();
}

/// What may have become of a value: no record any more, half of one, or one of which a field says nothing of use.
fn damages(value: &[u8]) -> Vec<Option<Vec<u8>>> {
    let mut all = vec![None];
    all.extend(["", "garbage", "{}"].map(|text| Some(text.into())));
    all.push(Some(value[..value.len() / 2].to_vec()));
    let Ok(record) = serde_json::from_slice::<Map<String, Value>>(value) else { return all };
    for (name, old) in &record {
        let wrong = if old.is_string() { json!({"x": []}) } else { json!("x") };
        let changed: Map<_, _> = record
            .iter()
            .map(|(n, v)| (n.clone(), if n == name { wrong.clone() } else { v.clone() }))
            .collect();
        all.push(Some(serde_json::to_vec(&changed).unwrap()));
    }
    all
}

#[tokio::test]
async fn c1_nothing_that_is_stored_keeps_the_server_closed() {
    let mut stack = furnished().await;
    let keys = stack.all_stored_below("").await;
    assert!(keys.len() > 25, "{keys:?}");
    for key in &keys {
        // A token whose record is damaged may have ended, and has taken others along.
        let Some(whole) = get(&stack, key).await else { continue };
        for damage in damages(&whole) {
            let shown = damage.as_deref().map(String::from_utf8_lossy).map(|text| text.into_owned());
            put(&stack, key, damage.map(Into::into)).await;
            stack.catalog.barrier_client().seal(SealRequest {}).await.unwrap();
            stack.restart();
            let unsealed = stack.ask("", "update", "sys/unseal", json!({"key": stack.key})).await;
            assert!(unsealed.is_ok(), "{key} with {shown:?}: {unsealed:?}");
            assert_eq!(bare(unsealed)["sealed"], json!(false), "{key} with {shown:?}");
            assert!(!stack.state().await.sealed);
            let asked = stack.read("auth/token/lookup-self").await;
            let answers = asked.as_ref().map_or_else(|failure| failure.kind == Kind::Denied, |_| true);
            // Without these there is no telling whose token it is.
            let needed = key == "core/token/salt" || key.starts_with("core/token/id/");
            assert!(answers || needed, "{key} with {shown:?}: {asked:?}");
            if key.starts_with("core/mounts/") {
                data(stack.read("sys/mounts").await);
            }
            put(&stack, key, Some(whole.clone())).await;
        }
    }
    stack.restart();
    assert_eq!(data(stack.read("kv/a").await), json!({"v": 1}));
    done(stack.delete("sys/mounts/kv").await);
}
