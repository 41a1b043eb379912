use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound::{Included, Unbounded},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{LockoutConfig, MountKind, MountPath, PluginVersion, SpecialPaths};

/// Where a mount stands in its life. A kill at any point leaves one of these, and start-up finishes what it stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MountState {
    /// Its plugin is being started for the first time; interrupted, it is as if it had never been asked for.
    Enabling,
    /// It serves.
    #[default]
    Mounted,
    /// Its data is being removed; interrupted, the removal goes on.
    Removing,
}

/// The settings of a mount that its operator may change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MountConfig {
    /// Zero: the system's.
    pub default_lease_ttl: Duration,
    /// Zero: the system's.
    pub max_lease_ttl: Duration,
    /// The plugin shall not cache what it stores.
    pub force_no_cache: bool,
    /// Empty, `unauth` or `hidden`.
    pub listing_visibility: String,
    /// Of an auth method: `default-service`, `default-batch`, `service`, `batch`.
    pub token_type: String,
    /// Keys of requests that an audit record shows in clear.
    pub audit_non_hmac_request_keys: Vec<String>,
    /// Keys of answers that an audit record shows in clear.
    pub audit_non_hmac_response_keys: Vec<String>,
    /// Headers of the request that the plugin sees.
    pub passthrough_request_headers: Vec<String>,
    /// Headers of the plugin's answer that the caller sees.
    pub allowed_response_headers: Vec<String>,
    /// Managed keys that the plugin may use.
    pub allowed_managed_keys: Vec<String>,
    /// Auth mounts that the plugin may hand requests to.
    pub delegated_auth_accessors: Vec<String>,
    /// The key that signs identity tokens for the plugin.
    pub identity_token_key: String,
    /// Slashes at the end of a write's path are taken off.
    pub trim_request_trailing_slashes: bool,
    /// Of an auth method that knows users by name: how it locks out those who guess; none: as usual.
    pub user_lockout: Option<LockoutConfig>,
}

/// Everything that is stored about a mount.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MountEntry {
    /// For the life of the mount, wherever it is moved to. Its data is stored under it.
    pub uuid: String,
    /// Given to the plugin at set-up.
    pub backend_uuid: String,
    /// Where it is: auth methods are under `auth/`.
    pub path: MountPath,
    /// Secrets engine or auth method.
    pub kind: MountKind,
    /// The name of its plugin: also its type, as clients see it.
    pub plugin: String,
    /// The version asked for, or that was resolved when it was enabled; none: whatever the catalog says.
    pub plugin_version: PluginVersion,
    /// `<type>_<8 hex>`.
    pub accessor: String,
    /// For people.
    pub description: String,
    /// Passed on to the plugin. Absent for the mounts that are always there.
    pub options: Option<HashMap<String, String>>,
    /// Not replicated.
    pub local: bool,
    /// Kept for clients that ask; everything stored is sealed anyway.
    pub seal_wrap: bool,
    /// Likewise.
    pub external_entropy_access: bool,
    /// What may be tuned.
    pub config: MountConfig,
    /// Where it stands.
    pub state: MountState,
}

/// What a plugin said about itself when it was last started for a mount.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MountFacts {
    /// Known before the plugin runs again, so that logins find their way to it.
    pub special_paths: SpecialPaths,
    /// A task of ours rather than a program.
    pub builtin: bool,
    /// As the plugin reports it, or the catalog knows it.
    pub running_version: String,
    /// In hex; empty for built-in ones.
    pub running_sha256: String,
}

/// Which mount a request belongs to. A value: a change makes a new table, and a request reads one from start to end.
///
/// No path in it lies above another.
#[derive(Clone, Debug)]
pub struct MountTable<M>(BTreeMap<MountPath, M>);

/// The path that stands in the way of another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("path is already in use at {0}")]
pub struct PathInUse(pub MountPath);

