use std::time::Duration;

use serde_json::{Value, json};
use tenon::{Error, Operation};

use crate::auth::testing::{Mount, data, refusal};

async fn with_bob() -> Mount {
    let mount = Mount::new(super::create).await;
    let bob = json!({"password": "pw1", "token_policies": "default, Caps", "token_ttl": "30m", "token_max_ttl": "2h"});
    assert_eq!(mount.write("users/Bob", bob).await, Ok(None));
    mount
}

#[tokio::test]
async fn a_user_logs_in_with_the_password_and_gets_what_is_set() {
    let mount = with_bob().await;
    let auth = mount.log_in("login/bob", json!({"password": "pw1"})).await.unwrap();
    assert_eq!(auth.policies, ["default", "caps"]);
    assert_eq!((auth.lease.ttl, auth.lease.max_ttl), (Duration::from_secs(1800), Duration::from_secs(7200)));
    assert!(auth.lease.renewable);
    assert_eq!((auth.display_name.as_str(), auth.metadata["username"].as_str()), ("bob", "bob"));
    assert_eq!(auth.alias.unwrap().name, "bob");
}

#[tokio::test]
async fn t9_a_name_is_the_same_however_it_is_written() {
    let mount = with_bob().await;
    for name in ["bob", "BOB", "Bob"] {
        let auth = mount.log_in(&format!("login/{name}"), json!({"password": "pw1"})).await.unwrap();
        assert_eq!(auth.alias.unwrap().name, "bob");
        let looked = mount.ask(Operation::AliasLookahead, &format!("login/{name}"), Value::Null).await;
        assert_eq!(looked.unwrap().unwrap().auth.unwrap().alias.unwrap().name, "bob");
    }
    let keys = mount.ask(Operation::List, "users/", Value::Null).await.unwrap().unwrap();
    assert_eq!(data(&keys), json!({"keys": ["bob"]}));
}

#[tokio::test]
async fn t8_a_wrong_password_and_an_unknown_user_are_answered_alike() {
    let mount = with_bob().await;
    let wrong = mount.write("login/bob", json!({"password": "zz"})).await;
    assert_eq!(wrong, mount.write("login/nobody", json!({"password": "zz"})).await);
    let Err(Error::WithResponse { error, .. }) = &wrong else { panic!("{wrong:?}") };
    assert_eq!(**error, Error::Other("invalid credentials".to_owned()));
    assert_eq!(refusal(wrong), "invalid username or password");
    assert_eq!(
        mount.write("login/bob", json!({})).await,
        Err(Error::Other("invalid credentials".to_owned()))
    );
}

#[tokio::test]
async fn t8_nobodys_password_is_none() {
    let mount = with_bob().await;
    let body = json!({"password": "nobody has this password"});
    assert_eq!(refusal(mount.write("login/nobody", body).await), "invalid username or password");
}

#[tokio::test]
async fn what_is_read_is_what_was_set_and_never_the_password() {
    let mount = with_bob().await;
    assert_eq!(
        mount.read("users/bob").await,
        json!({
            "token_bound_cidrs": [], "token_explicit_max_ttl": 0, "token_max_ttl": 7200,
            "token_no_default_policy": false, "token_num_uses": 0, "token_period": 0,
            "token_policies": ["default", "caps"], "token_ttl": 1800, "token_type": "default",
        })
    );
    mount.write("users/bob", json!({"policies": "a", "ttl": 60})).await.unwrap();
    let read = mount.read("users/bob").await;
    assert_eq!((&read["policies"], &read["token_policies"]), (&json!(["a"]), &json!(["a"])));
    assert_eq!((&read["ttl"], &read["token_ttl"]), (&json!(60), &json!(60)));
    mount.write("users/bob/policies", json!({"token_policies": "b"})).await.unwrap();
    let read = mount.read("users/bob").await;
    assert_eq!((read.get("policies"), &read["token_policies"]), (None, &json!(["b"])));
}

#[tokio::test]
async fn a_password_can_be_given_as_a_hash_and_be_changed() {
    let mount = with_bob().await;
    let hash = bcrypt::hash("from elsewhere", 4).unwrap();
    mount.write("users/ann", json!({"password_hash": hash})).await.unwrap();
    assert!(mount.log_in("login/ann", json!({"password": "from elsewhere"})).await.is_ok());
    mount.write("users/ann/password", json!({"password": "new"})).await.unwrap();
    assert!(mount.log_in("login/ann", json!({"password": "from elsewhere"})).await.is_err());
    assert!(mount.log_in("login/ann", json!({"password": "new"})).await.is_ok());
}

#[tokio::test]
async fn senseless_users_are_refused() {
    let mount = with_bob().await;
    for (path, body, sentence) in [
        ("users/new", json!({"token_policies": "a"}), "\"password\" or \"password_hash\" must be supplied"),
        (
            "users/new",
            json!({"password": "a", "password_hash": "b"}),
            "\"password\" and \"password_hash\" cannot be supplied together",
        ),
        ("users/new", json!({"password_hash": "b"}), "\"password_hash\" is not a hash of bcrypt"),
        ("users/new", json!({"password": "x".repeat(73)}), "the password is longer than 72 bytes"),
        ("users/bob", json!({"token_type": "zz"}), "invalid 'token_type' value \"zz\""),
    ] {
        assert_eq!(refusal(mount.write(path, body).await), sentence);
    }
    let missing = mount.write("users/new/password", json!({"password": "x"})).await;
    assert_eq!(missing, Err(Error::Other("username does not exist".to_owned())));
}

#[tokio::test]
async fn a_bound_user_logs_in_from_the_network_only() {
    let mount = with_bob().await;
    mount.write("users/bob", json!({"token_bound_cidrs": "10.0.0.0/8"})).await.unwrap();
    let from = async |address| {
        mount.ask_from(address, Operation::Update, "login/bob", json!({"password": "pw1"})).await
    };
    assert!(from("10.2.3.4").await.is_ok());
    assert_eq!(from("192.0.2.1").await, Err(Error::PermissionDenied));
}

#[tokio::test]
async fn a_login_is_renewed_as_long_as_the_user_is_the_same() {
    let mount = with_bob().await;
    let auth = mount.log_in("login/bob", json!({"password": "pw1"})).await.unwrap();
    mount.write("users/bob", json!({"token_ttl": "10m"})).await.unwrap();
    let renewed = mount.renew(auth.clone()).await.unwrap().unwrap().auth.unwrap();
    assert_eq!(renewed.lease.ttl, Duration::from_secs(600));
    mount.write("users/bob/policies", json!({"policies": "other"})).await.unwrap();
    let refused = mount.renew(auth.clone()).await;
    assert_eq!(refused, Err(Error::Other("policies have changed, not renewing".to_owned())));
    mount.ask(Operation::Delete, "users/BOB", Value::Null).await.unwrap();
    assert_eq!(mount.renew(auth).await, Ok(None));
}
