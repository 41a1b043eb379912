//! Root tokens from unseal keys, new unseal keys, and when the storage key is rotated.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use serde_json::{Value, json};

use crate::common::{Outcome, Stack, bare, data, done, refused};

const ROOT: &str = "sys/generate-root/attempt";

impl Stack {
    async fn anonymous(&self, operation: &str, path: &str, body: Value) -> Outcome {
        self.ask("", operation, path, body).await
    }
}

#[tokio::test]
async fn who_holds_the_unseal_keys_gets_a_root_token_without_any_other() {
    let stack = Stack::open().await;
    let begun = bare(stack.anonymous("update", ROOT, json!({"otp": "", "pgp_key": ""})).await);
    let otp = begun["otp"].as_str().unwrap();
    assert_eq!((otp.len(), &begun["otp_length"]), (28, &json!(28)));
    assert_eq!(bare(stack.anonymous("read", ROOT, Value::Null).await)["otp"], json!(""));
    let body = json!({"key": stack.key, "nonce": begun["nonce"]});
    let done = bare(stack.anonymous("update", "sys/generate-root/update", body).await);
    assert_eq!((&done["complete"], &done["progress"]), (&json!(true), &json!(1)));
    let encoded = done["encoded_token"].as_str().unwrap();
    let sealed = STANDARD_NO_PAD.decode(encoded).unwrap();
    let token: Vec<u8> = sealed.iter().zip(otp.as_bytes()).map(|(a, b)| a ^ b).collect();
    let token = String::from_utf8(token).unwrap();

    let body = json!({"encoded_token": encoded, "otp": otp});
    assert_eq!(data(stack.anonymous("update", "sys/decode-token", body).await), json!({"token": token}));
    let me = data(stack.ask(&token, "read", "auth/token/lookup-self", Value::Null).await);
    assert_eq!((&me["policies"], &me["path"]), (&json!(["root"]), &json!("auth/token/root")));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_before_anything_begins() {
    let stack = Stack::open().await;
    let start = async |body| refused(stack.anonymous("update", ROOT, body).await).1;
    assert_eq!(start(json!({"otp": "short"})).await, "OTP string is wrong length");
    assert!(start(json!({"pgp_key": "abc"})).await.contains("PGP"));
    let update = async |body| refused(stack.anonymous("update", "sys/generate-root/update", body).await).1;
    assert_eq!(update(json!({})).await, "'key' must be specified in request body as JSON");
    assert_eq!(update(json!({"key": "!"})).await, "'key' must be a valid hex or base64 string");
    assert_eq!(update(json!({"key": stack.key})).await, "no root generation in progress");
    done(stack.anonymous("delete", ROOT, Value::Null).await);
    let rekey = refused(stack.anonymous("read", "sys/rekey/verify", Value::Null).await).1;
    assert_eq!(rekey, "no rekey configuration found");
    let sealed = Stack::sealed().await;
    assert_eq!(refused(sealed.anonymous("read", ROOT, Value::Null).await).0, "sealed");
}

#[tokio::test]
async fn g6_what_others_have_begun_is_not_for_everybody_to_cancel() {
    let stack = Stack::open().await;
    let begin = json!({"secret_shares": 3, "secret_threshold": 2, "require_verification": true});
    let nonce = bare(stack.anonymous("update", "sys/rekey/init", begin).await)["nonce"].clone();
    let body = json!({"key": stack.key, "nonce": nonce});
    let made = bare(stack.anonymous("update", "sys/rekey/update", body).await);
    assert_eq!(made["keys"].as_array().unwrap().len(), 3);
    let denied = refused(stack.anonymous("delete", "sys/rekey/init", Value::Null).await);
    assert_eq!(denied.0, "denied");
    let bad = refused(stack.ask("hvs.bad", "delete", "sys/rekey/init", Value::Null).await);
    assert_eq!(bad.0, "denied");
    done(stack.delete("sys/rekey/init").await);
    let status = bare(stack.anonymous("read", "sys/rekey/init", Value::Null).await);
    assert_eq!((&status["started"], &status["required"]), (&json!(false), &json!(1)));
}

#[tokio::test]
async fn the_server_opens_with_the_new_keys_once_they_were_seen() {
    let stack = Stack::open().await;
    let begin =
        json!({"secret_shares": 2, "secret_threshold": 2, "require_verification": true, "Backup": false});
    let nonce = bare(stack.anonymous("update", "sys/rekey/init", begin).await)["nonce"].clone();
    let body = json!({"key": stack.key, "nonce": nonce});
    let made = bare(stack.anonymous("update", "sys/rekey/update", body).await);
    for key in made["keys_base64"].as_array().unwrap() {
        let body = json!({"key": key, "nonce": made["verification_nonce"]});
        bare(stack.anonymous("update", "sys/rekey/verify", body).await);
    }
    done(stack.write("sys/seal", Value::Null).await);
    for key in made["keys"].as_array().unwrap() {
        bare(stack.anonymous("update", "sys/unseal", json!({"key": key})).await);
    }
    assert!(!stack.state().await.sealed);
}

#[tokio::test]
async fn when_the_storage_key_is_rotated_is_kept_and_checked() {
    let stack = Stack::open().await;
    let path = "sys/rotate/config";
    let usual = json!({"enabled": true, "interval": 0, "max_operations": 3_865_470_566_u64});
    assert_eq!(data(stack.read(path).await), usual);
    for (body, sentence) in [
        (json!({"interval": "1h"}), "interval must be greater or equal to 24h0m0s"),
        (json!({"max_operations": 5}), "max_operations must be in the range [1000000,3865470566]"),
    ] {
        assert_eq!(refused(stack.write(path, body).await), ("invalid", sentence.to_owned()));
    }
    done(stack.write(path, json!({"interval": "1000h", "enabled": false})).await);
    let set = json!({"enabled": false, "interval": "1000h0m0s", "max_operations": 3_865_470_566_u64});
    assert_eq!(data(stack.read(path).await), set);
}
