//! A mark into every field of everything that can be asked.

use futures::{StreamExt, stream};
use reqwest::{Method, Request};
use serde_json::{Map, Value, json};
use testkit::Api;

use super::{
    fields::{OWN, Place},
    marks::Marks,
    outputs::Outputs,
};

/// What would end the walk: the server would be closed, or the walker not be known any more. And what has no end.
const NOT_HERE: [&str; 9] = [
    "sys/seal",
    "sys/step-down",
    "sys/namespaces/api-lock",
    "auth/token/revoke-self",
    "sys/monitor",
    "sys/plugins/logs",
    "sys/plugins/events",
    "sys/events/subscribe",
    "fixture/",
];

/// The mounts of engines of our own.
const BUILT_IN: [&str; 5] = ["auth/approle/", "auth/userpass/", "database/", "kv/", "old/"];

/// What is asked at the same time.
const AT_ONCE: usize = 6;

struct Sent {
    method: String,
    path: String,
    query: String,
    body: Vec<u8>,
    headers: Vec<(&'static str, String)>,
}

/// Marks for the parts of one place.
struct Marked<'m> {
    marks: &'m mut Marks,
    place: &'m Place,
}

impl Marked<'_> {
    fn secret(&mut self, what: &str) -> String {
        let Place { method, path, .. } = self.place;
        self.marks.mark(format!("secret: {method} {path}, {what}"))
    }

    /// The path with a mark for each of its variables.
    fn path(&mut self) -> String {
        let Place { method, path, .. } = self.place;
        let segments = path.split('/').map(|segment| match segment.strip_prefix('{') {
            Some(name) => self.marks.mark(format!("name: {method} {path}, {{{name}")),
            None => segment.to_owned(),
        });
        segments.collect::<Vec<_>>().join("/")
    }

    fn body(&mut self, how: &str, make: impl Fn(String) -> Value) -> Value {
        let fields = self.place.fields.clone();
        let members = fields.into_iter().map(|field| {
            let mark = self.secret(&format!("{field} of a body of {how}"));
            (field, make(mark))
        });
        Value::Object(members.collect::<Map<_, _>>())
    }

    /// All that is asked at this place.
    fn requests(mut self) -> Vec<Sent> {
        let mut all = Vec::new();
        if matches!(self.place.method.as_str(), "GET" | "DELETE") {
            let query = self.place.fields.clone().into_iter().map(|field| {
                let mark = self.secret(&format!("{field} of the query"));
                if field == "list" { "list=true".to_owned() } else { format!("{field}={mark}") }
            });
            let query = format!("?{}", query.collect::<Vec<_>>().join("&"));
            all.push(self.sent(query, Vec::new()));
        } else {
            let texts = self.body("texts", Value::String);
            for (field, text) in texts.as_object().unwrap() {
                all.push(self.sent(String::new(), json!({ field: text }).to_string().into()));
            }
            all.push(self.sent(String::new(), texts.to_string().into()));
            for body in
                [self.body("lists", |mark| json!([mark])), self.body("objects", |mark| json!({ "a": mark }))]
            {
                all.push(self.sent(String::new(), body.to_string().into()));
            }
            let (cut, bare, alone) = (
                self.secret("a body cut short"),
                self.secret("a body without quotes"),
                self.secret("a text"),
            );
            let twice = self.secret("a field given twice");
            for body in [
                format!("{{\"a\": \"{cut}"),
                format!("{{\"a\": {bare}}}"),
                format!("\"{alone}\""),
                format!("{{\"a\": \"{twice}\", \"a\": \"{twice}\"}}"),
            ] {
                all.push(self.sent(String::new(), body.into()));
            }
        }
        let token = self.secret("X-Vault-Token");
        let by_nobody = self.sent(String::new(), b"{}".to_vec());
        all.push(Sent { headers: vec![("X-Vault-Token", token)], ..by_nobody });
        all
    }

    /// With all other headers that may hold something.
    fn sent(&mut self, query: String, body: Vec<u8>) -> Sent {
        let path = self.path();
        let headers = ["X-Custom", "Cookie", "User-Agent", "Referer", "X-Vault-MFA", "X-Amz-Date"];
        let headers = headers.map(|name| (name, self.secret(name)));
        Sent { method: self.place.method.clone(), path, query, body, headers: headers.into() }
    }
}

/// Walks through all of it. What is refused is an output, too.
pub async fn walk(api: &Api, places: &[Place], marks: &mut Marks, outputs: &mut Outputs) -> usize {
    let mut all = Vec::new();
    for place in places.iter().filter(|place| !NOT_HERE.iter().any(|not| place.path.starts_with(not))) {
        all.extend(Marked { marks, place }.requests());
    }
    let count = all.len();
    let mut answers = stream::iter(all).map(|sent| ask(api, sent)).buffer_unordered(AT_ONCE);
    while let Some((path, text)) = answers.next().await {
        let own = OWN.iter().chain(&BUILT_IN).any(|mount| path.starts_with(mount));
        outputs.add(if own { "refusals of the host" } else { "refusals of plugins" }, text);
    }
    count
}

async fn ask(api: &Api, sent: Sent) -> (String, String) {
    let Sent { method, path, query, body, headers } = sent;
    let url = format!("{}/v1/{path}{query}", api.address()).parse().unwrap();
    let mut request = Request::new(Method::from_bytes(method.as_bytes()).unwrap(), url);
    let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
    request.headers_mut().insert("Content-Type", kind.parse().unwrap());
    request.headers_mut().insert("X-Vault-Token", api.token().parse().unwrap());
    for (name, value) in headers {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    *request.body_mut() = Some(body.into());
    let answer = api.execute(request).await.unwrap();
    let refusal = if answer.is_ok() { String::new() } else { format!("{answer}") };
    (path, refusal)
}
