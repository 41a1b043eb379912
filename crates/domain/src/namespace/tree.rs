use std::collections::HashMap;

use super::NamespacePath;

/// The namespaces that there are, each with what is kept for it. The parent of each is among them, up to the root
/// namespace, which is always there.
#[derive(Clone, Debug)]
pub struct NamespaceTree<T> {
    root: T,
    others: HashMap<NamespacePath, T>,
}

impl<T> NamespaceTree<T> {
    /// The root namespace, and no other.
    pub fn new(root: T) -> Self {
        Self { root, others: HashMap::new() }
    }

    /// The one that all others are in.
    pub const fn root(&self) -> &T {
        &self.root
    }

    /// The namespace at a path.
    pub fn get(&self, path: &NamespacePath) -> Option<&T> {
        if path.is_root() { Some(&self.root) } else { self.others.get(path) }
    }

    /// The namespace that a request means, and what its path is there. The namespace that it calls by name counts from
    /// the root, and its path goes on from that: as deep as there are namespaces.
    ///
    /// None: what it calls by name is no namespace. That is never taken for a part of the path.
    pub fn resolve<'p>(&self, called: &str, path: &'p str) -> Option<(&T, &'p str)> {
        if called.is_empty() {
            // As a request in the root namespace comes: nothing is put together for it.
            return Some(self.descend(&self.root, path, path));
        }
        let called = NamespacePath::called(called)?;
        let found = self.get(&called)?;
        Some(self.descend(found, &format!("{called}{path}"), path))
    }

    /// From a namespace down the rest of a path, of which the whole is known.
    fn descend<'s, 'p>(&'s self, from: &'s T, whole: &str, path: &'p str) -> (&'s T, &'p str) {
        let (mut found, mut rest) = (from, path);
        if self.others.is_empty() {
            return (found, rest);
        }
        while let Some((_, below)) = rest.split_once('/') {
            // Whose parent is not there is not there either.
            let Some(next) = self.others.get(&whole[..whole.len() - below.len()]) else { break };
            (found, rest) = (next, below);
        }
        (found, rest)
    }

    /// Adds a namespace or changes what is kept for it. False: its parent is not there, and nothing is changed.
    pub fn insert(&mut self, path: NamespacePath, value: T) -> bool {
        match path.parent() {
            None => self.root = value,
            Some(parent) if self.get(&parent).is_some() => {
                self.others.insert(path, value);
            }
            Some(_) => return false,
        }
        true
    }

    /// Removes a namespace in which there is no other. False: it stays.
    pub fn remove(&mut self, path: &NamespacePath) -> bool {
        self.below(path).next().is_none() && self.others.remove(path).is_some()
    }

    /// All that are in a namespace, however deep, in no particular order.
    pub fn below(&self, path: &NamespacePath) -> impl Iterator<Item = (&NamespacePath, &T)> {
        self.others.iter().filter(move |(other, _)| *other != path && path.contains(other))
    }

    /// Those that are directly in a namespace, in no particular order.
    pub fn children(&self, path: &NamespacePath) -> impl Iterator<Item = (&NamespacePath, &T)> {
        self.below(path).filter(move |(other, _)| other.parent().as_ref() == Some(path))
    }

    /// All of them, the root namespace first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.root).chain(self.others.values())
    }

    /// The namespaces from the root down to a path, as far as they are there.
    pub fn line(&self, path: &NamespacePath) -> impl Iterator<Item = &T> {
        let mut line: Vec<_> = std::iter::successors(Some(path.clone()), NamespacePath::parent).collect();
        line.reverse();
        line.into_iter().filter_map(|each| self.get(&each))
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;

    fn at(text: &str) -> NamespacePath {
        text.to_owned().try_into().unwrap()
    }

    fn tree(paths: &[&str]) -> NamespaceTree<String> {
        let mut tree = NamespaceTree::new(String::new());
        for path in paths {
            assert!(tree.insert(at(path), (*path).to_owned()));
        }
        tree
    }

    #[test]
    fn the_same_namespace_is_meant_by_name_by_path_and_by_both_together() {
        let tree = tree(&["ns1/", "ns1/ns2/"]);
        for (called, path) in [
            ("", "ns1/ns2/secret/foo"),
            ("ns1/ns2/", "secret/foo"),
            ("/ns1/ns2", "secret/foo"),
            ("ns1", "ns2/secret/foo"),
            ("root", "ns1/ns2/secret/foo"),
        ] {
            let found = tree.resolve(called, path).map(|(found, rest)| (found.as_str(), rest));
            assert_eq!(found, Some(("ns1/ns2/", "secret/foo")), "{called} {path}");
        }
    }

    #[test]
    fn what_is_no_namespace_by_name_is_none_and_by_path_is_a_path() {
        let tree = tree(&["ns1/"]);
        for called in ["ns2", "ns1/ns2", "ns", "ns1/..", "sys"] {
            assert!(tree.resolve(called, "secret/foo").is_none(), "{called}");
        }
        assert_eq!(tree.resolve("", "ns2/foo").unwrap(), (&String::new(), "ns2/foo"));
        assert_eq!(tree.resolve("", "ns1").unwrap(), (&String::new(), "ns1"));
        assert_eq!(tree.resolve("", "ns1/").unwrap(), (&"ns1/".to_owned(), ""));
        assert_eq!(tree.resolve("", "ns10/foo").unwrap(), (&String::new(), "ns10/foo"));
    }

    #[test]
    fn a_namespace_with_others_in_it_stays_and_none_is_without_its_parent() {
        let mut tree = tree(&["a/", "a/b/"]);
        assert!(!tree.insert(at("x/y/"), String::new()));
        assert!(!tree.remove(&at("a/")));
        assert!(tree.remove(&at("a/b/")) && tree.remove(&at("a/")));
        assert!(!tree.remove(&NamespacePath::ROOT));
    }

    fn segments() -> impl Strategy<Value = Vec<&'static str>> {
        vec(select(vec!["a", "b", "ab"]), 0..5)
    }

    proptest! {
        #[test]
        fn a_request_means_the_deepest_namespace_that_its_whole_path_leads_through(
            namespaces in vec(segments(), 0..8), called in segments(), path in segments(),
        ) {
            let mut tree = NamespaceTree::new(String::new());
            for names in &namespaces {
                for depth in 1..=names.len() {
                    let path: String = names[..depth].iter().flat_map(|name| [*name, "/"]).collect();
                    prop_assert!(tree.insert(at(&path), path.clone()));
                }
            }
            let is_there = |text: &str| text.is_empty() || tree.get(&at(text)).is_some();
            let called: String = called.iter().flat_map(|name| [*name, "/"]).collect();
            let path = path.join("/");
            let whole = format!("{called}{path}");
            let mut prefixes = whole.rmatch_indices('/').map(|(slash, _)| &whole[..=slash]);
            let deepest = prefixes.find(|text| is_there(text)).unwrap_or("");
            match tree.resolve(&called, &path) {
                Some((found, rest)) => {
                    prop_assert!(is_there(&called));
                    prop_assert_eq!(found.as_str(), deepest);
                    prop_assert_eq!(format!("{found}{rest}"), whole);
                }
                None => prop_assert!(!is_there(&called)),
            }
        }
    }
}
