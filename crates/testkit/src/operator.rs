//! What an operator does first: initialise and unseal.

use serde_json::{Value, json};

use crate::Api;

/// What initialising gave out.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The shares of the unseal key, in hex.
    pub shares: Vec<String>,
    /// How many of them unseal.
    pub threshold: usize,
    /// The root token.
    pub root: String,
}

impl Keys {
    /// Initialises the server behind `api`.
    pub async fn init(api: &Api, shares: usize, threshold: usize) -> Self {
        let wanted = json!({"secret_shares": shares, "secret_threshold": threshold});
        let given = api.put("sys/init", wanted).await.ok();
        let texts = given["keys"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let root = given["root_token"].as_str().expect("initialising gives a root token");
        Self { shares: texts.map(String::from).collect(), threshold, root: root.into() }
    }

    /// Unseals the server behind `api`.
    pub async fn unseal(&self, api: &Api) {
        let mut status = Value::Null;
        for share in &self.shares[..self.threshold] {
            status = api.put("sys/unseal", json!({"key": share})).await.ok();
        }
        assert_eq!(status["sealed"], json!(false), "{} shares did not unseal: {status}", self.threshold);
    }
}
