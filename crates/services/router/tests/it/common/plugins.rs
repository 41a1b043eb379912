use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::PluginType;
use tenon::{
    Alias, Auth, Backend, BackendKind, Builtin, Config, Error, Factory, Host, LeaseOptions, Makes, Operation,
    Request, Response, Result, Secret, SpecialPaths, WrapInfo,
};

use super::{issuer::Issuer, said};

/// kv, one that answers in every odd form, one that lets people in, one that does not start, and one that issues.
pub fn builtins() -> Vec<Builtin> {
    let mut builtins = engines::builtins();
    let mut add = |name: &str, plugin_type, factory: Arc<dyn Factory>| {
        let (name, version) = (name.parse().unwrap(), "v1.0.0+builtin".parse().unwrap());
        builtins.push(Builtin { name, plugin_type, version, makes: Makes::Backends(factory) });
    };
    add("odd", PluginType::Secret, Arc::new(Odd));
    add("login", PluginType::Auth, Arc::new(Login));
    add("broken", PluginType::Secret, Arc::new(Broken));
    add("issuer", PluginType::Secret, Arc::new(Issuer(BackendKind::Secret)));
    add("voucher", PluginType::Auth, Arc::new(Issuer(BackendKind::Auth)));
    builtins
}

#[derive(Clone)]
struct Odd;

#[async_trait]
impl Factory for Odd {
    async fn create(&self, _: Config, _: Host) -> Result<Arc<dyn Backend>> {
        Ok(Arc::new(Self))
    }
}

#[async_trait]
impl Backend for Odd {
    fn kind(&self) -> BackendKind {
        BackendKind::Secret
    }

    fn special_paths(&self) -> SpecialPaths {
        SpecialPaths { root: vec!["root/*".to_owned()], unauthenticated: vec!["open".to_owned()] }
    }

    async fn exists(&self, request: Request) -> Result<Option<bool>> {
        match request.path.as_str() {
            "new" => Ok(Some(false)),
            "old" => Ok(Some(true)),
            "exists-error" => Err(Error::User("no such thing".to_owned())),
            _ => Ok(None),
        }
    }

