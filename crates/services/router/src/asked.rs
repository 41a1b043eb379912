use bytes::Bytes;
use domain::{NamespacePath, Operation, Token};
use wire::router::v1::Request;

use crate::{Error, error::Result, wrapping::Wish};

/// A request from outside, as it was understood.
pub(crate) struct Asked {
    /// Without the token, which is beside it.
    pub(crate) request: Request,
    pub(crate) operation: Operation,
    /// As it was sent, good or not.
    pub(crate) token: Token,
    /// The wrapping token in the body, where that is looked at first.
    pub(crate) named: Option<Token>,
    /// How the caller wants the answer wrapped, if at all.
    pub(crate) wish: Option<Wish>,
}

impl Asked {
    pub(crate) fn new(mut request: Request) -> Result<Self> {
        let operation = operation(&request.operation)?;
        let token = Token::new(std::mem::take(&mut request.token));
        let wish = Wish::of_caller(&request);
        Ok(Self { request, operation, token, named: None, wish })
    }

    /// Whether it calls no namespace by name but the one that all others are in.
    pub(crate) fn is_of_root(&self) -> bool {
        let called = &self.request.namespace;
        called.is_empty() || NamespacePath::called(called).is_some_and(|path| path.is_root())
    }

    pub(crate) fn path(&self) -> &str {
        &self.request.path
    }

    pub(crate) const fn body(&self) -> &Bytes {
        &self.request.data
    }
}

/// Only these can be asked for from outside; the others are between the host and its plugins.
fn operation(word: &str) -> Result<Operation> {
    match word.parse() {
        Ok(Operation::Create) => Ok(Operation::Update),
        Ok(
            operation @ (Operation::Read
            | Operation::List
            | Operation::Update
            | Operation::Patch
            | Operation::Delete
            | Operation::Header
            | Operation::Help),
        ) => Ok(operation),
        _ => Err(Error::UnsupportedOperation),
    }
}
