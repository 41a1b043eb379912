use std::str::FromStr;

use super::{InvalidPolicy, Rule, RulePath, parse};

/// What its holders may do, path by path.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// In the order they were written; a path may occur more than once.
    pub rules: Vec<(RulePath, Rule)>,
}

impl Policy {
    /// Whether what it says depends on who asks.
    pub fn is_templated(&self) -> bool {
        self.rules.iter().any(|(path, _)| matches!(path, RulePath::Template(_)))
    }
}

impl FromStr for Policy {
    type Err = InvalidPolicy;

    fn from_str(text: &str) -> Result<Self, InvalidPolicy> {
        parse::parse(text)
    }
}
