use std::{fmt, sync::Arc};

use arc_swap::ArcSwap;
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::Mutex;

use crate::{core::is_damage, error::Result, store::Store};

/// One thing that is set as a whole.
pub(crate) struct Setting<T> {
    store: Store,
    key: &'static str,
    now: ArcSwap<T>,
    /// Changes take turns; requests do not come here.
    turn: Mutex<()>,
}

impl<T: Default + Serialize + DeserializeOwned> Setting<T> {
    /// What is stored. A damaged record is as good as none, and hinders nobody from unsealing.
    pub(crate) async fn open(store: &Store, key: &'static str) -> Result<Self> {
        let value = match store.read(key).await {
            Ok(value) => value.unwrap_or_default(),
            Err(error) if is_damage(&error) => {
                tracing::error!(key, %error, "a setting is damaged; it is as in the beginning until it is set anew");
                T::default()
            }
            Err(error) => return Err(error),
        };
        Ok(Self { store: store.clone(), key, now: ArcSwap::from_pointee(value), turn: Mutex::new(()) })
    }

    /// As it is now.
    pub(crate) fn now(&self) -> Arc<T> {
        self.now.load_full()
    }

    /// Sets it, if the change can be made.
    pub(crate) async fn change(&self, change: impl FnOnce(&T) -> Result<T>) -> Result<()> {
        let _turn = self.turn.lock().await;
        let value = change(&self.now())?;
        self.store.write(self.key.to_owned(), &value).await?;
        self.now.store(Arc::new(value));
        Ok(())
    }
}

impl<T> fmt::Debug for Setting<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setting").field("key", &self.key).finish_non_exhaustive()
    }
}
