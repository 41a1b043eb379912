use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

/// What is stored: of the size of a usual secret.
const SECRET: &str = r#"{"username":"app","password":"0123456789abcdef0123456789abcdef"}"#;

/// What a token is asked to be.
const TOKEN: &str = r#"{"policies":["default"],"ttl":"1h"}"#;

/// What a login by userpass sends.
const PASSWORD: &str = r#"{"password":"horse"}"#;

/// What a login by approle sends: each connection has a secret id of its own.
const ROLE: &str = r#"{"role_id":"bench","secret_id":"{k}"}"#;

/// One sort of request.
#[derive(Clone, Debug)]
pub struct Work {
    pub name: &'static str,
    pub method: Method,
    /// The path, to which a connection adds its number: each has a key of its own.
    path: &'static str,
    /// The body, in which `{k}` stands for a connection's own key.
    body: String,
    /// Whether it is asked by somebody with very many policies.
    pub by_many_policies: bool,
    /// What is written before, once for each connection; none: what is read.
    before: Option<fn() -> Work>,
    /// What is done next with the answer; both together count as one request.
    then: Option<fn(&Bytes) -> Work>,
}

impl Work {
    pub fn path(&self, connection: usize) -> String {
        if self.path.ends_with('/') { format!("{}k{connection}", self.path) } else { self.path.to_owned() }
    }

    pub fn body(&self, connection: usize) -> String {
        self.body.replace("{k}", &format!("k{connection}"))
    }

    /// What belongs to this after it was answered so.
    pub fn next(&self, answer: &Bytes) -> Option<Self> {
        self.then.map(|then| then(answer))
    }

    /// What has to be written before this can be asked for.
    pub fn seed(&self) -> Option<Self> {
        if let Some(before) = self.before {
            return Some(before());
        }
        let seeded = self.method == Method::GET && self.path.ends_with('/');
        let body = if self.path.contains("/data/") { wrapped() } else { SECRET.to_owned() };
        seeded.then(|| Self { method: Method::POST, body, by_many_policies: false, ..self.clone() })
    }
}

/// Every sort, external ones by the mounts `e1` and `e2`, built-in ones by `b1` and `b2`.
pub fn all() -> Vec<Work> {
    vec![
        read("health", "/v1/sys/health"),
        read("built-in kv v1 read", "/v1/b1/"),
        write("built-in kv v1 write", "/v1/b1/", SECRET.to_owned()),
        read("built-in kv v2 read", "/v1/b2/data/"),
        write("built-in kv v2 write", "/v1/b2/data/", wrapped()),
        read("external kv v1 read", "/v1/e1/"),
        write("external kv v1 write", "/v1/e1/", SECRET.to_owned()),
        read("external kv v2 read", "/v1/e2/data/"),
        write("external kv v2 write", "/v1/e2/data/", wrapped()),
        Work { by_many_policies: true, ..read("built-in kv v1 read, 1,000 policies", "/v1/b1/") },
        read("token lookup-self", "/v1/auth/token/lookup-self"),
        Work {
            then: Some(revocation),
            ..write("token create and revoke", "/v1/auth/token/create", TOKEN.to_owned())
        },
        Work {
            before: Some(secret_id),
            then: Some(revocation),
            ..write("approle login and revoke", "/v1/auth/approle/login", ROLE.to_owned())
        },
        Work {
            then: Some(revocation),
            ..write("userpass login and revoke", "/v1/auth/userpass/login/ann", PASSWORD.to_owned())
        },
    ]
}

fn read(name: &'static str, path: &'static str) -> Work {
    Work { method: Method::GET, ..write(name, path, String::new()) }
}

fn write(name: &'static str, path: &'static str, body: String) -> Work {
    Work { name, method: Method::POST, path, body, by_many_policies: false, before: None, then: None }
}

/// The secret id that a connection logs in with.
fn secret_id() -> Work {
    let body = r#"{"secret_id":"{k}"}"#.to_owned();
    write("secret id", "/v1/auth/approle/role/bench/custom-secret-id", body)
}

/// Of the token in an answer. The bare path makes none; it is asked all the same.
fn revocation(answer: &Bytes) -> Work {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let token = &answer["auth"]["client_token"];
    write("token revoke", "/v1/auth/token/revoke", json!({ "token": token }).to_string())
}

fn wrapped() -> String {
    format!(r#"{{"data":{SECRET}}}"#)
}
