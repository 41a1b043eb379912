use super::{
    key::{Block, Key, Row, Table, Usual},
    problem::{Place, Problems},
    setting::{Setting, Shown},
    tree::{Entry, Node, Value},
};

/// One block of a configuration while it is being read: what was not asked for in the end is unknown. What was asked
/// for is what the reference tells.
pub(crate) struct Stanza<'p> {
    block: &'static Block,
    entries: Vec<Entry>,
    /// Which table of the problems is its own.
    table: usize,
    pub(crate) problems: &'p mut Problems,
}

impl<'p> Stanza<'p> {
    pub(crate) fn new(block: &'static Block, entries: Vec<Entry>, problems: &'p mut Problems) -> Self {
        problems.tables.push(Table { block, rows: Vec::new() });
        Self { block, entries, table: problems.tables.len() - 1, problems }
    }

    /// The block that a node holds; anything else is refused.
    pub(crate) fn of(block: &'static Block, node: Node, problems: &'p mut Problems) -> Option<Self> {
        match node.value {
            Value::Table(entries) => Some(Self::new(block, entries, problems)),
            other => {
                let text = format!("`{}` is a block, not {}", block.name, other.describe());
                problems.error(&node.place, text);
                None
            }
        }
    }

    fn note(&mut self, row: Row) {
        if let Some(table) = self.problems.tables.get_mut(self.table) {
            table.rows.push(row);
        }
    }

    /// The blocks of that name, in order.
    pub(crate) fn blocks(&mut self, name: &'static str) -> Vec<Node> {
        self.problems.blocks.insert(name);
        self.take(name)
    }

    fn take(&mut self, name: &str) -> Vec<Node> {
        self.entries.extract_if(.., |entry| entry.key == name).map(|entry| entry.node).collect()
    }

    /// Whatever stands under a key, in order, to be looked at by who asks.
    pub(crate) fn nodes<T: Setting>(&mut self, key: &Key<T>) -> Vec<Node> {
        self.note(key.row());
        self.take(key.name)
    }

    /// What was given under that name outside of the files.
    pub(crate) fn given(&mut self, key: &str) -> Option<Node> {
        let given = |entry: &mut Entry| entry.key == key && matches!(entry.node.place, Place::Given(_));
        self.entries.extract_if(.., given).map(|entry| entry.node).last()
    }

    /// The blocks of that name with their labels, in order: `listener "tcp" {…}`, or a list of such.
    pub(crate) fn labelled(&mut self, name: &'static str) -> Vec<Entry> {
        let mut found = Vec::new();
        for node in self.blocks(name) {
            self.collect_labelled(name, node, &mut found);
        }
        found
    }

    fn collect_labelled(&mut self, key: &str, node: Node, found: &mut Vec<Entry>) {
        match node.value {
            Value::Table(entries) => {
                let is_block = |entry: &Entry| matches!(entry.node.value, Value::Table(_) | Value::List(_));
                if entries.is_empty() || !entries.iter().all(is_block) {
                    self.problems.error(&node.place, format!("`{key}` needs a type: {key} \"TYPE\" {{ … }}"));
                    return;
                }
                found.extend(entries);
            }
            Value::List(nodes) => {
                for node in nodes {
                    self.collect_labelled(key, node, found);
                }
            }
            other => {
                self.problems
                    .error(&node.place, format!("`{key}` is a block with a type, not {}", other.describe()));
            }
        }
    }

    /// Every valid value of that name; twice in one file is an error.
    fn values<T: Setting>(&mut self, key: &Key<T>) -> Vec<T> {
        let nodes = self.take(key.name);
        for pair in nodes.windows(2) {
            if pair[0].place.beside(&pair[1].place) {
                let text = format!("`{}` is set twice; keep one of them", key.name);
                self.problems.error(&pair[1].place, text);
            }
        }
        nodes.into_iter().filter_map(|node| self.value(key.name, &node)).collect()
    }

    fn value<T: Setting>(&mut self, key: &str, node: &Node) -> Option<T> {
        let value = T::read(&node.value);
        if value.is_none() {
            let text = format!("`{key}` is {}; allowed: {}", node.value.describe(), T::ALLOWED);
            self.problems.error(&node.place, text);
        }
        value
    }

    /// The value that counts: what is configured later wins.
    pub(crate) fn last<T: Setting>(&mut self, key: &Key<T>) -> Option<T> {
        self.note(key.row());
        self.values(key).pop()
    }

    /// The value that counts, if only the one that it has by itself.
    pub(crate) fn get<T: Setting + Shown>(&mut self, key: &Usual<T>) -> T {
        self.set(key).unwrap_or_else(|| key.usual())
    }

    /// The value that counts, if it is set at all.
    pub(crate) fn set<T: Setting + Shown>(&mut self, key: &Usual<T>) -> Option<T> {
        self.note(key.row());
        self.values(key).pop()
    }

    /// The greatest of all that are set.
    pub(crate) fn greatest<T: Setting + Shown + Ord>(&mut self, key: &Usual<T>) -> T {
        self.note(key.row());
        self.values(key).into_iter().max().unwrap_or_else(|| key.usual())
    }

    /// Whether it is set to true anywhere.
    pub(crate) fn any(&mut self, key: &Key<bool>) -> bool {
        self.note(key.row_with("`false`".to_owned()));
        self.values(key).contains(&true)
    }

    /// Like [`Self::last`]; its absence is an error, said of the block at `place`.
    pub(crate) fn required<T: Setting>(&mut self, key: &Key<T>, place: &Place) -> Option<T> {
        self.note(key.row_with("needed".to_owned()));
        let missing = self.entries.iter().all(|entry| entry.key != key.name);
        if missing {
            let text = format!("`{}` needs `{}`: {}", self.block.name, key.name, T::ALLOWED);
            self.problems.error(place, text);
        }
        self.values(key).pop()
    }

    /// Warns of everything that was not asked for.
    pub(crate) fn finish(self) {
        for entry in self.entries {
            let key = &entry.key;
            let text = if self.block.without_effect.contains(&key.as_str()) {
                format!("`{key}` is known from Vault and has no effect here")
            } else {
                format!("`{key}` is unknown here and has no effect")
            };
            self.problems.warning(&entry.node.place, text);
        }
    }
}
