//! One mount: what it shall be, and what it is.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use arc_swap::ArcSwapOption;
use domain::Reason;
use storage::Storage;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use wire::{catalog::v1::PluginRequest, launcher::v1::MountSpec};

use crate::{
    Error, Result,
    builtin::BuiltIn,
    entry::Entry,
    external::{External, Setup},
    host::Host,
    housekeeping,
    instance::{Instance, ServedBy},
    own_storage::OwnStorage,
    processes::{Berth, Processes},
    starts::{Start, Starts},
    system::MountSystem,
};

/// The outcome of a start, for everybody who waits for it.
type Outcome = Result<Arc<Instance>, Arc<Error>>;

/// A mount as it was set up, and its place in a process if it is served by one.
type Made = (Arc<Instance>, Option<Berth>);

/// One mount. Started when somebody needs it, once for all who do.
pub struct Mount {
    host: Arc<Host>,
    processes: Arc<Processes>,
    /// Its surroundings, and with them its settings.
    pub system: Arc<MountSystem>,
    /// All that it may store.
    pub storage: Arc<OwnStorage>,
    ready: ArcSwapOption<Instance>,
    starts: Starts<Arc<Instance>>,
    /// Its places in processes: in that of the plugin that serves it, or shall serve it.
    berths: Mutex<Vec<Berth>>,
    closed: CancellationToken,
    /// A request went wrong: something may be left half done.
    owes: AtomicBool,
}

impl Mount {
    /// A mount that nobody has needed yet.
    pub fn new(
        host: Arc<Host>,
        processes: Arc<Processes>,
        spec: Arc<MountSpec>,
        storage: Arc<OwnStorage>,
    ) -> Arc<Self> {
        Arc::new(Self {
            storage,
            system: Arc::new(MountSystem::new(Arc::clone(&host), Arc::clone(&processes), spec)),
            host,
            processes,
            ready: ArcSwapOption::empty(),
            starts: Starts::default(),
            berths: Mutex::default(),
            closed: CancellationToken::new(),
            owes: AtomicBool::new(false),
        })
    }

    /// The mount as it is set up now, if it is.
    pub fn ready(&self) -> Option<Arc<Instance>> {
        self.ready.load_full().filter(|instance| !instance.is_gone())
    }

    /// The mount, set up; it is started if need be.
    pub async fn instance(self: &Arc<Self>) -> Outcome {
        match self.ready() {
            Some(ready) => Ok(ready),
            None => self.start(false).await,
        }
    }

    /// Sets the mount up anew while it is in use: with other settings, or another version. If that fails, what served
    /// it goes on.
    pub async fn reload(self: &Arc<Self>) -> Outcome {
        if let Some(under_way) = self.starts.last() {
            let _ = under_way.await;
        }
        self.start(true).await
    }

    /// Joins the start that is under way, or begins one.
    fn start(self: &Arc<Self>, anew: bool) -> Start<Arc<Instance>> {
        let mount = Arc::clone(self);
        let ready = || self.ready().filter(|_| !anew);
        self.starts.join("mount's", ready, async move { mount.replace(anew).await })
    }

    /// Sets the mount up anew, and lets that serve from now on.
    async fn replace(&self, anew: bool) -> Result<Arc<Instance>> {
        let held = self.berths().clone();
        let made = self.make(anew).await;
        if self.closed.is_cancelled() {
            return Err(self.abandon(made).await);
        }
        let (instance, berth) = match made {
            Ok(made) => made,
            Err(error) => return Err(self.stay(&held, error).await),
        };
        let idle = self.idle_berths(berth.as_ref());
        let old = self.ready.swap(Some(Arc::clone(&instance)));
        let (processes, limit) = (Arc::clone(&self.processes), self.host.config.request_deadline);
        tokio::spawn(async move {
            if let Some(old) = old {
                old.retire(limit).await;
            }
            for berth in idle {
                processes.leave(berth, Reason::Reloaded).await;
            }
        });
        Ok(instance)
    }

    /// What serves the mount, if anything does, goes on; the process of what shall not take its place ends. Without it,
    /// the process is kept: the next request tries again, and a process that is restarted each time costs more.
    async fn stay(&self, held: &[Berth], error: Error) -> Error {
        if self.ready().is_some() {
            let is_new = |berth: &mut Berth| !held.iter().any(|held| held.is(berth));
            let candidates: Vec<_> = self.berths().extract_if(.., is_new).collect();
            for berth in candidates {
                self.processes.leave(berth, Reason::HandshakeFailed).await;
            }
        }
        error
    }

    /// The mount was closed while it was being set up.
    async fn abandon(&self, made: Result<Made>) -> Error {
        if let Ok((instance, _)) = made {
            instance.retire(self.host.config.cleanup_deadline).await;
        }
        self.give_up_berths(Reason::Disabled).await;
        self.is_closed()
    }

