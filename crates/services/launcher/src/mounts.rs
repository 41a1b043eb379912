//! The mounts that the launcher was told of.

use std::sync::Arc;

use dashmap::DashMap;
use domain::Reason;
use futures::future::join_all;
use wire::{
    Belonging,
    launcher::v1::{MountReply, MountSpec},
};

use crate::{Error, Result, host::Host, mount::Mount, own_storage::OwnStorage, processes::Processes};

/// The mounts that the launcher was told of. What changes them is carried to its end even if who asked goes away: a
/// mount that is half gone would keep its process for good.
pub struct Mounts {
    host: Arc<Host>,
    processes: Arc<Processes>,
    all: DashMap<String, Arc<Mount>>,
}

impl Mounts {
    /// None yet.
    pub fn new(host: Arc<Host>, processes: Arc<Processes>) -> Arc<Self> {
        Arc::new(Self { host, processes, all: DashMap::new() })
    }

    /// The mount of that uuid.
    pub fn get(&self, uuid: &str) -> Result<Arc<Mount>> {
        let mount = self.all.get(uuid).map(|mount| Arc::clone(mount.value()));
        mount.ok_or(Error::UnknownMount)
    }

    /// The mounts whose plugin runs, or may have left something half done.
    pub fn to_be_visited(&self) -> Vec<Arc<Mount>> {
        let mounts = self.all.iter().map(|mount| Arc::clone(mount.value()));
        mounts.filter(|mount| mount.owes() || mount.ready().is_some()).collect()
    }

    /// Takes a mount in and starts it. One that is fresh is forgotten again if it does not start.
    pub async fn mount(self: &Arc<Self>, spec: Arc<MountSpec>, fresh: bool) -> Result<MountReply> {
        let mounts = Arc::clone(self);
        to_end(async move { mounts.mount_now(spec, fresh).await }).await
    }

    async fn mount_now(&self, spec: Arc<MountSpec>, fresh: bool) -> Result<MountReply> {
        let uuid = spec.uuid.clone();
        let (mount, known) = self.enlist(&spec)?;
        if known {
            return change(&mount, spec, false).await;
        }
        let outcome = mount.instance().await;
        if outcome.is_err() && fresh {
            self.all.remove_if(&uuid, |_, listed| Arc::ptr_eq(listed, &mount));
            mount.close(Reason::HandshakeFailed).await;
        }
        Ok(outcome.map_err(Error::Shared)?.describe())
    }

    /// The mount of that uuid, and whether it was known before.
    fn enlist(&self, spec: &Arc<MountSpec>) -> Result<(Arc<Mount>, bool)> {
        let storage = OwnStorage::new(&self.host.storage, spec)?;
        let mut known = true;
        let listed = self.all.entry(spec.uuid.clone()).or_insert_with(|| {
            known = false;
            Mount::new(Arc::clone(&self.host), Arc::clone(&self.processes), Arc::clone(spec), storage)
        });
        Ok((Arc::clone(listed.value()), known))
    }

    /// Gives a mount other settings; with `reload` it is set up anew in any case.
    pub async fn tune(&self, spec: Arc<MountSpec>, reload: bool) -> Result<MountReply> {
        let mount = self.get(&spec.uuid)?;
        to_end(async move { change(&mount, spec, reload).await }).await
    }

    /// Forgets a mount; returns when nothing of it is left.
    pub async fn unmount(&self, uuid: &str, reason: Reason) -> Result<()> {
        let Some((_, mount)) = self.all.remove(uuid) else { return Ok(()) };
        to_end(async move {
            mount.close(reason).await;
            Ok(())
        })
        .await
    }

    /// Forgets every mount. Bounded in time.
    pub async fn unmount_all(&self, reason: Reason) {
        let uuids: Vec<String> = self.all.iter().map(|mount| mount.key().clone()).collect();
        let mounts = uuids.iter().filter_map(|uuid| self.all.remove(uuid));
        let closing: Vec<_> =
            mounts.map(|(_, mount)| tokio::spawn(async move { mount.close(reason).await })).collect();
        join_all(closing).await;
    }
}

async fn to_end<T: Send + 'static>(work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
    let done = tokio::spawn(work.carried()).await;
    done.map_err(|_| Error::Panicked("mount's".to_owned()))?
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
    before.options != after.options || before.plugin != after.plugin || before.version != after.version
}
