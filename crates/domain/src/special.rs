use serde::{Deserialize, Serialize};

/// Paths of an engine that are not treated like the others (Vault's `SpecialPaths`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SpecialPaths {
    /// These need the `sudo` capability: exact, or a prefix with a trailing `*`.
    pub root: Vec<String>,
    /// These need no token: exact, a prefix with a trailing `*`, or with `+` for one whole segment.
    pub unauthenticated: Vec<String>,
}

impl SpecialPaths {
    /// Whether a path inside the mount needs the `sudo` capability.
    pub fn needs_sudo(&self, path: &str) -> bool {
        self.root.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(prefix) => path.starts_with(prefix),
            None => path == pattern,
        })
    }

    /// Whether a path inside the mount is open to callers without a token.
    pub fn is_open(&self, path: &str) -> bool {
        self.unauthenticated.iter().any(|pattern| matches(pattern, path))
    }
}

fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, prefix) = match pattern.strip_suffix('*') {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    if !pattern.split('/').any(|segment| segment == "+") {
        return if prefix { path.starts_with(pattern) } else { path == pattern };
    }
    let mut segments = path.split('/');
    let mut wanted = pattern.split('/').peekable();
    while let Some(want) = wanted.next() {
        let Some(segment) = segments.next() else { return false };
        let last = wanted.peek().is_none();
        let fits = want == "+" || want == segment || (last && prefix && segment.starts_with(want));
        if !fits {
            return false;
        }
    }
    prefix || segments.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_vaults_do() {
        let cases = [
            ("login", "login", true),
            ("login", "login/x", false),
            ("login/*", "login/bob", true),
            ("login/*", "login", false),
            ("log*", "login", true),
            ("role/+/login", "role/a/login", true),
            ("role/+/login", "role/a/b/login", false),
            ("role/+/log*", "role/a/login/x", true),
            ("role/+/*", "role/a/x", true),
            ("role/+", "role", false),
        ];
        for (pattern, path, expected) in cases {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }
}