    async fn make(&self, anew: bool) -> Result<Made> {
        self.host.learn_cluster().await;
        let spec = self.system.spec();
        let wanted = PluginRequest {
            name: spec.plugin.clone(),
            r#type: spec.r#type.clone(),
            version: spec.version.clone(),
            mounted: true,
            highest: false,
        };
        let plugin = self.host.resolve(wanted).await?;
        let meters = self.host.meters.of(&plugin.name, &plugin.r#type, &plugin.version);
        self.storage.count_for(&meters);
        self.system.runs(&plugin.version);
        let view: Arc<dyn Storage> = Arc::clone(&self.storage) as _;
        if plugin.builtin {
            let builtin = self.host.builtin(&plugin)?;
            let system = Arc::clone(&self.system);
            let limit = self.host.config.setup_deadline;
            let engine = BuiltIn::set_up(builtin, &spec, view, system, limit).await?;
            return Ok((Instance::new(ServedBy::BuiltIn(engine), meters), None));
        }
        let entry = Arc::new(Entry::try_from(plugin)?);
        let mut berth = self.berth(&entry, &spec, anew);
        let external = match self.set_up(&mut berth, &spec, &view).await {
            // It may have died before, without anybody having noticed; a new process then knows nothing of this.
            Err(Error::Interrupted { .. }) => self.set_up(&mut berth, &spec, &view).await,
            other => other,
        };
        Ok((Instance::new(ServedBy::External(external?), meters), Some(berth)))
    }

    /// Sets the mount up in the process of its place, which is started if need be.
    async fn set_up(&self, berth: &mut Berth, spec: &MountSpec, view: &Arc<dyn Storage>) -> Result<External> {
        let running = self.processes.running(berth, &spec.path);
        let live = tokio::select! {
            live = running => Some(live),
            () = self.closed.cancelled() => None,
        };
        self.keep(berth);
        let setup = Setup {
            entry: Arc::clone(berth.entry()),
            live: live.ok_or_else(|| self.is_closed())??,
            view: Arc::clone(view),
            system: Arc::clone(&self.system),
            spec,
            limit: self.host.config.setup_deadline,
            largest_answer: self.host.config.largest_answer,
        };
        External::set_up(setup).await
    }

    fn berths(&self) -> MutexGuard<'_, Vec<Berth>> {
        self.berths.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The mount's place in the process of this plugin; in a later process, if it is to be set up anew. It is kept when
    /// a start fails: the process is what remembers how often it failed.
    fn berth(&self, entry: &Arc<Entry>, spec: &MountSpec, anew: bool) -> Berth {
        let held = self.berths().iter().rfind(|berth| berth.entry() == entry).cloned();
        match held {
            Some(berth) if anew => self.processes.renew(&berth, &spec.path),
            Some(berth) => berth,
            None => self.processes.join(entry, &spec.uuid, &spec.path),
        }
    }

    /// Remembers a place, so that it is given up in the end.
    fn keep(&self, berth: &Berth) {
        let mut berths = self.berths();
        berths.retain(|held| !held.is(berth));
        berths.push(berth.clone());
    }

    /// Takes the places in all processes but the one that serves from now on.
    fn idle_berths(&self, in_use: Option<&Berth>) -> Vec<Berth> {
        let is_idle = |berth: &mut Berth| !in_use.is_some_and(|in_use| in_use.is(berth));
        self.berths().extract_if(.., is_idle).collect()
    }

    /// Something may have been left half done in it.
    pub fn owe(&self) {
        self.owes.store(true, Ordering::Relaxed);
    }

    /// Whether something may have been left half done, as far as is known without looking.
    pub fn owes(&self) -> bool {
        self.owes.load(Ordering::Relaxed)
    }

    /// Looks whether something was left half done.
    pub async fn still_owes(&self) -> bool {
        if !self.owes.swap(false, Ordering::Relaxed) {
            return false;
        }
        // Not to know is no reason to forget it.
        let left = self.storage.has_unfinished().await.unwrap_or(true);
        self.owes.fetch_or(left, Ordering::Relaxed);
        left
    }

    /// Ends the mount: no request comes in any more, those inside may end, what is left half done is undone if the mount
    /// goes for good, the plugin cleans up, its process ends if this was its last mount, and nothing is written any more.
    pub async fn close(self: &Arc<Self>, reason: Reason) {
        self.system.taint();
        self.system.databases.end(reason);
        let limit = self.host.config.cleanup_deadline;
        let undoes = reason == Reason::Disabled && self.storage.has_unfinished().await.unwrap_or(false);
        if undoes && timeout(limit, self.instance()).await.is_err() {
            tracing::warn!(mount = self.system.spec().path, "what is left half done stays so");
        }
        self.closed.cancel();
        if let Some(under_way) = self.starts.last() {
            let _ = timeout(limit, under_way).await;
        }
        if let Some(instance) = self.ready.swap(None) {
            instance.drain(limit).await;
            if undoes {
                housekeeping::undo(&instance, &self.system.spec(), limit).await;
            }
            instance.retire(limit).await;
        }
        self.system.databases.close_all(reason).await;
        self.give_up_berths(reason).await;
        self.storage.close(limit).await;
    }

    async fn give_up_berths(&self, reason: Reason) {
        let berths = std::mem::take(&mut *self.berths());
        for berth in berths {
            self.processes.leave(berth, reason).await;
        }
    }

    fn is_closed(&self) -> Error {
        Error::Stopping { plugin: self.system.spec().plugin.clone() }
    }
}