    async fn handle(&self, request: Request) -> Result<Option<Response>> {
        let json = |text: &'static str| Ok(Some(Response { data: text.into(), ..Response::default() }));
        match request.path.as_str() {
            "nothing" | "nothing/" => Ok(None),
            "empty-list/" => json(r#"{"keys":[]}"#),
            "list/" => json(r#"{"keys":["a","b/"]}"#),
            "no-list/" => json(r#"{"keys":[1]}"#),
            "other-list/" => json(r#"{"other":1}"#),
            "error" => json(r#"{"error":"that is wrong"}"#),
            "error-with-data" => json(r#"{"error":"that is wrong","data":{"a":1}}"#),
            "garbage" => json("[1"),
            "raw" => json(
                r#"{"http_status_code":404,"http_content_type":"application/json","http_raw_body":"{\"a\":1}"}"#,
            ),
            "raw-bytes" => json(
                r#"{"http_status_code":200,"http_content_type":"text/plain","http_raw_body":"aGVsbG8gd29ybGQ="}"#,
            ),
            "raw-bad" => json(r#"{"http_content_type":"text/plain"}"#),
            "redirect" => Ok(Some(Response { redirect: "/elsewhere".to_owned(), ..Response::default() })),
            "coded" => Err(Error::Coded { code: 418, message: "short and stout".to_owned() }),
            "other" => Err(Error::Other("a fault".to_owned())),
            "lease" => {
                let lease = LeaseOptions { ttl: Duration::from_secs(60), ..LeaseOptions::default() };
                let secret = Some(Secret { lease, ..Secret::default() });
                Ok(Some(Response { data: "{}".into(), secret, ..Response::default() }))
            }
            "wrap" => {
                let wrap_info = Some(WrapInfo { ttl: Duration::from_secs(30), ..WrapInfo::default() });
                Ok(Some(Response { data: r#"{"secret":1}"#.into(), wrap_info, ..Response::default() }))
            }
            "told" => {
                let ttl = request.wrap.map_or(0, |wrap| wrap.ttl.as_secs());
                let data = serde_json::json!({ "wrap_ttl": ttl }).to_string().into();
                Ok(Some(Response { data, ..Response::default() }))
            }
            "auth" => Ok(Some(Response { auth: Some(Auth::default()), ..Response::default() })),
            "headers" => {
                let header = |name: &str| (name.to_owned(), vec!["1".to_owned()]);
                let headers = HashMap::from([header("X-Let-Out"), header("X-Kept-In")]);
                Ok(Some(Response { headers, data: "{}".into(), ..Response::default() }))
            }
            "hang" => std::future::pending().await,
            _ => echo(&request),
        }
    }
}

/// What the plugin was told.
fn echo(request: &Request) -> Result<Option<Response>> {
    if request.operation == Operation::Patch {
        return Err(Error::UnsupportedOperation);
    }
    let seen = serde_json::json!({
        "operation": request.operation.word(),
        "path": request.path,
        "client_token": request.client_token,
        "display_name": request.display_name,
        "mount_point": request.mount_point,
        "headers": request.headers.keys().collect::<Vec<_>>(),
        "data": String::from_utf8_lossy(&request.data),
    });
    Ok(Some(Response { data: seen.to_string().into(), ..Response::default() }))
}

struct Login;

#[async_trait]
impl Factory for Login {
    async fn create(&self, _: Config, _: Host) -> Result<Arc<dyn Backend>> {
        Ok(Arc::new(Self))
    }
}

#[async_trait]
impl Backend for Login {
    fn kind(&self) -> BackendKind {
        BackendKind::Auth
    }

    fn special_paths(&self) -> SpecialPaths {
        SpecialPaths { root: Vec::new(), unauthenticated: vec!["login/*".to_owned()] }
    }

    async fn exists(&self, _: Request) -> Result<Option<bool>> {
        Ok(None)
    }

    /// Lets everybody in: with the name as policy, three uses for `limited`, and a short life for `brief`. What follows
    /// the name, as in `bob+ops+web`, is groups. For `wrong` there is an error in the answer too;
    /// `forgotten` is renewed by nobody; and `said` gets whatever the request says.
    async fn handle(&self, request: Request) -> Result<Option<Response>> {
        let Some(name) = request.path.strip_prefix("login/") else { return Err(Error::UnsupportedPath) };
        match request.operation {
            Operation::Renew if name == "forgotten" => return Ok(None),
            Operation::Update | Operation::Renew => {}
            _ => return Err(Error::UnsupportedOperation),
        }
        if name == "said" {
            return said::log_in(&request);
        }
        let mut names = name.split('+');
        let name = names.next().unwrap_or_default();
        let alias = |name: &str| Alias { name: name.to_owned(), ..Alias::default() };
        let ttl = Duration::from_secs(if name == "brief" { 1 } else { 600 });
        let auth = Auth {
            lease: LeaseOptions { ttl, renewable: true, ..LeaseOptions::default() },
            display_name: name.to_owned(),
            policies: vec![name.to_owned()],
            metadata: HashMap::from([("username".to_owned(), name.to_owned())]),
            num_uses: if name == "limited" { 3 } else { 0 },
            bound_cidrs: if name == "bound" { vec!["10.0.0.0/8".to_owned()] } else { Vec::new() },
            alias: Some(Alias {
                mount_accessor: "made-up".to_owned(),
                metadata: HashMap::from([("seen".to_owned(), name.to_owned())]),
                ..alias(name)
            }),
            group_aliases: names.map(alias).collect(),
            ..Auth::default()
        };
        let data = if name == "wrong" { r#"{"error":"that is wrong"}"# } else { "" };
        Ok(Some(Response { auth: Some(auth), data: data.into(), ..Response::default() }))
    }
}

struct Broken;

#[async_trait]
impl Factory for Broken {
    async fn create(&self, _: Config, _: Host) -> Result<Arc<dyn Backend>> {
        Err(Error::Other("it does not start".to_owned()))
    }
}
