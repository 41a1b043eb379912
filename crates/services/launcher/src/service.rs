use std::sync::Arc;

use domain::Reason;
use futures::StreamExt;
use spans::{Attribute, Call as Kind, Failed, Span, Work};
use storage::Remote;
use tenon::Builtin;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use tonic::{Request, Response, Status, codegen::BoxStream};
use wire::{
    launcher::v1::{
        AnswerReply, AnswerRequest, Call, Event, EventsRequest, LogLine, LogsRequest, MetricsReply,
        MetricsRequest, MountReply, MountRequest, MountSpec, Notice, NoticesRequest, ProbeReply,
        ProbeRequest, Process, ProcessesReply, ProcessesRequest, Question, QuestionsRequest, StopAllReply,
        StopAllRequest, UnmountReply, UnmountRequest, launcher_server,
    },
    pb,
};

use crate::{
    Error, Result, calls,
    config::Config,
    host::{Catalog, Host},
    housekeeping::go_round,
    journal::reason_of,
    listing, meters,
    mount::Mount,
    mounts::Mounts,
    offspring,
    probe::probe,
    processes::Processes,
};

/// The launcher: serves [`launcher_server::Launcher`].
pub struct Launcher {
    host: Arc<Host>,
    processes: Arc<Processes>,
    mounts: Arc<Mounts>,
    _reaper: AbortOnDropHandle<()>,
    _housekeeper: AbortOnDropHandle<()>,
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
        let processes = Arc::new(Processes::new(Arc::clone(&host)));
        let mounts = Mounts::new(Arc::clone(&host), Arc::clone(&processes));
        let (period, limit) = (host.config.housekeeping_period, host.config.request_deadline);
        let housekeeper = tokio::spawn(go_round(Arc::downgrade(&mounts), period, limit));
        Ok(Self {
            mounts,
            processes,
            host,
            _reaper: AbortOnDropHandle::new(reaper),
            _housekeeper: AbortOnDropHandle::new(housekeeper),
        })
    }

    /// Stops every plugin and forgets every mount. Bounded in time.
    pub async fn stop_all(&self, reason: Reason) {
        self.mounts.unmount_all(reason).await;
    }

    /// The processes that there are, with what the kernel says of them.
    async fn listed(&self) -> Result<Vec<Process>> {
        let processes = self.processes.list();
        let listed = tokio::task::spawn_blocking(move || {
            processes.iter().filter_map(|process| listing::describe(process)).collect()
        });
        listed.await.map_err(|_| Error::Panicked("list of processes".to_owned()))
    }

    async fn in_time<T>(&self, mount: &Mount, work: impl Future<Output = Result<T>>) -> Result<T> {
        let limit = self.host.config.request_deadline;
        let late = |_| Error::Timeout { plugin: mount.system.spec().plugin.clone(), limit };
        timeout(limit, work).await.map_err(late)?
    }
}

/// What is asked for a mount, as a part of the work of whoever asks.
fn span_of(call: Kind, spec: &MountSpec) -> Span {
    let span = Span::begin(&Work::Launcher(call));
    span.tell(Attribute::Mount(&spec.accessor));
    span.tell(Attribute::Plugin(&spec.plugin));
    span
}

/// Does what the span is about.
async fn told<T>(span: &Span, work: impl Future<Output = Result<T>>) -> Result<T> {
    let outcome = span.around(work).await;
    if let Err(error) = &outcome {
        span.fail(Failed::Kind(error.kind()));
    }
    outcome
}

/// What its plugin answers with an error has failed, too; what it says is between it and the client.
fn refused(span: &Span, by_plugin: bool) {
    if by_plugin {
        span.fail(Failed::Plugin);
    }
}

fn malformed(what: &str) -> Error {
    Error::Malformed(format!("the {what} is missing"))
}

#[tonic::async_trait]
impl launcher_server::Launcher for Launcher {
    async fn mount(&self, request: Request<MountRequest>) -> Result<Response<MountReply>, Status> {
        let MountRequest { spec, fresh } = request.into_inner();
        let spec = Arc::new(spec.ok_or_else(|| malformed("mount"))?);
        let span = span_of(Kind::Mount, &spec);
        Ok(Response::new(told(&span, self.mounts.mount(spec, fresh)).await?))
    }

    async fn unmount(&self, request: Request<UnmountRequest>) -> Result<Response<UnmountReply>, Status> {
        let request = request.into_inner();
        let span = Span::begin(&Work::Launcher(Kind::Unmount));
        told(&span, self.mounts.unmount(&request.uuid, reason_of(request.reason()))).await?;
        Ok(Response::new(UnmountReply {}))
    }

