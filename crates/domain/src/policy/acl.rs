use std::collections::{BTreeMap, HashMap};

use super::{Capabilities, Identity, Pattern, Policy, Question, Rule};
use crate::Operation;

/// What the holder of a set of policies may do. Compiled once for the set; a decision allocates nothing unless a rule is
/// about parameters.
#[derive(Clone, Debug, Default)]
pub struct Acl {
    root: bool,
    exact: HashMap<String, Rule>,
    /// Sorted by what stands before the first wildcard.
    heads: Vec<Head>,
}

/// The rules that have the same text before their first wildcard.
#[derive(Clone, Debug)]
struct Head {
    text: String,
    /// The longest other head that this one begins with.
    above: Option<usize>,
    /// The most specific first.
    rules: Vec<(Pattern, Rule)>,
}

/// A rule that was found for a path, and whether that was by a pattern.
struct Found<'a> {
    pattern: Option<&'a Pattern>,
    rule: &'a Rule,
}

impl Acl {
    /// That of a root token.
    pub fn root() -> Self {
        Self { root: true, ..Self::default() }
    }

    /// What some policies allow together to somebody.
    pub fn compile<'p>(policies: impl IntoIterator<Item = &'p Policy>, identity: &dyn Identity) -> Self {
        let mut merged: HashMap<Pattern, Rule> = HashMap::new();
        for (path, rule) in policies.into_iter().flat_map(|policy| &policy.rules) {
            let Some(pattern) = path.resolve(identity) else { continue };
            merged.entry(pattern).and_modify(|known| known.merge(rule)).or_insert_with(|| rule.clone());
        }
        let mut exact = HashMap::new();
        let mut heads: BTreeMap<String, Vec<(Pattern, Rule)>> = BTreeMap::new();
        for (pattern, rule) in merged {
            match pattern {
                Pattern::Exact(path) => {
                    exact.insert(path, rule);
                }
                wild => heads.entry(wild.head().to_owned()).or_default().push((wild, rule)),
            }
        }
        Self { root: false, exact, heads: linked(heads) }
    }

    /// Whether it allows everything.
    pub fn is_root(&self) -> bool {
        self.root
    }

    /// Whether it allows what somebody wants to do. Help explains what exists anyway, and is always allowed.
    pub fn allows(&self, question: &Question<'_>) -> bool {
        self.root
            || question.operation == Operation::Help
            || self.rule(question.path, question.operation).is_some_and(|rule| rule.permits(question))
    }

    /// Whether its holder may hear what a plugin announces about a path.
    pub fn tells(&self, path: &str, event_type: &str) -> bool {
        self.root || self.rule(path, Operation::Read).is_some_and(|rule| rule.tells(event_type))
    }

    /// What may be done at a path; for a root token that question has no answer.
    pub fn capabilities(&self, path: &str) -> Capabilities {
        self.rule(path, Operation::List).map(|rule| rule.capabilities).unwrap_or_default()
    }

    /// The words for what may be done at a path, as callers see them.
    pub fn words(&self, path: &str) -> Vec<&'static str> {
        if self.root { vec!["root"] } else { self.capabilities(path).words() }
    }

    /// Whether anything may be done inside a folder, whose path ends in a slash.
    pub fn reaches_into(&self, folder: &str) -> bool {
        self.root
            || self.exact.iter().any(|(path, rule)| allows_something(rule) && path.starts_with(folder))
            || self
                .heads
                .iter()
                .flat_map(|head| &head.rules)
                .any(|(pattern, rule)| allows_something(rule) && pattern.reaches_into(folder))
    }

    /// The rules for single paths.
    pub fn exact(&self) -> impl Iterator<Item = (&str, &Rule)> {
        self.exact.iter().map(|(path, rule)| (path.as_str(), rule))
    }

    /// The rules for more than one path each.
    pub fn patterns(&self) -> impl Iterator<Item = (&Pattern, &Rule)> {
        self.heads.iter().flat_map(|head| &head.rules).map(|(pattern, rule)| (pattern, rule))
    }

    /// The one rule that decides. The folder `a/` is listed by rules for `a` too, and a denial of `a` holds for `a/`
    /// whatever is asked; of the two the more specific one counts.
    fn rule(&self, path: &str, operation: Operation) -> Option<&Rule> {
        let own = self.find(path);
        let bare = path.strip_suffix('/').and_then(|bare| self.find(bare));
        let bare = bare.filter(|found| operation == Operation::List || found.rule.capabilities.denies());
        let found = match (own, bare) {
            (Some(own), Some(bare)) => Some(if own.is_less_specific_than(&bare) { bare } else { own }),
            (own, bare) => own.or(bare),
        };
        found.map(|found| found.rule)
    }

    fn find(&self, path: &str) -> Option<Found<'_>> {
        if let Some(rule) = self.exact.get(path) {
            return Some(Found { pattern: None, rule });
        }
        // Whatever `path` begins with sorts at or before it, and what lies between begins with it too: so the last head
        // up to `path`, or one above that, is the longest that `path` begins with.
        let after = self.heads.partition_point(|head| head.text.as_str() <= path);
        let mut at = after.checked_sub(1);
        while let Some(head) = at.map(|at| &self.heads[at]) {
            if path.starts_with(&head.text)
                && let Some((pattern, rule)) = head.rules.iter().find(|(pattern, _)| pattern.matches(path))
            {
                return Some(Found { pattern: Some(pattern), rule });
            }
            at = head.above;
        }
        None
    }
}

impl Found<'_> {
    fn is_less_specific_than(&self, other: &Self) -> bool {
        match (self.pattern, other.pattern) {
            (Some(own), Some(other)) => own.specificity(other).is_lt(),
            (Some(_), None) => true,
            (None, _) => false,
        }
    }
}

fn allows_something(rule: &Rule) -> bool {
    !rule.capabilities.allows_nothing()
}

fn linked(heads: BTreeMap<String, Vec<(Pattern, Rule)>>) -> Vec<Head> {
    let mut linked: Vec<Head> = Vec::with_capacity(heads.len());
    for (text, mut rules) in heads {
        rules.sort_unstable_by(|(one, _), (other, _)| other.specificity(one));
        let mut above = linked.len().checked_sub(1);
        while let Some(at) = above.filter(|at| !text.starts_with(&linked[*at].text)) {
            above = linked[at].above;
        }
        linked.push(Head { text, above, rules });
    }
    linked
}
