use std::sync::Arc;

use bytes::Bytes;
use domain::{Operation, Token};
use wire::pb;

use crate::{
    asked::Asked,
    core::{Active, Core},
    endpoint::Captures,
    error::{Error, Result},
    fields::Fields,
    reach::Reach,
    token::Caller,
    wrapping::Wish,
};

/// A request to one of our own endpoints.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) core: Arc<Core>,
    /// Absent at the endpoints that answer while sealed.
    pub(crate) unsealed: Option<Arc<Active>>,
    /// Absent where no token is asked for.
    pub(crate) caller: Option<Arc<Caller>>,
    /// As it was sent, good or not.
    pub(crate) token: Token,
    /// The wrapping token in the body, where that is looked at first.
    pub(crate) named: Option<Token>,
    pub(crate) id: String,
    pub(crate) operation: Operation,
    pub(crate) captures: Captures,
    pub(crate) body: Bytes,
    /// Where it came from; absent at the endpoints that answer while sealed.
    pub(crate) connection: Option<pb::Connection>,
    /// How the caller wants the answer wrapped, if at all.
    pub(crate) wish: Option<Wish>,
}

impl Ask {
    /// Without what is known only later, or only while unsealed.
    pub(crate) fn of(core: &Arc<Core>, asked: &Asked) -> Self {
        Self {
            core: core.clone(),
            unsealed: None,
            caller: None,
            token: asked.token.clone(),
            named: asked.named.clone(),
            id: asked.request.id.clone(),
            operation: asked.operation,
            captures: Captures::default(),
            body: asked.body().clone(),
            connection: None,
            wish: asked.wish.clone(),
        }
    }

    pub(crate) fn active(&self) -> Result<&Arc<Active>> {
        self.unsealed.as_ref().ok_or(Error::Sealed)
    }

    pub(crate) fn caller(&self) -> Result<&Arc<Caller>> {
        self.caller.as_ref().ok_or(Error::NoToken)
    }

    /// What the caller may do here.
    pub(crate) fn reach(&self) -> Result<Reach> {
        self.caller()?.reach(self.active()?)
    }

    pub(crate) fn fields(&self) -> Result<Fields> {
        Ok(Fields::parse(&self.body)?)
    }

    pub(crate) fn capture(&self, name: &str) -> &str {
        self.captures.get(name)
    }
}
