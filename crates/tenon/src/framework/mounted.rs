use std::sync::Arc;

use async_trait::async_trait;
use domain::{Operation, SpecialPaths};
use serde::Deserialize;
use wire::Belonging;

use super::{Engine, Outcome, Path, handler::Later, help, input::Input};
use crate::{Backend, BackendKind, Error, Request, Response, Result};

/// One mount of an engine.
pub(super) struct Mounted<S> {
    pub(super) engine: Arc<Engine<S>>,
    pub(super) state: Arc<S>,
}

/// The kind of a lease, as its internal data tells it.
#[derive(Deserialize)]
struct LeaseKind {
    secret_type: String,
}

impl<S: Send + Sync + 'static> Mounted<S> {
    async fn answer(&self, mut request: Request) -> Outcome {
        let operation = request.operation;
        let path = std::mem::take(&mut request.path);
        let (row, captures) = self.engine.route(operation, &path)?;
        let Some(handler) = row.handler(operation) else {
            return match operation {
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
        let mut response = to_the_end(operation, answer).await?;
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
            return to_the_end(request.operation, renew(Arc::clone(&self.state), request)).await;
        }
        let Some(secret) = &request.secret else {
            return Err(Error::Other("request has no secret".to_owned()));
        };
        let lease = serde_json::from_slice::<LeaseKind>(&secret.internal_data)
            .ok()
            .and_then(|kind| self.engine.leases.iter().find(|lease| lease.kind == kind.secret_type))
            .ok_or_else(|| Error::Other("secret is unsupported by this backend".to_owned()))?;
        let hook = if renews { &lease.renew } else { &lease.revoke };
        to_the_end(request.operation, hook(Arc::clone(&self.state), request)).await
    }
}

/// Waits for an answer. What may change something goes on when the caller leaves: cut off between two steps, an engine
/// would open its locks while storage still works on the first of them.
async fn to_the_end(operation: Operation, answer: Later<Outcome>) -> Outcome {
    if !operation.writes() {
        return answer.await;
    }
    match tokio::spawn(answer.carried()).await {
        Ok(outcome) => outcome,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Error::Other("the server is stopping".to_owned())),
        },
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
            Operation::Rollback => self.do_what_is_due(&request).await.map(|()| None),
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
