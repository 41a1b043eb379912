use std::time::Duration;

use super::{Capabilities, Capability, Parameters};
use crate::{Operation, matches_glob};

/// What may be done at a path.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rule {
    /// What may be done at all.
    pub capabilities: Capabilities,
    /// With which parameters.
    pub parameters: Parameters,
    /// For how long the answer has to be wrapped.
    pub wrapping: Wrapping,
    /// The types of what plugins announce about it that may be heard, in which `*` is any text.
    pub announcements: Vec<String>,
}

/// Bounds for the time to live of a wrapped answer. With any bound, an answer has to be wrapped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wrapping {
    /// At least so long.
    pub min: Option<Duration>,
    /// At most so long.
    pub max: Option<Duration>,
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug)]
pub struct Question<'r> {
    /// In its canonical form.
    pub path: &'r str,
    /// Create and update told apart.
    pub operation: Operation,
    /// Whether the path asks for more than the capability of the operation.
    pub needs_sudo: bool,
    /// For how long the caller wants the answer wrapped; none: not at all.
    pub wrap_ttl: Option<Duration>,
    /// The parameters, as a JSON object. Read only if a rule is about them.
    pub body: &'r [u8],
}

impl Rule {
    /// Adds another rule for the same path. A denial leaves nothing of either.
    pub fn merge(&mut self, other: &Self) {
        self.capabilities = self.capabilities.union(other.capabilities);
        if self.capabilities.denies() {
            *self = Self { capabilities: self.capabilities, ..Self::default() };
            return;
        }
        self.parameters.merge(&other.parameters);
        self.wrapping = self.wrapping.merged(other.wrapping);
        let more = other.announcements.iter().filter(|each| !self.announcements.contains(each));
        let more: Vec<_> = more.cloned().collect();
        self.announcements.extend(more);
    }

    /// Whether it lets somebody hear what a plugin announces about its path.
    pub fn tells(&self, event_type: &str) -> bool {
        self.capabilities.has(Capability::Subscribe)
            && self.capabilities.has(Capability::List)
            && self.announcements.iter().any(|pattern| matches_glob(pattern, event_type))
    }

    /// Whether it allows what somebody wants to do at its path.
    pub fn permits(&self, question: &Question<'_>) -> bool {
        let Some(needed) = Capability::needed_for(question.operation) else { return false };
        self.capabilities.has(needed)
            && (!question.needs_sudo || self.capabilities.has(Capability::Sudo))
            && self.wrapping.permits(question.wrap_ttl)
            && (!has_parameters(question.operation) || self.parameters.permit(question.body))
    }
}

impl Wrapping {
    fn merged(self, other: Self) -> Self {
        let smaller = |one: Option<Duration>, two| one.into_iter().chain(two).min();
        Self { min: smaller(self.min, other.min), max: smaller(self.max, other.max) }
    }

    fn permits(self, asked: Option<Duration>) -> bool {
        let least = self.min.is_none_or(|min| asked.is_some_and(|asked| asked >= min));
        let most = self.max.is_none_or(|max| asked.is_some_and(|asked| asked <= max));
        least && most
    }
}

const fn has_parameters(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::Read | Operation::Header | Operation::Create | Operation::Update | Operation::Patch
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(bounds: (u64, u64)) -> Wrapping {
        let bound = |seconds| (seconds > 0).then(|| Duration::from_secs(seconds));
        Wrapping { min: bound(bounds.0), max: bound(bounds.1) }
    }

    #[test]
    fn a_bound_asks_for_wrapping_within_it() {
        for (bounds, asked, expected) in [
            ((0, 0), None, true),
            ((0, 0), Some(5), true),
            ((10, 0), None, false),
            ((10, 60), Some(9), false),
            ((10, 60), Some(10), true),
            ((10, 60), Some(60), true),
            ((10, 60), Some(61), false),
            ((0, 60), None, false),
            ((60, 10), Some(30), false),
        ] {
            let asked = asked.map(Duration::from_secs);
            assert_eq!(seconds(bounds).permits(asked), expected, "{bounds:?} {asked:?}");
        }
        assert_eq!(seconds((10, 60)).merged(seconds((5, 90))), seconds((5, 60)));
        assert_eq!(seconds((0, 60)).merged(seconds((5, 0))), seconds((5, 60)));
    }

    #[test]
    fn a_denial_wins_over_any_other_rule_for_the_same_path() {
        let read = || Rule { capabilities: [Capability::Read].into_iter().collect(), ..Rule::default() };
        let bounded = || Rule { wrapping: seconds((1, 2)), ..read() };
        let denied = || Rule { capabilities: Capabilities::DENY, ..Rule::default() };
        for (mut one, other) in [(bounded(), denied()), (denied(), bounded())] {
            one.merge(&other);
            assert_eq!(one, denied());
        }
    }

    #[test]
    fn what_plugins_announce_is_heard_by_those_who_may_list_and_subscribe_to_its_type() {
        let rule = |capabilities: &[Capability], types: &[&str]| Rule {
            capabilities: capabilities.iter().copied().collect(),
            announcements: types.iter().map(|each| (*each).to_owned()).collect(),
            ..Rule::default()
        };
        let both = [Capability::List, Capability::Subscribe];
        assert!(rule(&both, &["kv*"]).tells("kv-v2/data-write"));
        assert!(!rule(&both, &["database/*"]).tells("kv-v2/data-write"));
        assert!(!rule(&both, &[]).tells("kv-v2/data-write"));
        for capability in both {
            let mut one = rule(&[capability], &["*"]);
            assert!(!one.tells("kv-v2/data-write"));
            one.merge(&rule(&both, &["a", "*"]));
            assert!(one.tells("kv-v2/data-write"));
            assert_eq!(one.announcements, ["*", "a"]);
        }
    }

    #[test]
    fn no_rule_is_about_what_only_the_host_may_ask() {
        let all = Capability::ALL.into_iter().filter(|each| *each != Capability::Deny).collect();
        let rule = Rule { capabilities: all, ..Rule::default() };
        let question =
            |operation| Question { path: "a", operation, needs_sudo: true, wrap_ttl: None, body: b"" };
        assert!(rule.permits(&question(Operation::Patch)));
        assert!(!rule.permits(&question(Operation::AliasLookahead)));
        assert!(!rule.permits(&question(Operation::ResolveRole)));
    }
}
