use serde_json::Number;

/// One name of a document and what it stands for. Names may repeat, and stay in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The name.
    pub name: String,
    /// The line of the sign that gives the value; 0 for a block, which has no such sign, and in JSON.
    pub assigned: usize,
    /// What it stands for: `path "a" {…}` is `path` with a table of one entry, `a`.
    pub node: Node,
}

/// What stands in one place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The line that it begins on, from one.
    pub line: usize,
    /// What it is.
    pub value: Value,
}

/// A value of a document, whether it was written as HCL or as JSON.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the kinds of values that JSON has")]
pub enum Value {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Table(Vec<Entry>),
}

impl Node {
    /// A single value is as good as a list of one.
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::Null => &[],
            Value::List(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    /// The text that it is, if it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The entries of a table, or of a list of tables, one after the other.
    pub fn tables(&self) -> Option<Vec<&Entry>> {
        let mut entries = Vec::new();
        for item in self.items() {
            match &item.value {
                Value::Table(more) => entries.extend(more),
                _ => return None,
            }
        }
        Some(entries)
    }
}
