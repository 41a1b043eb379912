use std::sync::Arc;

use async_trait::async_trait;
use domain::{Operation, SpecialPaths};
use serde::Deserialize;

use super::{
    Outcome, Path,
    handler::{Hook, hook},
    help,
    input::Input,
    pattern::Captures,
};
use crate::{Backend, BackendKind, Error, Request, Response, Result};

/// An engine: the table of its paths, and what it does at the turns of its life. One serves any number of mounts, each
/// with a state of its own.
pub struct Engine<S> {
    kind: BackendKind,
    version: &'static str,
    pub(super) about: &'static str,
    pub(super) paths: Vec<Path<S>>,
    special: SpecialPaths,
    leases: Vec<Lease<S>>,
    renew_login: Option<Hook<S, Request, Outcome>>,
    periodically: Option<Hook<S, (), Result<()>>>,
    on_initialize: Option<Hook<S, (), Result<()>>>,
    on_invalidate: Option<Hook<S, String, ()>>,
    on_cleanup: Option<Hook<S, (), ()>>,
}

/// One mount of an engine.
struct Mounted<S> {
    engine: Arc<Engine<S>>,
    state: Arc<S>,
}

/// What becomes of leased answers of one kind.
struct Lease<S> {
    kind: &'static str,
    renew: Hook<S, Request, Outcome>,
    revoke: Hook<S, Request, Outcome>,
}

/// The kind of a lease, as its internal data tells it.
#[derive(Deserialize)]
struct LeaseKind {
    secret_type: String,
}

