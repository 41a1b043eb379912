//! Which paths a row of the table takes.
//!
//! `config` is that path; `roles/{name}` takes one segment; `data/{path...}` takes the rest, which has to name something
//! (not empty, no slash at the end); `metadata/{path*}` takes any rest at all, and `{*}` any path.

/// A parsed pattern: what comes before the capture, and what is captured.
#[derive(Debug)]
pub(super) struct Pattern {
    text: &'static str,
    parts: Vec<Part>,
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Literal(&'static str),
    Segment(&'static str),
    Named(&'static str),
    Anything(&'static str),
}

/// The named parts of a path.
pub(super) type Captures<'p> = Vec<(&'static str, &'p str)>;

impl Pattern {
    pub(super) fn new(text: &'static str) -> Self {
        Self { text, parts: text.split('/').map(Part::new).collect() }
    }

    pub(super) const fn text(&self) -> &'static str {
        self.text
    }

    /// Whether it ends in a word of its own.
    pub(super) fn ends_in_literal(&self) -> bool {
        matches!(self.parts.last(), Some(Part::Literal(_)))
    }

    /// The names that it captures.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) | Part::Anything("") => None,
            Part::Segment(name) | Part::Named(name) | Part::Anything(name) => Some(*name),
        })
    }

    /// What the pattern captures of a path, if it takes it.
    pub(super) fn captures<'p>(&self, path: &'p str) -> Option<Captures<'p>> {
        let mut captures = Captures::new();
        let mut rest = Some(path);
        for part in &self.parts {
            let left = rest?;
            let (segment, after) = match left.split_once('/') {
                Some((segment, after)) => (segment, Some(after)),
                None => (left, None),
            };
            rest = match part {
                Part::Literal(literal) => (segment == *literal).then_some(after)?,
                Part::Segment(name) => {
                    captures.push((*name, segment));
                    (!segment.is_empty()).then_some(after)?
                }
                Part::Named(name) => {
                    captures.push((*name, left));
                    (!left.is_empty() && !left.ends_with('/')).then_some(None)?
                }
                Part::Anything(name) => {
                    if !name.is_empty() {
                        captures.push((*name, left));
                    }
                    None
                }
            };
        }
        rest.is_none().then_some(captures)
    }
}

impl Part {
    fn new(text: &'static str) -> Self {
        let Some(name) = text.strip_prefix('{').and_then(|name| name.strip_suffix('}')) else {
            return Self::Literal(text);
        };
        if let Some(name) = name.strip_suffix("...") {
            Self::Named(name)
        } else if let Some(name) = name.strip_suffix('*') {
            Self::Anything(name)
        } else {
            Self::Segment(name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_take_what_they_say() {
        type Expected = Option<&'static [(&'static str, &'static str)]>;
        let cases: [(&str, &str, Expected); 15] = [
            ("config", "config", Some(&[])),
            ("config", "config/", None),
            ("config", "config/x", None),
            ("roles/{name}", "roles/a", Some(&[("name", "a")])),
            ("roles/{name}", "roles/", None),
            ("roles/{name}", "roles/a/b", None),
            ("role/{name}/creds", "role/a/creds", Some(&[("name", "a")])),
            ("data/{path...}", "data/a/b", Some(&[("path", "a/b")])),
            ("data/{path...}", "data/a/", None),
            ("data/{path...}", "data/", None),
            ("metadata/{path*}", "metadata/a/", Some(&[("path", "a/")])),
            ("metadata/{path*}", "metadata/", Some(&[("path", "")])),
            ("metadata/{path*}", "metadata", None),
            ("{*}", "", Some(&[])),
            ("{*}", "a/b/", Some(&[])),
        ];
        for (pattern, path, expected) in cases {
            let captures = Pattern::new(pattern).captures(path);
            assert_eq!(captures.as_deref(), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_pattern_knows_its_names() {
        let names: Vec<_> = Pattern::new("a/{b}/{c*}").names().collect();
        assert_eq!(names, ["b", "c"]);
        assert_eq!(Pattern::new("{*}").names().count(), 0);
    }
}
