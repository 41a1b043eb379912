use std::{sync::Arc, time::Instant};

use domain::{MountFacts, Operation, Token};
use tokio::runtime::Handle;
use wire::{
    Belonging,
    router::v1::{Request, Response},
};

use super::{
    Audit,
    answer::{self, Outcome},
    asker::Asker,
    description,
};
use crate::{
    Error,
    asked::Asked,
    core::Active,
    error::Result,
    gate::Gate,
    meters::{ANSWER_RECORDS, REQUEST_RECORDS},
    mounts::{Mount, Snapshot},
    token::Caller,
};

/// Goes along with a request, and remembers what its records have to tell. With no device enabled there are none.
///
/// Every request that is let in has a record before anything is done for it, and one of what it was answered before
/// that answer leaves. One that is given up on the way has its second record all the same.
#[derive(Default)]
pub(crate) struct Trail {
    /// It goes where no token is asked for, and a plugin may say who asks.
    login: bool,
    /// None: nothing is recorded.
    steps: Option<Box<Steps>>,
}

/// What is known of a request so far.
pub(super) struct Steps {
    audit: Arc<Audit>,
    /// Without the token, which is beside it.
    pub(super) request: Request,
    /// The id of the namespace that it means.
    pub(super) namespace: String,
    pub(super) token: Token,
    pub(super) operation: Operation,
    pub(super) mount: Option<Arc<Mount>>,
    pub(super) asker: Option<Asker>,
    /// What the policies say; none: they were not asked yet.
    pub(super) allowed: Option<bool>,
    /// The policies that allow it.
    pub(super) granting: Vec<String>,
    /// Devices were enabled when it came.
    was_on: bool,
    /// The first record is written.
    begun: bool,
    /// It goes without records.
    unrecorded: bool,
}

/// Where devices are listed.
const LIST: &str = "sys/audit";

/// Below this they are enabled and disabled. Enabling the first is recorded by it, though nothing was recorded when the
/// request came.
const DEVICES: &str = "sys/audit/";

impl Trail {
    /// The request as it came.
    pub(crate) fn begin(&mut self, active: &Active, asked: &Asked) {
        let audit = &active.shared.audit;
        let was_on = audit.is_on();
        if !was_on && !asked.path().starts_with(DEVICES) {
            return;
        }
        self.steps = Some(Box::new(Steps {
            audit: audit.clone(),
            request: asked.request.clone(),
            namespace: active.namespace.id.clone(),
            token: asked.token.clone(),
            operation: asked.operation,
            mount: None,
            asker: None,
            allowed: None,
            granting: Vec::new(),
            was_on,
            begun: false,
            unrecorded: false,
        }));
    }

    /// Where it goes.
    pub(crate) fn goes_to(&mut self, snapshot: &Snapshot) {
        if let Some(steps) = &mut self.steps {
            steps.mount = snapshot.resolve(&steps.request.path).map(|(_, mount, _)| mount.clone());
        }
    }

    /// Whether the plugin there may say who asks: failures are told in other words then.
    pub(crate) const fn may_log_in(&mut self, login: bool) {
        self.login = login;
    }

    pub(crate) const fn is_login(&self) -> bool {
        self.login
    }

    /// Who asks, and with which token: it may have been in the body.
    pub(crate) fn asked_by(&mut self, token: &Token, caller: Option<&Arc<Caller>>) -> Result<()> {
        if let Some(steps) = &mut self.steps {
            steps.token = token.clone();
            steps.asker = caller.map(Asker::of).transpose()?;
        }
        Ok(())
    }

    /// It may be done, and now it is recorded that it will be. Nothing may be done for it before.
    pub(crate) async fn permitted(&mut self, gate: Option<&Gate<'_>>, operation: Operation) -> Result<()> {
        let Some(steps) = &mut self.steps else { return Ok(()) };
        steps.operation = operation;
        steps.allowed = Some(true);
        if let (Some(asker), Some(gate)) = (&steps.asker, gate) {
            steps.granting = asker.granting(gate, operation);
        }
        Box::pin(steps.begin("")).await
    }

    /// It may not be done, or comes to nothing for another reason; or it is done.
    pub(crate) async fn end(mut self, outcome: Result<Response>) -> Result<Response> {
        match self.steps.take() {
            Some(steps) => Box::pin(steps.end(outcome)).await,
            None => outcome,
        }
    }
}

impl Drop for Trail {
    /// The client has gone away. What was begun for it has an end too.
    fn drop(&mut self) {
        if let Some(steps) = self.steps.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(async move { steps.end(Err(Error::CutOff)).await }.carried());
        }
    }
}

impl Steps {
    /// Writes the first record.
    async fn begin(&mut self, error: &str) -> Result<()> {
        if !self.audit.is_on() {
            return Ok(());
        }
        self.begun = true;
        self.unrecorded = self.is_rescue();
        if self.unrecorded {
            let Request { path, .. } = &self.request;
            tracing::error!(path, "no audit device can ever record this; it is done for a root token only");
            return Ok(());
        }
        let (facts, headers) = (self.facts(), self.audit.headers());
        let told = description::request(self, &facts, &headers, error);
        let begun = Instant::now();
        REQUEST_RECORDS.told(begun, self.audit.tell(&told).await).map_err(|_| Error::NotRecorded)
    }

    /// Writes the second record, and the first if the request did not come so far.
    async fn end(mut self: Box<Self>, outcome: Result<Response>) -> Result<Response> {
        let error = outcome.as_ref().err().map_or("", answer::in_the_open);
        if matches!(outcome, Err(Error::Forbidden | Error::NoToken | Error::BadToken)) {
            self.allowed = Some(false);
        }
        if self.was_on && !self.begun {
            self.begin(error).await?;
        }
        if self.unrecorded {
            return outcome;
        }
        let (facts, headers) = (self.facts(), self.audit.headers());
        let said = Outcome::of(&outcome);
        let told = description::response(&self, &facts, &headers, &said, error);
        let begun = Instant::now();
        match ANSWER_RECORDS.told(begun, self.audit.tell(&told).await) {
            Err(_) if !matches!(outcome, Err(Error::NotRecorded)) => Err(Error::AnswerNotRecorded),
            _ => outcome,
        }
    }

    /// With devices of which nobody knows any more where they wrote, everything is refused for good. So a root token may
    /// still see them and remove them, and nothing else.
    fn is_rescue(&self) -> bool {
        let path = self.request.path.as_str();
        let may_help = match self.operation {
            Operation::Read => path == LIST,
            Operation::Delete => path.starts_with(DEVICES),
            _ => false,
        };
        let by_root = self.allowed == Some(true) && self.asker.as_ref().is_some_and(Asker::is_root);
        may_help && by_root && self.audit.is_lost()
    }

    /// What its mount's plugin says about itself.
    fn facts(&self) -> MountFacts {
        match &self.mount {
            Some(mount) if mount.is_core() => {
                MountFacts { running_version: self.audit.version.clone(), ..MountFacts::default() }
            }
            Some(mount) => (*mount.facts()).clone(),
            None => MountFacts::default(),
        }
    }
}
