use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::{Failures, Lockout, LockoutConfig, MountEntry, MountKind};
use futures::{StreamExt, TryStreamExt, stream};
use quick_cache::unsync::Cache;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use wire::catalog::v1::Write;

use super::attempt::now;
use crate::{
    Error,
    error::Result,
    mounts::Snapshot,
    store::{Store, put},
};

/// Where the records of those who are locked out are.
const RECORDS: &str = "core/lockout/";

/// Of so many names failures are counted.
const COUNTED: usize = 16_384;

/// So many are locked out at a time; whoever was locked out first makes room. Freeing one that way takes thousands of
/// guesses at other names.
const LOCKED: usize = 4096;

/// So much of a name is shown.
const SHOWN: usize = 256;

/// How many records are read at the same time.
const AT_ONCE: usize = 64;

/// Somebody who logs in, or tries to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct User {
    /// The accessor of the mount.
    pub(super) accessor: String,
    /// As it is shown: names are as long as their senders like.
    pub(super) name: String,
    /// Of the whole name, and the mount.
    digest: Digest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
struct Digest([u8; 32]);

/// Somebody who is locked out, as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Locked {
    #[serde(flatten)]
    user: User,
    failures: Failures,
}

/// How those are locked out who guess, by the type of the auth method, where its mounts do not say.
type Configured = BTreeMap<String, LockoutConfig>;

/// Failed logins, and who is locked out by them.
pub(crate) struct Lockouts {
    store: Store,
    configured: Configured,
    /// Taken for a look only, and by nothing but logins that count.
    table: Mutex<Table>,
}

struct Table {
    counted: Cache<Digest, Failures>,
    /// Some of them may have served their time.
    locked: BTreeMap<Digest, Locked>,
}

impl User {
    pub(super) fn new(accessor: &str, name: &str) -> Self {
        let whole = digest(&SHA256, format!("{accessor}/{name}").as_bytes());
        let mut bytes = [0; 32];
        bytes.copy_from_slice(whole.as_ref());
        Self {
            accessor: accessor.to_owned(),
            name: name.chars().take(SHOWN).collect(),
            digest: Digest(bytes),
        }
    }
}

impl Digest {
    fn key(self) -> String {
        format!("{RECORDS}{}", hex::encode(self.0))
    }
}

impl Lockouts {
    /// Reads who is locked out. What is not of use any more is removed.
    pub(crate) async fn open(store: Store, mounts: &Snapshot, configured: Configured) -> Result<Self> {
        let rules = rules(mounts, &configured);
        let keys = store.list(RECORDS).await?.into_iter().map(|name| format!("{RECORDS}{name}"));
        let reads = keys.map(|key| async {
            let found = match store.read::<Locked>(&key).await {
                Err(Error::Damaged { .. }) => None,
                read => read?,
            };
            Ok::<_, Error>((key, found))
        });
        let read: Vec<_> = stream::iter(reads).buffer_unordered(AT_ONCE).try_collect().await?;
        let holds = |locked: &Locked| {
            let rule = rules.get(locked.user.accessor.as_str());
            rule.is_some_and(|rule| rule.locks(locked.failures, now()))
        };
        let (mut locked, mut removed) = (BTreeMap::new(), Vec::new());
        for (key, found) in read {
            match found.filter(|found| holds(found) && found.user.digest.key() == key) {
                Some(found) => drop(locked.insert(found.user.digest, found)),
                None => removed.push(Write { key, value: None }),
            }
        }
        store.commit(removed).await?;
        let table = Table { counted: Cache::new(COUNTED), locked };
        Ok(Self { store, configured, table: Mutex::new(table) })
    }

    /// How a mount locks users out, if it does.
    pub(super) fn rule_of(&self, entry: &MountEntry) -> Option<Lockout> {
        rule_of(entry, &self.configured)
    }

    pub(super) fn is_locked(&self, rule: &Lockout, user: &User, now: u64) -> bool {
        let locked = self.look().locked.get(&user.digest).map(|locked| locked.failures);
        locked.is_some_and(|failures| rule.locks(failures, now))
    }

    /// Counts a failed login, and locks the user out if that was one too many.
    pub(super) async fn failed(&self, rule: &Lockout, user: User, now: u64) -> Result<()> {
        let writes = self.look().count(rule, user, now);
        self.store.commit(writes).await
    }

