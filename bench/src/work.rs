use http::Method;

/// What is stored: of the size of a usual secret.
const SECRET: &str = r#"{"username":"app","password":"0123456789abcdef0123456789abcdef"}"#;

/// One sort of request.
#[derive(Clone, Debug)]
pub struct Work {
    pub name: &'static str,
    pub method: Method,
    /// The path, to which a connection adds its number: each has a key of its own.
    path: &'static str,
    pub body: String,
}

impl Work {
    pub fn path(&self, connection: usize) -> String {
        if self.path.ends_with('/') { format!("{}k{connection}", self.path) } else { self.path.to_owned() }
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
    let read = |name, path| Work { name, method: Method::GET, path, body: String::new() };
    let write = |name, path, body: String| Work { name, method: Method::POST, path, body };
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
    ]
}

fn wrapped() -> String {
    format!(r#"{{"data":{SECRET}}}"#)
}
