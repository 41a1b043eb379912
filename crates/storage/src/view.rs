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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::InMemory;

    /// Two mounts side by side in one storage; the other one's view.
    async fn neighbours() -> (View, View) {
        let whole = Arc::new(InMemory::new());
        let view = |prefix: &str| View::new(whole.clone(), prefix.parse().unwrap());
        let (own, other) = (view("logical/1/"), view("logical/10/"));
        other.put("a".parse().unwrap(), "theirs".into()).await.unwrap();
        (own, other)
    }

    /// Does everything at a key, if it is one.
    async fn try_everything(view: &View, text: &str) {
        if let Ok(prefix) = text.parse::<Prefix>() {
            assert_eq!(view.list(&prefix).await.unwrap(), [""; 0], "{text:?}");
        }
        if let Ok(key) = text.parse::<Key>() {
            assert_eq!(view.get(&key).await.unwrap(), None, "{text:?}");
            view.put(key.clone(), "ours".into()).await.unwrap();
            view.delete(key).await.unwrap();
        }
    }

    #[tokio::test]
    async fn l9_no_key_leads_out_of_a_view() {
        let (own, other) = neighbours().await;
        let ways_out = [
            "../10/a",
            "..",
            "a/../../10/a",
            "/logical/10/a",
            "logical/10/a",
            "/",
            "//",
            "0/a",
            "",
            "./a",
            "\0",
        ];
        for text in ways_out {
            try_everything(&own, text).await;
        }
        assert_eq!(other.get(&"a".parse().unwrap()).await.unwrap().unwrap(), "theirs");
    }

    proptest! {
        #[test]
        fn l9_no_text_at_all_leads_out_of_a_view(text in "[./a01\\PC]{0,12}") {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let (own, other) = neighbours().await;
                try_everything(&own, &text).await;
                assert_eq!(other.get(&"a".parse().unwrap()).await.unwrap().unwrap(), "theirs");
            });
        }
    }
}
