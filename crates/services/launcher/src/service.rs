use std::{pin::Pin, sync::Arc};

use dashmap::DashMap;
use domain::Reason;
use futures::{Stream, StreamExt, future::join_all};
use storage::Remote;
use tenon::Builtin;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use tonic::{Request, Response, Status};
use wire::{
    launcher::v1::{
        Call, Event, EventsRequest, MountReply, MountRequest, MountSpec, ProbeReply, ProbeRequest,
        ProcessesReply, ProcessesRequest, StopAllReply, StopAllRequest, UnmountReply, UnmountRequest,
        launcher_server,
    },
    pb,
};

use crate::{
    Error, Result, calls,
    config::Config,
    host::{Catalog, Host},
    journal::reason_of,
    listing,
    mount::Mount,
    offspring,
    probe::probe,
    processes::Processes,
};

/// The launcher: serves [`launcher_server::Launcher`].
pub struct Launcher {
    host: Arc<Host>,
    processes: Arc<Processes>,
    mounts: DashMap<String, Arc<Mount>>,
    _reaper: AbortOnDropHandle<()>,
}

impl Launcher {
    /// Makes ready to run plugins; none is started. Must be called within the runtime.
    ///
    /// # Errors
    /// The system refuses what is needed for running plugins, or the folder for sockets cannot be made.
    pub fn new(config: Config, catalog: Catalog, builtins: Vec<Builtin>) -> Result<Self> {
        let storage = Arc::new(Remote::new(catalog.storage.clone()));
        let host = Arc::new(Host::new(config, catalog, storage, builtins)?);
        let reaper = tokio::spawn(async {
            if let Err(error) = offspring::reap_strays().await {
                tracing::error!(%error, "cannot reap what plugins leave behind");
            }
        });
        Ok(Self {
            processes: Arc::new(Processes::new(Arc::clone(&host))),
            mounts: DashMap::new(),
            host,
            _reaper: AbortOnDropHandle::new(reaper),
        })
    }

    /// Stops every plugin and forgets every mount. Bounded in time.
    pub async fn stop_all(&self, reason: Reason) {
        let uuids: Vec<String> = self.mounts.iter().map(|mount| mount.key().clone()).collect();
        let mounts = uuids.iter().filter_map(|uuid| self.mounts.remove(uuid));
        let closing: Vec<_> =
            mounts.map(|(_, mount)| tokio::spawn(async move { mount.close(reason).await })).collect();
        join_all(closing).await;
    }

    fn mount(&self, uuid: &str) -> Result<Arc<Mount>> {
        let mount = self.mounts.get(uuid).map(|mount| Arc::clone(mount.value()));
        mount.ok_or(Error::UnknownMount)
    }

    async fn mount_now(&self, spec: Arc<MountSpec>, fresh: bool) -> Result<MountReply> {
        let uuid = spec.uuid.clone();
        let (mount, known) = self.enlist(&spec);
        if known {
            return change(&mount, spec, false).await;
        }
        let outcome = mount.instance().await;
        if outcome.is_err() && fresh {
            self.mounts.remove_if(&uuid, |_, listed| Arc::ptr_eq(listed, &mount));
            mount.close(Reason::HandshakeFailed).await;
        }
        Ok(outcome.map_err(Error::Shared)?.describe())
    }

    /// The mount of that uuid, and whether it was known before.
    fn enlist(&self, spec: &Arc<MountSpec>) -> (Arc<Mount>, bool) {
        let mut known = true;
        let listed = self.mounts.entry(spec.uuid.clone()).or_insert_with(|| {
            known = false;
            Mount::new(Arc::clone(&self.host), Arc::clone(&self.processes), Arc::clone(spec))
        });
        (Arc::clone(listed.value()), known)
    }

    async fn in_time<T>(
        &self,
        mount: &Mount,
        work: impl Future<Output = Result<T>>,
    ) -> Result<Response<T>, Status> {
        let limit = self.host.config.request_deadline;
        let late = |_| Error::Timeout { plugin: mount.system.spec().plugin.clone(), limit };
        Ok(Response::new(timeout(limit, work).await.map_err(late)??))
    }
}

