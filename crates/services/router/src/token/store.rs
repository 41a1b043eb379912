use std::{fmt, net::IpAddr, sync::Arc, time::SystemTime};

use domain::Token;
use quick_cache::sync::Cache;
use ring::hmac;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use wire::catalog::v1::Write;

use super::{Caller, entry::TokenEntry};
use crate::{
    Error,
    cubbyhole::Shelf,
    error::Result,
    random,
    store::{Store, put},
};

/// What a token is stored under: its HMAC, so that nobody who reads the storage can use it.
pub(crate) type SaltedId = [u8; 32];

const SALT: &str = "core/token/salt";
const BY_ID: &str = "core/token/id/";
const BY_ACCESSOR: &str = "core/token/accessor/";

/// Bytes of a token: `hvs.` and what nobody can guess.
pub(crate) const TOKEN_LENGTH: usize = 28;

/// How many tokens are kept in memory.
const CACHED: usize = 10_000;

#[derive(Serialize, Deserialize)]
struct Salt {
    salt: [u8; 32],
}

/// Which token an accessor belongs to.
#[derive(Serialize, Deserialize)]
struct Accessor {
    token: SaltedId,
}

/// All tokens: one record each, and the recently used ones in memory.
pub(crate) struct Tokens {
    store: Store,
    salt: hmac::Key,
    recent: Cache<SaltedId, Arc<TokenEntry>>,
    /// Uses are counted one after the other, so that each counts once.
    counting: Mutex<()>,
}

/// The first token of all, and what has to be stored for it.
#[derive(Debug)]
pub(crate) struct FirstToken {
    pub(crate) token: Token,
    pub(crate) writes: Vec<Write>,
}

impl FirstToken {
    /// This one, or a new one.
    pub(crate) fn make(given: Option<Token>) -> Result<Self> {
        let salt = Salt { salt: random::bytes()? };
        let key = hmac::Key::new(hmac::HMAC_SHA256, &salt.salt);
        let token = given.map_or_else(new_token, Ok)?;
        let entry = TokenEntry::root(random::base62(24)?);
        let mut writes = vec![put(SALT.to_owned(), &salt)];
        writes.extend(records(&key, &salted(&key, &token), &entry));
        Ok(Self { token, writes })
    }
}

impl Tokens {
    pub(crate) async fn open(store: Store) -> Result<Self> {
        let Salt { salt } = store.read(SALT).await?.ok_or(Error::Missing(SALT))?;
        let salt = hmac::Key::new(hmac::HMAC_SHA256, &salt);
        Ok(Self { store, salt, recent: Cache::new(CACHED), counting: Mutex::new(()) })
    }

    /// Whose token it is. A token with a limited number of uses has one less afterwards.
    pub(crate) async fn authenticate(&self, token: &Token, remote: Option<IpAddr>) -> Result<Arc<Caller>> {
        if token.expose().is_empty() {
            return Err(Error::NoToken);
        }
        let id = salted(&self.salt, token);
        let mut entry = self.lookup(&id).await?.ok_or(Error::BadToken)?;
        if entry.is_expired(SystemTime::now()) {
            Box::pin(self.revoke(&id, &entry)).await?;
            return Err(Error::BadToken);
        }
        if !entry.admits(remote) {
            return Err(Error::Forbidden);
        }
        if entry.num_uses != 0 {
            entry = Box::pin(self.count_use(&id)).await?.ok_or(Error::BadToken)?;
        }
        Ok(Arc::new(Caller { id, entry }))
    }

    /// Stores a new token, and hands it out this once.
    pub(crate) async fn create(&self, entry: &TokenEntry) -> Result<Token> {
        self.create_with(entry, |_| Vec::new()).await
    }

    /// Likewise, with what belongs to it.
    pub(crate) async fn create_with(
        &self,
        entry: &TokenEntry,
        belongings: impl FnOnce(&SaltedId) -> Vec<Write>,
    ) -> Result<Token> {
        let token = new_token()?;
        let id = salted(&self.salt, &token);
        let mut writes = records(&self.salt, &id, entry).to_vec();
        writes.extend(belongings(&id));
        self.store.commit(writes).await?;
        Ok(token)
    }

    /// A new root token, for those who hold the keys of the seal.
    pub(crate) async fn create_root(&self) -> Result<Token> {
        self.create(&TokenEntry::root(random::base62(24)?)).await
    }

