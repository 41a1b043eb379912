use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What the server has acknowledged to one member of the crowd.
#[derive(Debug, Default)]
pub struct Promised {
    pub steps: usize,
    pub tokens: Vec<Held>,
    /// Tokens that have come to their end.
    pub ended: Vec<String>,
    /// What the secrets of leases are called that have come to their end.
    pub revoked: BTreeSet<String>,
    /// What those are called that were refused: the plugin may have made them all the same.
    pub refused: BTreeSet<String>,
    /// The secret in each mount.
    pub mounts: BTreeMap<String, String>,
    /// Paths of auth methods.
    pub methods: BTreeSet<String>,
    pub policies: BTreeMap<String, String>,
}

/// A token that works.
#[derive(Clone, Debug)]
pub struct Held {
    pub token: String,
    pub accessor: String,
    /// Whose end is its end too.
    pub parent: Option<String>,
    /// The auth method that it came from, whose end is its end too.
    pub method: Option<String>,
    /// How often it can still be used; zero: without limit.
    pub uses: usize,
    /// Names of secrets by their leases.
    pub leases: BTreeMap<String, String>,
    /// What is in its cubbyhole.
    pub note: Option<String>,
}

impl Held {
    /// What an answer with a new token says.
    pub fn of(answer: &Value) -> Self {
        let auth = &answer["auth"];
        let text = |name: &str| auth[name].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        Self {
            token: text("client_token"),
            accessor: text("accessor"),
            parent: None,
            method: None,
            uses: auth["num_uses"].as_u64().unwrap_or(0) as usize,
            leases: BTreeMap::new(),
            note: None,
        }
    }
}

impl Promised {
    /// A token has come to its end, and with it what it held.
    fn ends(&mut self, place: usize) {
        let held = self.tokens.swap_remove(place);
        self.revoked.extend(held.leases.into_values());
        self.ended.push(held.token);
    }

    /// A token has come to its end with all its children.
    pub fn tree_ends(&mut self, accessor: &str) {
        let mut parents = vec![accessor.to_owned()];
        while let Some(parent) = parents.pop() {
            let children = self.tokens.iter().filter(|held| held.parent.as_ref() == Some(&parent));
            parents.extend(children.map(|held| held.accessor.clone()));
            if let Some(place) = self.tokens.iter().position(|held| held.accessor == parent) {
                self.ends(place);
            }
        }
    }

    /// A token has come to its end, and its children are nobody's.
    pub fn ends_alone(&mut self, accessor: &str) {
        for held in self.tokens.iter_mut().filter(|held| held.parent.as_deref() == Some(accessor)) {
            held.parent = None;
        }
        self.tree_ends(accessor);
    }

    /// An auth method has gone, with all tokens that came from it.
    pub fn method_ends(&mut self, path: &str) {
        self.methods.remove(path);
        let of_it = self.tokens.iter().filter(|held| held.method.as_deref() == Some(path));
        for accessor in of_it.map(|held| held.accessor.clone()).collect::<Vec<_>>() {
            self.tree_ends(&accessor);
        }
    }
}

/// How many tokens of all work.
pub fn living(all: &[Promised]) -> usize {
    all.iter().map(|promised| promised.tokens.len()).sum()
}
