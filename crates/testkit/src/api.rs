//! A client of the HTTP API, without any of the kindness of a real one: no retries, no redirects.

use std::time::Duration;

use reqwest::{Certificate, Client, ClientBuilder, Identity, Method, Request, redirect};
use serde_json::Value;

use crate::Answer;

/// Longer than any deadline of the server, so that a test sees the server's own answer.
const PATIENCE: Duration = Duration::from_secs(150);

/// A client with an address, and perhaps a token and a namespace.
#[derive(Clone, Debug)]
pub struct Api {
    http: Client,
    address: String,
    token: Option<String>,
    namespace: Option<String>,
}

impl Api {
    /// A client that believes nobody but one, and may show who it is.
    pub(crate) fn new(address: String, trusted: Option<Certificate>, shown: Option<Identity>) -> Self {
        let http = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .timeout(PATIENCE)
            .tls_certs_only(trusted);
        let http = shown.into_iter().fold(http, ClientBuilder::identity);
        let http = http.build().expect("an HTTP client can be made");
        Self { http, address, token: None, namespace: None }
    }

    /// The same client with another token.
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        Self { token: Some(token.into()), ..self.clone() }
    }

    /// The same client in another namespace.
    pub fn in_namespace(&self, called: impl Into<String>) -> Self {
        Self { namespace: Some(called.into()), ..self.clone() }
    }

    /// The token that every request carries.
    pub fn token(&self) -> &str {
        self.token.as_deref().expect("this client has a token")
    }

    /// Where the server is, as `http://HOST:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Reads `path`, which is written without `/v1/`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    /// Writes `body` to `path`.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(body)).await
    }

    /// Writes `body` to `path`, with the other verb.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send("PUT", path, Some(body)).await
    }

    /// Merges `body` into what is at `path`.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send("PATCH", path, Some(body)).await
    }

    /// Deletes `path`.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None).await
    }

    /// Lists what is below `path`.
    pub async fn list(&self, path: &str) -> Answer {
        self.send("LIST", path, None).await
    }

    /// Sends a request that has to be answered, whatever the answer.
    pub async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let sent = self.try_send(method, path, body).await;
        sent.unwrap_or_else(|error| panic!("{method} {path} was not answered: {error:?}"))
    }

    /// Sends a request to a server that may not be there, or may go away.
    pub async fn try_send(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Answer, reqwest::Error> {
        let verb = Method::from_bytes(method.as_bytes()).expect("a method is a word");
        let mut request = self.http.request(verb, format!("{}/v1/{path}", self.address));
        if let Some(token) = &self.token {
            request = request.header("X-Vault-Token", token);
        }
        if let Some(namespace) = &self.namespace {
            request = request.header("X-Vault-Namespace", namespace);
        }
        if let Some(body) = body {
            let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
            request = request.header("Content-Type", kind).body(body.to_string());
        }
        self.execute(request.build()?).await
    }

    /// Sends a request that was built by hand, and nothing that it does not hold.
    pub async fn execute(&self, request: Request) -> Result<Answer, reqwest::Error> {
        let name = format!("{} {}", request.method(), request.url().path());
        let response = self.http.execute(request).await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer::new(name, status, headers, &response.bytes().await?))
    }

    /// The client underneath, for requests that are built by hand.
    pub fn http(&self) -> &Client {
        &self.http
    }
}
