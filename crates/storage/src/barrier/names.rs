//! The names of entries: those below a mount are users' own, and are secrets as much as the values.

use aes_siv::{KeyInit, siv::Aes256Siv};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::Secret;
use quick_cache::{Weighter, sync::Cache};

use crate::{Error, Key, Prefix, Result};

/// Everything stored lies below this; beside it lie the barrier's own entries, which no key given from outside names.
const DATA: &str = "data/";

/// Below these, and the segment that follows, every segment is hidden. A cubbyhole has paths of its users' own as well.
const MOUNTS: [&str; 3] = ["logical/", "auth/", "core/cubbyhole/"];

/// Below this and the segment that follows, a namespace keeps what the root namespace keeps beside it, mounts and all.
const NAMESPACES: &str = "namespaces/";

/// Hidden names that are kept, in bytes with the names they stand for: to hide one anew costs more than the rest of a
/// read that the cache below answers.
const KEPT: u64 = 1 << 20;

/// What a kept name is assumed to weigh on average, in bytes.
const USUAL: u64 = 256;

/// What a kept name takes beside the two texts, in bytes.
const OVERHEAD: u64 = 96;

/// Hides names segment by segment, so that what is below a prefix still begins with the hidden prefix.
///
/// Encryption is deterministic, as finding an entry again demands, with the plain path above as associated data:
/// the same name in two folders does not look the same.
pub(super) struct Names {
    key: Secret<[u8; 64]>,
    recent: Cache<Key, Key, Weight>,
}

#[derive(Clone)]
struct Weight;

impl Weighter<Key, Key> for Weight {
    fn weight(&self, key: &Key, hidden: &Key) -> u64 {
        (key.as_str().len() + hidden.as_str().len()) as u64 + OVERHEAD
    }
}

/// Where the part of a path that is hidden begins.
fn hidden_from(path: &str) -> usize {
    let inner = of_namespace(path);
    let below = |root: &str| {
        let slash = inner.strip_prefix(root)?.find('/')?;
        Some(path.len() - inner.len() + root.len() + slash + 1)
    };
    MOUNTS.into_iter().find_map(below).unwrap_or(path.len())
}

/// Whether the children of a prefix are hidden.
pub(super) fn hidden_below(prefix: &str) -> bool {
    let inner = of_namespace(prefix);
    MOUNTS.into_iter().any(|root| inner.strip_prefix(root).is_some_and(|rest| rest.contains('/')))
}

/// A path as its namespace sees it.
fn of_namespace(path: &str) -> &str {
    path.strip_prefix(NAMESPACES).and_then(|rest| rest.split_once('/')).map_or(path, |(_, inner)| inner)
}

impl Names {
    /// Hides names with this key.
    pub(super) fn new(key: Secret<[u8; 64]>) -> Self {
        let items = usize::try_from(KEPT / USUAL).unwrap_or(usize::MAX);
        Self { key, recent: Cache::with_weighter(items, KEPT, Weight) }
    }

    /// With what they are hidden.
    pub(super) const fn secret(&self) -> &Secret<[u8; 64]> {
        &self.key
    }

    /// The name that a key is stored under.
    pub(super) fn key(&self, key: &Key) -> Result<Key> {
        if !hidden_below(key.as_str()) {
            return self.hide(key.as_str()).map(Key::encoded);
        }
        if let Some(hidden) = self.recent.get(key) {
            return Ok(hidden);
        }
        let hidden = self.hide(key.as_str()).map(Key::encoded)?;
        self.recent.insert(key.clone(), hidden.clone());
        Ok(hidden)
    }

    /// The prefix that a prefix is stored under.
    pub(super) fn prefix(&self, prefix: &Prefix) -> Result<Prefix> {
        let text = prefix.as_str();
        if hidden_from(text) == text.len() {
            return Ok(Prefix::encoded(format!("{DATA}{text}")));
        }
        let folder = text.strip_suffix('/').unwrap_or(text);
        Ok(Prefix::encoded(self.hide(folder)? + "/"))
    }

