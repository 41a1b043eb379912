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
    batch::BatchSeal,
    records::{self, Accessor, Folder, SALT, Salt},
};
use crate::{
    Error,
    error::Result,
    namespaces::Namespace,
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
    namespace: Namespace,
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
        let root = Namespace::root();
        let token = given.map_or_else(|| new_token(&root), Ok)?;
        let entry = TokenEntry::root(new_accessor(&root)?);
        let mut writes = vec![put(SALT.to_owned(), &salt)];
        writes.extend(records::stored(&key, &SaltedId::of(&key, &token), &entry));
        Ok(Self { token, writes })
    }
}

/// What is stored about tokens where there are none yet.
pub(crate) fn first_writes() -> Result<Vec<Write>> {
    Ok(vec![put(SALT.to_owned(), &Salt { salt: random::bytes()? })])
}

impl Tokens {
    pub(crate) async fn open(store: Store, namespace: Namespace) -> Result<Self> {
        let Salt { salt } = store.read(SALT).await?.ok_or(Error::Missing(SALT))?;
        Ok(Self {
            store,
            namespace,
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

    /// The token that may be known under a name.
    pub(super) async fn find_by_accessor(
        &self,
        accessor: &str,
    ) -> Result<Option<(SaltedId, Arc<TokenEntry>)>> {
        let index = self.store.read::<Accessor>(&records::index(&self.salt, accessor)).await?;
        let Some(Accessor { token: id, .. }) = index else { return Ok(None) };
        let entry = self.alive(&id).await?.filter(|entry| entry.accessor == accessor);
        Ok(entry.map(|entry| (id, entry)))
    }

    /// Stores what belongs to a token, there or in a namespace below, unless nobody would remove it any more. One that is used up is gone before its last
    /// request; what that stores goes with the rest of what it held.
    pub(super) async fn add_belonging(&self, id: &SaltedId, to: &Store, belonging: Write) -> Result<()> {
        let _turn = self.turns.keep(id).await;
        if self.lookup(id).await?.is_none() && self.store.get(&Folder::Ending.key(id)).await?.is_none() {
            return Err(Error::BadToken);
        }
        to.commit(vec![belonging]).await
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

    /// What a batch token says that has not come to its end. Whether its parent has is for the caller to find out.
    pub(super) fn open_batch(&self, token: &Token) -> Option<TokenEntry> {
        let entry = self.batch.open(self.namespace.unmark(token.expose())?)?;
        Some(entry).filter(|entry| !entry.is_expired(SystemTime::now()))
    }

    /// A token that nobody had before.
    pub(super) fn new_token(&self) -> Result<Token> {
        new_token(&self.namespace)
    }

    /// A name that no token was known under before.
    pub(crate) fn new_accessor(&self) -> Result<String> {
        new_accessor(&self.namespace)
    }

    /// A token that is stored nowhere.
    pub(super) fn new_batch_token(&self, entry: &TokenEntry) -> Result<Token> {
        Ok(Token::new(self.namespace.mark(self.batch.seal(entry)?)))
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

fn new_token(namespace: &Namespace) -> Result<Token> {
    Ok(Token::new(namespace.mark(format!("hvs.{}", random::base62(24)?))))
}

fn new_accessor(namespace: &Namespace) -> Result<String> {
    Ok(namespace.mark(random::base62(24)?))
}
