//! The end of tokens. A token that ends is marked in the same moment as its record goes, and the mark stays until all
//! that dies with it is gone: its children, however deep, and what they held. A server that is killed in between goes
//! on at its next start, before it takes requests.

use std::{sync::Arc, time::SystemTime};

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use wire::catalog::v1::Write;

use super::{
    SaltedId, TokenEntry, abroad,
    records::{self, Children, Ending, Folder},
};
use crate::{core::Active, cubbyhole::Shelf, error::Result, store::put};

/// How many tokens are ended at the same time; their writes share commits.
const AT_ONCE: usize = 64;

/// Ends a token, its children, and what they held. One that is not there has been ended already.
pub(crate) async fn revoke_tree(active: &Active, id: SaltedId) -> Result<()> {
    end(active, id, Children::Die, |_| true).await
}

/// Ends a token and what it held. Its children go on as orphans.
pub(crate) async fn revoke_orphan(active: &Active, id: SaltedId) -> Result<()> {
    end(active, id, Children::Stay, |_| true).await
}

/// Ends a token whose time is over, with its children. One that has been renewed meanwhile stays.
pub(crate) async fn expire(active: &Active, id: SaltedId) -> Result<()> {
    end(active, id, Children::Die, |entry| entry.is_expired(SystemTime::now())).await
}

/// Ends a token whose lease is over, with its children, or tells until when it has been renewed since the lease was
/// looked at.
pub(crate) async fn lapse(
    active: &Active,
    id: SaltedId,
    renewed: Option<Timestamp>,
) -> Result<Option<Timestamp>> {
    let as_before = |entry: &TokenEntry| entry.renewed.map(|last| last.at) == renewed;
    end(active, id, Children::Die, as_before).await?;
    Ok(active.tokens.lookup(&id).await?.and_then(|entry| entry.expires()))
}

/// Goes on where a request or an earlier run of the server left off.
pub(super) async fn later(active: Arc<Active>, id: SaltedId) {
    if let Err(error) = expire(&active, id).await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "a token has ended, and not yet all it held"
        );
    }
}

/// Ends what an earlier run has begun to end. The tokens are gone when this is done; what they held may take longer.
pub(crate) async fn resume(active: &Arc<Active>) -> Result<()> {
    let names = active.tokens.store.list(Folder::Ending.prefix()).await?;
    let begun: Vec<SaltedId> = names.iter().filter_map(|name| SaltedId::parse(name)).collect();
    for id in &begun {
        end_children(active, *id).await?;
    }
    for id in begun {
        tokio::spawn(later(active.clone(), id));
    }
    Ok(())
}

async fn end(
    active: &Active,
    id: SaltedId,
    children: Children,
    is_due: impl Fn(&TokenEntry) -> bool,
) -> Result<()> {
    if !mark(active, &id, children, is_due).await? {
        return Ok(());
    }
    // Children first: they are worth nothing before anything else is tried that may fail.
    for id in end_children(active, id).await? {
        end_holdings(active, &id).await?;
    }
    Ok(())
}

/// Ends what a dead token held, and its mark with it.
async fn end_holdings(active: &Active, id: &SaltedId) -> Result<()> {
    active.leases.revoke_of_token(id).await?;
    let tokens = &active.tokens;
    // A request that the token still made has written by now, or finds the mark gone.
    let _turn = tokens.turns.change(id).await;
    abroad::end_holdings(active, id).await?;
    Shelf::of(&tokens.store, id).clear().await?;
    tokens.store.delete(Folder::Ending.key(id)).await
}

/// Ends a token, and says whether it is one that ends.
async fn mark(
    active: &Active,
    id: &SaltedId,
    children: Children,
    is_due: impl Fn(&TokenEntry) -> bool,
) -> Result<bool> {
    let tokens = &active.tokens;
    let _turn = tokens.turns.change(id).await;
    let Some(entry) = tokens.stored(id).await? else {
        return Ok(tokens.store.get(&Folder::Ending.key(id)).await?.is_some());
    };
    if !is_due(&entry) {
        return Ok(false);
    }
    tokens.store.commit(records::deaths(active, id, &entry, children)).await?;
    // A look-up that read the record before it was gone loses its place with this, and cannot bring it back.
    tokens.recent.remove(id);
    active.leases.forget_token(id, &entry.path);
    Ok(true)
}

/// Ends the children of a marked token, or lets them go, and answers with all that are marked now.
async fn end_children(active: &Active, id: SaltedId) -> Result<Vec<SaltedId>> {
    let store = &active.tokens.store;
    let mut marked = vec![id];
    let mut next = 0;
    while let Some(parent) = marked.get(next).copied() {
        next += 1;
        let Some(ending) = store.read::<Ending>(&Folder::Ending.key(parent)).await? else { continue };
        abroad::end_children(active, &parent, ending.children).await?;
        loop {
            let names = store.page(&records::children(&parent), String::new()).await?;
            if names.is_empty() {
                break;
            }
            let ended = names.into_iter().map(|name| leave(active, parent, name, ending.children));
            let ended: Vec<_> = stream::iter(ended).buffer_unordered(AT_ONCE).try_collect().await?;
            marked.extend(ended.into_iter().flatten());
        }
    }
    Ok(marked)
}

/// What becomes of a child whose parent ends.
async fn leave(
    active: &Active,
    parent: SaltedId,
    name: String,
    children: Children,
) -> Result<Option<SaltedId>> {
    let child = SaltedId::parse(&name);
    let done = match (child, children) {
        (Some(child), Children::Die) => mark(active, &child, Children::Die, |_| true).await?,
        (Some(child), Children::Stay) => orphan(active, &child).await?,
        (None, _) => false,
    };
    if !done {
        // There is no such token, only its name among the children.
        active.tokens.store.delete(format!("{}{name}", records::children(&parent))).await?;
    }
    Ok(child.filter(|_| done && children == Children::Die))
}

pub(super) async fn orphan(active: &Active, id: &SaltedId) -> Result<bool> {
    let tokens = &active.tokens;
    let _turn = tokens.turns.change(id).await;
    let Some(mut entry) = tokens.stored(id).await? else { return Ok(false) };
    let Some(parent) = entry.parent.take() else { return Ok(false) };
    let leaves = Write { key: records::child(&parent, id), value: None };
    tokens.store.commit(vec![put(Folder::Id.key(id), &entry), leaves]).await?;
    tokens.recent.remove(id);
    Ok(true)
}
