use std::{marker::PhantomData, ops::Deref};

use super::setting::{Setting, Shown};
use crate::{Service, variable::Variable};

/// A block of a configuration, with what the reference says of it.
#[derive(Debug)]
pub(crate) struct Block {
    /// What it is called where something is wrong with it.
    pub(super) name: &'static str,
    /// How it is written.
    pub(super) title: &'static str,
    pub(super) says: &'static str,
    /// Who reads it; none: its keys say so.
    pub(super) readers: &'static [Service],
    /// What Vault knows there, and changes nothing here.
    pub(super) without_effect: &'static [&'static str],
}

/// A key of a block, with what the reference says of it. Nothing is read but by one.
#[derive(Debug)]
pub(crate) struct Key<T> {
    pub(super) name: &'static str,
    says: &'static str,
    otherwise: &'static str,
    variable: Option<&'static Variable>,
    readers: &'static [Service],
    value: PhantomData<fn() -> T>,
}

/// A key that has a value by itself.
#[derive(Debug)]
pub(crate) struct Usual<T> {
    key: Key<T>,
    usual: fn() -> T,
}

/// What the reference says of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(super) key: &'static str,
    pub(super) says: &'static str,
    pub(super) allowed: &'static str,
    pub(super) usual: String,
    pub(super) variable: Option<&'static Variable>,
    pub(super) readers: &'static [Service],
}

/// What the reference says of a block.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(super) block: &'static Block,
    pub(super) rows: Vec<Row>,
}

impl Block {
    pub(crate) const fn new(name: &'static str, title: &'static str, says: &'static str) -> Self {
        Self { name, title, says, readers: &[], without_effect: &[] }
    }

    /// These services read it.
    pub(crate) const fn read_by(self, readers: &'static [Service]) -> Self {
        Self { readers, ..self }
    }

    /// These keys of Vault's change nothing here.
    pub(crate) const fn without_effect(self, keys: &'static [&'static str]) -> Self {
        Self { without_effect: keys, ..self }
    }
}

impl<T> Key<T> {
    pub(crate) const fn new(name: &'static str, says: &'static str) -> Self {
        Self { name, says, otherwise: "", variable: None, readers: &[], value: PhantomData }
    }

    /// What holds when it is not set, in words.
    pub(crate) const fn otherwise(self, otherwise: &'static str) -> Self {
        Self { otherwise, ..self }
    }

    /// This variable says it, too.
    pub(crate) const fn variable(self, variable: &'static Variable) -> Self {
        Self { variable: Some(variable), ..self }
    }

    /// These services read it, where the block does not say so.
    pub(crate) const fn read_by(self, readers: &'static [Service]) -> Self {
        Self { readers, ..self }
    }

    /// What it is when it is not set.
    pub(crate) const fn usually(self, usual: fn() -> T) -> Usual<T> {
        Usual { key: self, usual }
    }
}

impl<T: Setting> Key<T> {
    pub(super) fn row(&self) -> Row {
        self.row_with(self.otherwise.to_owned())
    }

    pub(super) fn row_with(&self, usual: String) -> Row {
        let Self { name, says, variable, readers, .. } = *self;
        Row { key: name, says, allowed: T::ALLOWED, usual, variable, readers }
    }
}

impl<T> Usual<T> {
    /// Its value when it is not set.
    pub(crate) fn usual(&self) -> T {
        (self.usual)()
    }
}

impl<T: Setting + Shown> Usual<T> {
    pub(super) fn row(&self) -> Row {
        self.key.row_with(self.usual().told())
    }
}

impl<T> Deref for Usual<T> {
    type Target = Key<T>;

    fn deref(&self) -> &Key<T> {
        &self.key
    }
}
