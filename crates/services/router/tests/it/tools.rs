//! Random bytes and checksums.

use serde_json::{Value, json};

use crate::common::{Outcome, Stack, data, envelope, invalid, refused};

async fn ask(stack: &Stack, path: &str, body: Value) -> Outcome {
    stack.write(&format!("sys/tools/{path}"), body).await
}

#[tokio::test]
async fn random_bytes_are_as_many_as_are_asked_for_in_the_path_or_the_body() {
    let stack = Stack::open().await;
    let length = async |path: &str, body: Value| {
        let bytes = data(ask(&stack, path, body).await)["random_bytes"].as_str().unwrap().to_owned();
        bytes.len()
    };
    assert_eq!(length("random", json!({})).await, 44);
    assert_eq!(length("random", json!({"bytes": "3"})).await, 4);
    assert_eq!(length("random/16", json!({"format": "hex"})).await, 32);
    assert_eq!(length("random/platform", json!({"bytes": 1, "format": "hex"})).await, 2);
    assert_eq!(length("random/platform/5", json!({"bytes": 1, "format": "hex"})).await, 10);
    assert_eq!(length("random/131072", json!({"format": "hex"})).await, 262_144);
}

#[tokio::test]
async fn the_seal_has_no_randomness_of_its_own_and_says_so() {
    let stack = Stack::open().await;
    for source in ["seal", "all"] {
        let warnings = envelope(ask(&stack, "random", json!({"source": source})).await).warnings;
        assert_eq!(warnings, ["no seal/entropy augmentation available, using platform entropy source"]);
    }
    assert!(envelope(ask(&stack, "random/platform", json!({})).await).warnings.is_empty());
}

#[tokio::test]
async fn random_bytes_that_cannot_be_are_refused() {
    let stack = Stack::open().await;
    let refusal = async |path: &str, body: Value| refused(ask(&stack, path, body).await);
    let few = invalid("\"bytes\" cannot be less than 1");
    assert_eq!(refusal("random/0", json!({})).await, few);
    assert_eq!(refusal("random", json!({"bytes": -1})).await, few);
    let many = invalid("\"bytes\" should be less than 131072");
    assert_eq!(refusal("random/131073", json!({})).await, many);
    let source = r#"unsupported entropy source "zzz"; must be "platform" or "seal", or "all""#;
    assert_eq!(refusal("random", json!({"source": "zzz"})).await, invalid(source));
    assert_eq!(refusal("random/zzz/8", json!({})).await, invalid(source));
    let count = r#"error parsing url-set byte count: strconv.Atoi: parsing "zzz": invalid syntax"#;
    assert_eq!(refusal("random/zzz", json!({})).await, invalid(count));
    assert_eq!(
        refusal("random", json!({"format": "zz"})).await,
        invalid(r#"unsupported encoding format zz; must be "hex" or "base64""#)
    );
}

#[tokio::test]
async fn a_sum_is_made_by_the_algorithm_of_the_path_before_that_of_the_body() {
    let stack = Stack::open().await;
    let sum = async |path: &str, body: Value| data(ask(&stack, path, body).await)["sum"].clone();
    let adam = || json!({"input": "YWRhbQ==", "algorithm": "sha2-512"});
    assert_eq!(sum("hash", adam()).await.as_str().unwrap().len(), 128);
    assert_eq!(sum("hash/sha3-224", adam()).await.as_str().unwrap().len(), 56);
    let empty = json!({"format": "base64"});
    assert_eq!(sum("hash", empty).await, json!("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="));
}

#[tokio::test]
async fn a_sum_that_cannot_be_made_is_refused() {
    let stack = Stack::open().await;
    let refusal = async |path: &str, body: Value| refused(ask(&stack, path, body).await);
    assert_eq!(refusal("hash/md5", json!({"input": "YWRhbQ=="})).await, invalid("unsupported algorithm md5"));
    let input = "unable to decode input as base64: illegal base64 data at input byte 0";
    assert_eq!(refusal("hash", json!({"input": "!"})).await, invalid(input));
    assert_eq!(
        refusal("hash", json!({"input": "", "format": "zz"})).await,
        invalid(r#"unsupported encoding format zz; must be "hex" or "base64""#)
    );
}
