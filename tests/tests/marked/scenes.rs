//! Secrets at the places that are made for them: they are taken in, kept, used and given out.

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};
use testkit::{Api, PostgreSql, Registration, Server, go_plugin};

use super::{marks::Marks, outputs::Outputs};

/// One who sends secrets.
pub struct Scenes<'s> {
    pub server: &'s Server,
    pub marks: &'s mut Marks,
    pub outputs: &'s mut Outputs,
}

impl Scenes<'_> {
    fn api(&self) -> Api {
        self.server.api()
    }

    fn secret(&mut self, what: &str) -> String {
        self.marks.mark(format!("secret: {what}"))
    }

    fn name(&mut self, what: &str) -> String {
        self.marks.mark(format!("name: {what}"))
    }

    /// What the server gave out when it was initialised.
    pub fn learn_keys(&mut self) {
        let keys = self.server.keys();
        self.marks.learn("secret: the root token", &keys.root);
        for share in &keys.shares {
            let bytes =
                (0..share.len()).step_by(2).map(|at| u8::from_str_radix(&share[at..at + 2], 16).unwrap());
            self.marks.learn("secret: a share of the unseal key", share);
            let text = BASE64_STANDARD.encode(bytes.collect::<Vec<_>>());
            self.marks.learn("secret: a share of the unseal key in base64", &text);
        }
    }

    /// Plugins of others, with what they are told at their start and by their operators.
    pub async fn plugins(&mut self) {
        let api = self.api();
        let (word, argument) = (self.secret("a plugin's environment"), self.secret("a plugin's argument"));
        let (word, argument) = (format!("WORD={word}"), format!("-word={argument}"));
        let told = Registration { version: "v1.2.3", env: &[&word], ..Registration::default() };
        self.server.register_as("fixture", &go_plugin("fixture"), told).await;
        self.server.enable("fixture", "fixture").await;
        let (log, path) = ("sys/plugins/logs", "sys/plugins/logs/secret/fixture?follow=true");
        self.outputs.follow_one(&api, log, path).await;
        let told = Registration { args: &[&argument], ..Registration::default() };
        self.server.register_as("transit", &go_plugin("transit"), told).await;
        self.server.enable("transit", "transit").await;
        let auth = Registration { kind: "auth", ..Registration::default() };
        self.server.register_as("jwt", &go_plugin("jwt"), auth).await;
        api.post("sys/auth/jwt", json!({"type": "jwt"})).await.ok();
        api.enable_kv("kv", 2).await;
        api.enable_kv("old", 1).await;
        for method in ["userpass", "approle"] {
            api.post(&format!("sys/auth/{method}"), json!({"type": method})).await.ok();
        }
        api.post("sys/mounts/database", json!({"type": "database"})).await.ok();
        let passed = json!({"passthrough_request_headers": ["X-Custom"]});
        api.post("sys/mounts/fixture/tune", passed).await.ok();
    }

    pub async fn values(&mut self) {
        let api = self.api();
        let (place, word, inner) =
            (self.name("the path of a value"), self.secret("a value"), self.secret("a value in a value"));
        let value = json!({"word": word, "more": {"list": [inner, 1]}});
        api.put_secret("kv", &place, value.clone()).await;
        assert_eq!(api.secret("kv", &place).await, value);
        api.patch(&format!("kv/data/{place}"), json!({"data": {"word": self.secret("a patch")}})).await.ok();
        for path in [format!("old/{place}"), format!("cubbyhole/{place}")] {
            let value = json!({"word": self.secret("a value of the older kv, or a cubbyhole")});
            api.post(&path, value.clone()).await.ok();
            assert_eq!(api.get(&path).await.data(), value);
        }
        api.post("transit/keys/seal", json!({})).await.ok();
        let text = BASE64_STANDARD.encode(self.secret("a text to be sealed by transit"));
        let sealed = api.post("transit/encrypt/seal", json!({ "plaintext": text })).await.data();
        let opened = json!({"ciphertext": sealed["ciphertext"]});
        assert_eq!(api.post("transit/decrypt/seal", opened).await.data()["plaintext"], text);
        let hash = json!({"input": self.secret("what is hashed for the audit log")});
        api.put("sys/audit-hash/file", hash).await.ok();
        let entity = json!({"name": "ann", "metadata": {"note": self.name("metadata of an entity")}});
        api.post("identity/entity", entity).await.ok();
    }

    pub async fn logins(&mut self) {
        let (api, anybody) = (self.api(), self.server.anonymous());
        let password = self.secret("a password");
        api.post("auth/userpass/users/ann", json!({ "password": password })).await.ok();
        let token = anybody.post("auth/userpass/login/ann", json!({ "password": password })).await.ok();
        self.marks.learn("secret: the token of a login", token["auth"]["client_token"].as_str().unwrap());
        let wrong = json!({"password": self.secret("a wrong password")});
        anybody.post("auth/userpass/login/ann", wrong).await.refused(400);
        api.post("auth/approle/role/web", json!({})).await.ok();
        let role_id = api.get("auth/approle/role/web/role-id").await.data()["role_id"].take();
        let made = api.post("auth/approle/role/web/secret-id", json!({})).await.data();
        self.marks.learn("secret: a secret id", made["secret_id"].as_str().unwrap());
        let chosen = self.secret("a secret id of one's own");
        api.post("auth/approle/role/web/custom-secret-id", json!({ "secret_id": chosen })).await.ok();
        for secret_id in [made["secret_id"].clone(), json!(chosen), json!(self.secret("a wrong secret id"))] {
            let answer =
                anybody.post("auth/approle/login", json!({"role_id": role_id, "secret_id": secret_id}));
            self.outputs.add("refusals of the host", answer.await.errors());
        }
        let config = json!({"oidc_client_secret": self.secret("the secret of an OIDC client")});
        self.outputs.add("refusals of plugins", api.post("auth/jwt/config", config).await.errors());
        let jwt = json!({"role": "none", "jwt": format!("a.{}.b", self.secret("a JWT"))});
        anybody.post("auth/jwt/login", jwt).await.refused(400);
    }

    pub async fn tokens(&mut self) {
        let (api, anybody) = (self.api(), self.server.anonymous());
        let own = self.secret("a token of one's own making");
        let made =
            json!({"id": own, "policies": ["default"], "meta": {"note": self.name("metadata of a token")}});
        api.post("auth/token/create", made).await.ok();
        anybody.with_token(&own).get("auth/token/lookup-self").await.ok();
        api.post("auth/token/lookup", json!({ "token": own })).await.ok();
        api.post("auth/token/revoke", json!({ "token": own })).await.ok();
        anybody.with_token(&own).get("auth/token/lookup-self").await.refused(403);
        for (header, value) in [
            ("Authorization", format!("Bearer {}", self.secret("Authorization: Bearer"))),
            (
                "Authorization",
                format!("Basic {}", BASE64_STANDARD.encode(self.secret("Authorization: Basic"))),
            ),
            ("X-Vault-Wrap-TTL", self.name("X-Vault-Wrap-TTL")),
            ("X-Vault-Namespace", self.name("X-Vault-Namespace")),
            ("X-Custom", self.secret("a header that is passed through")),
        ] {
            let url = format!("{}/v1/fixture/pid", api.address());
            let asked = api.http().get(url).header(header, value);
            let asked =
                if header == "Authorization" { asked } else { asked.header("X-Vault-Token", api.token()) };
            let answer = api.execute(asked.build().unwrap()).await.unwrap();
            self.outputs.add("refusals of the host", answer.errors());
        }
        let wrapped = json!({"word": self.secret("what is wrapped")});
        let url = format!("{}/v1/sys/wrapping/wrap", api.address());
        let asked =
            api.http().post(url).header("X-Vault-Wrap-TTL", "60").header("X-Vault-Token", api.token());
        let answer = api.execute(asked.body(wrapped.to_string()).build().unwrap()).await.unwrap().ok();
        let token = answer["wrap_info"]["token"].as_str().unwrap();
        self.marks.learn("secret: a wrapping token", token);
        api.post("sys/wrapping/lookup", json!({ "token": token })).await.ok();
        assert_eq!(api.post("sys/wrapping/unwrap", json!({ "token": token })).await.data(), wrapped);
        let again = api.post("sys/wrapping/unwrap", json!({ "token": token })).await;
        self.outputs.add("refusals of the host", again.refused(400));
    }

    /// A database's password, and one that the engine makes.
    pub async fn databases(&mut self) {
        let api = self.api();
        let database = PostgreSql::start().await;
        let config = json!({"plugin_name": "postgresql-database-plugin", "allowed_roles": "*",
            "connection_url": database.admin_url()});
        api.post("database/config/here", config).await.ok();
        let unreachable = json!({"plugin_name": "postgresql-database-plugin", "username": "ann",
            "password": self.secret("a database's password"),
            "connection_url": "postgresql://{{username}}:{{password}}@127.0.0.1:1/none"});
        let url =
            format!("postgresql://ann:{}@127.0.0.1:1/none", self.secret("a password in a connection's URL"));
        let other = json!({"plugin_name": "postgresql-database-plugin", "connection_url": url});
        for config in [unreachable, other] {
            let refused = api.post("database/config/none", config).await;
            assert!(!refused.is_ok(), "{refused}");
            self.outputs.add("refusals of the host", refused.errors());
        }
        let statement = "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'";
        for (role, statements) in
            [("good", statement), ("bad", "CREATE NONSENSE \"{{name}}\" '{{password}}'")]
        {
            let role_of = json!({"db_name": "here", "creation_statements": [statements]});
            api.post(&format!("database/roles/{role}"), role_of).await.ok();
        }
        let made = api.get("database/creds/good").await.data();
        self.marks.learn("secret: a password that was made", made["password"].as_str().unwrap());
        self.outputs.add("refusals of the host", api.get("database/creds/bad").await.errors());
    }

    /// What plugins say, in all their ways. What they log is their own word; what they answer is for who asked.
    pub async fn words(&mut self) {
        let api = self.api();
        for (how, kind) in [
            ("log", "word"),
            ("stderr", "word"),
            ("panic", "word"),
            ("refuse", "secret"),
            ("fail", "secret"),
            ("warn", "secret"),
        ] {
            let text = self.marks.mark(format!("{kind}: what a plugin says by {how}"));
            let answer = api.post("fixture/say", json!({"how": how, "text": text})).await;
            if kind == "secret" {
                assert!(answer.body.to_string().contains(&text), "who asked is told: {answer}");
            }
        }
        // Seen while it is worked on.
        let word = self.secret("a parameter of a request that takes its time");
        let slow = tokio::spawn({
            let api = api.clone();
            async move { api.get(&format!("fixture/sleep?ms=3000&text={word}")).await.ok() }
        });
        testkit::eventually(std::time::Duration::from_secs(30), "the slow request is seen", async || {
            let seen = api.get("sys/in-flight-req").await.ok().to_string();
            self.outputs.add("sys/in-flight-req", &seen);
            seen.contains("fixture/sleep")
        })
        .await;
        slow.await.unwrap();
    }

    /// Bodies that are no good.
    pub async fn refusals(&mut self) {
        let api = self.api();
        let long = self.secret("a body that is too long").repeat(2 << 20);
        let deep = format!("{}\"{}", "[".repeat(2_000), self.secret("a body that is too deep"));
        for body in [long, deep] {
            let asked = api.http().post(format!("{}/v1/kv/data/a", api.address()));
            let asked = asked.header("X-Vault-Token", api.token()).body(body).build().unwrap();
            // Who sends too much may be cut off before it has read the answer.
            if let Ok(answer) = api.execute(asked).await {
                self.outputs.add("refusals of the host", answer.errors());
            }
        }
    }

    /// The ceremonies of operators, with what is no key.
    pub async fn ceremonies(&mut self) {
        let api = self.api();
        // Whatever was begun before.
        for begun in ["sys/rekey/init", "sys/generate-root/attempt"] {
            api.delete(begun).await.ok();
        }
        let one = json!({"secret_shares": 1, "secret_threshold": 1});
        let begun = api.put("sys/rekey/init", one).await.ok();
        self.marks.learn("secret: the nonce of a rekeying", begun["nonce"].as_str().unwrap());
        let wrong = json!({"nonce": begun["nonce"], "key": self.secret("a wrong share for rekeying")});
        self.outputs.add("refusals of the host", api.put("sys/rekey/update", wrong).await.errors());
        let share = json!({"nonce": begun["nonce"], "key": self.server.keys().shares[0]});
        let made = api.put("sys/rekey/update", share).await.ok();
        let new = made["keys"][0].as_str().unwrap();
        self.marks.learn("secret: a new share of the unseal key", new);
        let pgp = json!({"secret_shares": 1, "secret_threshold": 1, "pgp_keys": [self.secret("no PGP key")]});
        self.outputs.add("refusals of the host", api.put("sys/rekey/init", pgp).await.errors());
        let begun = api.put("sys/generate-root/attempt", json!({})).await.ok();
        self.marks.learn("secret: a one-time password", begun["otp"].as_str().unwrap());
        self.marks.learn("secret: the nonce of a root token's making", begun["nonce"].as_str().unwrap());
        let wrong = json!({"nonce": begun["nonce"], "key": self.secret("a wrong share for a root token")});
        self.outputs.add("refusals of the host", api.put("sys/generate-root/update", wrong).await.errors());
        let share = json!({"nonce": begun["nonce"], "key": new});
        let made: Value = api.put("sys/generate-root/update", share).await.ok();
        self.marks.learn("secret: an encoded root token", made["encoded_token"].as_str().unwrap());
        api.put("sys/seal", json!({})).await.ok();
        self.outputs.ask_sealed(self.server).await;
        let wrong = json!({"key": self.secret("a wrong share for unsealing")});
        self.outputs
            .add("refusals of the host", self.server.anonymous().put("sys/unseal", wrong).await.errors());
        self.server.anonymous().put("sys/unseal", json!({ "key": new })).await.ok();
    }
}
