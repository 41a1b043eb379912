mod active;
mod closed;
mod open;

use std::{fmt, sync::Arc};

use domain::Kind;
use tokio::sync::{Mutex, watch};
use wire::{
    catalog::v1::{SealRequest, SealStatus, StatusRequest},
    launcher::v1::{Reason, StopAllRequest},
    router::v1,
};

use crate::{
    Clients, Config, Error, audit::Followed, error::Result, in_flight::InFlight, lease::Leases,
    mounts::Mounts, plugin, plugins::Catalog, reloads::Reloads, rotation, settings::CrossOrigin,
    store::Store, token::revoke,
};

pub(crate) use active::{Active, Shared};
pub(crate) use closed::Closed;

/// Everything that requests share.
pub(crate) struct Core {
    pub(crate) config: Config,
    pub(crate) clients: Clients,
    pub(crate) store: Store,
    /// The root namespace, from which one gets to all others.
    active: watch::Sender<Option<Arc<Active>>>,
    /// Opening and closing take turns; no request waits here while the barrier is open.
    turn: Mutex<()>,
    followed: Followed,
    pub(crate) in_flight: Arc<InFlight>,
    pub(crate) reloads: Reloads,
}

impl Core {
    pub(crate) fn new(clients: Clients, config: Config) -> Self {
        let store = Store::new(clients.storage.clone());
        Self {
            config,
            clients,
            store,
            active: watch::Sender::new(None),
            turn: Mutex::new(()),
            followed: Followed::default(),
            in_flight: Arc::default(),
            reloads: Reloads::default(),
        }
    }

    /// What is known while unsealed. The barrier may have been opened by somebody else, so that is looked for too.
    pub(crate) async fn active(self: &Arc<Self>) -> Result<Arc<Active>> {
        if let Some(active) = self.active.borrow().clone() {
            return Ok(active);
        }
        // Boxed, because every request carries the room for it, and few need it.
        Box::pin(self.activate()).await
    }

    async fn activate(self: &Arc<Self>) -> Result<Arc<Active>> {
        let _turn = self.turn.lock().await;
        if let Some(active) = self.active.borrow().clone() {
            return Ok(active);
        }
        let status = self.status().await?;
        if status.sealed {
            return Err(Error::Sealed);
        }
        let active = self.load(status.epoch).await?;
        let namespaces = active.shared.namespaces.clone();
        for active in namespaces.all() {
            if let Err(error) = revoke::resume(&active).await {
                namespaces.close(Closed::Sealed);
                return Err(error);
            }
        }
        for active in namespaces.all() {
            Leases::start(&active);
            Mounts::finish_in_background(active.clone());
            Mounts::wake_in_background(active.clone());
            active.mounts.clone().inspect_in_background(Catalog(self.clients.plugins.clone()));
        }
        namespaces.finish_all_in_background(&active);
        rotation::watch(self, &active);
        plugin::answer_in_background(&active, self.clients.launcher.clone());
        self.active.send_replace(Some(active.clone()));
        Ok(active)
    }

    /// Ends when the barrier closes.
    pub(crate) fn closing(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut active = self.active.subscribe();
        async move { drop(active.wait_for(Option::is_none).await) }
    }

    /// How the barrier stands. If it has been closed, or closed and opened, what was known before is dropped.
    pub(crate) async fn status(&self) -> Result<SealStatus> {
        let status = self.clients.barrier.status(StatusRequest {}).await?.into_inner();
        let outdated = |active: &Active| status.sealed || active.shared.epoch != status.epoch;
        self.forget(outdated, Closed::Sealed).await;
        Ok(status)
    }

