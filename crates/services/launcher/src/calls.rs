//! Requests on their way into a plugin, and what becomes of them when its process dies.

use std::sync::Arc;

use domain::Operation;
use goplugin::Lost;
use spans::{Attribute, Call, Span, Work, note};
use wire::pb;

use crate::{
    Error, Result,
    instance::{Instance, ServedBy},
    line::{Line, Trouble},
    mount::Mount,
};

/// As many times a call is tried that the plugin certainly never received.
const TRIES: usize = 5;

/// Answers one request. If it goes wrong, or is given up, the mount may owe something.
pub async fn handle(mount: &Arc<Mount>, request: Box<pb::Request>) -> Result<pb::HandleRequestReply> {
    let cut_off = OwesUnlessGood(mount);
    let outcome = answer(mount, request).await;
    if outcome.as_ref().is_ok_and(|reply| reply.err.as_ref().is_none_or(is_told_well)) {
        std::mem::forget(cut_off);
    }
    outcome
}

/// A request that may end in any way.
struct OwesUnlessGood<'m>(&'m Mount);

impl Drop for OwesUnlessGood<'_> {
    fn drop(&mut self) {
        self.0.owe();
    }
}

/// Whether a plugin has refused a request, and not failed at it.
fn is_told_well(error: &pb::ProtoError) -> bool {
    const UNKNOWN: u32 = 0;
    const INTERNAL: u32 = 2;
    !matches!(error.err_type, UNKNOWN | INTERNAL)
}

async fn answer(mount: &Arc<Mount>, request: Box<pb::Request>) -> Result<pb::HandleRequestReply> {
    let operation: Option<Operation> = request.operation.parse().ok();
    let mut rules = Rules::new(operation.is_some_and(|operation| !operation.writes()));
    let args = Arc::new(pb::HandleRequestArgs { storage_id: 0, request: Some(request) });
    loop {
        let instance = ready(mount).await?;
        let _inside = instance.enter();
        match &instance.served_by {
            ServedBy::BuiltIn(builtin) => {
                let request = Arc::unwrap_or_clone(args).request.unwrap_or_default();
                return Span::begin(&Work::Engine(Call::Handle)).around(builtin.handle(request)).await;
            }
            ServedBy::External(external) => {
                let failed_before = mount.storage.failures().count();
                match external.handle(Arc::clone(&args)).await {
                    Ok(mut reply) => {
                        blame_storage(mount, reply.err.as_mut(), failed_before);
                        return Ok(reply);
                    }
                    Err(trouble) => rules.judge(&external.line, trouble).await?,
                }
            }
        }
    }
}

/// Hands a request of the host's own to what serves a mount, once.
pub async fn handle_once(instance: &Instance, request: Box<pb::Request>) -> Result<pb::HandleRequestReply> {
    let external = match &instance.served_by {
        ServedBy::BuiltIn(builtin) => return builtin.handle(request).await,
        ServedBy::External(external) => external,
    };
    let args = Arc::new(pb::HandleRequestArgs { storage_id: 0, request: Some(request) });
    external.handle(args).await.map_err(|trouble| match trouble {
        Trouble::Failed(error) => error,
        Trouble::Lost(_) => {
            let Line { entry, live, .. } = &external.line;
            Error::Died { plugin: entry.to_string(), how: live.how_it_ended() }
        }
    })
}

/// A plugin cannot say that it failed because its storage did. If its error tells of that, it gets the storage's status.
fn blame_storage(mount: &Mount, error: Option<&mut pb::ProtoError>, failed_before: u64) {
    const UNKNOWN: u32 = 0;
    const CODED: u32 = 3;
    let Some(error) = error.filter(|error| error.err_type == UNKNOWN) else { return };
    if let Some(code) = mount.storage.failures().told_of(&error.err_msg, failed_before) {
        (error.err_type, error.err_code) = (CODED, code.into());
    }
}

/// Asks whether what a write would touch exists. Nothing is changed by that, so it may be repeated.
pub async fn exists(mount: &Arc<Mount>, request: Box<pb::Request>) -> Result<pb::HandleExistenceCheckReply> {
    let mut rules = Rules::new(true);
    let args = Arc::new(pb::HandleExistenceCheckArgs { storage_id: 0, request: Some(request) });
    loop {
        let instance = ready(mount).await?;
        let _inside = instance.enter();
        match &instance.served_by {
            ServedBy::BuiltIn(builtin) => {
                let request = Arc::unwrap_or_clone(args).request.unwrap_or_default();
                return Span::begin(&Work::Engine(Call::Exists)).around(builtin.exists(request)).await;
            }
            ServedBy::External(external) => {
                let failed_before = mount.storage.failures().count();
                match external.exists(Arc::clone(&args)).await {
                    Ok(mut reply) => {
                        blame_storage(mount, reply.err.as_mut(), failed_before);
                        return Ok(reply);
                    }
                    Err(trouble) => rules.judge(&external.line, trouble).await?,
                }
            }
        }
    }
}

async fn ready(mount: &Arc<Mount>) -> Result<Arc<Instance>> {
    note(Attribute::WaitedForStart(mount.ready().is_none()));
    mount.instance().await.map_err(Error::Degraded)
}

/// Whether a call is repeated: if the plugin certainly never received it; and once if it only reads.
pub struct Rules {
    reads: bool,
    repeated: bool,
    unsent: usize,
}

impl Rules {
    /// For a call that may be repeated once if it only reads.
    pub const fn new(reads: bool) -> Self {
        Self { reads, repeated: false, unsent: 0 }
    }

    /// Returns if the call is to be repeated.
    pub async fn judge(&mut self, line: &Line, trouble: Trouble) -> Result<()> {
        let lost = match trouble {
            Trouble::Failed(error) => return Err(error),
            Trouble::Lost(lost) => lost,
        };
        line.settle().await;
        match lost {
            Lost::Unsent if self.unsent < TRIES => self.unsent += 1,
            Lost::Sent if self.reads && !self.repeated => self.repeated = true,
            Lost::Unsent | Lost::Sent => {
                let plugin = line.entry.to_string();
                let how = line.live.how_it_ended();
                return Err(match (lost, self.reads) {
                    (Lost::Sent, false) => Error::Interrupted { plugin, how },
                    _ => Error::Died { plugin, how },
                });
            }
        }
        Ok(())
    }
}