impl<M> Default for MountTable<M> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<M> MountTable<M> {
    /// Splits `secret/data/db` into the mount at `secret/` and the rest, `data/db`.
    ///
    /// A path without its last slash is still the mount's own: `secret` is `secret/` and nothing more.
    pub fn resolve<'p>(&self, path: &'p str) -> Option<(&MountPath, &M, &'p str)> {
        // Mounts never overlap, so the greatest key not above `path` is the only candidate.
        if let Some((at, mount)) = self.0.range::<str, _>((Unbounded, Included(path))).next_back()
            && let Some(rest) = path.strip_prefix(at.as_str())
        {
            return Some((at, mount, rest));
        }
        let (at, mount) = self.0.get_key_value(format!("{path}/").as_str())?;
        Some((at, mount, ""))
    }

    /// The mount at exactly this path.
    pub fn get(&self, path: &MountPath) -> Option<&M> {
        self.0.get(path)
    }

    /// The path of a mount that lies at, above or below another path.
    pub fn overlap(&self, path: &MountPath) -> Option<&MountPath> {
        let text = path.as_str();
        let above = self.0.range::<str, _>((Unbounded, Included(text))).next_back();
        let below = self.0.range::<str, _>((Included(text), Unbounded)).next();
        above.into_iter().chain(below).map(|(at, _)| at).find(|at| at.overlaps(path))
    }

    /// Adds a mount.
    ///
    /// # Errors
    /// When another one is at, above or below its path.
    pub fn insert(&mut self, path: MountPath, mount: M) -> Result<(), PathInUse> {
        if let Some(taken) = self.overlap(&path) {
            return Err(PathInUse(taken.clone()));
        }
        self.0.insert(path, mount);
        Ok(())
    }

    /// Puts another value in the place of the one at this path; nothing happens when there is none.
    pub fn replace(&mut self, path: &MountPath, mount: M) {
        if let Some(slot) = self.0.get_mut(path) {
            *slot = mount;
        }
    }

    /// Takes a mount out.
    pub fn remove(&mut self, path: &MountPath) -> Option<M> {
        self.0.remove(path)
    }

    /// Every mount, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = (&MountPath, &M)> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn path(text: &str) -> MountPath {
        text.parse().unwrap()
    }

    fn table(paths: &[&str]) -> MountTable<()> {
        let mut table = MountTable::default();
        for at in paths {
            table.insert(path(at), ()).unwrap();
        }
        table
    }

    #[test]
    fn a_request_finds_its_mount_and_the_rest_of_its_path() {
        let table = table(&["auth/github", "secret", "secret-two"]);
        for (asked, expected) in [
            ("secret/data/db", Some(("secret/", "data/db"))),
            ("secret/", Some(("secret/", ""))),
            ("secret", Some(("secret/", ""))),
            ("secret-two/a", Some(("secret-two/", "a"))),
            ("auth/github/login", Some(("auth/github/", "login"))),
            ("auth/git/login", None),
            ("auth", None),
            ("secre", None),
            ("secrets/a", None),
            ("", None),
        ] {
            let found = table.resolve(asked).map(|(at, (), rest)| (at.as_str(), rest));
            assert_eq!(found, expected, "{asked}");
        }
    }

    #[test]
    fn r3_a_mount_above_or_below_another_is_refused_and_named() {
        let mut table = table(&["a/b"]);
        for taken in ["a", "a/b", "a/b/c"] {
            assert_eq!(table.insert(path(taken), ()), Err(PathInUse(path("a/b"))), "{taken}");
        }
        assert_eq!(table.insert(path("a/bc"), ()), Ok(()));
    }

    /// Few segments, so that paths meet; `-` and `0` sort on either side of the slash.
    fn any_path() -> impl Strategy<Value = String> {
        vec(prop_oneof!["a", "b", "a-", "a0", "ab"], 1..4).prop_map(|segments| segments.join("/"))
    }

    proptest! {
        #[test]
        fn r3_overlaps_are_found_as_a_look_at_every_pair_finds_them(paths in vec(any_path(), 0..12)) {
            let mut table = MountTable::default();
            let mut model: Vec<MountPath> = Vec::new();
            for text in paths {
                let new = path(&text);
                let free = model.iter().all(|old| !old.overlaps(&new));
                prop_assert_eq!(table.insert(new.clone(), ()).is_ok(), free);
                if free {
                    model.push(new);
                }
            }
        }

        #[test]
        fn r3_the_longest_prefix_on_segment_borders_wins(
            paths in vec(any_path(), 0..12),
            asked in any_path(),
            slash in any::<bool>(),
        ) {
            let mut table = MountTable::default();
            for text in paths {
                let _ = table.insert(path(&text), ());
            }
            let asked = if slash { format!("{asked}/") } else { asked };
            let whole = if slash { asked.clone() } else { format!("{asked}/") };
            let expected = table
                .iter()
                .map(|(at, ())| at.as_str())
                .filter(|at| whole.starts_with(at))
                .max_by_key(|at| at.len())
                .map(|at| (at.to_owned(), asked.strip_prefix(at).unwrap_or_default().to_owned()));
            let found = table.resolve(&asked).map(|(at, (), rest)| (at.to_string(), rest.to_owned()));
            prop_assert_eq!(found, expected);
        }
    }
}
