use std::ops::Bound;

use crate::Prefix;

/// The name, below a prefix, of the child that a key belongs to: its next segment, with the `/` when more follows.
///
/// Keys that are sorted have sorted children, so a scan meets every child once.
pub(crate) fn child_of<'k>(prefix: &Prefix, key: &'k str) -> Option<&'k str> {
    let rest = key.strip_prefix(prefix.as_str())?;
    let end = rest.find('/').map_or(rest.len(), |slash| slash + 1);
    rest.get(..end)
}

/// The keys that can belong to children after `after`.
pub(crate) fn keys_after(prefix: &Prefix, after: &str) -> Bound<String> {
    match after.split_once('/') {
        // All that begins with `name/` is one child; `0` is the character after the slash.
        Some((name, _)) => Bound::Included(format!("{prefix}{name}0")),
        None => Bound::Excluded(format!("{prefix}{after}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_the_next_segment() {
        let prefix: Prefix = "a/".parse().unwrap();
        assert_eq!(child_of(&prefix, "a/b"), Some("b"));
        assert_eq!(child_of(&prefix, "a/b/c"), Some("b/"));
        assert_eq!(child_of(&prefix, "b/c"), None);
    }

    #[test]
    fn everything_below_a_folder_is_skipped() {
        let prefix: Prefix = "a/".parse().unwrap();
        assert_eq!(keys_after(&prefix, "b/"), Bound::Included("a/b0".to_owned()));
        assert_eq!(keys_after(&prefix, "b"), Bound::Excluded("a/b".to_owned()));
    }
}
