use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use domain::{MountEntry, MountFacts, MountState, PluginVersion};
use tokio::sync::{RwLock as Turn, RwLockReadGuard};

use super::CoreMount;
use crate::meters::RouteMeters;

/// Where the system's own endpoints are.
pub(crate) const SYSTEM: &str = "sys/";

/// One mount: what is stored about it, and how its plugin stands.
#[derive(Clone)]
pub(crate) struct Mount {
    pub(crate) entry: MountEntry,
    /// Why its stored record cannot be trusted.
    pub(crate) damage: Option<String>,
    /// How long its requests take.
    pub(crate) meters: Arc<RouteMeters>,
    /// Shared by all versions of the mount that a change of its settings leaves behind.
    standing: Arc<RwLock<Standing>>,
    /// It is being removed, and its plugin is not started any more. Held for reading by whoever starts it.
    gone: Arc<Turn<bool>>,
}

#[derive(Default)]
struct Standing {
    facts: Arc<MountFacts>,
    /// The launcher knows the mount.
    ready: bool,
    /// With which version it was told to the launcher.
    launched: PluginVersion,
    /// Why its plugin did not start when it was last tried.
    trouble: Option<String>,
}

impl Mount {
    pub(crate) fn new(entry: MountEntry, facts: MountFacts) -> Self {
        let standing = Standing { facts: Arc::new(facts), ..Standing::default() };
        let meters = Arc::new(RouteMeters::of(entry.path.as_str()));
        Self { entry, damage: None, meters, standing: Arc::new(RwLock::new(standing)), gone: Arc::default() }
    }

    /// The same mount with other settings. What was damaged has been written anew.
    pub(crate) fn with(&self, entry: MountEntry) -> Self {
        let meters = match entry.path == self.entry.path {
            true => self.meters.clone(),
            false => Arc::new(RouteMeters::of(entry.path.as_str())),
        };
        Self { entry, damage: None, meters, standing: self.standing.clone(), gone: self.gone.clone() }
    }

    /// What answers for it, if that is this service itself.
    pub(crate) fn core(&self) -> Option<CoreMount> {
        CoreMount::at(self.entry.path.as_str())
    }

    /// Whether this service answers for it itself, without a plugin.
    pub(crate) fn is_core(&self) -> bool {
        self.core().is_some()
    }

    pub(crate) fn serves(&self) -> bool {
        self.entry.state == MountState::Mounted
    }

    /// Whether operators see it: from when it serves until nothing is left of it.
    pub(crate) fn is_listed(&self) -> bool {
        self.entry.state != MountState::Enabling
    }

    pub(crate) fn facts(&self) -> Arc<MountFacts> {
        self.look(|standing| standing.facts.clone())
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.look(|standing| standing.ready)
    }

    /// Why it does not serve, if it does not.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.damage.clone().or_else(|| self.look(|standing| standing.trouble.clone()))
    }

    /// Its plugin runs, in that version; says whether that told us something new.
    pub(crate) fn started(&self, facts: MountFacts, launched: PluginVersion) -> bool {
        self.change(|standing| {
            let news = *standing.facts != facts;
            *standing = Standing { facts: Arc::new(facts), ready: true, launched, trouble: None };
            news
        })
    }

    /// While its plugin may be started; none: nobody may any more.
    pub(super) async fn stay(&self) -> Option<RwLockReadGuard<'_, bool>> {
        Some(self.gone.read().await).filter(|gone| !**gone)
    }

    /// Waits until no start of its plugin is under way.
    pub(super) async fn settle(&self) {
        drop(self.gone.write().await);
    }

    /// From now on its plugin is not started, and no start is under way.
    pub(super) async fn leave(&self) {
        *self.gone.write().await = true;
    }

    /// The version that the launcher was told: another one than is asked for takes effect with a reload.
    pub(crate) fn launched(&self) -> PluginVersion {
        self.look(|standing| standing.launched.clone())
    }

    /// Its plugin does not start.
    pub(crate) fn failed(&self, reason: String) {
        self.change(|standing| {
            standing.ready = false;
            standing.trouble = Some(reason);
        });
    }

    /// Its plugin cannot start as things are, though nobody has asked for it yet.
    pub(super) fn would_fail(&self, reason: &str) {
        self.change(|standing| {
            if !standing.ready {
                standing.trouble = Some(reason.to_owned());
            }
        });
    }

    /// The launcher does not know it any more, or shall be told about it anew.
    pub(crate) fn forgotten(&self) {
        self.change(|standing| standing.ready = false);
    }

    fn look<T>(&self, look: impl FnOnce(&Standing) -> T) -> T {
        look(&self.standing.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change<T>(&self, change: impl FnOnce(&mut Standing) -> T) -> T {
        change(&mut self.standing.write().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mount").field("path", &self.entry.path).field("state", &self.entry.state).finish()
    }
}
