use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};

use super::{
    Namespaces, Record,
    record::{RECORDS, key},
};
use crate::{
    Error,
    core::{Active, Core, is_damage},
    error::Result,
};

/// How many namespaces are read at the same time.
const AT_ONCE: usize = 16;

/// A namespace, and why it cannot be used if it cannot.
type Opened = (Record, Result<Arc<Active>, String>);

impl Namespaces {
    /// Reads all namespaces, beside the one in which all of them are. One that cannot be read is one that cannot be
    /// used; the others can.
    pub(crate) async fn open(&self, core: &Core, root: &Arc<Active>) -> Result<()> {
        self.begin(root.clone());
        // In one stage: what waits between two holds its place at the database, and the second waits for places.
        let opened =
            self.store.list(RECORDS).await?.into_iter().map(async |name| match self.read(name).await? {
                Some(record) => open(core, root, record).await.map(Some),
                None => Ok(None),
            });
        let opened: Vec<Option<Opened>> =
            stream::iter(opened).buffer_unordered(AT_ONCE).try_collect().await?;
        let mut found: Vec<Opened> = opened.into_iter().flatten().collect();
        // Those that others are in come before them.
        found.sort_by(|(one, _), (other, _)| one.path.cmp(&other.path));
        for (record, opened) in found {
            let (uuid, path) = (record.uuid, record.path.clone());
            let is_taken = self.get(&path)?.is_some();
            if is_taken || !self.publish(record, opened) {
                tracing::error!(%uuid, %path, "a namespace has no place, and is left; its data are kept");
            }
        }
        Ok(())
    }

    async fn read(&self, name: String) -> Result<Option<Record>> {
        match self.store.read::<Record>(&format!("{RECORDS}{name}")).await {
            Ok(Some(record)) if key(record.uuid) == format!("{RECORDS}{name}") => Ok(Some(record)),
            Ok(_) => {
                tracing::error!(
                    uuid = name,
                    "the record of a namespace belongs to another; its data are kept"
                );
                Ok(None)
            }
            Err(error) if is_damage(&error) => {
                tracing::error!(uuid = name, %error, "a namespace cannot be read; its data are kept");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

async fn open(core: &Core, root: &Arc<Active>, record: Record) -> Result<Opened> {
    match core.open(root.shared.clone(), record.namespace()).await {
        Ok(active) => Ok((record, Ok(Arc::new(active)))),
        Err(error) if is_damage(&error) || matches!(error, Error::Missing(_)) => {
            tracing::error!(namespace = %record.path, %error, "a namespace cannot be used; its data are kept");
            Ok((record, Err(error.to_string())))
        }
        Err(error) => Err(error),
    }
}
