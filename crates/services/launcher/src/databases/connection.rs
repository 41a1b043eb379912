use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::{ArcSwap, ArcSwapOption};
use domain::{Reason, Secret};
use prost::Message;
use tenon::{
    convert::database::{settings_of, to_struct},
    database::{self, Credential, Database, NewUser, Settings, Statements, UpdateUser},
};
use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::async_trait;
use uuid::Uuid;
use wire::dbplugin as v5;

use super::told::{Told, secrets_of, told};
use crate::{
    Error, Result,
    calls::Rules,
    entry::Entry,
    host::Host,
    line::Line,
    masks::Masks,
    meters::PluginMeters,
    processes::{Berth, Processes},
    starts::{Start, Starts},
};

const INITIALIZE: &str = "/dbplugin.v5.Database/Initialize";

/// A connection that an external plugin serves. Its process is started when somebody needs it, and again when it died;
/// it is then told the settings that it knew before.
pub(super) struct Connection {
    host: Arc<Host>,
    processes: Arc<Processes>,
    entry: Arc<Entry>,
    /// The path of the mount, for whoever looks at processes.
    path: String,
    id: String,
    line: ArcSwapOption<Line>,
    starts: Starts<Arc<Line>>,
    berth: Mutex<Option<Berth>>,
    /// What the last initialisation returned.
    known: ArcSwapOption<Settings>,
    /// What no sentence of the plugin's may repeat.
    masks: ArcSwap<Masks>,
    closed: CancellationToken,
    calls: TaskTracker,
    meters: Arc<PluginMeters>,
}

impl Connection {
    /// A connection that nobody has needed yet.
    pub(super) fn new(
        host: Arc<Host>,
        processes: Arc<Processes>,
        entry: Arc<Entry>,
        path: &str,
    ) -> Arc<Self> {
        Arc::new(Self {
            meters: host.meters.of(&entry.name, entry.plugin_type.word(), &entry.version),
            masks: ArcSwap::from_pointee(Masks::of(&entry)),
            host,
            processes,
            entry,
            path: path.to_owned(),
            id: Uuid::new_v4().to_string(),
            line: ArcSwapOption::empty(),
            starts: Starts::default(),
            berth: Mutex::default(),
            known: ArcSwapOption::empty(),
            closed: CancellationToken::new(),
            calls: TaskTracker::new(),
        })
    }

    /// Starts the process, or joins it; returns the version that runs.
    pub(super) async fn version(self: &Arc<Self>) -> Result<String> {
        let line = self.line().await?;
        if !self.entry.version.is_empty() {
            return Ok(self.entry.version.clone());
        }
        // Not to say it is no failure.
        Ok(line.ask_own_version(self.host.config.setup_deadline).await.unwrap_or_default())
    }

    fn berth(&self) -> MutexGuard<'_, Option<Berth>> {
        self.berth.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The way to a running process that knows the settings.
    async fn line(self: &Arc<Self>) -> Result<Arc<Line>> {
        match self.ready() {
            Some(line) => Ok(line),
            None => self.start().await.map_err(Error::Shared),
        }
    }

    fn ready(&self) -> Option<Arc<Line>> {
        self.line.load_full().filter(|line| !line.live.is_gone())
    }

    /// Joins the start that is under way, or begins one.
    fn start(self: &Arc<Self>) -> Start<Arc<Line>> {
        let connection = Arc::clone(self);
        self.starts.join("database connection's", || self.ready(), async move { connection.begin().await })
    }

    async fn begin(&self) -> Result<Arc<Line>> {
        let line = match self.set_up().await {
            // It may have died before, without anybody having noticed.
            Err(Error::Interrupted { .. }) => self.set_up().await?,
            other => other?,
        };
        let line = Arc::new(line);
        self.line.store(Some(Arc::clone(&line)));
        Ok(line)
    }

    async fn set_up(&self) -> Result<Line> {
        // A place that was taken after the end would never be given up.
        self.refuse_closed()?;
        let held = self.berth().clone();
        let mut berth = held.unwrap_or_else(|| self.processes.join(&self.entry, &self.id, &self.path));
        let live = tokio::select! {
            live = self.processes.running(&mut berth, &self.path) => Some(live),
            () = self.closed.cancelled() => None,
        };
        *self.berth() = Some(berth);
        let live = live.ok_or_else(|| self.is_closed())??;
        let line = Line::new(
            Arc::clone(&self.entry),
            live,
            self.host.config.largest_answer,
            // It asks nothing back.
            Arc::default(),
        );
        if let Some(settings) = self.known.load_full() {
            let config_data = Some(to_struct(Settings::clone(&settings)));
            let again = v5::InitializeRequest { config_data, verify_connection: false };
            line.ask::<_, v5::InitializeResponse>(INITIALIZE, again, self.host.config.request_deadline)
                .await?;
        }
        Ok(line)
    }

