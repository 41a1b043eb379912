use serde_json::Number;

/// One name of a policy document and what it stands for. Names may repeat, and stay in their order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) name: String,
    /// The line of the sign that gives the value; 0 for a block, which has no such sign.
    pub(super) line: usize,
    pub(super) node: Node,
}

/// A policy document, whether it was written as HCL or as JSON.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Table(Vec<Entry>),
}

impl Node {
    /// A single value is as good as a list of one.
    pub(super) fn items(&self) -> &[Node] {
        match self {
            Self::Null => &[],
            Self::List(items) => items,
            single => std::slice::from_ref(single),
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The entries of a table, or of a list of tables, one after the other.
    pub(super) fn tables(&self) -> Option<Vec<&Entry>> {
        let mut entries = Vec::new();
        for item in self.items() {
            match item {
                Self::Table(more) => entries.extend(more),
                _ => return None,
            }
        }
        Some(entries)
    }
}
