use std::{borrow::Cow, sync::Arc};

use domain::policy::{Acl, Capabilities, Question};

use crate::{Error, error::Result, namespaces::Namespace, token::Found};

/// What the holder of a token may do in a namespace: the policies are those of the token's own namespace, and say what
/// may be done in one below by its path as seen from there.
#[derive(Clone, Debug)]
pub(crate) struct Reach {
    acl: Arc<Acl>,
    /// What paths in the namespace begin with in the policies; empty in the token's own.
    above: String,
}

impl Reach {
    /// What a token can do in a namespace, which is its own or one below.
    pub(crate) fn of(found: &Found, at: &Namespace) -> Result<Self> {
        Self::new(found.home.acl(&found.entry)?, &found.home.namespace, at)
    }

    pub(crate) fn new(acl: Arc<Acl>, home: &Namespace, at: &Namespace) -> Result<Self> {
        let above = home.path.relative(&at.path).ok_or(Error::Forbidden)?;
        Ok(Self { acl, above: above.to_owned() })
    }

    /// What somebody else of the same namespace can do there.
    pub(crate) fn with(&self, acl: Arc<Acl>) -> Self {
        Self { acl, above: self.above.clone() }
    }

    /// As written in the policies.
    pub(crate) fn acl(&self) -> &Acl {
        &self.acl
    }

    /// What a path of the namespace is called in the policies.
    pub(crate) fn path<'p>(&self, path: &'p str) -> Cow<'p, str> {
        if self.above.is_empty() { path.into() } else { format!("{}{path}", self.above).into() }
    }

    pub(crate) fn is_root(&self) -> bool {
        self.acl.is_root()
    }

    pub(crate) fn allows(&self, question: &Question<'_>) -> bool {
        self.acl.allows(&Question { path: &self.path(question.path), ..*question })
    }

    /// Whether what a plugin announces about a path of the namespace is for the holder's ears.
    pub(crate) fn is_told(&self, path: &str, event_type: &str) -> bool {
        self.acl.tells(&self.path(path), event_type)
    }

    pub(crate) fn capabilities(&self, path: &str) -> Capabilities {
        self.acl.capabilities(&self.path(path))
    }

    pub(crate) fn words(&self, path: &str) -> Vec<&'static str> {
        self.acl.words(&self.path(path))
    }

    pub(crate) fn reaches_into(&self, folder: &str) -> bool {
        self.acl.reaches_into(&self.path(folder))
    }
}
