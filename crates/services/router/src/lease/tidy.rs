use std::sync::{Arc, atomic::Ordering::AcqRel, atomic::Ordering::Release};

use wire::catalog::v1::Write;

use super::{
    Leases,
    record::{by_token, key_of},
};
use crate::{core::Active, error::Result};

impl Leases {
    /// Looks in the background for what should not be there. False: somebody is at it already.
    pub(crate) fn tidy(active: &Arc<Active>) -> bool {
        if active.leases.tidying.swap(true, AcqRel) {
            return false;
        }
        let active = active.clone();
        tokio::spawn(async move {
            match active.leases.tidy_up(&active).await {
                Ok((ended, dropped)) => tracing::info!(ended, dropped, "leases are tidy"),
                Err(error) => tracing::warn!(%error, "leases could not be tidied"),
            }
            active.leases.tidying.store(false, Release);
        });
        true
    }

    /// Ends leases whose token is gone, and drops what leads nowhere.
    async fn tidy_up(&self, active: &Active) -> Result<(usize, usize)> {
        self.wait_until_loaded().await?;
        let ids: Vec<Arc<str>> = self.queue().below("").cloned().collect();
        let (mut ended, mut dropped) = (0, 0);
        for id in ids {
            match self.read(&id).await? {
                None => self.queue().remove(&id),
                Some(record) if record.is_token || record.irrevocable.is_some() => {}
                Some(record) => {
                    let Some(token) = record.token else { continue };
                    if !active.is_alive(&token).await? {
                        self.end_soon(&id).await?;
                        ended += 1;
                    }
                }
            }
        }
        for folder in self.store.list(by_token()).await? {
            let folder = format!("{}{folder}", by_token());
            for name in self.store.list(&folder).await? {
                if self.store.get(&key_of(&name)).await?.is_none() {
                    let stale = Write { key: format!("{folder}{name}"), value: None };
                    self.store.commit(vec![stale]).await?;
                    dropped += 1;
                }
            }
        }
        Ok((ended, dropped))
    }
}