    async fn tune(&self, request: Request<MountRequest>) -> Result<Response<MountReply>, Status> {
        let MountRequest { spec, fresh } = request.into_inner();
        let spec = Arc::new(spec.ok_or_else(|| malformed("mount"))?);
        let span = span_of(Kind::Tune, &spec);
        Ok(Response::new(told(&span, self.mounts.tune(spec, fresh)).await?))
    }

    async fn exists(
        &self,
        request: Request<Call>,
    ) -> Result<Response<pb::HandleExistenceCheckReply>, Status> {
        let Call { mount, request, person } = request.into_inner();
        let mount = self.mounts.get(&mount)?;
        let request = request.ok_or_else(|| malformed("request"))?;
        let _visit = mount.system.people.enter(&request.entity_id, person);
        let span = span_of(Kind::Exists, &mount.system.spec());
        let reply = told(&span, self.in_time(&mount, Box::pin(calls::exists(&mount, request)))).await?;
        refused(&span, reply.err.is_some());
        Ok(Response::new(reply))
    }

    async fn handle(&self, request: Request<Call>) -> Result<Response<pb::HandleRequestReply>, Status> {
        let Call { mount, request, person } = request.into_inner();
        let mount = self.mounts.get(&mount)?;
        let request = request.ok_or_else(|| malformed("request"))?;
        let _visit = mount.system.people.enter(&request.entity_id, person);
        let span = span_of(Kind::Handle, &mount.system.spec());
        let reply = told(&span, self.in_time(&mount, Box::pin(calls::handle(&mount, request)))).await?;
        refused(&span, reply.err.is_some());
        Ok(Response::new(reply))
    }

    async fn probe(&self, request: Request<ProbeRequest>) -> Result<Response<ProbeReply>, Status> {
        let span = Span::begin(&Work::Launcher(Kind::Probe));
        Ok(Response::new(told(&span, probe(&self.host, request.into_inner())).await?))
    }

    async fn stop_all(&self, request: Request<StopAllRequest>) -> Result<Response<StopAllReply>, Status> {
        Self::stop_all(self, reason_of(request.into_inner().reason())).await;
        Ok(Response::new(StopAllReply {}))
    }

    async fn processes(&self, _: Request<ProcessesRequest>) -> Result<Response<ProcessesReply>, Status> {
        Ok(Response::new(ProcessesReply { processes: self.listed().await? }))
    }

    async fn metrics(&self, request: Request<MetricsRequest>) -> Result<Response<MetricsReply>, Status> {
        meters::look_around(&self.host.meters, &self.listed().await?);
        let Some(meters) = self.host.config.meters.clone() else {
            return Ok(Response::new(MetricsReply::default()));
        };
        let prometheus = request.into_inner().prometheus;
        let told = tokio::task::spawn_blocking(move || meters.told(prometheus)).await;
        let text = told.map_err(|_| Error::Panicked("count of plugins".to_owned()))?;
        Ok(Response::new(MetricsReply { text }))
    }

    type EventsStream = BoxStream<Event>;

    async fn events(&self, request: Request<EventsRequest>) -> Result<Response<Self::EventsStream>, Status> {
        let events = self.host.journal.follow(request.into_inner().after);
        Ok(Response::new(events.map(Ok).boxed()))
    }

    type LogsStream = BoxStream<LogLine>;

    async fn logs(&self, request: Request<LogsRequest>) -> Result<Response<Self::LogsStream>, Status> {
        let lines = self.host.logs.read(request.into_inner())?;
        Ok(Response::new(lines.map(Ok).boxed()))
    }

    type NoticesStream = BoxStream<Notice>;

    async fn notices(&self, _: Request<NoticesRequest>) -> Result<Response<Self::NoticesStream>, Status> {
        Ok(Response::new(self.host.notices.follow().map(Ok).boxed()))
    }

    type QuestionsStream = BoxStream<Question>;

    async fn questions(
        &self,
        _: Request<QuestionsRequest>,
    ) -> Result<Response<Self::QuestionsStream>, Status> {
        Ok(Response::new(self.host.questions.follow().map(Ok).boxed()))
    }

    async fn answer(&self, request: Request<AnswerRequest>) -> Result<Response<AnswerReply>, Status> {
        self.host.questions.answer(request.into_inner());
        Ok(Response::new(AnswerReply {}))
    }
}
