use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tenon::{Auth, Error, Operation, Prefix, Result};

use crate::auth::testing::{Mount, data, refusal};

async fn with_role(settings: Value) -> Mount {
    let mount = Mount::new(super::create).await;
    assert_eq!(mount.write("role/R1", settings).await, Ok(None));
    mount
}

impl Mount {
    async fn role_id(&self) -> String {
        self.read("role/r1/role-id").await["role_id"].as_str().unwrap().to_owned()
    }

    async fn secret_id(&self, body: Value) -> Value {
        data(&self.write("role/r1/secret-id", body).await.unwrap().unwrap())
    }

    async fn log_in_with(&self, secret: &Value) -> Result<Auth> {
        let body = json!({"role_id": self.role_id().await, "secret_id": secret["secret_id"]});
        self.log_in("login", body).await
    }

    async fn stored(&self, below: &str) -> usize {
        let prefix: Prefix = below.parse().unwrap();
        self.storage.list(&prefix).await.unwrap().len()
    }
}

#[tokio::test]
async fn a_machine_logs_in_with_role_id_and_secret_id() {
    let mount =
        with_role(json!({"token_policies": ["app"], "token_ttl": "20m", "token_max_ttl": "30m"})).await;
    let secret = mount.secret_id(json!({"metadata": "{\"k\":\"v\",\"role_name\":\"other\"}"})).await;
    let auth = mount.log_in_with(&secret).await.unwrap();
    assert_eq!(auth.policies, ["app"]);
    assert_eq!(auth.lease.ttl, Duration::from_secs(1200));
    assert_eq!((auth.metadata["k"].as_str(), auth.metadata["role_name"].as_str()), ("v", "r1"));
    assert_eq!(auth.alias.unwrap().name, mount.role_id().await);
}

#[tokio::test]
async fn what_is_wrong_with_a_login_is_nobodys_business() {
    let mount = with_role(json!({})).await;
    mount.write("role/r2", json!({})).await.unwrap();
    let foreign = data(&mount.write("role/r2/secret-id", json!({})).await.unwrap().unwrap());
    let role_id = mount.role_id().await;
    for body in [
        json!({"role_id": "nope", "secret_id": "x"}),
        json!({"role_id": role_id, "secret_id": "x"}),
        json!({"role_id": role_id, "secret_id": foreign["secret_id"]}),
    ] {
        assert_eq!(refusal(mount.write("login", body).await), "invalid role or secret ID");
    }
    let missing = mount.write("login", json!({"role_id": role_id})).await;
    assert_eq!(refusal(missing), "missing secret_id");
    assert_eq!(refusal(mount.write("login", json!({})).await), "missing role_id");
}

#[tokio::test]
async fn t5_a_secret_id_of_one_use_logs_one_of_many_in() {
    let mount = Arc::new(with_role(json!({"secret_id_num_uses": 1})).await);
    let secret = mount.secret_id(json!({})).await;
    let tries = (0..32).map(|_| {
        let (mount, secret) = (mount.clone(), secret.clone());
        tokio::spawn(async move { mount.log_in_with(&secret).await.is_ok() })
    });
    let mut through = 0;
    for each in tries.collect::<Vec<_>>() {
        through += usize::from(each.await.unwrap());
    }
    assert_eq!(through, 1);
    assert_eq!(mount.stored("accessor/").await, 0);
}

#[tokio::test]
async fn a_secret_id_is_good_for_no_more_than_its_role_says() {
    let mount = with_role(json!({"secret_id_num_uses": 2, "secret_id_ttl": 60})).await;
    for body in [json!({"num_uses": 3}), json!({"num_uses": 0}), json!({"ttl": "2m"}), json!({"ttl": 0})] {
        assert!(mount.write("role/r1/secret-id", body).await.is_err());
    }
    let secret = mount.secret_id(json!({"num_uses": 1, "ttl": 30})).await;
    assert_eq!((&secret["secret_id_num_uses"], &secret["secret_id_ttl"]), (&json!(1), &json!(30)));
    let bound = with_role(json!({"secret_id_bound_cidrs": "10.0.0.0/8"})).await;
    assert!(bound.write("role/r1/secret-id", json!({"cidr_list": "192.0.2.0/24"})).await.is_err());
    assert!(bound.write("role/r1/secret-id", json!({"cidr_list": "10.1.0.0/16"})).await.is_ok());
}

#[tokio::test]
async fn a_secret_id_is_looked_up_and_destroyed_by_itself_and_by_its_accessor() {
    let mount = with_role(json!({})).await;
    mount.write("role/r2", json!({})).await.unwrap();
    let secret = mount.secret_id(json!({"metadata": "{\"k\":\"v\"}"})).await;
    let own = json!({"secret_id": secret["secret_id"]});
    let accessor = json!({"secret_id_accessor": secret["secret_id_accessor"]});
    let shown = data(&mount.write("role/r1/secret-id/lookup", own.clone()).await.unwrap().unwrap());
    assert_eq!((&shown["metadata"]["k"], shown.get("secret_id")), (&json!("v"), None));
    assert_eq!(shown["expiration_time"], json!("0001-01-01T00:00:00Z"));
    let path = "role/r1/secret-id-accessor/lookup";
    assert_eq!(data(&mount.write(path, accessor.clone()).await.unwrap().unwrap()), shown);
    let listed = mount.ask(Operation::List, "role/r1/secret-id/", Value::Null).await.unwrap().unwrap();
    assert_eq!(data(&listed), json!({"keys": [secret["secret_id_accessor"]]}));
    // Another role's accessor is none of this role's.
    let foreign = mount.write("role/r2/secret-id-accessor/destroy", accessor.clone()).await.unwrap().unwrap();
    assert_eq!(data(&foreign)["http_status_code"], json!(404));
    assert_eq!(mount.write("role/r1/secret-id-accessor/destroy", accessor).await, Ok(None));
    assert_eq!(mount.write("role/r1/secret-id/lookup", own).await, Ok(None));
    assert!(mount.log_in_with(&secret).await.is_err());
}

