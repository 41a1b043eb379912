use std::cmp::{Ordering, Reverse};

/// What the path of a rule matches.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// This path only.
    Exact(String),
    /// Every path that begins like this; it may end within a segment.
    Prefix(String),
    /// A path with `+` for whole segments.
    Segments(Segments),
}

/// A pattern in which each segment `+` stands for any one segment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Segments {
    /// Without the star.
    text: String,
    /// Whether it ended in `*`: whatever follows matches too.
    open: bool,
    /// Where the first `+` stands.
    first: usize,
    /// How many there are.
    plusses: usize,
}

/// A `+` that a `*` follows; nobody could tell what it means.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid use of wildcards ('+*' is forbidden)")]
pub struct InvalidPattern;

impl Pattern {
    /// Reads the path of a rule. One leading slash is dropped.
    ///
    /// # Errors
    /// When a star follows a plus.
    pub fn parse(text: &str) -> Result<Self, InvalidPattern> {
        let text = text.strip_prefix('/').unwrap_or(text);
        if text.contains("+*") {
            return Err(InvalidPattern);
        }
        let (text, open) = match text.strip_suffix('*') {
            Some(prefix) => (prefix, true),
            None => (text, false),
        };
        Ok(match (Segments::new(text, open), open) {
            (Some(segments), _) => Self::Segments(segments),
            (None, true) => Self::Prefix(text.to_owned()),
            (None, false) => Self::Exact(text.to_owned()),
        })
    }

    /// The text that stands before the first wildcard.
    pub fn head(&self) -> &str {
        match self {
            Self::Exact(text) | Self::Prefix(text) => text,
            Self::Segments(segments) => &segments.text[..segments.first],
        }
    }

    /// The pattern without the star at its end, as callers are shown it.
    pub fn shown(&self) -> &str {
        match self {
            Self::Exact(text) | Self::Prefix(text) => text,
            Self::Segments(segments) => &segments.text,
        }
    }

    /// Whether a path is one of those that are meant.
    pub fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(text) => path == text,
            Self::Prefix(prefix) => path.starts_with(prefix),
            Self::Segments(segments) => segments.matches(path),
        }
    }

    /// Of two patterns that match a path and stand for more than one, the greater is the more specific.
    pub fn specificity(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }

    fn rank(&self) -> (usize, bool, Reverse<usize>, usize, &str) {
        let text = self.shown();
        let (closed, plusses) = match self {
            Self::Exact(_) => (true, 0),
            Self::Prefix(_) => (false, 0),
            Self::Segments(segments) => (!segments.open, segments.plusses),
        };
        (self.head().len(), closed, Reverse(plusses), text.len(), text)
    }

    /// Whether a path inside a folder may match; the folder ends in a slash.
    pub fn reaches_into(&self, folder: &str) -> bool {
        match self {
            Self::Exact(text) => text.starts_with(folder),
            Self::Prefix(prefix) => prefix.starts_with(folder) || folder.starts_with(prefix),
            Self::Segments(segments) => segments.reaches_into(folder),
        }
    }
}

impl Segments {
    fn new(text: &str, open: bool) -> Option<Self> {
        let mut start = 0;
        let mut first = None;
        let mut plusses = 0;
        for segment in text.split('/') {
            if segment == "+" {
                first = first.or(Some(start));
                plusses += 1;
            }
            start += segment.len() + 1;
        }
        first.map(|first| Self { text: text.to_owned(), open, first, plusses })
    }

    fn matches(&self, path: &str) -> bool {
        // What stands before the first `+` ends in a slash, so segments stay segments.
        let Some(path) = path.strip_prefix(&self.text[..self.first]) else { return false };
        let mut asked = path.split('/');
        let mut wanted = self.text[self.first..].split('/').peekable();
        while let Some(want) = wanted.next() {
            let Some(segment) = asked.next() else { return false };
            if self.open && wanted.peek().is_none() {
                return segment.starts_with(want);
            }
            if want != "+" && want != segment {
                return false;
            }
        }
        asked.next().is_none()
    }

    fn reaches_into(&self, folder: &str) -> bool {
        let folder = folder.strip_suffix('/').unwrap_or(folder);
        let mut wanted = self.text.split('/').peekable();
        for segment in folder.split('/') {
            let Some(want) = wanted.next() else { return false };
            if self.open && wanted.peek().is_none() {
                return segment.starts_with(want);
            }
            if want != "+" && want != segment {
                return false;
            }
        }
        wanted.peek().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap()
    }

    #[test]
    fn patterns_match_what_they_say() {
        for (text, path, expected) in [
            ("a/b", "a/b", true),
            ("/a/b", "a/b", true),
            ("a/b", "a/b/", false),
            ("a/*", "a/", true),
            ("a/*", "a", false),
            ("a/b*", "a/bc/d", true),
            ("*", "", true),
            ("a/*/c", "a/*/c", true),
            ("a/*/c", "a/b/c", false),
            ("+", "a", true),
            ("+", "a/b", false),
            ("+/seg", "foo/seg", true),
            ("a/+/c", "a/b/c", true),
            ("a/+/c", "a/b/b/c", false),
            ("a/+", "a/", true),
            ("a/+/", "a/b/", true),
            ("a/+/", "a/b", false),
            ("a/+/*", "a/b/", true),
            ("a/+/*", "a/b", false),
            ("a/+/c*", "a/b/cd/e", true),
            ("a/+x", "a/bx", false),
            ("a/+x", "a/+x", true),
        ] {
            assert_eq!(pattern(text).matches(path), expected, "{text} {path}");
        }
        assert_eq!(Pattern::parse("a/+*"), Err(InvalidPattern));
    }

    #[test]
    fn the_most_specific_pattern_is_the_greatest() {
        let sorted =
            ["*", "k/*", "k/a*", "k/+/+/*", "k/+/*", "k/+/+/z", "k/+/x", "k/+/y", "k/+/xx", "k/b/*", "k/b/+"];
        let mut patterns: Vec<Pattern> = sorted.iter().rev().map(|text| pattern(text)).collect();
        patterns.sort_by(Pattern::specificity);
        // `k/a*` has its wildcard later than `k/+/…`.
        let shown: Vec<&str> = patterns.iter().map(Pattern::shown).collect();
        assert_eq!(
            shown,
            ["", "k/+/+/", "k/+/", "k/", "k/+/+/z", "k/+/x", "k/+/y", "k/+/xx", "k/a", "k/b/", "k/b/+"]
        );
    }

    #[test]
    fn a_pattern_reaches_into_a_folder_when_something_in_it_may_match() {
        for (text, folder, expected) in [
            ("kv/a", "kv/", true),
            ("kv/", "kv/", true),
            ("kv", "kv/", false),
            ("kvx/a", "kv/", false),
            ("k*", "kv/", true),
            ("kv/a*", "kv/", true),
            ("+/a", "kv/", true),
            ("+", "kv/", false),
            ("+/+", "a/b/", false),
            ("+/b/c", "a/b/", true),
            ("+/b*", "a/bc/", true),
            ("+/c", "a/b/", false),
        ] {
            assert_eq!(pattern(text).reaches_into(folder), expected, "{text} {folder}");
        }
    }
}
