use std::{borrow::Borrow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Never empty, no leading slash, exactly one trailing slash: `secret/`, `auth/github/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MountPath(String);

/// The path of a request in its one canonical form: decoded, no leading slash, no empty, `.` or `..` segment, no
/// control characters, no backslash. Policy, routing, storage and audit all use this form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestPath(String);

/// Why a text is no path.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidPath {
    /// Nothing where a mount should be.
    #[error("a mount needs a path")]
    Empty,
    /// `.` or `..` as a segment.
    #[error("relative paths not supported")]
    Relative,
    /// Two slashes in a row, or one at the front.
    #[error("invalid path: empty segments are not allowed")]
    EmptySegment,
    /// A control character or backslash.
    #[error("invalid path: control characters and backslashes are not allowed")]
    Control,
    /// Blanks at the end of a segment.
    #[error("path cannot contain trailing whitespace")]
    Whitespace,
}

fn check(path: &str) -> Result<(), InvalidPath> {
    if path.chars().any(|c| c.is_control() || c == '\\') {
        return Err(InvalidPath::Control);
    }
    let inner = path.strip_suffix('/').unwrap_or(path);
    if inner.is_empty() {
        return Ok(());
    }
    for segment in inner.split('/') {
        match segment {
            "" => return Err(InvalidPath::EmptySegment),
            "." | ".." => return Err(InvalidPath::Relative),
            _ => {}
        }
    }
    Ok(())
}

impl MountPath {
    /// The text, with its trailing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether one of the two lies above the other, or they are the same.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0) || other.0.starts_with(&self.0)
    }
}

impl FromStr for MountPath {
    type Err = InvalidPath;

    fn from_str(path: &str) -> Result<Self, InvalidPath> {
        let inner = path.strip_suffix('/').unwrap_or(path);
        if inner.is_empty() {
            return Err(InvalidPath::Empty);
        }
        check(inner)?;
        if inner.ends_with('/') {
            return Err(InvalidPath::EmptySegment);
        }
        if inner.split('/').any(|segment| segment.ends_with(char::is_whitespace)) {
            return Err(InvalidPath::Whitespace);
        }
        Ok(Self(format!("{inner}/")))
    }
}

impl TryFrom<String> for MountPath {
    type Error = InvalidPath;

    fn try_from(path: String) -> Result<Self, InvalidPath> {
        path.parse()
    }
}

impl From<MountPath> for String {
    fn from(path: MountPath) -> Self {
        path.0
    }
}

impl Borrow<str> for MountPath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MountPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl RequestPath {
    /// The text; may end in a slash, may be empty.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same path with a slash at its end, as lists are asked for.
    #[must_use]
    pub fn as_folder(mut self) -> Self {
        if !self.0.ends_with('/') && !self.0.is_empty() {
            self.0.push('/');
        }
        self
    }
}

impl TryFrom<String> for RequestPath {
    type Error = InvalidPath;

    fn try_from(path: String) -> Result<Self, InvalidPath> {
        if path.starts_with('/') {
            return Err(InvalidPath::EmptySegment);
        }
        check(&path)?;
        Ok(Self(path))
    }
}

impl FromStr for RequestPath {
    type Err = InvalidPath;

    fn from_str(path: &str) -> Result<Self, InvalidPath> {
        path.to_owned().try_into()
    }
}

impl fmt::Display for RequestPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_paths_end_in_one_slash() {
        assert_eq!("secret".parse::<MountPath>().unwrap().as_str(), "secret/");
        assert_eq!("auth/x/".parse::<MountPath>().unwrap().as_str(), "auth/x/");
        for bad in ["", "/", "/a", "a//b", "a//", "../a", "a/./b", "a\u{7}", "a "] {
            assert!(bad.parse::<MountPath>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn r1_request_paths_have_one_form() {
        for good in ["", "a", "a/b/", "a/..b", "a/b..", "ünï/c d"] {
            assert!(good.parse::<RequestPath>().is_ok(), "{good:?}");
        }
        for (bad, why) in [
            ("a/../b", InvalidPath::Relative),
            ("a/.", InvalidPath::Relative),
            ("a//b", InvalidPath::EmptySegment),
            ("a//", InvalidPath::EmptySegment),
            ("/a", InvalidPath::EmptySegment),
            ("a\0", InvalidPath::Control),
            ("a\\b", InvalidPath::Control),
        ] {
            assert_eq!(bad.parse::<RequestPath>(), Err(why), "{bad:?}");
        }
    }

    #[test]
    fn overlap_is_decided_on_whole_segments() {
        let path = |p: &str| p.parse::<MountPath>().unwrap();
        assert!(path("a").overlaps(&path("a/b")));
        assert!(path("a/b").overlaps(&path("a")));
        assert!(!path("a").overlaps(&path("ab")));
    }
}