#[tokio::test]
async fn a_role_takes_its_secret_ids_with_it() {
    let mount = with_role(json!({})).await;
    let secret = mount.secret_id(json!({})).await;
    let role_id = mount.role_id().await;
    mount.ask(Operation::Delete, "role/r1", Value::Null).await.unwrap();
    assert_eq!((mount.stored("secret_id/").await, mount.stored("accessor/").await), (0, 0));
    mount.write("role/r1", json!({"role_id": role_id})).await.unwrap();
    assert!(mount.log_in_with(&secret).await.is_err(), "a role of the same name is another role");
}

#[tokio::test]
async fn one_field_is_read_set_and_cleared_without_touching_others() {
    let mount = with_role(json!({"token_policies": "a", "token_ttl": 60})).await;
    assert_eq!(mount.read("role/r1/token-ttl").await, json!({"token_ttl": 60}));
    mount.write("role/r1/token-ttl", json!({"token_ttl": "2m", "token_policies": ["root"]})).await.unwrap();
    assert_eq!(mount.read("role/r1/policies").await, json!({"token_policies": ["a"]}));
    assert_eq!(mount.read("role/r1").await["token_ttl"], json!(120));
    mount.ask(Operation::Delete, "role/r1/token-ttl", Value::Null).await.unwrap();
    assert_eq!(mount.read("role/r1/token-ttl").await, json!({"token_ttl": 0}));
    mount.write("role/r1/policies", json!({"policies": "b,c"})).await.unwrap();
    assert_eq!(mount.read("role/r1/policies").await, json!({"token_policies": ["b", "c"]}));
    let nothing = mount.write("role/r1/period", json!({})).await;
    assert_eq!(refusal(nothing), "missing token_period");
    let fixed = mount.write("role/r1/local-secret-ids", json!({"local_secret_ids": true})).await;
    assert_eq!(fixed, Err(Error::UnsupportedOperation));
}

#[tokio::test]
async fn what_a_role_shows_is_what_operators_of_vault_know() {
    let mount = with_role(json!({"secret_id_ttl": "1h", "secret_id_num_uses": 2})).await;
    assert_eq!(
        mount.read("role/r1").await,
        json!({
            "bind_secret_id": true, "local_secret_ids": false, "secret_id_bound_cidrs": null,
            "secret_id_num_uses": 2, "secret_id_ttl": 3600, "token_bound_cidrs": [],
            "token_explicit_max_ttl": 0, "token_max_ttl": 0, "token_no_default_policy": false,
            "token_num_uses": 0, "token_period": 0, "token_policies": [], "token_ttl": 0,
            "token_type": "default",
        })
    );
}

#[tokio::test]
async fn secret_ids_whose_time_is_over_are_removed() {
    let mount = with_role(json!({})).await;
    let secret = mount.secret_id(json!({"ttl": 1})).await;
    let kept = mount.secret_id(json!({"ttl": "1h"})).await;
    // Times are those of the wall clock: the record is aged instead.
    let role: super::role::Role = {
        let key = super::store::role_key("r1").unwrap();
        serde_json::from_slice(&mount.storage.get(&key).await.unwrap().unwrap()).unwrap()
    };
    let key = super::store::secret_id_key(&role, secret["secret_id"].as_str().unwrap()).unwrap();
    let mut record: Value = serde_json::from_slice(&mount.storage.get(&key).await.unwrap().unwrap()).unwrap();
    record["expiration_time"] = json!("2020-01-01T00:00:00Z");
    mount.storage.put(key, record.to_string().into()).await.unwrap();
    assert_eq!(mount.log_in_with(&secret).await.map(|_| ()), Err(super::login::wrong()));
    mount.ask(Operation::Rollback, "", Value::Null).await.unwrap();
    assert_eq!(mount.stored("accessor/").await, 1);
    assert!(mount.log_in_with(&kept).await.is_ok());
}

#[tokio::test]
async fn a_login_is_renewed_while_its_role_is_there() {
    let mount = with_role(json!({"token_ttl": 60})).await;
    let secret = mount.secret_id(json!({})).await;
    let auth = mount.log_in_with(&secret).await.unwrap();
    mount.write("role/r1", json!({"token_ttl": 90})).await.unwrap();
    let renewed = mount.renew(auth.clone()).await.unwrap().unwrap().auth.unwrap();
    assert_eq!(renewed.lease.ttl, Duration::from_secs(90));
    mount.ask(Operation::Delete, "role/r1", Value::Null).await.unwrap();
    assert!(mount.renew(auth).await.is_err());
}

#[tokio::test]
async fn without_a_secret_id_the_network_decides() {
    let mount = with_role(json!({"bind_secret_id": false, "secret_id_bound_cidrs": "10.0.0.0/8"})).await;
    let body = json!({"role_id": mount.role_id().await});
    assert!(mount.ask_from("10.0.0.1", Operation::Update, "login", body.clone()).await.is_ok());
    let outside = mount.ask_from("192.0.2.1", Operation::Update, "login", body).await;
    assert_eq!(outside, Err(Error::PermissionDenied));
    let none = mount.write("role/r1/secret-id", json!({})).await;
    assert_eq!(refusal(none), "bind_secret_id is not set on the role");
}
