use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{Key, Prefix, Result, Storage, Write};

/// A part of another storage. It cannot name a key outside its prefix, and is the only storage a plugin is handed.
#[derive(Clone)]
pub struct View {
    whole: Arc<dyn Storage>,
    prefix: Prefix,
}

impl View {
    /// The part of `whole` below `prefix`.
    pub fn new(whole: Arc<dyn Storage>, prefix: Prefix) -> Self {
        Self { whole, prefix }
    }
}

#[async_trait]
impl Storage for View {
    async fn get(&self, key: &Key) -> Result<Option<Bytes>> {
        self.whole.get(&self.prefix.join(key)).await
    }

    async fn page(&self, prefix: &Prefix, after: &str, limit: usize) -> Result<Vec<String>> {
        self.whole.page(&self.prefix.join_prefix(prefix), after, limit).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<()> {
        let moved = writes.into_iter().map(|write| {
            let key = self.prefix.join(write.key());
            write.at(key)
        });
        self.whole.commit(moved.collect()).await
    }
}
