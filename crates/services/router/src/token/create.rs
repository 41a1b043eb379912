use domain::Token;
use wire::{catalog::v1::Write, pb};

use super::{
    SaltedId, TokenEntry, TokenKind, TokenRefusal,
    records::{self, Folder},
};
use crate::{Error, core::Active, error::Result, quotas::Room};

/// Makes a token of what is to be known about it, and hands it out this once.
pub(super) async fn create(active: &Active, entry: &TokenEntry) -> Result<Token> {
    make(active, entry, None).await
}

/// A new root token, for those who hold the keys of the seal.
pub(crate) async fn create_root(active: &Active) -> Result<Token> {
    create(active, &TokenEntry::root(active.tokens.new_accessor()?)).await
}

/// Likewise, for somebody whom a plugin vouches for. What it said is kept, for the token's renewal.
pub(crate) async fn create_vouched(active: &Active, entry: &TokenEntry, auth: &pb::Auth) -> Result<Token> {
    make(active, entry, Some(auth)).await
}

/// Makes a token that its maker has chosen.
pub(super) async fn create_chosen(active: &Active, token: &Token, entry: &TokenEntry) -> Result<()> {
    let tokens = &active.tokens;
    let _turn = tokens.choosing.lock().await;
    let _room = room(active, entry)?;
    let id = SaltedId::of(&tokens.salt, token);
    for folder in [Folder::Id, Folder::Ending] {
        if tokens.store.get(&folder.key(id)).await?.is_some() {
            return Err(TokenRefusal::Duplicate.into());
        }
    }
    add(active, id, entry, records::births(active, &id, entry, None)).await
}

/// Makes a token and what belongs to it: both or none.
pub(crate) async fn create_with(
    active: &Active,
    entry: &TokenEntry,
    belongings: impl FnOnce(&SaltedId) -> Vec<Write>,
) -> Result<Token> {
    let token = active.tokens.new_token()?;
    let id = active.tokens.id_of(&token);
    let mut writes = records::births(active, &id, entry, None);
    writes.extend(belongings(&id));
    add(active, id, entry, writes).await?;
    Ok(token)
}

async fn make(active: &Active, entry: &TokenEntry, vouched: Option<&pb::Auth>) -> Result<Token> {
    let _room = room(active, entry)?;
    metrics::counter!("vault.token.creation", "token_type" => entry.kind.word()).increment(1);
    let token = match entry.kind {
        TokenKind::Service => active.tokens.new_token()?,
        TokenKind::Batch => return active.tokens.new_batch_token(entry),
    };
    let id = SaltedId::of(&active.tokens.salt, &token);
    add(active, id, entry, records::births(active, &id, entry, vouched)).await?;
    Ok(token)
}

/// A token that ends by itself has a lease, for which there may be no room. One of the root is never in want of it: by
/// that operators set things right.
fn room(active: &Active, entry: &TokenEntry) -> Result<Option<Room>> {
    let counts = entry.expires().is_some() || entry.kind == TokenKind::Batch;
    if counts { active.shared.quotas.leases.room(active, &entry.path) } else { Ok(None) }
}

/// The only place where tokens come into being that are stored, the very first one aside.
async fn add(active: &Active, id: SaltedId, entry: &TokenEntry, writes: Vec<Write>) -> Result<()> {
    let Some(parent) = &entry.parent else { return store(active, id, entry, writes).await };
    let host = active.host_of(parent)?;
    let of_parent = host.as_ref().map_or(&active.tokens, |host| &host.tokens);
    // A parent cannot end before its child is among those that end with it, its lease included.
    let _turn = of_parent.turns.keep(parent).await;
    of_parent.alive(parent).await?.ok_or(Error::BadToken)?;
    store(active, id, entry, writes).await
}

async fn store(active: &Active, id: SaltedId, entry: &TokenEntry, writes: Vec<Write>) -> Result<()> {
    active.tokens.store.commit(writes).await?;
    if let Some(ends) = entry.expires() {
        active.leases.watch_token(&id, &entry.path, ends);
    }
    Ok(())
}
