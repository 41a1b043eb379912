/// A name as it is looked up: in lower case. Folded here and nowhere else, so that logins, look-ups and policies agree
/// about who is who.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Folded(String);

impl Folded {
    /// The name that this is a spelling of.
    pub fn of(name: &str) -> Self {
        Self(name.to_lowercase())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What an alias is found by: the accessor of a mount, and a name there. The same name at another mount is somebody else.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Factors {
    /// The mount's accessor.
    pub accessor: String,
    /// The name at that mount.
    pub name: Folded,
}

impl Factors {
    /// Those of a name at a mount.
    pub fn new(accessor: &str, name: &str) -> Self {
        Self { accessor: accessor.to_owned(), name: Folded::of(name) }
    }
}

/// Root is a token's own, and nobody's by being somebody.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("policies cannot contain root")]
pub struct RootPolicy;

/// The policies of an entity or a group as they are kept: in lower case, sorted, each once, without root in any
/// spelling.
///
/// # Errors
/// Root is among them.
pub fn policy_names(given: &[String]) -> Result<Vec<String>, RootPolicy> {
    let mut names: Vec<String> = given.iter().map(|name| name.trim().to_lowercase()).collect();
    names.retain(|name| !name.is_empty());
    names.sort();
    names.dedup();
    if names.iter().any(|name| is_root(name)) { Err(RootPolicy) } else { Ok(names) }
}

/// Whether a name is a spelling of root.
pub(super) fn is_root(name: &str) -> bool {
    name.trim().to_lowercase() == "root"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t9_a_name_is_the_same_in_every_case_and_another_one_at_another_mount() {
        assert_eq!(Folded::of("Bob"), Folded::of("bOB"));
        assert_eq!(Factors::new("a", "ÄB"), Factors::new("a", "äb"));
        assert_ne!(Factors::new("a", "bob"), Factors::new("b", "bob"));
        assert_ne!(Folded::of("bob"), Folded::of("bob "));
    }

    #[test]
    fn t1_root_is_refused_in_every_spelling() {
        for root in ["root", "ROOT", " Root", "root\t", "\u{a0}rooT\n"] {
            assert_eq!(policy_names(&["a".to_owned(), root.to_owned()]), Err(RootPolicy), "{root:?}");
        }
        let given = ["b", " A ", "a", "", "rooted"].map(str::to_owned);
        assert_eq!(policy_names(&given).unwrap(), ["a", "b", "rooted"]);
    }
}
