use domain::NamespacePath;

use super::{Known, NamespaceRefusal, Namespaces, record::Lock};
use crate::{error::Result, random};

/// As many letters as OpenBao's have.
const KEY_LENGTH: usize = 24;

impl Namespaces {
    /// Nothing can be asked of a namespace, or of any in it, until it is unlocked with the key that this answers with.
    pub(crate) async fn lock(&self, path: &NamespacePath) -> Result<String> {
        let _turn = self.turn.lock().await;
        let known = self.lockable(path)?;
        match known.locked_by() {
            Some(above) if above == path => return Err(NamespaceRefusal::LockedAlready(path.clone()).into()),
            Some(above) => {
                let (path, above) = (path.clone(), above.clone());
                return Err(NamespaceRefusal::LockedAbove { path, above }.into());
            }
            None => {}
        }
        let key = random::base62(KEY_LENGTH)?;
        self.write(&known, |record| record.lock = Some(Lock::of(&key))).await?;
        tracing::info!(namespace = %path, "locked a namespace");
        Ok(key)
    }

    /// Unlocks a namespace. No key: for those who need none.
    pub(crate) async fn unlock(&self, path: &NamespacePath, key: Option<&str>) -> Result<()> {
        let _turn = self.turn.lock().await;
        let known = self.lockable(path)?;
        let Some(lock) = &known.record.lock else {
            return Err(NamespaceRefusal::NotLocked(path.clone()).into());
        };
        if let Some(above) = known.locked_by().filter(|above| *above != path) {
            let (path, above) = (path.clone(), above.clone());
            return Err(NamespaceRefusal::UnlockBelow { path, above }.into());
        }
        if key.is_some_and(|key| !lock.opens(key)) {
            return Err(NamespaceRefusal::WrongKey.into());
        }
        self.write(&known, |record| record.lock = None).await?;
        tracing::info!(namespace = %path, "unlocked a namespace");
        Ok(())
    }

    fn lockable(&self, path: &NamespacePath) -> Result<std::sync::Arc<Known>> {
        if path.is_root() {
            return Err(NamespaceRefusal::Root.into());
        }
        Ok(self.get(path)?.ok_or(NamespaceRefusal::Nowhere)?)
    }
}