    fn refuse_closed(&self) -> Result<()> {
        if self.closed.is_cancelled() { Err(self.is_closed()) } else { Ok(()) }
    }

    fn is_closed(&self) -> Error {
        Error::Stopping { plugin: self.entry.to_string() }
    }

    /// One call. It is repeated if the plugin certainly never received it; and once if it may be.
    async fn call<Q, A>(self: &Arc<Self>, path: &'static str, message: Q, repeatable: bool) -> Result<A>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let _token = self.calls.token();
        let _inside = self.meters.call();
        self.refuse_closed()?;
        let limit = self.host.config.request_deadline;
        let late = |_| Error::Timeout { plugin: self.entry.to_string(), limit };
        let message = Arc::new(message);
        let mut rules = Rules::new(repeatable);
        loop {
            let line = self.line().await?;
            match timeout(limit, line.call(path, Arc::clone(&message))).await.map_err(late)? {
                Ok(answer) => return Ok(answer),
                Err(trouble) => rules.judge(&line, trouble).await?,
            }
        }
    }

    fn told<'c>(&'c self, doing: &'static str, new: Option<&Secret<String>>) -> Told<'c> {
        let masks = self.masks.load_full();
        let masks = match new {
            Some(password) => masks.and([password.expose().as_str()]),
            None => Masks::clone(&masks),
        };
        told(doing, masks)
    }
}

/// A connection that tasks of its own hold too.
pub(super) struct Remote(pub(super) Arc<Connection>);

#[async_trait]
impl Database for Remote {
    async fn type_name(&self) -> database::Result<String> {
        let reply = self.0.call("/dbplugin.v5.Database/Type", v5::Empty {}, true).await;
        let reply: v5::TypeResponse =
            reply.map_err(self.0.told("unable to get database plugin type", None))?;
        Ok(reply.r#type)
    }

    async fn initialize(&self, settings: Settings, verify: bool) -> database::Result<Settings> {
        self.0.masks.store(Arc::new(Masks::of(&self.0.entry).and(secrets_of(&settings))));
        let config_data = Some(to_struct(settings));
        let message = v5::InitializeRequest { config_data, verify_connection: verify };
        let reply = self.0.call(INITIALIZE, message, true).await;
        let reply: v5::InitializeResponse = reply.map_err(self.0.told("unable to initialize", None))?;
        let settings = settings_of(reply.config_data);
        self.0.known.store(Some(Arc::new(settings.clone())));
        Ok(settings)
    }

    async fn new_user(&self, request: NewUser) -> database::Result<String> {
        let told = match &request.credential {
            Credential::Password(password) => self.0.told("unable to create new user", Some(password)),
            _ => self.0.told("unable to create new user", None),
        };
        let message = v5::NewUserRequest::from(request);
        let reply = self.0.call("/dbplugin.v5.Database/NewUser", message, false).await;
        let reply: v5::NewUserResponse = reply.map_err(told)?;
        Ok(reply.username)
    }

    async fn update_user(&self, request: UpdateUser) -> database::Result<()> {
        let new = request.password.as_ref().map(|change| &change.to);
        let told = self.0.told("unable to update user", new);
        let message = v5::UpdateUserRequest::from(request);
        let reply = self.0.call("/dbplugin.v5.Database/UpdateUser", message, false).await;
        reply.map_err(told).map(|v5::UpdateUserResponse {}| ())
    }

    async fn delete_user(&self, username: &str, statements: Statements) -> database::Result<()> {
        let statements = Some(statements.into());
        let message = v5::DeleteUserRequest { username: username.to_owned(), statements };
        let reply = self.0.call("/dbplugin.v5.Database/DeleteUser", message, false).await;
        let told = self.0.told("unable to delete user", None);
        reply.map_err(told).map(|v5::DeleteUserResponse {}| ())
    }

    /// Lets the calls that are inside end. Whether the plugin heard of the end is of no interest: its process ends too
    /// if nobody else needs it.
    async fn close(&self, reason: Reason) -> database::Result<()> {
        let limit = self.0.host.config.cleanup_deadline;
        self.0.closed.cancel();
        self.0.calls.close();
        let _ = timeout(limit, self.0.calls.wait()).await;
        if let Some(under_way) = self.0.starts.last() {
            let _ = timeout(limit, under_way).await;
        }
        if let Some(line) = self.0.line.swap(None).filter(|line| !line.live.is_gone()) {
            let _ = line.ask::<_, v5::Empty>("/dbplugin.v5.Database/Close", v5::Empty {}, limit).await;
        }
        let berth = self.0.berth().take();
        if let Some(berth) = berth {
            if reason == Reason::Reloaded {
                // Or it would be opened anew in the process that others still hold.
                self.0.processes.supersede(&berth);
            }
            self.0.processes.leave(berth, reason).await;
        }
        Ok(())
    }
}