/// Gives a mount other settings. If it cannot be set up with them, the ones before stay.
async fn change(mount: &Arc<Mount>, spec: Arc<MountSpec>, reload: bool) -> Result<MountReply> {
    let before = mount.system.spec();
    mount.system.change(Arc::clone(&spec));
    let anew = (reload || needs_new_setup(&before, &spec)) && mount.ready().is_some();
    let outcome = if anew { mount.reload().await } else { mount.instance().await };
    if outcome.is_err() && anew {
        mount.system.change(before);
    }
    Ok(outcome.map_err(Error::Shared)?.describe())
}

/// Whether these settings reach a plugin only by its set-up.
fn needs_new_setup(before: &MountSpec, after: &MountSpec) -> bool {
    let seen = |spec: &MountSpec| (spec.options.clone(), spec.plugin.clone(), spec.version.clone());
    seen(before) != seen(after)
}

fn malformed(what: &str) -> Error {
    Error::Malformed(format!("the {what} is missing"))
}

type Events = Pin<Box<dyn Stream<Item = Result<Event, Status>> + Send>>;

#[tonic::async_trait]
impl launcher_server::Launcher for Launcher {
    async fn mount(&self, request: Request<MountRequest>) -> Result<Response<MountReply>, Status> {
        let MountRequest { spec, fresh } = request.into_inner();
        let spec = Arc::new(spec.ok_or_else(|| malformed("mount"))?);
        Ok(Response::new(self.mount_now(spec, fresh).await?))
    }

    async fn unmount(&self, request: Request<UnmountRequest>) -> Result<Response<UnmountReply>, Status> {
        let request = request.into_inner();
        if let Some((_, mount)) = self.mounts.remove(&request.uuid) {
            mount.close(reason_of(request.reason())).await;
        }
        Ok(Response::new(UnmountReply {}))
    }

    async fn tune(&self, request: Request<MountRequest>) -> Result<Response<MountReply>, Status> {
        let MountRequest { spec, fresh } = request.into_inner();
        let spec = Arc::new(spec.ok_or_else(|| malformed("mount"))?);
        let mount = self.mount(&spec.uuid)?;
        Ok(Response::new(change(&mount, spec, fresh).await?))
    }

    async fn exists(
        &self,
        request: Request<Call>,
    ) -> Result<Response<pb::HandleExistenceCheckReply>, Status> {
        let Call { mount, request } = request.into_inner();
        let mount = self.mount(&mount)?;
        let request = request.ok_or_else(|| malformed("request"))?;
        self.in_time(&mount, calls::exists(&mount, request)).await
    }

    async fn handle(&self, request: Request<Call>) -> Result<Response<pb::HandleRequestReply>, Status> {
        let Call { mount, request } = request.into_inner();
        let mount = self.mount(&mount)?;
        let request = request.ok_or_else(|| malformed("request"))?;
        self.in_time(&mount, calls::handle(&mount, request)).await
    }

    async fn probe(&self, request: Request<ProbeRequest>) -> Result<Response<ProbeReply>, Status> {
        Ok(Response::new(probe(&self.host, request.into_inner()).await?))
    }

    async fn stop_all(&self, request: Request<StopAllRequest>) -> Result<Response<StopAllReply>, Status> {
        Self::stop_all(self, reason_of(request.into_inner().reason())).await;
        Ok(Response::new(StopAllReply {}))
    }

    async fn processes(&self, _: Request<ProcessesRequest>) -> Result<Response<ProcessesReply>, Status> {
        let processes = self.processes.list();
        let listed = tokio::task::spawn_blocking(move || {
            processes.iter().filter_map(|process| listing::describe(process)).collect()
        });
        let processes = listed.await.map_err(|_| Error::Panicked("list of processes".to_owned()))?;
        Ok(Response::new(ProcessesReply { processes }))
    }

    type EventsStream = Events;

    async fn events(&self, request: Request<EventsRequest>) -> Result<Response<Events>, Status> {
        let events = Arc::clone(&self.host.journal).follow(request.into_inner().after);
        Ok(Response::new(events.map(Ok).boxed()))
    }
}