    /// A good login, or somebody who may, ends the counting. Where nothing was stored, nothing is removed.
    pub(super) async fn forget(&self, user: &User) -> Result<()> {
        let was_locked = self.look().locked.contains_key(&user.digest);
        if was_locked {
            self.store.delete(user.digest.key()).await?;
        }
        let mut table = self.look();
        table.counted.remove(&user.digest);
        table.locked.remove(&user.digest);
        Ok(())
    }

    /// Those who are locked out now, by mount.
    pub(super) fn all(&self, mounts: &Snapshot, now: u64) -> BTreeMap<String, Vec<String>> {
        let rules = rules(mounts, &self.configured);
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for Locked { user, failures } in self.look().locked.values() {
            if rules.get(user.accessor.as_str()).is_some_and(|rule| rule.locks(*failures, now)) {
                all.entry(user.accessor.clone()).or_default().push(user.name.clone());
            }
        }
        all.values_mut().for_each(|names| names.sort_unstable());
        all
    }

    fn look(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Counts a failure, and says what has to be stored.
    fn count(&mut self, rule: &Lockout, user: User, now: u64) -> Vec<Write> {
        let digest = user.digest;
        let before = self.locked.get(&digest).map(|locked| locked.failures);
        let before = before.or_else(|| self.counted.get(&digest).copied());
        let failures = rule.after_failure(before, now);
        if !rule.locks(failures, now) {
            self.counted.insert(digest, failures);
            let served = self.locked.remove(&digest);
            return served.map(|_| Write { key: digest.key(), value: None }).into_iter().collect();
        }
        if before == Some(failures) {
            return Vec::new();
        }
        tracing::info!(mount = user.accessor, "a user is locked out after too many failed logins");
        let locked = Locked { user, failures };
        let mut writes = self.make_room(digest);
        writes.push(put(digest.key(), &locked));
        self.counted.remove(&digest);
        self.locked.insert(digest, locked);
        writes
    }

    /// Whoever was locked out first makes room for one more.
    fn make_room(&mut self, newcomer: Digest) -> Vec<Write> {
        if self.locked.len() < LOCKED || self.locked.contains_key(&newcomer) {
            return Vec::new();
        }
        let oldest = self.locked.values().min_by_key(|locked| locked.failures.last);
        let Some(oldest) = oldest.map(|locked| locked.user.digest) else { return Vec::new() };
        self.locked.remove(&oldest);
        vec![Write { key: oldest.key(), value: None }]
    }
}

/// How the mounts lock users out, by accessor.
fn rules<'m>(mounts: &'m Snapshot, configured: &Configured) -> HashMap<&'m str, Lockout> {
    let entries = mounts.iter().map(|(_, mount)| &mount.entry);
    entries.filter_map(|entry| Some((entry.accessor.as_str(), rule_of(entry, configured)?))).collect()
}

fn rule_of(entry: &MountEntry, configured: &Configured) -> Option<Lockout> {
    let (plugin, tuned) = (entry.plugin.as_str(), entry.config.user_lockout.as_ref());
    (entry.kind == MountKind::Auth).then(|| Lockout::of(plugin, tuned, configured.get(plugin))).flatten()
}

impl fmt::Debug for Lockouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lockouts").field("locked", &self.look().locked.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table { counted: Cache::new(COUNTED), locked: BTreeMap::new() }
    }

    #[test]
    fn g3_whatever_names_are_sent_the_table_and_what_is_stored_stay_bounded() {
        let rule = Lockout::of("userpass", None, None).unwrap();
        let (mut table, mut stored) = (table(), 0_usize);
        for name in 0..LOCKED + 500 {
            for _ in 0..5 {
                for write in table.count(&rule, User::new("a", &name.to_string()), name as u64 / 10) {
                    if write.value.is_some() { stored += 1 } else { stored -= 1 }
                }
            }
        }
        assert_eq!((table.locked.len(), stored), (LOCKED, LOCKED));
        for name in 0..COUNTED * 3 {
            table.count(&rule, User::new("b", &name.to_string()), 1000);
        }
        assert!(table.counted.len() <= COUNTED);
        assert_eq!(User::new("a", &"x".repeat(1 << 20)).name.len(), SHOWN);
    }

    #[test]
    fn long_names_that_begin_alike_are_not_the_same() {
        let name = |end: &str| User::new("a", &format!("{}{end}", "x".repeat(SHOWN)));
        assert_ne!(name("1").digest, name("2").digest);
        assert_ne!(User::new("a", "b").digest, User::new("b", "b").digest);
    }
}
