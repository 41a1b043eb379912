use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

/// What is stored: of the size of a usual secret.
const SECRET: &str = r#"{"username":"app","password":"0123456789abcdef0123456789abcdef"}"#;

/// What a token is asked to be.
const TOKEN: &str = r#"{"policies":["default"],"ttl":"1h"}"#;

/// One sort of request.
#[derive(Clone, Debug)]
pub struct Work {
    pub name: &'static str,
    pub method: Method,
    /// The path, to which a connection adds its number: each has a key of its own.
    path: &'static str,
    pub body: String,
    /// What is done next with the answer; both together count as one request.
    then: Option<fn(&Bytes) -> Work>,
}

impl Work {
    pub fn path(&self, connection: usize) -> String {
        if self.path.ends_with('/') { format!("{}k{connection}", self.path) } else { self.path.to_owned() }
    }

    /// What belongs to this after it was answered so.
    pub fn next(&self, answer: &Bytes) -> Option<Self> {
        self.then.map(|then| then(answer))
    }

    /// What has to be written before this can be asked for.
    pub fn seed(&self) -> Option<Self> {
        let seeded = self.method == Method::GET && self.path.ends_with('/');
        let body = if self.path.contains("/data/") { wrapped() } else { SECRET.to_owned() };
        seeded.then(|| Self { method: Method::POST, body, ..self.clone() })
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
        read("token lookup-self", "/v1/auth/token/lookup-self"),
        Work {
            then: Some(revocation),
            ..write("token create and revoke", "/v1/auth/token/create", TOKEN.to_owned())
        },
    ]
}

fn read(name: &'static str, path: &'static str) -> Work {
    Work { name, method: Method::GET, path, body: String::new(), then: None }
}

fn write(name: &'static str, path: &'static str, body: String) -> Work {
    Work { name, method: Method::POST, path, body, then: None }
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
