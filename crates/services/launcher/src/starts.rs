use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::{
    FutureExt,
    future::{self, BoxFuture, Shared},
};
use wire::Belonging;

use crate::{Error, Result};

/// A start that any number of callers wait for.
pub type Start<T> = Shared<BoxFuture<'static, Result<T, Arc<Error>>>>;

/// The starts of something, of which one at a time is under way.
pub struct Starts<T>(Mutex<Option<Start<T>>>);

impl<T> Default for Starts<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone + Send + Sync + 'static> Starts<T> {
    fn latest(&self) -> MutexGuard<'_, Option<Start<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one that is under way, or was last.
    pub fn last(&self) -> Option<Start<T>> {
        self.latest().clone()
    }

    /// Joins the one that is under way. If there is none: what is ready will do, and else another begins. What panics
    /// says whose it was.
    pub fn join(
        &self,
        whose: &'static str,
        ready: impl FnOnce() -> Option<T>,
        begin: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Start<T> {
        let mut latest = self.latest();
        if let Some(under_way) = latest.as_ref().filter(|start| is_under_way(start)) {
            return under_way.clone();
        }
        if let Some(ready) = ready() {
            return future::ready(Ok(ready)).boxed().shared();
        }
        // A task of its own: the one who asked first may leave, the others still wait.
        let task = tokio::spawn(begin.carried());
        let start = async move {
            let lost = |_| Arc::new(Error::Panicked(whose.to_owned()));
            task.await.map_err(lost)?.map_err(Arc::new)
        };
        latest.insert(start.boxed().shared()).clone()
    }
}

/// Asked of the start itself: one that nobody waited for has ended without anybody's having heard.
fn is_under_way<T: Clone>(start: &Start<T>) -> bool {
    start.clone().now_or_never().is_none()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn all_who_ask_meanwhile_wait_for_one_start_and_the_next_begins_another() {
        let (starts, begun) = (Starts::default(), Arc::new(AtomicUsize::new(0)));
        let begin = || {
            let begun = Arc::clone(&begun);
            async move { Ok(begun.fetch_add(1, Ordering::Relaxed)) }
        };
        let (one, other) = (starts.join("", || None, begin()), starts.join("", || None, begin()));
        assert_eq!((one.await.unwrap(), other.await.unwrap()), (0, 0));
        assert_eq!(starts.join("", || Some(7), begin()).await.unwrap(), 7);
        assert_eq!(starts.join("", || None, begin()).await.unwrap(), 1);
        assert_eq!(starts.last().unwrap().await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_start_goes_on_without_the_one_who_asked_and_a_panic_is_an_error() {
        let (starts, done) = (Starts::default(), Arc::new(tokio::sync::Notify::new()));
        let told = Arc::clone(&done);
        drop(starts.join("", || None, async move {
            told.notify_one();
            Ok(())
        }));
        done.notified().await;
        let failed = starts.join("mount's", || None, async { panic!("on purpose") }).await;
        assert!(matches!(&*failed.unwrap_err(), Error::Panicked(whose) if whose == "mount's"));
    }
}