    /// What the hidden children of a prefix are called.
    pub(super) fn show(&self, prefix: &Prefix, hidden: &[String]) -> Result<Vec<String>> {
        let mut siv = self.siv();
        let shown = hidden.iter().map(|child| {
            let (name, slash) = child.strip_suffix('/').map_or((child.as_str(), ""), |name| (name, "/"));
            let open = URL_SAFE_NO_PAD.decode(name).ok().and_then(|sealed| {
                let plain = siv.decrypt([prefix.as_str()], &sealed).ok()?;
                String::from_utf8(plain).ok()
            });
            let damaged = || Error::Damaged(Key::encoded(format!("{prefix}{child}")));
            open.map(|name| name + slash).ok_or_else(damaged)
        });
        shown.collect()
    }

    fn hide(&self, path: &str) -> Result<String> {
        let mut at = hidden_from(path);
        let (plain, hidden) = path.split_at(at);
        let mut name = format!("{DATA}{plain}");
        if !hidden_below(path) {
            return Ok(name);
        }
        let mut siv = self.siv();
        for segment in hidden.split('/') {
            let (above, _) = path.split_at(at);
            let sealed = siv
                .encrypt([above], segment.as_bytes())
                .map_err(|error| Error::backend(error.to_string()))?;
            URL_SAFE_NO_PAD.encode_string(sealed, &mut name);
            name.push('/');
            at += segment.len() + 1;
        }
        name.pop();
        Ok(name)
    }

    fn siv(&self) -> Aes256Siv {
        Aes256Siv::new(self.key.expose().into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names() -> Names {
        Names::new(Secret::new([7; 64]))
    }

    fn key(text: &str) -> Key {
        text.parse().unwrap()
    }

    #[test]
    fn only_what_lies_below_a_mount_is_hidden() {
        let names = names();
        for plain in [
            "core/mounts",
            "logical",
            "logical/uuid",
            "authority/a/b",
            "sys/token/id",
            "namespaces/uuid",
            "namespaces/uuid/core/mounts/uuid",
            "namespaces/uuid/logical/uuid",
        ] {
            assert_eq!(names.key(&key(plain)).unwrap().as_str(), format!("data/{plain}"));
        }
        for hidden in [
            "logical/uuid/my-secret",
            "auth/uuid/user/bob",
            "core/cubbyhole/token/my-secret",
            "namespaces/uuid/logical/uuid/my-secret",
            "namespaces/uuid/auth/uuid/user/bob",
        ] {
            let name = names.key(&key(hidden)).unwrap();
            assert!(!name.as_str().contains("secret") && !name.as_str().contains("bob"), "{name}");
        }
    }

    #[test]
    fn the_same_name_elsewhere_looks_different() {
        let names = names();
        let last = |path: &str| {
            let name = String::from(names.key(&key(path)).unwrap());
            name.rsplit('/').next().unwrap().to_owned()
        };
        assert_ne!(last("logical/1/a/x"), last("logical/1/b/x"));
        assert_ne!(last("logical/1/x"), last("logical/2/x"));
        assert_eq!(last("logical/1/x"), last("logical/1/x"));
    }

    #[test]
    fn a_name_that_is_kept_is_the_one_that_is_made_and_only_so_many_are_kept() {
        let names = names();
        for at in 0..20_000 {
            let path = format!("logical/uuid/{at}");
            let made = names.hide(&path).unwrap();
            assert_eq!(names.key(&key(&path)).unwrap().as_str(), made);
            assert_eq!(names.key(&key(&path)).unwrap().as_str(), made);
        }
        assert!(names.recent.weight() <= KEPT, "{}", names.recent.weight());
        assert!(names.recent.len() > 1000, "{}", names.recent.len());
    }

    proptest! {
        #[test]
        fn a_child_is_found_below_its_prefix_and_shown_again(folders in "([^/\0.]{0,4}/){0,3}", name in "[^/\0.]{0,6}") {
            let names = names();
            let prefix: Prefix = format!("logical/uuid/{folders}").parse().unwrap();
            let stored = names.key(&key(&format!("{prefix}{name}"))).unwrap();
            let below = names.prefix(&prefix).unwrap();
            let child = stored.as_str().strip_prefix(below.as_str()).unwrap().to_owned();
            prop_assert_eq!(names.show(&prefix, std::slice::from_ref(&child)).unwrap(), [name.clone()]);
            prop_assert_eq!(names.show(&prefix, &[child + "/"]).unwrap(), [name + "/"]);
        }
    }
}
