//! The end of a namespace. It is marked before anything of it goes, and from then on nobody gets in; the mark stays
//! until nothing is left. A server that is killed in between goes on at its next start.

use std::sync::Arc;

use domain::NamespaceName;

use super::{Known, NamespaceRefusal, Namespaces, Record, record::key};
use crate::{core::Active, error::Result};

impl Namespaces {
    /// Removes a namespace with all that is in it. False: there is none of that name.
    pub(crate) async fn remove(self: &Arc<Self>, parent: &Active, name: &NamespaceName) -> Result<bool> {
        let _turn = self.turn.lock().await;
        let path = parent.namespace.path.join(name);
        let Some(known) = self.get(&path)? else { return Ok(false) };
        if !self.list(&path, false)?.is_empty() {
            return Err(NamespaceRefusal::Children.into());
        }
        if !known.record.removing {
            let record = Record { removing: true, ..known.record.clone() };
            self.store.write(key(record.uuid), &record).await?;
            self.publish(record, known.opened.clone());
        }
        self.clone().finish_in_background(known);
        Ok(true)
    }

    /// Goes on with what an earlier run of the server has begun to remove.
    pub(crate) fn finish_all_in_background(self: &Arc<Self>, root: &Active) {
        let begun =
            self.list(&root.namespace.path, true).into_iter().flatten().filter(|known| known.record.removing);
        begun.for_each(|known| self.clone().finish_in_background(known));
    }

    fn finish_in_background(self: Arc<Self>, known: Arc<Known>) {
        if !self.takes_job(&known.record.id) {
            return;
        }
        tokio::spawn(async move {
            let path = &known.record.path;
            match Box::pin(self.finish(&known)).await {
                Ok(()) => tracing::info!(namespace = %path, "removed a namespace"),
                // The next unsealing goes on with it.
                Err(_) if self.root().is_err() => {}
                Err(error) => tracing::warn!(namespace = %path, error = &error as &dyn std::error::Error,
                    "a namespace is not removed yet; delete it again"),
            }
            self.leaves_job(&known.record.id);
        });
    }

    async fn finish(&self, known: &Known) -> Result<()> {
        if let Ok(active) = &known.opened {
            empty(active).await?;
        }
        let part = self.store.part_of(&known.record.uuid.to_string());
        self.store.purge(part.prefix().to_owned()).await?;
        self.root()?.shared.quotas.forget(known.record.path.as_str()).await?;
        let _turn = self.turn.lock().await;
        self.store.delete(key(known.record.uuid)).await?;
        self.withdraw(&known.record);
        Ok(())
    }
}

/// Takes back what its mounts have issued, while there is still somebody who can, and ends them. After that nothing is
/// written in it any more.
async fn empty(active: &Arc<Active>) -> Result<()> {
    active.mounts.end_all(active).await?;
    active.leases.stop();
    active.store.close().await;
    Ok(())
}
