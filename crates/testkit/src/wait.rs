//! Waiting for a state rather than for a while.

use std::time::{Duration, Instant};

/// Returns as soon as `condition` holds; panics with `what` when it does not within `limit`.
pub async fn eventually(limit: Duration, what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !condition().await {
        assert!(Instant::now() < deadline, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// How often a long story repeats itself: `short` by default, `long` when `MORTISE_TEST_SOAK` is set.
pub fn soak(short: usize, long: usize) -> usize {
    if std::env::var_os("MORTISE_TEST_SOAK").is_some() { long } else { short }
}
