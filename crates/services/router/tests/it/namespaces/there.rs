//! Somebody who asks in a namespace.

use serde_json::{Value, json};
use wire::router::v1 as api;

use crate::common::{Outcome, Stack, data, done, envelope, eventually, refused, request};

/// A namespace of a server, and somebody who asks there.
#[derive(Clone, Copy)]
pub struct There<'s> {
    pub stack: &'s Stack,
    pub called: &'s str,
    pub token: &'s str,
}

impl<'s> There<'s> {
    pub fn root(stack: &'s Stack) -> Self {
        Self { stack, called: "", token: &stack.root }
    }

    pub fn at(self, called: &'s str) -> Self {
        Self { called, ..self }
    }

    pub fn with(self, token: &'s str) -> Self {
        Self { token, ..self }
    }

    pub async fn ask(self, operation: &str, path: &str, body: Value) -> Outcome {
        let asked = api::Request {
            token: self.token.to_owned(),
            namespace: self.called.to_owned(),
            ..request(operation, path, &body)
        };
        self.stack.send(asked).await
    }

    pub async fn read(self, path: &str) -> Outcome {
        self.ask("read", path, Value::Null).await
    }

    pub async fn list(self, path: &str) -> Outcome {
        self.ask("list", path, Value::Null).await
    }

    pub async fn write(self, path: &str, body: Value) -> Outcome {
        self.ask("update", path, body).await
    }

    pub async fn delete(self, path: &str) -> Outcome {
        self.ask("delete", path, Value::Null).await
    }

    pub async fn make(self, name: &str) -> Value {
        data(self.write(&format!("sys/namespaces/{name}"), Value::Null).await)
    }

    pub async fn mount(self, path: &str, kind: &str) {
        done(self.write(&format!("sys/mounts/{path}"), json!({ "type": kind })).await);
    }

    pub async fn policy(self, name: &str, text: &str) {
        done(self.write(&format!("sys/policies/acl/{name}"), json!({ "policy": text })).await);
    }

    /// A new token with a policy.
    pub async fn token(self, policy: &str) -> String {
        self.token_as(json!({ "policies": [policy] })).await["client_token"].as_str().unwrap().to_owned()
    }

    pub async fn token_as(self, wish: Value) -> Value {
        let made = envelope(self.write("auth/token/create", wish).await);
        serde_json::from_slice(&made.auth).unwrap()
    }

    pub async fn is_deleted(self, name: &str) {
        let is_gone = async || self.read(&format!("sys/namespaces/{name}")).await.is_err();
        eventually("the namespace is gone", is_gone).await;
    }
}

/// A policy that permits everything.
pub const ALL: &str =
    r#"path "*" { capabilities = ["create", "read", "update", "patch", "delete", "list", "sudo"] }"#;

/// What kind of refusal it was.
pub fn kind(outcome: Outcome) -> &'static str {
    refused(outcome).0
}
