use std::{borrow::Borrow, fmt};

use serde::{Deserialize, Serialize};

use super::{InvalidNamespace, NamespaceName};

/// Where a namespace is: empty for the root namespace, else names that each end in a slash: `team/`, `team/app/`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NamespacePath(String);

impl NamespacePath {
    /// The namespace that all others are in.
    pub const ROOT: Self = Self(String::new());

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the one that all others are in.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The namespace of that name in this one.
    #[must_use]
    pub fn join(&self, name: &NamespaceName) -> Self {
        Self(format!("{}{name}/", self.0))
    }

    /// The namespace that it is in; none: it is the root namespace.
    pub fn parent(&self) -> Option<Self> {
        let inner = self.0.strip_suffix('/')?;
        Some(Self(inner.rfind('/').map_or("", |slash| &inner[..=slash]).to_owned()))
    }

    /// Whether the other is this one or somewhere in it.
    pub fn contains(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }

    /// Where another is, as seen from this one; none: it is not in it.
    pub fn relative<'o>(&self, other: &'o Self) -> Option<&'o str> {
        other.0.strip_prefix(&self.0)
    }

    /// What a client calls a namespace by: slashes at its ends do not matter, and `root` is a name for the root
    /// namespace. None: nothing can be called that.
    pub fn called(text: &str) -> Option<Self> {
        let inner = text.strip_prefix('/').unwrap_or(text);
        match inner.strip_suffix('/').unwrap_or(inner) {
            "" | "root" => Some(Self::ROOT),
            inner => format!("{inner}/").try_into().ok(),
        }
    }
}

impl TryFrom<String> for NamespacePath {
    type Error = InvalidNamespace;

    fn try_from(text: String) -> Result<Self, InvalidNamespace> {
        if let Some(inner) = text.strip_suffix('/') {
            inner.split('/').try_for_each(|name| name.parse::<NamespaceName>().map(|_| ()))?;
        } else if !text.is_empty() {
            return Err(InvalidNamespace::Slash);
        }
        Ok(Self(text))
    }
}

impl From<NamespacePath> for String {
    fn from(path: NamespacePath) -> Self {
        path.0
    }
}

impl Borrow<str> for NamespacePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NamespacePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn at(text: &str) -> NamespacePath {
        text.to_owned().try_into().unwrap()
    }

    fn paths() -> impl Strategy<Value = NamespacePath> {
        vec("[a-c]{1,2}", 0..4).prop_map(|names| {
            let names = names.iter().map(|name| name.parse().unwrap());
            names.fold(NamespacePath::ROOT, |path, name: NamespaceName| path.join(&name))
        })
    }

    #[test]
    fn clients_call_a_namespace_with_or_without_slashes() {
        for text in ["a/b", "/a/b", "a/b/", "/a/b/"] {
            assert_eq!(NamespacePath::called(text), Some(at("a/b/")), "{text}");
        }
        for text in ["", "/", "//", "root", "root/"] {
            assert_eq!(NamespacePath::called(text), Some(NamespacePath::ROOT), "{text}");
        }
        for text in ["///", "a//b", "../a", "a/..", ".", "a/./b", "sys", "a b", "a/root"] {
            assert_eq!(NamespacePath::called(text), None, "{text}");
        }
    }

    #[test]
    fn a_name_that_another_begins_with_is_not_above_it() {
        assert!(!at("team/").contains(&at("teams/")));
        assert!(at("team/").contains(&at("team/a/")));
        assert_eq!(at("team/").relative(&at("team/a/")), Some("a/"));
        assert_eq!(at("team/").relative(&at("other/")), None);
    }

    proptest! {
        #[test]
        fn whoever_contains_another_is_among_its_ancestors(one in paths(), other in paths()) {
            let mut ancestors = std::iter::successors(Some(other.clone()), NamespacePath::parent);
            prop_assert_eq!(one.contains(&other), ancestors.any(|each| each == one));
        }

        #[test]
        fn a_path_is_where_it_is_seen_to_be(one in paths(), other in paths()) {
            match one.relative(&other) {
                Some(rest) => prop_assert_eq!(format!("{one}{rest}"), other.as_str()),
                None => prop_assert!(!one.contains(&other)),
            }
        }

        #[test]
        fn nothing_but_paths_are_read(text in any::<String>()) {
            if let Ok(path) = NamespacePath::try_from(text.clone()) {
                prop_assert_eq!(path.as_str(), &text);
                prop_assert_eq!(NamespacePath::called(&text), Some(path));
            }
        }
    }
}
