use std::sync::Arc;

use domain::{MountEntry, MountKind, MountPath, MountState};

use super::{Mount, Mounts, Refusal, Snapshot, enable::is_reserved, record};
use crate::{core::Active, error::Result};

impl Mounts {
    /// Removes a mount and its data. Where nothing is mounted, nothing happens.
    pub(crate) async fn disable(
        &self,
        active: &Arc<Active>,
        path: &MountPath,
        kind: MountKind,
    ) -> Result<()> {
        if kind == MountKind::Secret && is_reserved(path) {
            return Err(Refusal::CannotUnmount(path.clone()).into());
        }
        if self.get(path).is_some_and(|mount| mount.is_core()) {
            return Err(Refusal::CannotDisableToken.into());
        }
        match self.taint(path).await? {
            Some(mount) => self.end(active, &mount).await,
            None => Ok(()),
        }
    }

    /// Removes all mounts and their data, those aside that this service answers for itself. Nobody mounts anything any
    /// more.
    pub(crate) async fn end_all(&self, active: &Arc<Active>) -> Result<()> {
        // Whoever was about to mount something has its place by now, or gets none.
        drop(self.keep_still().await);
        let comes = |table: &Snapshot| table.iter().any(|(_, m)| m.entry.state == MountState::Enabling);
        // The sender lives as long as this.
        let _ = self.table.subscribe().wait_for(|table| !comes(table)).await;
        for (path, mount) in self.snapshot().iter().filter(|(_, mount)| !mount.is_core()) {
            let tainted = if mount.serves() { self.taint(path).await? } else { Some(mount.clone()) };
            if let Some(mount) = tainted {
                self.end(active, &mount).await?;
            }
        }
        Ok(())
    }

    /// Ends what a mount has issued, while there is still somebody who can take it back, and then the mount.
    pub(super) async fn end(&self, active: &Arc<Active>, mount: &Mount) -> Result<()> {
        active.leases.end_of_mount(active, &mount.entry.uuid).await?;
        self.wake_to_undo(mount).await;
        self.remove(mount).await?;
        active.leases.record_of_mount(&mount.entry.uuid).await
    }

    /// Ends what is left of a mount that serves no more: its plugin, its data, its record, its place.
    pub(super) async fn remove(&self, mount: &Mount) -> Result<()> {
        self.launch.unmount(mount).await?;
        // A request that was on its way may have told the launcher of it again: its writes would be left for ever.
        mount.leave().await;
        self.launch.unmount(mount).await?;
        self.store.purge(record::data(&mount.entry)).await?;
        self.identity.forget_mount(&mount.entry.accessor).await?;
        let _turn = self.turn.lock().await;
        self.store.delete(record::key(&mount.entry.uuid)).await?;
        let path = &mount.entry.path;
        if self.get(path).is_some_and(|current| current.entry.uuid == mount.entry.uuid) {
            self.publish(|table| table.remove(path));
        }
        tracing::info!(mount = %path, "unmounted");
        Ok(())
    }

    /// From now on no request gets there, before a restart and after it.
    async fn taint(&self, path: &MountPath) -> Result<Option<Arc<Mount>>> {
        let _turn = self.turn.lock().await;
        let Some(mount) = self.get(path) else { return Ok(None) };
        if mount.entry.state == MountState::Enabling {
            return Err(Refusal::Changed(path.clone()).into());
        }
        let tainted = Arc::new(mount.with(MountEntry { state: MountState::Removing, ..mount.entry.clone() }));
        self.persist(&tainted).await?;
        self.publish(|table| table.replace(path, tainted.clone()));
        Ok(Some(tainted))
    }
}
