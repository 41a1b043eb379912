use std::{
    fmt,
    sync::{Arc, atomic::AtomicBool},
    time::SystemTime,
};

use domain::Token;
use futures::{StreamExt, TryStreamExt, stream};
use quick_cache::sync::Cache;
use ring::hmac;
use tokio::sync::Mutex;
use wire::catalog::v1::Write;

use super::{
    SaltedId, TokenEntry,
    batch::{self, BatchSeal},
    records::{self, Accessor, Folder, SALT, Salt},
};
use crate::{
    Error,
    error::Result,
    random,
    store::{Store, put},
    turns::Turns,
};

/// Bytes of a token: `hvs.` and what nobody can guess.
pub(crate) const TOKEN_LENGTH: usize = 28;

/// How many records are read at the same time.
const READ_AT_ONCE: usize = 32;

/// How many tokens are kept in memory.
const CACHED: usize = 10_000;

/// All tokens: one record each, and the recently used ones in memory.
pub(crate) struct Tokens {
    pub(super) store: Store,
    pub(super) salt: hmac::Key,
    pub(super) batch: BatchSeal,
    pub(super) recent: Cache<SaltedId, Arc<TokenEntry>>,
    /// Uses are counted one after the other, and nothing is born of a token that ends.
    pub(super) turns: Turns,
    /// Tokens that their makers choose are made one after the other, so that no two are the same.
    pub(super) choosing: Mutex<()>,
    /// Changes of roles take turns.
    pub(super) role_changes: Mutex<()>,
    /// Somebody is tidying up.
    pub(super) tidying: AtomicBool,
}

/// A token that somebody names.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) id: SaltedId,
    pub(crate) entry: Arc<TokenEntry>,
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
        let entry = TokenEntry::root(new_accessor()?);
        let mut writes = vec![put(SALT.to_owned(), &salt)];
        writes.extend(records::stored(&key, &SaltedId::of(&key, &token), &entry));
        Ok(Self { token, writes })
    }
}

impl Tokens {
    pub(crate) async fn open(store: Store) -> Result<Self> {
        let Salt { salt } = store.read(SALT).await?.ok_or(Error::Missing(SALT))?;
        Ok(Self {
            store,
            batch: BatchSeal::new(&salt),
            salt: hmac::Key::new(hmac::HMAC_SHA256, &salt),
            recent: Cache::new(CACHED),
            turns: Turns::default(),
            choosing: Mutex::new(()),
            role_changes: Mutex::new(()),
            tidying: AtomicBool::new(false),
        })
    }

    /// What a token is known by.
    pub(crate) fn id_of(&self, token: &Token) -> SaltedId {
        SaltedId::of(&self.salt, token)
    }

    /// Whether there is such a token.
    pub(crate) async fn exists(&self, id: &SaltedId) -> Result<bool> {
        Ok(self.alive(id).await?.is_some())
    }

    /// What is known of a token that somebody names; that is no use of it.
    pub(crate) async fn find(&self, token: &Token) -> Result<Option<Found>> {
        let id = SaltedId::of(&self.salt, token);
        let entry = if token.expose().starts_with(batch::PREFIX) {
            self.open_batch(token).await?
        } else {
            self.alive(&id).await?
        };
        Ok(entry.map(|entry| Found { id, entry }))
    }

    /// Likewise, by the name that the token may be known under.
    pub(crate) async fn find_by_accessor(&self, accessor: &str) -> Result<Option<Found>> {
        let index = self.store.read::<Accessor>(&records::index(&self.salt, accessor)).await?;
        let Some(Accessor { token: id, .. }) = index else { return Ok(None) };
        let entry = self.alive(&id).await?.filter(|entry| entry.accessor == accessor);
        Ok(entry.map(|entry| Found { id, entry }))
    }

    /// Stores what belongs to a token, unless nobody would remove it any more. One that is used up is gone before its last
    /// request; what that stores goes with the rest of what it held.
    pub(crate) async fn add_belonging(&self, id: &SaltedId, belonging: Write) -> Result<()> {
        let _turn = self.turns.keep(id).await;
        if self.lookup(id).await?.is_none() && self.store.get(&Folder::Ending.key(id)).await?.is_none() {
            return Err(Error::BadToken);
        }
        self.store.commit(vec![belonging]).await
    }

    /// The accessors of all tokens, sorted.
    pub(super) async fn accessors(&self) -> Result<Vec<String>> {
        let names = self.store.list(Folder::Accessor.prefix()).await?;
        let reads = names.into_iter().map(|name| self.read_accessor(Folder::Accessor.key(name)));
        let read: Vec<Option<String>> =
            stream::iter(reads).buffer_unordered(READ_AT_ONCE).try_collect().await?;
        let mut accessors: Vec<String> = read.into_iter().flatten().collect();
        accessors.sort_unstable();
        Ok(accessors)
    }

    /// How many service tokens there are.
    pub(crate) async fn count(&self) -> Result<usize> {
        Ok(self.store.list(Folder::Id.prefix()).await?.len())
    }

    async fn read_accessor(&self, key: String) -> Result<Option<String>> {
        Ok(self.store.read::<Accessor>(&key).await?.map(|index| index.accessor))
    }

    /// What is known of a token that has not come to its end.
    pub(super) async fn alive(&self, id: &SaltedId) -> Result<Option<Arc<TokenEntry>>> {
        let entry = self.lookup(id).await?;
        Ok(entry.filter(|entry| !entry.is_expired(SystemTime::now())))
    }

    /// A batch token is good while its parent is.
    pub(super) async fn open_batch(&self, token: &Token) -> Result<Option<Arc<TokenEntry>>> {
        let opened = self.batch.open(token).filter(|entry| !entry.is_expired(SystemTime::now()));
        let Some(entry) = opened else { return Ok(None) };
        if let Some(parent) = &entry.parent
            && self.alive(parent).await?.is_none()
        {
            return Ok(None);
        }
        Ok(Some(Arc::new(entry)))
    }

    /// What is stored about a token, from memory where it can be.
    pub(super) async fn lookup(&self, id: &SaltedId) -> Result<Option<Arc<TokenEntry>>> {
        let place = match self.recent.get_value_or_guard_async(id).await {
            Ok(entry) => return Ok(Some(entry)),
            Err(place) => place,
        };
        let Some(entry) = Box::pin(self.stored(id)).await? else { return Ok(None) };
        let entry = Arc::new(entry);
        if entry.num_uses == 0 {
            // Refused when the token was changed meanwhile; this one request was before that.
            let _ = place.insert(entry.clone());
        }
        Ok(Some(entry))
    }

    pub(super) async fn stored(&self, id: &SaltedId) -> Result<Option<TokenEntry>> {
        self.store.read(&Folder::Id.key(id)).await
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("recent", &self.recent.len()).finish_non_exhaustive()
    }
}

pub(super) fn new_token() -> Result<Token> {
    Ok(Token::new(format!("hvs.{}", random::base62(24)?)))
}

pub(super) fn new_accessor() -> Result<String> {
    random::base62(24)
}
