use std::{fmt, str::FromStr};

/// Names that mean something else at the same place.
const RESERVED: [&str; 8] = [".", "..", "root", "sys", "audit", "auth", "cubbyhole", "identity"];

/// What a namespace is called among those of its parent: one segment, without a slash, that no policy can mistake.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NamespaceName(String);

/// Why a text is not the name of a namespace, in OpenBao's words.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidNamespace {
    /// Nothing where a name should be.
    #[error("namespace name cannot be empty")]
    Empty,
    /// Children are made in their parent, one at a time.
    #[error("namespace name cannot contain /")]
    Slash,
    /// Something else is there in every namespace.
    #[error("\"{0}/\" is a reserved path and cannot be used as a namespace name")]
    Reserved(String),
    /// Blanks, visible or not.
    #[error("{0:?} contains space characters that cannot be used in a namespace name")]
    Space(String),
    /// Policies would take it for many.
    #[error("{0:?} contains wildcard characters that cannot be used in a namespace name: {1:?}")]
    Wildcard(String, char),
    /// Nobody would see it.
    #[error("{0:?} contains unicode characters that cannot be used in a namespace name: {1:?}")]
    Invisible(String, char),
}

impl NamespaceName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NamespaceName {
    type Err = InvalidNamespace;

    fn from_str(text: &str) -> Result<Self, InvalidNamespace> {
        if text.is_empty() {
            return Err(InvalidNamespace::Empty);
        }
        if text.contains('/') {
            return Err(InvalidNamespace::Slash);
        }
        if RESERVED.contains(&text) {
            return Err(InvalidNamespace::Reserved(text.to_owned()));
        }
        for letter in text.chars() {
            if letter.is_whitespace() {
                return Err(InvalidNamespace::Space(text.to_owned()));
            }
            if matches!(letter, '+' | '*') {
                return Err(InvalidNamespace::Wildcard(text.to_owned(), letter));
            }
            if !is_visible(letter) {
                return Err(InvalidNamespace::Invisible(text.to_owned(), letter));
            }
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for NamespaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a letter can be shown as it is. A backslash is in no path, and what stands for bytes that are no text would
/// be a name for whatever is none.
fn is_visible(letter: char) -> bool {
    if letter == char::REPLACEMENT_CHARACTER {
        return false;
    }
    // After another letter, so that marks that belong to the one before count as what they are.
    matches!(letter, '"' | '\'') || ['a', letter].iter().collect::<String>().escape_debug().count() == 2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(text: &str) -> String {
        text.parse::<NamespaceName>().unwrap_err().to_string()
    }

    #[test]
    fn names_that_mean_something_else_are_refused_in_openbaos_words() {
        for name in RESERVED {
            let sentence = format!("\"{name}/\" is a reserved path and cannot be used as a namespace name");
            assert_eq!(refused(name), sentence);
        }
        assert_eq!(refused(""), "namespace name cannot be empty");
        assert_eq!(refused("a/b"), "namespace name cannot contain /");
        assert_eq!(
            refused("a b"),
            r#""a b" contains space characters that cannot be used in a namespace name"#
        );
        assert_eq!(
            refused("team*"),
            r#""team*" contains wildcard characters that cannot be used in a namespace name: '*'"#
        );
        for hidden in
            ["a\u{200b}", "a\u{202e}b", "\u{feff}", "a\0", "a\u{7f}", "a\\b", "a\u{2800}\u{a0}", "\u{fffd}"]
        {
            assert!(hidden.parse::<NamespaceName>().is_err(), "{hidden:?}");
        }
    }

    #[test]
    fn names_in_any_language_are_names() {
        for name in ["ns1", "TEAM_a-1", "大", "é", "e\u{301}", "💪", "%", "it's", "systems", "rooted"] {
            assert_eq!(name.parse::<NamespaceName>().unwrap().as_str(), name);
        }
    }

    proptest! {
        #[test]
        fn a_name_is_one_segment_that_is_seen_as_it_is(text in any::<String>()) {
            if let Ok(name) = text.parse::<NamespaceName>() {
                prop_assert!(!name.as_str().is_empty() && !name.as_str().contains(['/', '*', '+', '\\']));
                prop_assert!(!name.as_str().chars().any(|c| c.is_control() || c.is_whitespace()));
                prop_assert!(!RESERVED.contains(&name.as_str()));
            }
        }
    }
}