    /// What a token is known by.
    pub(crate) fn id_of(&self, token: &Token) -> SaltedId {
        salted(&self.salt, token)
    }

    /// From now on nobody knows it, and its cubbyhole is gone before it is.
    pub(crate) async fn revoke(&self, id: &SaltedId, entry: &TokenEntry) -> Result<()> {
        Shelf::of(&self.store, id).clear().await?;
        self.store.commit(self.removals(id, entry)).await?;
        // A look-up that read the record before it was gone loses its place with this, and cannot bring it back.
        self.recent.remove(id);
        Ok(())
    }

    /// Whether there is such a token.
    pub(crate) async fn exists(&self, id: &SaltedId) -> Result<bool> {
        Ok(self.lookup(id).await?.is_some())
    }

    /// Ends a token by the name that it is stored under. One that is gone already may have left its cubbyhole.
    pub(crate) async fn end(&self, id: &SaltedId) -> Result<()> {
        match self.lookup(id).await? {
            Some(entry) => self.revoke(id, &entry).await,
            None => Shelf::of(&self.store, id).clear().await,
        }
    }

    /// What is known of a token that somebody names; that is no use of it.
    pub(crate) async fn find(&self, token: &Token) -> Result<Option<Arc<TokenEntry>>> {
        let entry = self.lookup(&salted(&self.salt, token)).await?;
        Ok(entry.filter(|entry| !entry.is_expired(SystemTime::now())))
    }

    /// Likewise, by the name that the token may be known under.
    pub(crate) async fn find_by_accessor(&self, accessor: &str) -> Result<Option<Arc<TokenEntry>>> {
        let index = self.store.read::<Accessor>(&index(&self.salt, accessor)).await?;
        let Some(Accessor { token }) = index else { return Ok(None) };
        let entry = self.lookup(&token).await?;
        Ok(entry.filter(|entry| entry.accessor == accessor && !entry.is_expired(SystemTime::now())))
    }

    fn removals(&self, id: &SaltedId, entry: &TokenEntry) -> Vec<Write> {
        let keys = [record(id), index(&self.salt, &entry.accessor)];
        keys.into_iter().map(|key| Write { key, value: None }).collect()
    }

    async fn lookup(&self, id: &SaltedId) -> Result<Option<Arc<TokenEntry>>> {
        let place = match self.recent.get_value_or_guard_async(id).await {
            Ok(entry) => return Ok(Some(entry)),
            Err(place) => place,
        };
        let record = record(id);
        let Some(entry) = Box::pin(self.store.read::<TokenEntry>(&record)).await? else { return Ok(None) };
        let entry = Arc::new(entry);
        if entry.num_uses == 0 {
            // Refused when the token was revoked meanwhile; this one request was before that.
            let _ = place.insert(entry.clone());
        }
        Ok(Some(entry))
    }

    async fn count_use(&self, id: &SaltedId) -> Result<Option<Arc<TokenEntry>>> {
        let _turn = self.counting.lock().await;
        let Some(mut entry) = self.store.read::<TokenEntry>(&record(id)).await? else { return Ok(None) };
        if entry.num_uses > 1 {
            entry.num_uses -= 1;
            self.store.write(record(id), &entry).await?;
        } else {
            self.store.commit(self.removals(id, &entry)).await?;
            entry.num_uses = -1;
        }
        Ok(Some(Arc::new(entry)))
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("recent", &self.recent.len()).finish_non_exhaustive()
    }
}

fn new_token() -> Result<Token> {
    Ok(Token::new(format!("hvs.{}", random::base62(24)?)))
}

fn salted(key: &hmac::Key, token: &Token) -> SaltedId {
    let mut id = [0; 32];
    id.copy_from_slice(hmac::sign(key, token.expose().as_bytes()).as_ref());
    id
}

fn record(id: &SaltedId) -> String {
    format!("{BY_ID}{}", hex::encode(id))
}

/// Accessors are salted too: they are for those who were given them.
fn index(key: &hmac::Key, accessor: &str) -> String {
    format!("{BY_ACCESSOR}{}", hex::encode(hmac::sign(key, accessor.as_bytes())))
}

/// All that is stored about a token.
fn records(key: &hmac::Key, id: &SaltedId, entry: &TokenEntry) -> [Write; 2] {
    [put(record(id), entry), put(index(key, &entry.accessor), &Accessor { token: *id })]
}
