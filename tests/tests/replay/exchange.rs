//! One recorded exchange, and sending it again.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use testkit::{Answer, Api};

use super::matching::{difference, matches};

/// Values captured from earlier answers, by name.
pub type Variables = BTreeMap<String, String>;

/// A line of the recording.
#[derive(Deserialize)]
pub struct Exchange {
    pub seq: u32,
    pub group: String,
    pub name: String,
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    body_raw: Option<String>,
    status: u16,
    response_headers: BTreeMap<String, String>,
    response: Value,
    #[serde(default)]
    partial: bool,
    #[serde(default)]
    capture: BTreeMap<String, String>,
}

impl Exchange {
    /// Sends the request as it was recorded, with `variables` filled in.
    pub async fn send(&self, api: &Api, variables: &Variables) -> Answer {
        let method = self.method.parse().expect("a method is a word");
        let mut request =
            api.http().request(method, format!("{}{}", api.address(), fill(&self.path, variables)));
        for (name, value) in &self.headers {
            request = request.header(name, fill(value, variables));
        }
        let body = self.body.as_ref().map(Value::to_string).or_else(|| self.body_raw.clone());
        if let Some(body) = body {
            request = request.body(fill(&body, variables));
        }
        api.execute(request.build().expect("a recorded request is one")).await.expect("the server answers")
    }

    /// Keeps what later requests need of the answer.
    pub fn capture(&self, answer: &Answer, variables: &mut Variables) {
        for (name, pointer) in &self.capture {
            if let Some(value) = answer.body.pointer(pointer).and_then(Value::as_str) {
                variables.insert(name.clone(), value.into());
            }
        }
    }

    /// How the answer differs from the recorded one, if it does.
    pub fn difference(&self, answer: &Answer, variables: &Variables) -> Option<String> {
        if answer.status != self.status {
            return Some(format!("status {} instead of {}: {}", answer.status, self.status, answer.body));
        }
        for (name, expected) in &self.response_headers {
            let actual = answer.headers.get(name).map_or("", |value| value.to_str().unwrap_or_default());
            if !matches(expected, actual) {
                return Some(format!("header {name} is {actual:?} instead of {expected:?}"));
            }
        }
        let expected = fill(&self.response.to_string(), variables);
        let expected = serde_json::from_str(&expected).expect("a recorded answer is JSON");
        difference(&expected, &answer.body, self.partial)
    }
}

/// Replaces each `${name}` that is known.
fn fill(text: &str, variables: &Variables) -> String {
    let put = |text: String, (name, value): (&String, &String)| text.replace(&format!("${{{name}}}"), value);
    variables.iter().fold(text.into(), put)
}
