use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use backon::{BackoffBuilder, ExponentialBuilder};
use domain::Due;
use futures::{StreamExt, stream};
use jiff::Timestamp;
use tokio::{task::JoinSet, time::sleep};

use super::{
    Leases,
    claim::Claim,
    record::{Record, key_of, millis, records},
    revoke::How,
};
use crate::{Error, core::Active, error::Result};

/// After as many failures nobody tries to revoke a lease any more, unless asked to.
const TRIES: u8 = 6;

/// How many records are read at the same time.
const AT_ONCE: usize = 32;

/// The clock is looked at this often at least: it may be put forward.
const LOOK: Duration = Duration::from_secs(30);

/// How long to wait until what is stored is read again, when that failed.
const PAUSE: Duration = Duration::from_secs(5);

impl Leases {
    /// Reads what is stored, and ends leases when their time is over: for as long as the barrier is open.
    pub(crate) fn start(active: &Arc<Active>) {
        let (stop, weak) = (active.leases.stop.clone(), Arc::downgrade(active));
        tokio::spawn(stop.clone().run_until_cancelled_owned(load(weak.clone())));
        tokio::spawn(stop.run_until_cancelled_owned(keep(weak)));
    }

    /// Nothing is read or ended any more. What is at work is cut off; it is done again after the next start.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }
}

/// Reads what is stored, a page at a time. Nothing waits for it but what asks for many leases at once.
async fn load(active: Weak<Active>) {
    while let Some(active) = active.upgrade() {
        match active.leases.load().await {
            Ok(count) => {
                tracing::info!(count, "all leases are known");
                return;
            }
            Err(Error::Sealed) => return,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "leases could not be read; trying again"
                );
            }
        }
        drop(active);
        sleep(PAUSE).await;
    }
}

impl Leases {
    async fn load(&self) -> Result<usize> {
        let mut after = String::new();
        loop {
            let page = self.store.page(records(), after).await?;
            let Some(last) = page.last().cloned() else { break };
            after = last;
            let reads = page.into_iter().map(|name| async move { self.store.read(&key_of(&name)).await });
            let mut reads = stream::iter(reads).buffer_unordered(AT_ONCE);
            while let Some(read) = reads.next().await {
                self.learn(read)?;
            }
            self.changed.notify_one();
        }
        self.queue().loaded();
        self.loaded.send_replace(true);
        Ok(self.queue().len())
    }

    fn learn(&self, read: Result<Option<Record>>) -> Result<()> {
        match read {
            Ok(Some(record)) => self.queue().load(&record.id, &record.mount, record.due()),
            Ok(None) => {}
            // One record that says nothing of use keeps none of the others from being known.
            Err(error @ Error::Damaged { .. }) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a lease cannot be read, and is left"
                );
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// The one task that ends leases.
async fn keep(active: Weak<Active>) {
    let mut work = JoinSet::new();
    loop {
        let Some(now_active) = active.upgrade() else { return };
        let wait = hand_out(&now_active, &mut work);
        let changed = now_active.leases.changed.clone();
        drop(now_active);
        tokio::select! {
            _ = work.join_next(), if !work.is_empty() => {}
            () = changed.notified() => {}
            () = sleep(wait) => {}
        }
    }
}

/// Begins work on what is due, and says when to look again.
fn hand_out(active: &Arc<Active>, work: &mut JoinSet<()>) -> Duration {
    loop {
        let now = millis(Timestamp::now());
        let due = active.leases.queue().next(now);
        match due {
            Due::Now(id) => {
                let active = active.clone();
                work.spawn(async move { expire(&active, id).await });
            }
            Due::At(time) => return Duration::from_millis(time.saturating_sub(now)).min(LOOK),
            Due::Nothing => return LOOK,
        }
    }
}

async fn expire(active: &Arc<Active>, id: Arc<str>) {
    let leases = &active.leases;
    let claim = Claim::due(leases, id);
    match leases.expire(active, &claim).await {
        Ok(None) => {}
        Ok(Some(ends)) => claim.settle(|leases, id| {
            let mut queue = leases.queue();
            queue.put(id, "", millis(ends));
            queue.release(id);
        }),
        Err(error) => leases.failed(claim, &error).await,
    }
}

impl Leases {
    /// Ends a lease that is said to be over, or tells until when it has been renewed.
    async fn expire(&self, active: &Arc<Active>, claim: &Claim<'_>) -> Result<Option<Timestamp>> {
        if let Some(record) = self.read(claim.id()).await?
            && record.ends > Timestamp::now()
        {
            return Ok(Some(record.ends));
        }
        self.end(active, claim, How::Now).await.map(|()| None)
    }

    async fn failed(&self, claim: Claim<'_>, error: &Error) {
        let failures = self.queue().failures(claim.id()) + 1;
        if !matches!(error, Error::Sealed) && (failures >= TRIES || is_final(error)) {
            tracing::error!(lease = claim.id(), %error, failures, "a lease is irrevocable");
            match self.mark_irrevocable(claim.id(), error).await {
                Ok(()) => return claim.settle(|leases, id| leases.queue().give_up(id)),
                Err(error) => tracing::error!(lease = claim.id(), %error, "that is not stored yet"),
            }
        } else {
            tracing::warn!(lease = claim.id(), %error, failures, "a lease could not be revoked; trying again");
        }
        let pause = self.pause(failures);
        let again = millis(Timestamp::now().saturating_add(pause).unwrap_or(Timestamp::MAX));
        claim.settle(|leases, id| {
            leases.queue().failed(id, again);
        });
        self.changed.notify_one();
    }

    /// Twice as long each time, and a little more by chance, so that what failed together is not tried together.
    fn pause(&self, failures: u8) -> Duration {
        let mut pauses = ExponentialBuilder::new()
            .with_min_delay(self.retry)
            .with_max_delay(self.retry * 64)
            .without_max_times()
            .with_jitter()
            .build();
        pauses.nth(usize::from(failures) - 1).unwrap_or(self.retry)
    }

    pub(super) async fn mark_irrevocable(&self, id: &str, why: &Error) -> Result<()> {
        let _turn = self.turns.change(&super::record::key(id)).await;
        let Some(record) = self.read(id).await? else { return Ok(()) };
        let record = Record { irrevocable: Some(why.to_string()), ..record };
        self.store.commit(record.writes()).await
    }
}

/// Whether trying again is of no use.
fn is_final(error: &Error) -> bool {
    match error {
        Error::UnsupportedOperation | Error::UnsupportedPath => true,
        Error::Value { message, .. } | Error::Refused { message, .. } => {
            matches!(message.as_str(), "unrecoverable error" | "invalid request")
        }
        _ => false,
    }
}
