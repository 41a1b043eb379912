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
    /// An expression: a sum, a variable, a call.
    Expression,
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
            Self::Expression => "an expression".to_owned(),
        }
    }
}

/// A name and what it stands for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) node: Node,
}

/// Turns positions in a text into lines.
pub(crate) struct Lines<'t> {
    pub(crate) file: std::sync::Arc<std::path::Path>,
    pub(crate) text: &'t str,
}

impl Lines<'_> {
    /// The line of a byte position.
    pub(crate) fn at(&self, position: usize) -> Place {
        let before = self.text.as_bytes().iter().take(position);
        self.line(1 + before.filter(|byte| **byte == b'\n').count())
    }

    pub(crate) fn line(&self, line: usize) -> Place {
        Place::Line { file: self.file.clone(), line }
    }
}
