use super::path::{InvalidPattern, Pattern};

/// Who a policy is applied to, as far as its templates ask.
pub trait Identity {
    /// What stands for a selector such as `identity.entity.name`, if the caller has it.
    fn value(&self, selector: &str) -> Option<String>;
}

/// Nobody in particular: no template has a value.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Identity for Nobody {
    fn value(&self, _: &str) -> Option<String> {
        None
    }
}

/// The path of a rule, which may depend on who asks.
#[derive(Clone, Debug, PartialEq)]
pub enum RulePath {
    /// The same for everybody.
    Fixed(Pattern),
    /// With `{{…}}` in it.
    Template(Vec<Piece>),
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Stands for itself.
    Text(String),
    /// Stands for something that the caller's identity says.
    Selector(String),
}

/// Why a text is no path for a rule.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum InvalidPath {
    #[error("failed to validate policy templating: unbalanced templating characters")]
    Unbalanced,
    #[error(transparent)]
    Pattern(#[from] InvalidPattern),
}

impl RulePath {
    pub(super) fn parse(text: &str) -> Result<Self, InvalidPath> {
        let pieces = pieces(text).ok_or(InvalidPath::Unbalanced)?;
        let pattern = Pattern::parse(text)?;
        let templated = pieces.iter().any(|piece| matches!(piece, Piece::Selector(_)));
        Ok(if templated { Self::Template(pieces) } else { Self::Fixed(pattern) })
    }

    /// What it matches for somebody. None: a template has no value for them, or one that would mean more than itself.
    pub fn resolve(&self, identity: &dyn Identity) -> Option<Pattern> {
        match self {
            Self::Fixed(pattern) => Some(pattern.clone()),
            Self::Template(pieces) => {
                let expanded: Option<String> = pieces.iter().map(|piece| piece.expand(identity)).collect();
                Pattern::parse(&expanded?).ok()
            }
        }
    }
}

impl Piece {
    fn expand(&self, identity: &dyn Identity) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Selector(selector) => identity.value(selector).filter(|value| is_literal(value)),
        }
    }
}

/// Whether a value is a literal part of one segment: somebody who names themself `*` is still only themself.
fn is_literal(value: &str) -> bool {
    !value.is_empty() && !value.contains(['/', '*', '+']) && !value.contains(char::is_control)
}

/// None when braces are left over.
fn pieces(text: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (selector, after) = after.split_once("}}")?;
        if before.contains("}}") || selector.contains("{{") {
            return None;
        }
        pieces.push(Piece::Text(before.to_owned()));
        pieces.push(Piece::Selector(selector.trim().to_owned()));
        rest = after;
    }
    if rest.contains("}}") {
        return None;
    }
    pieces.push(Piece::Text(rest.to_owned()));
    Some(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Named(&'static str);

    impl Identity for Named {
        fn value(&self, selector: &str) -> Option<String> {
            (selector == "identity.entity.name").then(|| self.0.to_owned())
        }
    }

    fn resolved(path: &str, name: &'static str) -> Option<Pattern> {
        RulePath::parse(path).unwrap().resolve(&Named(name))
    }

    #[test]
    fn a_template_stands_for_what_the_identity_says() {
        let expected = Pattern::parse("kv/bob/*").unwrap();
        assert_eq!(resolved("kv/{{identity.entity.name}}/*", "bob"), Some(expected.clone()));
        assert_eq!(resolved("/kv/{{ identity.entity.name }}/*", "bob"), Some(expected));
        assert_eq!(resolved("kv/{{identity.entity.shoe}}/*", "bob"), None);
        assert_eq!(RulePath::parse("kv/{{identity.entity.name}}").unwrap().resolve(&Nobody), None);
    }

    #[test]
    fn t3_a_value_that_means_more_than_itself_drops_the_rule() {
        for name in ["", "*", "+", "a/b", "bob*", "../bob", "a\0"] {
            assert_eq!(resolved("kv/{{identity.entity.name}}", name), None, "{name:?}");
        }
    }

    #[test]
    fn braces_come_in_pairs() {
        for bad in ["a/{{x", "a/x}}", "a/{{x}}}}", "{{a{{b}}", "}}{{"] {
            assert_eq!(RulePath::parse(bad), Err(InvalidPath::Unbalanced), "{bad}");
        }
        for good in ["a/{x}", "a", "{{x}}{{y}}", "{{no.such.selector}}"] {
            assert!(RulePath::parse(good).is_ok(), "{good}");
        }
    }
}
