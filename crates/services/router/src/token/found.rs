use std::sync::Arc;

use domain::{Token, namespace_of_token};

use super::{SaltedId, TokenEntry, batch};
use crate::{core::Active, error::Result};

/// A token that somebody names.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) id: SaltedId,
    pub(crate) entry: Arc<TokenEntry>,
    /// The namespace that it belongs to.
    pub(crate) home: Arc<Active>,
}

impl Active {
    /// The namespace that a token belongs to, if there is such a token: its own end says so. None: nobody gets in there.
    pub(crate) fn home_of(self: &Arc<Self>, token: &Token) -> Result<Option<Arc<Self>>> {
        match namespace_of_token(token.expose()) {
            None if self.namespace.is_root() => Ok(Some(self.clone())),
            None => self.shared.namespaces.root().map(Some),
            Some(id) if *id == self.namespace.id => Ok(Some(self.clone())),
            Some(id) => {
                Ok(self.shared.namespaces.with_id(id)?.and_then(|known| known.active().ok().cloned()))
            }
        }
    }

    /// What is known of a token that somebody names here; that is no use of it. Tokens of this namespace and of those in
    /// it are known; any other is as good as none, however well it is named.
    pub(crate) async fn find_token(self: &Arc<Self>, token: &Token) -> Result<Option<Found>> {
        let home = self.home_of(token)?;
        match home.filter(|home| self.namespace.path.contains(&home.namespace.path)) {
            Some(home) => home.find_own(token).await,
            None => Ok(None),
        }
    }

    /// What is known of a token of this very namespace.
    pub(crate) async fn find_own(self: &Arc<Self>, token: &Token) -> Result<Option<Found>> {
        let id = self.tokens.id_of(token);
        let entry = if token.expose().starts_with(batch::PREFIX) {
            self.open_batch(token).await?
        } else {
            self.tokens.alive(&id).await?
        };
        Ok(entry.map(|entry| Found { id, entry, home: self.clone() }))
    }

    /// Likewise, by the name that the token may be known under.
    pub(crate) async fn find_by_accessor(self: &Arc<Self>, accessor: &str) -> Result<Option<Found>> {
        let found = self.tokens.find_by_accessor(accessor).await?;
        Ok(found.map(|(id, entry)| Found { id, entry, home: self.clone() }))
    }

    /// A batch token is good while its parent is.
    pub(super) async fn open_batch(&self, token: &Token) -> Result<Option<Arc<TokenEntry>>> {
        let Some(entry) = self.tokens.open_batch(token) else { return Ok(None) };
        if let Some(parent) = &entry.parent
            && !self.is_alive(parent).await?
        {
            return Ok(None);
        }
        Ok(Some(Arc::new(entry)))
    }

    /// Whether there is a token of which something here depends: one of this namespace, or a guest.
    pub(crate) async fn is_alive(&self, id: &SaltedId) -> Result<bool> {
        match self.host_of(id)? {
            None => self.tokens.exists(id).await,
            Some(host) => host.tokens.exists(id).await,
        }
    }

    /// The namespace that a guest of this one belongs to; none: the token is this namespace's own. That nothing can be
    /// asked of a namespace does not mean that a token has ended.
    pub(super) fn host_of(&self, id: &SaltedId) -> Result<Option<Arc<Self>>> {
        let Some(home) = self.guests.home(id) else { return Ok(None) };
        let namespaces = &self.shared.namespaces;
        if home == crate::namespaces::Namespace::root().id {
            return namespaces.root().map(Some);
        }
        namespaces.with_id(&home)?.map(|known| known.active().cloned()).transpose()
    }
}
