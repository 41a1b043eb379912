use std::{net::IpAddr, sync::Arc, time::SystemTime};

use domain::Token;
use tokio::runtime::Handle;

use super::{
    Found, SaltedId, TokenEntry, batch,
    records::{self, Children, Folder},
    revoke,
};
use crate::{Error, core::Active, error::Result, reach::Reach};

/// Who asks, as their token says.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) id: SaltedId,
    pub(crate) entry: Arc<TokenEntry>,
    /// The namespace that the token belongs to. What is asked may be in one below.
    pub(crate) home: Arc<Active>,
    /// There for the last request of a token with a limited number of uses.
    _last_use: Option<LastUse>,
}

/// When the last request is done, whether its client waits for it or not, what belonged to the token goes.
#[derive(Debug)]
struct LastUse {
    active: Arc<Active>,
    id: SaltedId,
}

/// Whose token it is. A token with a limited number of uses has one less afterwards.
///
/// A token is good in its own namespace and in those below; it never reaches one above or beside it.
pub(crate) async fn authenticate(
    active: &Arc<Active>,
    token: &Token,
    remote: Option<IpAddr>,
) -> Result<Arc<Caller>> {
    if token.expose().is_empty() {
        return Err(Error::NoToken);
    }
    let home = active.home_of(token)?.ok_or(Error::BadToken)?;
    let tokens = &home.tokens;
    let id = SaltedId::of(&tokens.salt, token);
    if token.expose().starts_with(batch::PREFIX) {
        let entry = Box::pin(home.open_batch(token)).await?.ok_or(Error::BadToken)?;
        refuse_strangers(&entry, remote)?;
        refuse_beyond(&home, active)?;
        return Ok(Arc::new(Caller { id, entry, home, _last_use: None }));
    }
    let mut entry = tokens.lookup(&id).await?.ok_or(Error::BadToken)?;
    if entry.is_expired(SystemTime::now()) {
        tokio::spawn(revoke::later(home, id));
        return Err(Error::BadToken);
    }
    refuse_strangers(&entry, remote)?;
    refuse_beyond(&home, active)?;
    if entry.num_uses != 0 {
        entry = Box::pin(count_use(&home, &id)).await?.ok_or(Error::BadToken)?;
    }
    let last_use = (entry.num_uses < 0).then(|| LastUse { active: home.clone(), id });
    Ok(Arc::new(Caller { id, entry, home, _last_use: last_use }))
}

fn refuse_beyond(home: &Active, asked: &Active) -> Result<()> {
    if home.namespace.path.contains(&asked.namespace.path) { Ok(()) } else { Err(Error::Forbidden) }
}

impl Caller {
    /// The token, as one that somebody names.
    pub(crate) fn found(&self) -> Found {
        Found { id: self.id, entry: self.entry.clone(), home: self.home.clone() }
    }

    /// What the holder may do in a namespace.
    pub(crate) fn reach(&self, at: &Active) -> Result<Reach> {
        Reach::new(self.home.acl(&self.entry)?, &self.home.namespace, &at.namespace)
    }
}

fn refuse_strangers(entry: &TokenEntry, remote: Option<IpAddr>) -> Result<()> {
    if entry.admits(remote) { Ok(()) } else { Err(Error::Forbidden) }
}

async fn count_use(active: &Active, id: &SaltedId) -> Result<Option<Arc<TokenEntry>>> {
    let tokens = &active.tokens;
    let _turn = tokens.turns.change(id).await;
    let Some(mut entry) = tokens.stored(id).await? else { return Ok(None) };
    if entry.num_uses > 1 {
        entry.num_uses -= 1;
        tokens.store.write(Folder::Id.key(id), &entry).await?;
    } else {
        tokens.store.commit(records::deaths(active, id, &entry, Children::Die)).await?;
        active.leases.forget_token(id, &entry.path);
        entry.num_uses = -1;
    }
    Ok(Some(Arc::new(entry)))
}

impl Drop for LastUse {
    fn drop(&mut self) {
        // Without a runtime the server is about to end; its next start goes on with it.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(revoke::later(self.active.clone(), self.id));
        }
    }
}