macro_rules! hooks {
    ($($(#[$doc:meta])* $name:ident($argument:ty) -> $output:ty;)*) => {
        $($(#[$doc])*
        #[must_use]
        pub fn $name<F, Fut>(mut self, run: F) -> Self
        where
            F: Fn(Arc<S>, $argument) -> Fut + Send + Sync + 'static,
            Fut: Future<Output = $output> + Send + 'static,
        {
            self.$name = Some(hook(run));
            self
        })*
    };
}

impl<S: Send + Sync + 'static> Engine<S> {
    /// An engine without a path.
    #[must_use]
    pub fn new(kind: BackendKind) -> Self {
        Self {
            kind,
            version: "",
            about: "",
            paths: Vec::new(),
            special: SpecialPaths::default(),
            leases: Vec::new(),
            renew_login: None,
            periodically: None,
            on_initialize: None,
            on_invalidate: None,
            on_cleanup: None,
        }
    }

    /// Its own semantic version.
    #[must_use]
    pub fn version(mut self, version: &'static str) -> Self {
        self.version = version;
        self
    }

    /// What the help of the whole engine says.
    #[must_use]
    pub fn help(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// A row of the table. The first row that takes a path answers.
    #[must_use]
    pub fn path(mut self, path: Path<S>) -> Self {
        self.paths.push(path);
        self
    }

    /// Paths that need no token: exact, a prefix with a trailing `*`, or with `+` for one whole segment.
    #[must_use]
    pub fn open(mut self, paths: &[&str]) -> Self {
        self.special.unauthenticated.extend(paths.iter().map(ToString::to_string));
        self
    }

    /// Paths that need the `sudo` capability: exact, or a prefix with a trailing `*`.
    #[must_use]
    pub fn sudo(mut self, paths: &[&str]) -> Self {
        self.special.root.extend(paths.iter().map(ToString::to_string));
        self
    }

    /// How leases of one kind (`secret_type` in their internal data) are renewed and revoked.
    #[must_use]
    pub fn lease<R, RFut, V, VFut>(mut self, kind: &'static str, renew: R, revoke: V) -> Self
    where
        R: Fn(Arc<S>, Request) -> RFut + Send + Sync + 'static,
        RFut: Future<Output = Outcome> + Send + 'static,
        V: Fn(Arc<S>, Request) -> VFut + Send + Sync + 'static,
        VFut: Future<Output = Outcome> + Send + 'static,
    {
        self.leases.push(Lease { kind, renew: hook(renew), revoke: hook(revoke) });
        self
    }

    hooks! {
        /// How a login is renewed.
        renew_login(Request) -> Outcome;
        /// What is done about once a minute.
        periodically(()) -> Result<()>;
        /// What is done once storage takes writes.
        on_initialize(()) -> Result<()>;
        /// What is done when a key of the storage has changed behind the engine's back.
        on_invalidate(String) -> ();
        /// What is done when the mount ends or moves.
        on_cleanup(()) -> ();
    }

    /// The backend of one mount.
    pub fn mounted(self: &Arc<Self>, state: S) -> Arc<dyn Backend> {
        Arc::new(Mounted { engine: Arc::clone(self), state: Arc::new(state) })
    }

    /// The first row that takes a path.
    fn route<'e, 'p>(&'e self, operation: Operation, path: &'p str) -> Result<(&'e Path<S>, Captures<'p>)> {
        self.paths
            .iter()
            .find_map(|row| Some((row, row.captures(operation, path)?)))
            .ok_or(Error::UnsupportedPath)
    }
}

impl<S: Send + Sync + 'static> Mounted<S> {
    async fn answer(&self, mut request: Request) -> Outcome {
        let path = std::mem::take(&mut request.path);
        let (row, captures) = self.engine.route(request.operation, &path)?;
        let Some(handler) = row.handler(request.operation) else {
            return match request.operation {
                Operation::Help => help::of_path(row, &path).map(Some),
                _ => Err(Error::UnsupportedOperation),
            };
        };
        // A handle on the body, so that the input can borrow from it while the request moves on.
        let body = request.data.clone();
        let mut input = Input::parse(&body, &captures, &row.fields)?;
        let warnings = warnings(row, &mut input);
        let input = input
            .coerce(&row.fields)
            .map_err(|sentence| Error::refused(format!("Field validation failed: {sentence}")))?;
        request.path.clone_from(&path);
        let answer = handler(Arc::clone(&self.state), request, &input)?;
        drop(input);
        let mut response = answer.await?;
        if let Some(response) = &mut response {
            response.warnings.extend(warnings);
        }
        Ok(response)
    }

    async fn end_or_renew_lease(&self, request: Request) -> Outcome {
        let renews = request.operation == Operation::Renew;
        if renews && request.auth.is_some() {
            let Some(renew) = &self.engine.renew_login else {
                return Err(Error::refused("this auth type doesn't support renew"));
            };
            return renew(Arc::clone(&self.state), request).await;
        }
        let Some(secret) = &request.secret else {
            return Err(Error::Other("request has no secret".to_owned()));
        };
        let lease = serde_json::from_slice::<LeaseKind>(&secret.internal_data)
            .ok()
            .and_then(|kind| self.engine.leases.iter().find(|lease| lease.kind == kind.secret_type))
            .ok_or_else(|| Error::Other("secret is unsupported by this backend".to_owned()))?;
        let hook = if renews { &lease.renew } else { &lease.revoke };
        hook(Arc::clone(&self.state), request).await
    }
}

/// What the caller is told about parameters that do nothing.
fn warnings<S>(row: &Path<S>, input: &mut Input<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    if !row.any_input && !input.unknown.is_empty() {
        let names = input.unknown.join(" ");
        warnings.push(format!("Endpoint ignored these unrecognized parameters: [{names}]"));
    }
    if !input.replaced.is_empty() {
        let names = input.replaced.join(" ");
        warnings.push(format!(
            "Endpoint replaced the value of these parameters with the values captured from the endpoint's path: [{names}]"
        ));
    }
    warnings
}

#[async_trait]
impl<S: Send + Sync + 'static> Backend for Mounted<S> {
    fn kind(&self) -> BackendKind {
        self.engine.kind
    }

    fn special_paths(&self) -> SpecialPaths {
        self.engine.special.clone()
    }

    fn version(&self) -> &str {
        self.engine.version
    }

    async fn initialize(&self) -> Result<()> {
        match &self.engine.on_initialize {
            Some(run) => run(Arc::clone(&self.state), ()).await,
            None => Ok(()),
        }
    }

    async fn exists(&self, request: Request) -> Result<Option<bool>> {
        let path = request.path.clone();
        let (row, captures) = self.engine.route(request.operation, &path)?;
        let Some(check) = &row.exists else { return Ok(None) };
        let body = request.data.clone();
        let input = Input::parse(&body, &captures, &row.fields)?.coerce(&row.fields).map_err(Error::User)?;
        let answer = check(Arc::clone(&self.state), request, &input)?;
        drop(input);
        answer.await.map(Some)
    }

    async fn handle(&self, request: Request) -> Result<Option<Response>> {
        match request.operation {
            Operation::Renew | Operation::Revoke => self.end_or_renew_lease(request).await,
            Operation::Rollback => match &self.engine.periodically {
                Some(run) => run(Arc::clone(&self.state), ()).await.map(|()| None),
                None => Ok(None),
            },
            Operation::Help if request.path.is_empty() => help::of_engine(&self.engine).map(Some),
            _ => self.answer(request).await,
        }
    }

    async fn invalidate(&self, key: &str) {
        if let Some(run) = &self.engine.on_invalidate {
            run(Arc::clone(&self.state), key.to_owned()).await;
        }
    }

    async fn cleanup(&self) {
        if let Some(run) = &self.engine.on_cleanup {
            run(Arc::clone(&self.state), ()).await;
        }
    }
}
