//! What an engine does about once a minute: what is due, and what was left half done.

use std::{sync::Arc, time::SystemTime};

use serde::Deserialize;

use super::{
    engine::{RollBack, Undone},
    mounted::Mounted,
};
use crate::{Error, Request, Result};

/// What the host may say when it asks.
#[derive(Default, Deserialize)]
struct Wish {
    /// Nobody is at anything any more, so what is in the log was cut off, however new it is.
    #[serde(default)]
    immediate: bool,
}

impl<S: Send + Sync + 'static> Mounted<S> {
    /// Both are tried, and the first failure is told.
    pub(super) async fn do_what_is_due(&self, request: &Request) -> Result<()> {
        let due = match &self.engine.periodically {
            Some(run) => run(Arc::clone(&self.state), ()).await,
            None => Ok(()),
        };
        let undone = match &self.engine.roll_back {
            Some(roll_back) => self.undo(roll_back, request).await,
            None => Ok(()),
        };
        due.and(undone)
    }

    async fn undo(&self, roll_back: &RollBack<S>, request: &Request) -> Result<()> {
        let wish: Wish = serde_json::from_slice(&request.data).unwrap_or_default();
        let wal = (roll_back.wal)(&self.state);
        let mut outcome = Ok(());
        for entry in wal.entries().await? {
            if !wish.immediate && !entry.is_older_than(roll_back.min_age, SystemTime::now()) {
                continue;
            }
            let (id, kind) = (entry.id.clone(), entry.kind.clone());
            let undone = match (roll_back.undo)(Arc::clone(&self.state), entry).await {
                Ok(Undone::Now) => wal.delete(&id).await,
                Ok(Undone::Later) => Ok(()),
                Err(error) => Err(Error::Other(format!("{kind} could not be rolled back: {error}"))),
            };
            outcome = outcome.and(undone);
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Mutex, time::Duration};

    use storage::InMemory;

    use super::*;
    use crate::{Backend, BackendKind, Operation, Wal, WalEntry, framework::Engine};

    struct Bridge {
        wal: Wal,
        undone: Mutex<Vec<String>>,
    }

    impl Bridge {
        async fn undo(self: Arc<Self>, entry: WalEntry) -> Result<Undone> {
            let what: String = entry.data()?;
            let fails = what == "stuck";
            self.undone.lock().unwrap().push(what);
            if fails { Err(Error::Other("not yet".to_owned())) } else { Ok(Undone::Now) }
        }
    }

    async fn bridge(min_age: Duration, entries: &[&str]) -> (Wal, Arc<dyn Backend>) {
        let wal = Wal::new(Arc::new(InMemory::new()));
        for entry in entries {
            wal.put("half a bridge", entry).await.unwrap();
        }
        let engine = Engine::new(BackendKind::Secret).roll_back(|it: &Bridge| &it.wal, min_age, Bridge::undo);
        (wal.clone(), Arc::new(engine).mounted(Bridge { wal, undone: Mutex::default() }))
    }

    fn round(data: &'static str) -> Request {
        Request { data: data.into(), ..Request::new(Operation::Rollback, "") }
    }

    #[tokio::test]
    async fn what_may_still_be_under_way_is_left_alone() {
        let (wal, backend) = bridge(Duration::from_secs(60), &["a"]).await;
        backend.handle(round("{}")).await.unwrap();
        assert_eq!(wal.ids().await.unwrap().len(), 1);
        backend.handle(round(r#"{"immediate":true}"#)).await.unwrap();
        assert!(wal.ids().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn what_cannot_be_undone_stays_and_is_told_and_hinders_nothing() {
        let (wal, backend) = bridge(Duration::ZERO, &["stuck", "a", "b"]).await;
        let told = backend.handle(round("null")).await.unwrap_err().to_string();
        assert_eq!(told, "half a bridge could not be rolled back: not yet");
        let left = wal.entries().await.unwrap();
        assert_eq!(left.iter().map(|entry| entry.data::<String>().unwrap()).collect::<Vec<_>>(), ["stuck"]);
    }
}
