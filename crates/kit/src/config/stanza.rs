use super::{
    problem::{Place, Problems},
    setting::Setting,
    tree::{Entry, Node, Value},
};

/// One block of a configuration while it is being read: what was not asked for in the end is unknown.
pub(crate) struct Stanza<'p> {
    entries: Vec<Entry>,
    pub(crate) problems: &'p mut Problems,
}

impl<'p> Stanza<'p> {
    pub(crate) fn new(entries: Vec<Entry>, problems: &'p mut Problems) -> Self {
        Self { entries, problems }
    }

    /// The block that a node holds; anything else is refused.
    pub(crate) fn of(name: &str, node: Node, problems: &'p mut Problems) -> Option<Self> {
        match node.value {
            Value::Table(entries) => Some(Self::new(entries, problems)),
            other => {
                problems.error(&node.place, format!("`{name}` is a block, not {}", other.describe()));
                None
            }
        }
    }

    /// Everything of that name, in order.
    pub(crate) fn all(&mut self, key: &str) -> Vec<Node> {
        self.entries.extract_if(.., |entry| entry.key == key).map(|entry| entry.node).collect()
    }

    /// What was given under that name outside of the files.
    pub(crate) fn given(&mut self, key: &str) -> Option<Node> {
        let given = |entry: &mut Entry| entry.key == key && matches!(entry.node.place, Place::Given(_));
        self.entries.extract_if(.., given).map(|entry| entry.node).last()
    }

    /// The blocks of that name with their labels, in order: `listener "tcp" {…}`, or a list of such.
    pub(crate) fn labelled(&mut self, key: &str) -> Vec<Entry> {
        let mut found = Vec::new();
        for node in self.all(key) {
            self.collect_labelled(key, node, &mut found);
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
    pub(crate) fn values<T: Setting>(&mut self, key: &str) -> Vec<T> {
        let nodes = self.all(key);
        for pair in nodes.windows(2) {
            if pair[0].place.beside(&pair[1].place) {
                self.problems.error(&pair[1].place, format!("`{key}` is set twice; keep one of them"));
            }
        }
        nodes.into_iter().filter_map(|node| self.value(key, &node)).collect()
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
    pub(crate) fn last<T: Setting>(&mut self, key: &str) -> Option<T> {
        self.values(key).pop()
    }

    /// Whether it is set to true anywhere.
    pub(crate) fn any(&mut self, key: &str) -> bool {
        self.values(key).contains(&true)
    }

    /// Like [`Self::last`]; its absence is an error, said of the block at `place`.
    pub(crate) fn required<T: Setting>(&mut self, stanza: &str, key: &str, place: &Place) -> Option<T> {
        let missing = self.entries.iter().all(|entry| entry.key != key);
        if missing {
            self.problems.error(place, format!("`{stanza}` needs `{key}`: {}", T::ALLOWED));
        }
        self.last(key)
    }

    /// Warns of everything that was not asked for.
    pub(crate) fn finish(self, without_effect: &[&str]) {
        for entry in self.entries {
            let key = &entry.key;
            let text = if without_effect.contains(&key.as_str()) {
                format!("`{key}` is known from Vault and has no effect here")
            } else {
                format!("`{key}` is unknown here and has no effect")
            };
            self.problems.warning(&entry.node.place, text);
        }
    }
}
