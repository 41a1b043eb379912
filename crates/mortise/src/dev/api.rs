use anyhow::anyhow;
use domain::Token;
use serde_json::Value;
use wire::{
    failure_of,
    router::v1::{Request, RouterSeam, response::Body},
};

/// The server's own API, without HTTP in between.
pub struct Api {
    router: RouterSeam,
    token: String,
}

impl Api {
    /// Asks without a token, until there is one.
    pub const fn new(router: RouterSeam) -> Self {
        Self { router, token: String::new() }
    }

    /// Asks with this token from now on.
    pub fn token(&mut self, token: &Token) {
        self.token.clone_from(token.expose());
    }

    /// Writes, and returns what is answered: the data of an envelope, or a document as it is.
    pub async fn write(&mut self, path: &str, body: Value) -> anyhow::Result<Value> {
        let request = Request {
            operation: domain::Operation::Update.word().to_owned(),
            path: path.to_owned(),
            data: body.to_string().into(),
            token: self.token.clone(),
            ..Request::default()
        };
        let answer = self.router.handle(request).await;
        let answer = answer.map_err(|status| anyhow!("{path}: {}", failure_of(&status)))?.into_inner();
        let bytes = match answer.body {
            Some(Body::Bare(bytes)) => bytes,
            Some(Body::Envelope(envelope)) => envelope.data,
            _ => return Ok(Value::Null),
        };
        Ok(if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes)? })
    }
}
