use super::{capabilities::UnknownCapability, path::InvalidPattern, template::InvalidPath};
use crate::{InvalidDuration, document};

/// Why a text is no policy, in the words that clients know.
#[derive(Debug, thiserror::Error)]
#[error("failed to parse policy: {0}")]
pub struct InvalidPolicy(#[from] Problem);

#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    #[error(transparent)]
    Document(#[from] document::Problem),
    #[error("{}", listed(.0))]
    Keys(Vec<UnknownKey>),
    #[error("failed to validate policy templating: unbalanced templating characters")]
    Templating,
    #[error("max_wrapping_ttl cannot be less than min_wrapping_ttl")]
    Wrapping,
    #[error("path is followed by a name and a block")]
    NoPath,
    #[error("path {path:?}: {source}")]
    Path { path: String, source: PathProblem },
}

/// What is wrong with the rule for one path.
#[derive(Debug, thiserror::Error)]
pub(super) enum PathProblem {
    #[error("a block with the rules of the path is expected")]
    NoBlock,
    #[error(transparent)]
    Pattern(#[from] InvalidPattern),
    #[error("invalid policy {0:?}")]
    Legacy(String),
    #[error(transparent)]
    Capability(#[from] UnknownCapability),
    #[error("{key} is {expected}")]
    Type { key: &'static str, expected: &'static str },
    #[error("error parsing {key}: {source}")]
    Duration { key: &'static str, source: InvalidDuration },
}

/// A key that means nothing.
#[derive(Debug)]
pub(super) struct UnknownKey {
    pub(super) path: Option<String>,
    pub(super) key: String,
    pub(super) line: usize,
}

impl Problem {
    pub(super) fn at(path: &str, source: impl Into<PathProblem>) -> Self {
        Self::Path { path: path.to_owned(), source: source.into() }
    }

    pub(super) fn of_path(path: &str, problem: InvalidPath) -> Self {
        match problem {
            InvalidPath::Unbalanced => Self::Templating,
            InvalidPath::Pattern(source) => Self::at(path, source),
        }
    }
}

/// As Go's multierror writes a list.
fn listed(keys: &[UnknownKey]) -> String {
    let count = keys.len();
    let mut text = format!("{count} error{} occurred:\n", if count == 1 { "" } else { "s" });
    for UnknownKey { path, key, line } in keys {
        let path = path.as_ref().map(|path| format!("path {path:?}: ")).unwrap_or_default();
        text.push_str(&format!("\t* {path}invalid key {key:?} on line {line}\n"));
    }
    text.push('\n');
    text
}
