use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use tenon::{
    Auth, Backend, BackendKind, Config, Error, Factory, Host, LeaseOptions, Operation, Request, Response,
    Result, Secret, SpecialPaths,
};

/// What issuers were asked to do with what they had issued, and how they take it. By the name that a secret or a login
/// has, which each test chooses for itself.
static KNOWN: LazyLock<Mutex<HashMap<String, Known>>> = LazyLock::new(Mutex::default);

#[derive(Clone, Debug, Default)]
pub struct Known {
    /// How often it was asked to revoke it, whether it did or not.
    pub asked: usize,
    pub revoked: usize,
    pub renewed: usize,
    pub mood: Mood,
    /// What came with the last of these requests.
    pub seen: String,
}

/// How an issuer takes a request to revoke.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    #[default]
    Willing,
    /// It fails, and may not the next time.
    Failing,
    /// It knows no such thing.
    Unable,
    /// It does not answer.
    Hanging,
}

pub fn known(name: &str) -> Known {
    KNOWN.lock().unwrap().get(name).cloned().unwrap_or_default()
}

pub fn set_mood(name: &str, mood: Mood) {
    KNOWN.lock().unwrap().entry(name.to_owned()).or_default().mood = mood;
}

fn note(name: &str, note: impl FnOnce(&mut Known)) -> Mood {
    let mut known = KNOWN.lock().unwrap();
    let known = known.entry(name.to_owned()).or_default();
    note(known);
    known.mood
}

/// Issues secrets at `creds/NAME/TTL`, in seconds, renewable; and logins at `login/NAME/TTL`.
pub struct Issuer(pub BackendKind);

#[async_trait]
impl Factory for Issuer {
    async fn create(&self, _: Config, _: Host) -> Result<Arc<dyn Backend>> {
        Ok(Arc::new(Self(self.0)))
    }
}

#[async_trait]
impl Backend for Issuer {
    fn kind(&self) -> BackendKind {
        self.0
    }

    fn special_paths(&self) -> SpecialPaths {
        let unauthenticated = vec!["login/*".to_owned(), "open/*".to_owned()];
        SpecialPaths { root: Vec::new(), unauthenticated }
    }

    async fn exists(&self, _: Request) -> Result<Option<bool>> {
        Ok(None)
    }

    async fn handle(&self, request: Request) -> Result<Option<Response>> {
        match request.operation {
            Operation::Revoke => revoke(request).await,
            Operation::Renew => renew(request),
            _ => issue(&request).await,
        }
    }
}

async fn issue(request: &Request) -> Result<Option<Response>> {
    let mut parts = request.path.split('/');
    let (what, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let ttl = Duration::from_secs(parts.next().and_then(|text| text.parse().ok()).unwrap_or(0));
    let lease = LeaseOptions { ttl, renewable: what != "fixed", ..LeaseOptions::default() };
    let kept = format!(r#"{{"secret_type":"test","name":"{name}"}}"#);
    let data = format!(r#"{{"password":"of {name}"}}"#);
    Ok(Some(match what {
        "login" => {
            let policies = vec![name.to_owned()];
            let num_uses = i64::from(name == "once");
            let auth = Auth { lease, internal_data: kept.into(), policies, num_uses, ..Auth::default() };
            Response { auth: Some(auth), ..Response::default() }
        }
        "advice" => {
            let lease = LeaseOptions { renewable: false, ..lease };
            let secret = Some(Secret { lease, ..Secret::default() });
            Response { data: data.into(), secret, ..Response::default() }
        }
        "wrong" => {
            let secret = Some(Secret { lease, internal_data: kept.into(), ..Secret::default() });
            Response { data: r#"{"error":"it went wrong"}"#.into(), secret, ..Response::default() }
        }
        _ => {
            let filler = || format!(r#"{{"filler":"{}"}}"#, "x".repeat(30 << 20));
            let data = if what == "huge" { filler() } else { data };
            let secret = Some(Secret { lease, internal_data: kept.into(), ..Secret::default() });
            Response { data: data.into(), secret, ..Response::default() }
        }
    }))
}

fn name_of(kept: &[u8]) -> String {
    let kept: serde_json::Value = serde_json::from_slice(kept).unwrap_or_default();
    kept["name"].as_str().unwrap_or_default().to_owned()
}

async fn revoke(request: Request) -> Result<Option<Response>> {
    let seen = format!("{} {}", request.path, String::from_utf8_lossy(&request.data));
    let name = name_of(&request.secret.unwrap_or_default().internal_data);
    let mood = note(&name, |known| {
        known.asked += 1;
        known.seen = seen;
    });
    match mood {
        Mood::Willing => {
            note(&name, |known| known.revoked += 1);
            Ok(None)
        }
        Mood::Failing => Err(Error::Other("the database is away".to_owned())),
        Mood::Unable => Err(Error::UnsupportedOperation),
        Mood::Hanging => std::future::pending().await,
    }
}

fn renew(request: Request) -> Result<Option<Response>> {
    if let Some(secret) = request.secret {
        let name = name_of(&secret.internal_data);
        note(&name, |known| {
            known.renewed += 1;
            known.seen = format!("{:?}", secret.lease.increment);
        });
        return Ok(Some(Response { secret: Some(secret), ..Response::default() }));
    }
    let Some(auth) = request.auth else { return Ok(None) };
    match name_of(&auth.internal_data).as_str() {
        "forgotten" => Ok(None),
        "banned" => Err(Error::User("this user is banned".to_owned())),
        name => {
            note(name, |known| known.renewed += 1);
            Ok(Some(Response { auth: Some(auth), ..Response::default() }))
        }
    }
}
