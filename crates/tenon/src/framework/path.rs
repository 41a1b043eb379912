use std::{collections::BTreeMap, sync::Arc};

use domain::Operation;
use serde::de::DeserializeOwned;

use super::{
    Outcome,
    field::Field,
    handler::{Handler, handler},
    pattern::{Captures, Pattern},
};
use crate::{Request, Response, Result};

/// One handler may answer several operations.
type SharedHandler<S> = Arc<Handler<S, Option<Response>>>;

/// One row of an engine's table: which paths it takes, which fields, and who answers.
pub struct Path<S> {
    pub(super) pattern: Pattern,
    pub(super) fields: BTreeMap<&'static str, Field>,
    pub(super) operations: Vec<(Operation, SharedHandler<S>)>,
    pub(super) exists: Option<Handler<S, bool>>,
    pub(super) any_input: bool,
    pub(super) synopsis: &'static str,
    pub(super) description: &'static str,
}

macro_rules! on {
    ($($(#[$doc:meta])* $name:ident => $operations:expr;)*) => {
        $($(#[$doc])*
        #[must_use]
        pub fn $name<I, F, Fut>(self, handle: F) -> Self
        where
            I: DeserializeOwned,
            F: Fn(Arc<S>, Request, I) -> Fut + Send + Sync + 'static,
            Fut: Future<Output = Outcome> + Send + 'static,
        {
            self.on(&$operations, handle)
        })*
    };
}

impl<S: Send + Sync + 'static> Path<S> {
    /// A row for the paths of a pattern: `config`, `roles/{name}` (one segment), `data/{path...}` (a rest that names
    /// something), `metadata/{path*}` (any rest) or `{*}` (anything).
    #[must_use]
    pub fn new(pattern: &'static str) -> Self {
        Self {
            pattern: Pattern::new(pattern),
            fields: BTreeMap::new(),
            operations: Vec::new(),
            exists: None,
            any_input: false,
            synopsis: "",
            description: "",
        }
    }

    /// The help for it: one sentence, and the whole story.
    #[must_use]
    pub fn help(mut self, synopsis: &'static str, description: &'static str) -> Self {
        self.synopsis = synopsis;
        self.description = description;
        self
    }

    /// A field of the body, or a named part of the path.
    #[must_use]
    pub fn field(mut self, name: &'static str, field: Field) -> Self {
        self.fields.insert(name, field);
        self
    }

    /// Takes whatever the body carries, without a warning about unknown parameters.
    #[must_use]
    pub fn any_input(mut self) -> Self {
        self.any_input = true;
        self
    }

    on! {
        /// Who answers reads.
        read => [Operation::Read];
        /// Who answers lists.
        list => [Operation::List];
        /// Who answers writes, of what exists and of what does not.
        write => [Operation::Create, Operation::Update];
        /// Who answers patches.
        patch => [Operation::Patch];
        /// Who answers deletes.
        delete => [Operation::Delete];
    }

    /// Who answers these operations.
    #[must_use]
    pub fn on<I, F, Fut>(mut self, operations: &[Operation], handle: F) -> Self
    where
        I: DeserializeOwned,
        F: Fn(Arc<S>, Request, I) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        let handler = Arc::new(handler(handle));
        self.operations.extend(operations.iter().map(|operation| (*operation, Arc::clone(&handler))));
        self
    }

    /// Who knows whether what a write would touch exists. Without it every write is an update.
    #[must_use]
    pub fn exists<I, F, Fut>(mut self, check: F) -> Self
    where
        I: DeserializeOwned,
        F: Fn(Arc<S>, Request, I) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<bool>> + Send + 'static,
    {
        self.exists = Some(handler(check));
        self
    }

    /// What it captures of the request's path, if it takes it. A list of `roles` arrives as `roles/`.
    pub(super) fn captures<'p>(&self, operation: Operation, path: &'p str) -> Option<Captures<'p>> {
        self.pattern.captures(path).or_else(|| {
            let lists = operation == Operation::List && self.pattern.ends_in_literal();
            self.pattern.captures(path.strip_suffix('/').filter(|_| lists)?)
        })
    }

    pub(super) fn handler(&self, operation: Operation) -> Option<&Handler<S, Option<Response>>> {
        self.operations.iter().find(|(it, _)| *it == operation).map(|(_, handler)| handler.as_ref())
    }
}
