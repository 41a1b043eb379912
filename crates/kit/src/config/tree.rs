use std::{path::Path, sync::Arc};

use domain::document;

use super::problem::Place;

/// A configuration as it is written, whether in HCL or JSON: `storage "sqlite" {…}` is `storage` with an entry `sqlite`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

/// What stands in one place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Node>),
    Table(Vec<Entry>),
}

impl Value {
    /// What it is, for a sentence; shows short scalars only.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Number(text) => text.clone(),
            Self::Text(text) if text.chars().count() <= 64 => format!("{text:?}"),
            Self::Text(_) => "a long text".to_owned(),
            Self::List(_) => "a list".to_owned(),
            Self::Table(_) => "a block".to_owned(),
        }
    }
}

/// A name and what it stands for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) node: Node,
}

impl Entry {
    /// An entry of a document that was read from a file.
    pub(crate) fn of(file: &Arc<Path>, entry: document::Entry) -> Self {
        Self { key: entry.name, node: Node::of(file, entry.node) }
    }
}

impl Node {
    fn of(file: &Arc<Path>, node: document::Node) -> Self {
        let value = match node.value {
            document::Value::Null => Value::Null,
            document::Value::Bool(value) => Value::Bool(value),
            document::Value::Number(number) => Value::Number(number.to_string()),
            document::Value::Text(text) => Value::Text(text),
            document::Value::List(nodes) => {
                Value::List(nodes.into_iter().map(|node| Self::of(file, node)).collect())
            }
            document::Value::Table(entries) => {
                Value::Table(entries.into_iter().map(|entry| Entry::of(file, entry)).collect())
            }
        };
        Self { place: Place::Line { file: Arc::clone(file), line: node.line }, value }
    }
}