    /// A request was told that the barrier is closed, though this service thought otherwise.
    pub(crate) async fn sealed_behind_our_back(&self) {
        if self.active.borrow().is_some()
            && let Err(error) = self.status().await
        {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the catalog does not say whether it is sealed"
            );
        }
    }

    /// Which pages from elsewhere may ask; none: pages are treated as everybody is.
    pub(crate) fn cross_origin(&self) -> Option<v1::CrossOrigin> {
        let active = self.active.borrow().clone()?;
        active.shared.settings.cross_origin.now().as_ref().as_ref().map(CrossOrigin::told)
    }

    /// Opens the files of audit devices anew.
    pub(crate) fn reopen_audit_files(&self) {
        if let Some(active) = self.active.borrow().as_ref() {
            active.shared.audit.reopen();
        }
    }

    /// Stops all plugins and closes the barrier.
    pub(crate) async fn seal(&self) -> Result<()> {
        let _turn = self.turn.lock().await;
        let held = self.forget(|_| true, Closed::Sealed).await;
        let sealed = self.clients.barrier.seal(SealRequest {}).await;
        // Nothing may hold up the sealing itself.
        self.settle(held, Closed::Sealed).await;
        sealed?;
        tracing::info!("sealed");
        Ok(())
    }

    /// Gives up being the active node: stops all plugins, and lets nothing be written any more by what is known. The
    /// barrier stays open. As the only node this one becomes the active one again, with the next request.
    pub(crate) async fn step_down(&self) {
        let _turn = self.turn.lock().await;
        let held = self.forget(|_| true, Closed::SteppedDown).await;
        self.settle(held, Closed::SteppedDown).await;
        tracing::info!("stepped down");
    }

    /// Drops what is known, if it is outdated: nothing begins to be written by it any more, and the plugins that lived on
    /// it are stopped. Answers with what each namespace held.
    async fn forget(&self, outdated: impl Fn(&Active) -> bool, why: Closed) -> Vec<Arc<Active>> {
        let mut dropped = None;
        self.active.send_if_modified(|active| {
            dropped = active.take_if(|active| outdated(active));
            dropped.is_some()
        });
        let Some(dropped) = dropped else { return Vec::new() };
        let held = dropped.shared.namespaces.close(why);
        // What it has recorded is where the next one goes on.
        dropped.shared.plugins.abort();
        // Before plugins go: that they do is no reason to give anything up for lost.
        dropped.shared.store.end_term(why);
        self.stop_plugins(why).await;
        held
    }

    /// Waits for what was on its way when all that was held was dropped.
    async fn settle(&self, held: Vec<Arc<Active>>, why: Closed) {
        let Some(root) = held.first() else { return };
        root.shared.store.last_write().await;
        // A request may have told the launcher of a mount again.
        for active in &held {
            active.mounts.settle().await;
        }
        self.stop_plugins(why).await;
    }

    async fn stop_plugins(&self, why: Closed) {
        let reason = match why {
            Closed::Sealed => Reason::Sealed,
            Closed::SteppedDown => Reason::SteppedDown,
        };
        let stop = StopAllRequest { reason: reason.into() };
        if let Err(status) = self.clients.launcher.stop_all(stop).await {
            tracing::error!(status = status.message(), "not all plugins could be stopped");
        }
    }
}

impl Drop for Core {
    /// The namespaces know each other, so none of them would go by itself.
    fn drop(&mut self) {
        if let Some(active) = self.active.borrow().as_ref() {
            active.shared.namespaces.close(Closed::Sealed);
        }
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").field("active", &self.active.borrow().is_some()).finish_non_exhaustive()
    }
}

/// Whether what is stored is unusable, and not only out of reach.
pub(crate) fn is_damage(error: &Error) -> bool {
    match error {
        Error::Damaged { .. } => true,
        Error::Below(failure) => !is_passing(failure.kind),
        _ => false,
    }
}

/// Whether a failure says more about the road to a service than about what it was asked.
pub(crate) const fn is_passing(kind: Kind) -> bool {
    matches!(kind, Kind::Unavailable | Kind::Timeout | Kind::ReadOnly | Kind::Sealed)
}
