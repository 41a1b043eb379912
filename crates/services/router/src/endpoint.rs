use domain::Operation;
use futures::future::BoxFuture;

use crate::{answer::Answer, ask::Ask, error::Result};

/// What answers one operation of an endpoint.
pub(crate) type Handler = fn(Ask) -> BoxFuture<'static, Result<Answer>>;

/// Who may use an endpoint, and in what form it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody, sealed or not; without Vault's envelope.
    Direct,
    /// Everybody, once unsealed. A token is not looked at.
    Open,
    /// Likewise; those who have a token are told more.
    Optional,
    /// Holders of a token whose policies allow it.
    Token,
    /// Likewise. The wrapping token that it is about comes first: one that is not good is told before it is looked at who
    /// asks, and the caller's own may be one.
    Wrapping,
    /// Holders of a token whose policies allow it, and say `sudo`.
    Sudo,
}

/// One path, or family of paths, that this service answers itself.
pub(crate) struct Endpoint {
    /// Segments; `:name` stands for any one, `*name` for one or more.
    pub(crate) pattern: &'static str,
    pub(crate) access: Access,
    /// The members of `data` are repeated at the top, as older clients read them.
    pub(crate) on_top: bool,
    pub(crate) operations: Operations,
    /// What it is for, in one sentence.
    pub(crate) help: &'static str,
}

/// What the variable parts of a pattern stood for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Captures(Vec<(&'static str, String)>);

/// What can be done at an endpoint.
pub(crate) type Operations = &'static [(Operation, Handler)];

impl Endpoint {
    pub(crate) const fn new(
        pattern: &'static str,
        access: Access,
        operations: Operations,
        help: &'static str,
    ) -> Self {
        Self { pattern, access, on_top: false, operations, help }
    }

    /// For holders of a token whose policies allow it.
    pub(crate) const fn token(pattern: &'static str, operations: Operations, help: &'static str) -> Self {
        Self::new(pattern, Access::Token, operations, help)
    }

    /// For those whose policies say `sudo` as well.
    pub(crate) const fn sudo(pattern: &'static str, operations: Operations, help: &'static str) -> Self {
        Self::new(pattern, Access::Sudo, operations, help)
    }

    /// The same, with the members of `data` at the top, too.
    pub(crate) const fn on_top(self) -> Self {
        Self { on_top: true, ..self }
    }

    /// Whether this is the endpoint of a path.
    pub(crate) fn matches(&self, path: &str) -> Option<Captures> {
        let pattern: Vec<&'static str> = self.pattern.split('/').collect();
        let path: Vec<&str> = path.split('/').collect();
        let mut captures = Vec::new();
        walk(&pattern, &path, &mut captures).then(|| {
            captures.reverse();
            Captures(captures)
        })
    }

    pub(crate) fn handler(&self, operation: Operation) -> Option<Handler> {
        self.operations.iter().find(|(each, _)| *each == operation).map(|(_, handler)| *handler)
    }
}

impl Captures {
    /// What a variable stood for; the empty text when the pattern has no such variable.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(each, _)| *each == name).map_or("", |(_, text)| text)
    }
}

/// The first endpoint of a table that has this path.
pub(crate) fn find<'t>(table: &[&'t [Endpoint]], path: &str) -> Option<(&'t Endpoint, Captures)> {
    let mut all = table.iter().flat_map(|family| family.iter());
    all.find_map(|endpoint| endpoint.matches(path).map(|captures| (endpoint, captures)))
}

/// Matches segment by segment; a `*` takes as much as leaves the rest of the pattern something to match.
fn walk(pattern: &[&'static str], path: &[&str], captures: &mut Vec<(&'static str, String)>) -> bool {
    let Some((first, pattern_rest)) = pattern.split_first() else { return path.is_empty() };
    let capture = |name, text: String, captures: &mut Vec<_>| {
        captures.push((name, text));
        true
    };
    if let Some(name) = first.strip_prefix('*') {
        return (1..=path.len()).rev().any(|taken| {
            let taken = path.split_at(taken);
            taken.0 != [""]
                && walk(pattern_rest, taken.1, captures)
                && capture(name, taken.0.join("/"), captures)
        });
    }
    let Some((segment, path_rest)) = path.split_first() else { return false };
    match first.strip_prefix(':') {
        Some(name) => {
            !segment.is_empty()
                && walk(pattern_rest, path_rest, captures)
                && capture(name, (*segment).to_owned(), captures)
        }
        None => first == segment && walk(pattern_rest, path_rest, captures),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(pattern: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
        let endpoint = Endpoint { pattern, access: Access::Token, on_top: false, operations: &[], help: "" };
        endpoint.matches(path).map(|captures| captures.0)
    }

    #[test]
    fn patterns_match_whole_segments_and_name_what_they_took() {
        let found = |pairs: &[(&'static str, &str)]| {
            Some(pairs.iter().map(|(name, text)| (*name, (*text).to_owned())).collect::<Vec<_>>())
        };
        assert_eq!(captured("mounts", "mounts"), found(&[]));
        assert_eq!(captured("mounts", "mounts/"), None);
        assert_eq!(captured("mounts/*path", "mounts/"), None);
        assert_eq!(captured("mounts/*path", "mounts/a/b/"), found(&[("path", "a/b/")]));
        assert_eq!(captured("mounts/*path/tune", "mounts/a/tune"), found(&[("path", "a")]));
        assert_eq!(captured("mounts/*path/tune", "mounts/tune/tune"), found(&[("path", "tune")]));
        assert_eq!(captured("mounts/*path/tune", "mounts/tune"), None);
        assert_eq!(
            captured("catalog/:type/*name", "catalog/secret/a/b"),
            found(&[("type", "secret"), ("name", "a/b")])
        );
        assert_eq!(captured("catalog/:type/", "catalog/secret/"), found(&[("type", "secret")]));
        assert_eq!(captured("catalog/:type/", "catalog/secret"), None);
    }
}
