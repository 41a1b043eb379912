use std::{
    pin::Pin,
    task::{Context, Poll},
};

use tokio::runtime::Handle;

/// Work that is finished even when nobody waits for it any longer: only then does it become a task of its own.
pub struct Finished<F: Future<Output: Send + 'static> + Send + 'static>(Option<Pin<Box<F>>>);

impl<F: Future<Output: Send + 'static> + Send + 'static> Finished<F> {
    /// This work; nothing of it is done before it is waited for.
    pub fn new(work: F) -> Self {
        Self(Some(Box::pin(work)))
    }
}

impl<F: Future<Output: Send + 'static> + Send + 'static> Future for Finished<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // Taken out while it runs: should it panic, it is not begun again.
        let Some(mut work) = self.0.take() else { return Poll::Pending };
        let outcome = work.as_mut().poll(context);
        if outcome.is_pending() {
            self.0 = Some(work);
        }
        outcome
    }
}

impl<F: Future<Output: Send + 'static> + Send + 'static> Drop for Finished<F> {
    fn drop(&mut self) {
        // Outside of a runtime there is nobody who could go on with it.
        if let Some(work) = self.0.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(work);
        }
    }
}
